"""Packages: what the receiver opens is what the sender packed, once, and nobody else reads it."""

from __future__ import annotations

import json
import pickle
import shutil
import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from jobs.combination import entries
from jobs.combination.packages import RECEIVED, SENT, Package, destroy_packages, draft, senders
from jobs.combination.parcels import Address
from jobs.environment import Environment
from jobs.errors import DataFailed, JobError, Operational, Refused
from transforms.combination.model import Combination
from transforms.derivation import SecretStays, for_broadcast
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import Unit

from .parcel import KEYS, ROUND, place, send, take


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
