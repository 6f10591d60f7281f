"""Key making as tasks: one row per subject, the same under any partitioning, in an order that tells nothing."""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from transforms.combination.canonical import Fault
from transforms.combination.key_spec import KeySpec
from transforms.combination.key_tasks import FILE, KeyCounts, KeyMaking, KeysMap, KeysReduce, subject_draws
from transforms.combination.matching import KEYS_SCHEMA
from transforms.combination.serials import serials
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import Site
from transforms.pipeline.engine import LocalEngine, PassFailed
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.states import unpack
from transforms.pipeline_model import RowRule
from transforms.predicate import Predicate
from transforms.techniques.suppression import RecordSuppression

SPEC = KeySpec.model_validate({"columns": ["name", "phone", "birth"]})
SALT, SERIALS = Secret(bytes(range(32))), Draws(Secret(b"the secret of a round, 32 bytes!"))
MAKING = KeyMaking(
    table="crm/members",
    subject="member",
    columns={"name": "name", "phone": "hp", "birth": "born"},
    spec=SPEC,
    salt=SALT,
    serials=SERIALS,
    stopped=np.empty((0, 2), np.uint64),
)


class Parquet:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.tables: list[pa.Table] = []

    def __call__(self, rows: pa.Table) -> bytes:
        assert rows.schema == KEYS_SCHEMA
        self.tables.append(rows)
        return json.dumps({"rows": rows.num_rows}).encode()


