"""Packages that were altered, forged, put elsewhere or half sent: none is taken in, and each says why."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.combination import entries
from jobs.combination.identities import make_identity, save_public
from jobs.combination.packages import RECEIVED, SENT
from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, Operational, Refused
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination
from transforms.pipeline.engine import LocalEngine, PassFailed
from transforms.pipeline.feed import Unit

from .parcel import KEYS, ROUND, place, send, take
from .sample_file import written


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
    with pytest.raises(Refused, match="does not hold the head"):
        send(everyone["A"], combination, KEYS.slice(1))
    everyone["A"].reviewers.with_name("ledger-heads.json").unlink()
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


def test_a_missing_inbox_is_told(combination: Combination, everyone: dict[str, Environment]) -> None:
    shutil.rmtree(everyone["KMA"].exchange.inbox.local)
    with pytest.raises(Operational, match="inbox of KMA is not mounted"):
        send(everyone["A"], combination)
    with pytest.raises(BadInput, match="no outbox for X"):
        send(everyone["A"], combination, receiver="X")
