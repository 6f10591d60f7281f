"""Packages: what the receiver opens is what the sender packed; whatever else lies there is refused, and says why."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from jobs.combination import entries
from jobs.combination.identities import make_identity, save_public
from jobs.combination.packages import (
    RECEIVED,
    SENT,
    Package,
    destroy_packages,
    draft,
    received,
    senders,
)
from jobs.combination.parcels import Address, Manifest
from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, JobError, Operational, Refused
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination
from transforms.derivation import SecretStays, for_broadcast
from transforms.pipeline.engine import LocalEngine, PassFailed
from transforms.pipeline.feed import Unit

from .conftest import Roles
from .sample_file import written

ROUND = "2024-07"
KEYS = pa.table(
    {
        "join_key": pa.array([bytes([n]) * 32 for n in range(5)], pa.binary(32)),
        "serial": [f"serial-{n}" for n in range(5)],
    }
)


@pytest.fixture
def combination(tmp_path: Path) -> Combination:
    return load_combination(written(tmp_path))


@pytest.fixture
def everyone(roles: Roles) -> dict[str, Environment]:
    return roles()


def send(sender: Environment, combination: Combination, table: pa.Table = KEYS, **options: object) -> Manifest:
    """A package of keys to KMA, in two files."""
    given = {"round": ROUND, "kind": "keys", "receiver": "KMA", **options}
    made = draft(sender, combination, **given)  # type: ignore[arg-type]
    half = table.num_rows // 2
    files = [made.sealer.write(table.slice(0, half), random=True), made.sealer.write(table.slice(half), random=True)]
    return made.finish(files, {"subjects": table.num_rows})


def take(receiver: Environment, combination: Combination, sender: str = "A", **options: object) -> Package | None:
    entries.forget()  # as each step does
    given = {"round": ROUND, "kind": "keys", **options}
    return received(receiver, combination, sender=sender, **given)  # type: ignore[arg-type]


def place(everyone: dict[str, Environment], revision: int = 1) -> Path:
    inbox = everyone["KMA"].exchange.inbox.local
    return inbox / "mobility-housing-health" / ROUND / "keys" / "A" / f"r{revision}"


def test_the_receiver_reads_what_the_sender_packed(combination: Combination, everyone: dict[str, Environment]) -> None:
    send(everyone["A"], combination)
    package = take(everyone["KMA"], combination)
    assert package is not None
    assert package.table().sort_by("serial").equals(KEYS)
    assert package.content == {"subjects": 5}
    assert (package.manifest.rows, package.manifest.address.sender) == (5, "A")
    assert package.schema() == KEYS.schema


def test_tasks_open_the_files_themselves(combination: Combination, everyone: dict[str, Environment]) -> None:
    send(everyone["A"], combination)
    package = take(everyone["KMA"], combination)
    assert package is not None
    units = package.units(unit_bytes=1)
    assert [unit.index for unit in units] == [0, 1]

    def count(unit: Unit) -> list[bytes]:
        return [str(batch.num_rows).encode() for batch in unit.batches(["serial"])]

    assert sorted(LocalEngine(units).each(count, "count")) == [b"2", b"3"]
    (pilot,) = {str(unit.pilot(["serial"]).schema) for unit in units}  # type: ignore[union-attr]
    assert pilot == "serial: string"


def test_the_data_key_travels_by_broadcast_only(combination: Combination, everyone: dict[str, Environment]) -> None:
    import pickle

    made = draft(everyone["A"], combination, round=ROUND, kind="keys", receiver="KMA")
    with pytest.raises(SecretStays):
        pickle.dumps(made.sealer)
    with for_broadcast():
        assert pickle.loads(pickle.dumps(made.sealer)).package == made.sealer.package
    assert made.sealer.key.reveal().hex() not in repr(made)


def test_no_row_and_no_key_lies_in_the_exchange(combination: Combination, everyone: dict[str, Environment]) -> None:
    made = draft(everyone["A"], combination, round=ROUND, kind="keys", receiver="KMA")
    data_key = made.sealer.key.reveal()
    made.finish([made.sealer.write(KEYS)])
    content = b"".join(path.read_bytes() for path in place(everyone).iterdir())
    for secret in (data_key, data_key.hex().encode(), b"serial-3", bytes([3]) * 32):
        assert secret not in content


def test_only_the_receiver_opens_it(combination: Combination, everyone: dict[str, Environment]) -> None:
    send(everyone["A"], combination)
    package = take(everyone["KMA"], combination)
    assert package is not None
    stolen = Package(everyone["CA"], package.manifest, package.place)
    with pytest.raises(Operational, match="sealed to"):
        stolen.table()


def test_taken_in_twice_changes_nothing(combination: Combination, everyone: dict[str, Environment]) -> None:
    send(everyone["A"], combination)
    first, second = take(everyone["KMA"], combination), take(everyone["KMA"], combination)
    assert first is not None
    assert second is not None
    assert first.manifest == second.manifest
    (entry,) = entries.entered(everyone["KMA"], RECEIVED)
    assert entry.content()["rows"] == 5
    assert take(everyone["KMA"], combination, "B") is None


def test_sent_twice_is_one_package(combination: Combination, everyone: dict[str, Environment]) -> None:
    first = send(everyone["A"], combination, inputs={"plan": 1})
    files = sorted(place(everyone).iterdir())
    assert send(everyone["A"], combination, inputs={"plan": 1}) == first
    assert sorted(place(everyone).iterdir()) == files
    assert len(entries.entered(everyone["A"], SENT)) == 1
    assert senders(everyone["KMA"], combination, ROUND, "keys") == ("A",)


@pytest.mark.parametrize("other", [{"inputs": {"plan": 2}}, {"table": KEYS.slice(1)}, {"receipt": "2024-17"}])
def test_the_same_revision_with_other_content_is_not_sent(
    combination: Combination, everyone: dict[str, Environment], other: dict[str, object]
) -> None:
    send(everyone["A"], combination, inputs={"plan": 1})
    before = {path.name: path.read_bytes() for path in place(everyone).iterdir()}
    with pytest.raises(Refused, match=r"sent with other content.*--revision 2"):
        send(everyone["A"], combination, **{"inputs": {"plan": 1}, **other})  # type: ignore[arg-type]
    assert {path.name: path.read_bytes() for path in place(everyone).iterdir()} == before
    assert [one.name for one in place(everyone).parent.iterdir()] == ["r1"]


def test_a_new_revision_replaces_the_old_one(combination: Combination, everyone: dict[str, Environment]) -> None:
    send(everyone["A"], combination)
    take(everyone["KMA"], combination)
    send(everyone["A"], combination, KEYS.slice(2), revision=2)
    package = take(everyone["KMA"], combination)
    assert package is not None
    assert (package.manifest.address.revision, package.manifest.rows) == (2, 3)
    shutil.rmtree(place(everyone, 2))
    with pytest.raises(Refused, match="revision 2 was taken in before and is gone"):
        take(everyone["KMA"], combination)
    old = take(everyone["KMA"], combination, revision=1)
    assert old is not None
    assert old.manifest.rows == 5


def every_file(folder: Path) -> list[str]:
    return ["manifest.json", "signature", *sorted(one.name for one in folder.glob("*.sealed"))]


@pytest.mark.parametrize("file", range(4))
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_one_changed_byte_anywhere_is_refused(
    combination: Combination, everyone: dict[str, Environment], file: int, where: str
) -> None:
    send(everyone["A"], combination)
    path = place(everyone) / every_file(place(everyone))[file]
    content = bytearray(path.read_bytes())
    content[{"first": 0, "middle": len(content) // 2, "last": -1}[where]] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataFailed, match="tampered") as caught:
        take(everyone["KMA"], combination)
    assert caught.value.exit_code == 1
    assert entries.entered(everyone["KMA"], RECEIVED) == []


@pytest.mark.parametrize("gone", range(1, 4))
def test_a_missing_or_foreign_file_is_refused(
    combination: Combination, everyone: dict[str, Environment], gone: int
) -> None:
    send(everyone["A"], combination)
    path = place(everyone) / every_file(place(everyone))[gone]
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(DataFailed, match="tampered"):
        take(everyone["KMA"], combination)
    path.write_bytes(content)
    (place(everyone) / "more.sealed").write_bytes(b"")
    with pytest.raises(DataFailed, match=r"more\.sealed"):
        take(everyone["KMA"], combination)


def test_a_file_that_changes_after_it_was_taken_in_is_damaged(
    combination: Combination, everyone: dict[str, Environment]
) -> None:
    send(everyone["A"], combination)
    package = take(everyone["KMA"], combination)
    assert package is not None
    files = sorted(place(everyone).glob("*.sealed"))
    content = files[0].read_bytes(), files[1].read_bytes()
    files[0].write_bytes(content[1])  # another file of the same package under this name
    with pytest.raises(DataFailed, match="tampered"):
        package.table()

    def read(unit: Unit) -> list[bytes]:
        return [b"" for _ in unit.batches(["serial"])]

    with pytest.raises(PassFailed) as caught:
        LocalEngine(package.units()).each(read, "read")
    assert caught.value.damaged


def test_signed_by_another_than_the_sender(combination: Combination, everyone: dict[str, Environment]) -> None:
    """B puts a package there in A's name."""
    send(everyone["B"], combination)
    forged = place(everyone)
    shutil.copytree(forged.parent.with_name("B") / "r1", forged)
    with pytest.raises(DataFailed, match="signed by another than A"):
        take(everyone["KMA"], combination)