def made(rows: list[dict[str, Any]], pieces: int = 1, **changes: Any) -> tuple[list[tuple[bytes, str]], KeyCounts]:
    """Keys and serials of rows that lie in so many units, in the order of the files; and the counts."""
    schema = pa.schema(
        [("member", pa.int64()), ("name", pa.string()), ("hp", pa.string()), ("born", pa.string()), ("age", pa.int64())]
    )
    table = pa.Table.from_pylist(rows, schema)
    bounds = np.linspace(0, table.num_rows, pieces + 1).astype(int)
    units = [
        TableUnit(place, table[start:end], schema)
        for place, (start, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
    ]
    work, sink = replace(MAKING, **changes), Parquet()
    found = LocalEngine(units).shuffle(KeysMap(work), KeysReduce(work, sink), work.buckets, "keys", kinds=True)
    counts = sum((unpack(blob) for kind, blob in found if kind != FILE), KeyCounts())
    pairs = [(row["join_key"], row["serial"]) for table in sink.tables for row in table.to_pylist()]
    return pairs, counts


def person(member: int, name: str | None = "홍길동", hp: str | None = None, born: str = "19800101") -> dict[str, Any]:
    return {"member": member, "name": name, "hp": f"010{member:08d}" if hp is None else hp, "born": born, "age": member}


def key_of(name: str, hp: str, born: str = "19800101") -> bytes:
    return hashlib.sha256(f"{name}{hp}{born}".encode() + bytes(range(32))).digest()


def serial_of(member: int) -> str:
    return str(serials(pa.array([member]), SERIALS)[0].as_py())


def test_each_subject_has_its_key_and_the_serial_that_its_attributes_will_carry() -> None:
    pairs, counts = made([person(1), person(2, "권율", "010-9999-1111")])
    assert dict(pairs) == {
        key_of("홍길동", "01000000001"): serial_of(1),
        key_of("권율", "01099991111"): serial_of(2),
    }
    assert counts == KeyCounts(rows=2, subjects=2, missing={"name": 0, "phone": 0, "birth": 0})


@pytest.mark.parametrize(("pieces", "buckets"), [(1, 1), (3, 1), (7, 2), (40, 5)])
def test_the_same_keys_in_the_same_order_under_any_partitioning(pieces: int, buckets: int) -> None:
    rows = [person(member) for member in range(500)] + [person(member) for member in range(0, 500, 7)]
    rows += [person(900 + member, hp="01011112222") for member in range(3)]
    expected = made(rows)
    shuffled = rows.copy()
    random.Random(pieces).shuffle(shuffled)
    assert made(shuffled, pieces, buckets=buckets) == expected
    assert expected[1].subjects == 503


def test_the_order_is_that_of_serials_and_not_of_the_register() -> None:
    pairs, _ = made([person(member) for member in range(2000)], buckets=3)
    members = {serial_of(member): member for member in range(2000)}
    order = [members[serial] for _, serial in pairs]
    assert abs(np.corrcoef(order, np.arange(2000))[0, 1]) < 0.08  # 1/√2000 is 0.022
    assert [serial for _, serial in pairs] == sorted((serial for _, serial in pairs), key=letters)


def letters(serial: str) -> list[int]:
    return ["abcdefghijklmnopqrstuvwxyz234567".index(one) for one in serial]


def test_another_round_has_other_serials_and_the_same_keys() -> None:
    rows = [person(member) for member in range(50)]
    first, _ = made(rows)
    second, _ = made(rows, serials=Draws(Secret(b"the secret of the next round 32!")))
    assert {key for key, _ in first} == {key for key, _ in second}
    assert not {serial for _, serial in first} & {serial for _, serial in second}


# Who has no key


def test_rows_of_a_subject_become_one_and_different_keys_none() -> None:
    rows = [person(1), person(1, "홍 길동"), person(2), person(2, "권율"), person(3), person(3, None)]
    pairs, counts = made(rows, pieces=6, buckets=4)
    assert {serial for _, serial in pairs} == {serial_of(1), serial_of(3)}
    assert (counts.repeated, counts.several, counts.subjects, counts.without_key) == (1, 1, 2, 1)


def test_withdrawn_subjects_have_no_key() -> None:
    draws = subject_draws(pa.array([2, 4, 77]), SERIALS)
    stopped = draws[np.lexsort((draws[:, 1], draws[:, 0]))]
    pairs, counts = made([person(member) for member in range(5)], stopped=stopped)
    assert {serial for _, serial in pairs} == {serial_of(member) for member in (0, 1, 3)}
    assert (counts.stopped, counts.rows, counts.subjects) == (2, 5, 3)


def test_a_missing_part_means_no_key() -> None:
    pairs, counts = made([person(1), person(2, None), person(3, "  "), person(4, hp="없음"), person(5, None, "")])
    assert {serial for _, serial in pairs} == {serial_of(1)}
    assert (counts.without_key, counts.missing) == (4, {"name": 3, "phone": 2, "birth": 0})


def test_rows_that_the_plan_leaves_out_have_no_key() -> None:
    rule = RecordSuppression(where=Predicate.parse({"age": {"below": 3}}))
    rules = (RowRule(rule, Site("members", "", 0, "rows[0]")),)
    pairs, counts = made([person(member) for member in range(5)], rules=rules)
    assert {serial for _, serial in pairs} == {serial_of(3), serial_of(4)}
    assert counts.ruled_out == 3


def test_subjects_that_share_a_key_are_counted_once_each() -> None:
    rows = [person(member, hp="01011112222") for member in (1, 2, 2, 3)] + [person(4), person(4)]
    pairs, counts = made(rows, pieces=3, buckets=3)
    assert counts.sharing == 3
    by_key = defaultdict(set)
    for key, serial in pairs:
        by_key[key].add(serial)
    assert by_key[key_of("홍길동", "01011112222")] == {serial_of(member) for member in (1, 2, 3)}


def test_faults_are_counted_over_all_units_and_told_without_a_value() -> None:
    rows = [person(1, "홍\ufffd동"), person(2, born="1980-13-13"), person(3), person(4, "김\ufffd", born="?")]
    _, counts = made(rows, pieces=4)
    assert counts.faults == {("name", Fault.REPLACED): 2, ("birth", Fault.UNREADABLE): 2}
    told = "\n".join(counts.problems())
    assert "key column name: 2 cells hold U+FFFD" in told
    assert "key column birth: 2 cells are dates in none of the accepted forms" in told
    assert "홍" not in told
    assert "1980-13" not in told


def test_a_row_without_a_subject_is_refused() -> None:
    with pytest.raises(PassFailed, match="table crm/members: null in the subject's column member"):
        made([person(1), person(2) | {"member": None}])


def test_nobody_at_all() -> None:
    assert made([]) == ([], KeyCounts())
    pairs, counts = made([person(1, None)])
    assert (pairs, counts.subjects) == ([], 0)