def moved(everyone: dict[str, Environment], receiver: str, round: str, kind: str, revision: int) -> None:
    inbox = everyone[receiver].exchange.inbox.local
    shutil.copytree(place(everyone), inbox / "mobility-housing-health" / round / kind / "A" / f"r{revision}")


@pytest.mark.parametrize(
    ("receiver", "round", "kind", "revision", "told"),
    [
        ("KMA", "2024-08", "keys", 1, "round 2024-07; allowed here: 2024-08"),
        ("CA", ROUND, "keys", 1, "receiver KMA; allowed here: CA"),
        ("KMA", ROUND, "mock-keys", 1, "kind keys; allowed here: mock-keys"),
        ("KMA", ROUND, "keys", 2, "revision 1; allowed here: 2"),
    ],
)
def test_a_package_in_anothers_place(
    combination: Combination, everyone: dict[str, Environment], receiver: str, round: str, kind: str, revision: int,
    told: str,
) -> None:  # fmt: skip
    send(everyone["A"], combination)
    moved(everyone, receiver, round, kind, revision)
    with pytest.raises(Refused, match=told):
        take(everyone[receiver], combination, round=round, kind=kind)


def test_another_combination_file(
    combination: Combination, everyone: dict[str, Environment], tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    other = load_combination(written(tmp_path / "b", ("keys_due: 5", "keys_due: 6")))
    send(everyone["A"], other)
    with pytest.raises(Refused, match="another combination file") as caught:
        take(everyone["KMA"], combination)
    assert other.fingerprint[:16] in caught.value.message
    assert combination.fingerprint[:16] in caught.value.message


def test_other_content_under_a_revision_that_was_taken_in(
    combination: Combination, everyone: dict[str, Environment]
) -> None:
    """A sender that lost its ledger, or its key to someone: the receiver's ledger knows."""
    send(everyone["A"], combination)
    take(everyone["KMA"], combination)
    shutil.rmtree(place(everyone))
    shutil.rmtree(everyone["A"].zone("evidence").local / "ledger")
    entries.forget()
    send(everyone["A"], combination, KEYS.slice(1))
    with pytest.raises(Refused, match="taken in with other content"):
        take(everyone["KMA"], combination)


def test_partners_are_pinned(combination: Combination, everyone: dict[str, Environment]) -> None:
    send(everyone["A"], combination)
    pin = everyone["KMA"].exchange.partners / "A.json"
    content = json.loads(pin.read_text("utf-8"))
    pin.unlink()
    with pytest.raises(Refused, match="A is no pinned partner"):
        take(everyone["KMA"], combination)
    (everyone["A"].exchange.partners / "KMA.json").unlink()
    with pytest.raises(Refused, match="KMA is no pinned partner"):
        send(everyone["A"], combination, revision=2)
    for wrong, error in (({**content, "name": "B"}, Refused), ({**content, "sealing": "00"}, BadInput), ([], BadInput)):
        pin.write_text(json.dumps(wrong), "utf-8")
        with pytest.raises(error):
            take(everyone["KMA"], combination)


def test_sealed_to_an_older_key(
    combination: Combination, everyone: dict[str, Environment], tmp_path: Path
) -> None:
    for name in ("signing", "sealing"):
        (everyone["KMA"].zone("keys").local / "identity" / f"{name}.json").unlink()
    make_identity(everyone["KMA"])
    send(everyone["A"], combination)
    package = take(everyone["KMA"], combination)
    assert package is not None
    with pytest.raises(Operational, match="sealed to an older one"):
        package.table()
    save_public(make_identity(everyone["KMA"]), everyone["A"].exchange.partners / "KMA.json")
    send(everyone["A"], combination, revision=2)
    package = take(everyone["KMA"], combination)
    assert package is not None
    assert package.table().num_rows == 5


def killed_at(monkeypatch: pytest.MonkeyPatch, name: str) -> Callable[[], None]:
    """The process ends at a call of this function of the module."""

    class Killed(BaseException):
        pass

    def end(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(f"jobs.combination.packages.{name}", end)
    if name == "os.rename":  # a killed process removes nothing either
        monkeypatch.setattr("jobs.combination.packages.shutil.rmtree", lambda *_, **__: None)

    def restore() -> None:
        monkeypatch.undo()

    return restore


@pytest.mark.parametrize("name", ["os.rename", "_enter", "signing_key"])
def test_a_killed_start_sends_nothing_or_all(
    combination: Combination, everyone: dict[str, Environment], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    restore = killed_at(monkeypatch, name)
    with pytest.raises(BaseException, match=r"^$"):
        send(everyone["A"], combination)
    restore()
    found = take(everyone["KMA"], combination)
    assert (found is not None) == (name == "_enter")
    manifest = send(everyone["A"], combination)
    again = take(everyone["KMA"], combination)
    assert again is not None
    assert again.manifest == manifest
    if found is not None:
        assert again.manifest == found.manifest
    assert [one.name for one in place(everyone).parent.iterdir()] == ["r1"]
    assert len(entries.entered(everyone["A"], SENT)) == 1


def test_what_a_task_left_that_was_tried_again_is_not_sent(
    combination: Combination, everyone: dict[str, Environment]
) -> None:
    made = draft(everyone["A"], combination, round=ROUND, kind="keys", receiver="KMA")
    made.sealer.write(KEYS)
    made.finish([made.sealer.write(KEYS)])
    assert len(list(place(everyone).glob("*.sealed"))) == 1
    package = take(everyone["KMA"], combination)
    assert package is not None
    assert package.table().num_rows == 5


def test_several_tables_and_none(combination: Combination, everyone: dict[str, Environment]) -> None:
    made = draft(everyone["A"], combination, round=ROUND, kind="attributes", receiver="CA")
    rows = {"고객": pa.table({"serial": ["a"], "age": [3]}), "visits": pa.table({"serial": ["a", "a"]})}
    made.finish([made.sealer.write(table, label) for label, table in rows.items()])
    package = take(everyone["CA"], combination, kind="attributes")
    assert package is not None
    assert package.manifest.labels == ("visits", "고객")
    assert all(package.table(label).equals(table) for label, table in rows.items())
    with pytest.raises(DataFailed, match="it has: visits, 고객"):
        package.table()
    draft(everyone["A"], combination, round=ROUND, kind="application", receiver="CA").finish(content={"purpose": "x"})
    package = take(everyone["CA"], combination, kind="application")
    assert package is not None
    assert (package.manifest.rows, package.content["purpose"]) == (0, "x")


def test_types_come_through(combination: Combination, everyone: dict[str, Environment]) -> None:
    from datetime import UTC, date, datetime
    from decimal import Decimal

    table = pa.table(
        {
            "binary": pa.array([b"\x00" * 32, None], pa.binary(32)),
            "decimal": pa.array([Decimal("1.50"), None], pa.decimal128(12, 2)),
            "date": [date(2024, 7, 1), None],
            "at": pa.array([datetime(2024, 7, 1, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
            "number": pa.array([np.nan, None], pa.float64(), from_pandas=False),
            "yes": [True, None],
        }
    )
    made = draft(everyone["A"], combination, round=ROUND, kind="attributes", receiver="CA")
    made.finish([made.sealer.write(table)])
    package = take(everyone["CA"], combination, kind="attributes")
    assert package is not None
    assert package.schema() == table.schema
    assert str(package.table().to_pylist()) == str(table.to_pylist())


def test_destroyed_packages_leave_their_manifests(combination: Combination, everyone: dict[str, Environment]) -> None:
    send(everyone["A"], combination)
    take(everyone["KMA"], combination)
    gone = destroy_packages(everyone["KMA"], combination, round=ROUND, kinds=["keys", "salt"])
    assert gone == ["keys/A/r1"]
    assert list(everyone["KMA"].exchange.inbox.local.rglob("*.sealed")) == []
    evidence = everyone["KMA"].zone("evidence").local
    copy = next(evidence.rglob("received-keys-A-r1.json"))
    assert json.loads(copy.read_text("utf-8"))["rows"] == 5
    (entry,) = entries.entered(everyone["KMA"], "combination-destroyed")
    assert entry.content()["packages"] == ["keys/A/r1"]
    assert destroy_packages(everyone["KMA"], combination, round=ROUND, kinds=["keys"]) == []
    assert take(everyone["KMA"], combination) is None


def test_what_was_destroyed_is_not_sent_again(combination: Combination, everyone: dict[str, Environment]) -> None:
    manifest = send(everyone["A"], combination)
    take(everyone["KMA"], combination)
    destroy_packages(everyone["KMA"], combination, round=ROUND, kinds=["keys"])
    assert send(everyone["A"], combination) == manifest
    assert list(everyone["KMA"].exchange.inbox.local.rglob("*.sealed")) == []
    with pytest.raises(Refused, match="sent with other content"):
        send(everyone["A"], combination, KEYS.slice(1))


def test_a_missing_inbox_is_told(combination: Combination, everyone: dict[str, Environment]) -> None:
    shutil.rmtree(everyone["KMA"].exchange.inbox.local)
    with pytest.raises(Operational, match="inbox of KMA is not mounted"):
        send(everyone["A"], combination)
    with pytest.raises(BadInput, match="no outbox for X"):
        send(everyone["A"], combination, receiver="X")


def test_two_senders_at_once(combination: Combination, everyone: dict[str, Environment]) -> None:
    errors: list[JobError] = []

    def one(name: str) -> None:
        try:
            send(everyone[name], combination)
        except JobError as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert senders(everyone["KMA"], combination, ROUND, "keys") == ("A", "B")


def test_addresses_have_names_of_their_own() -> None:
    one = Address("c", ROUND, "keys", "A", "KMA", 1)
    changes = {"combination": "d", "round": "2024-08", "kind": "salt", "sender": "B", "receiver": "CA", "revision": 2}
    others = {Address(**{**one.__dict__, name: value}).name for name, value in changes.items()}
    assert len(others | {one.name}) == len(changes) + 1
