"""The linking table (결합키연계정보): made from keys and serials alone, it tells who belongs together and no more."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.combination.linking_bench import L, Rows, engine_of, key_of, link, matching, package, reference
from transforms.combination.joins import JoinRule
from transforms.combination.matching import KEYS_SCHEMA, bucket_count, key_units, side_by_side
from transforms.derivation import Secret
from transforms.pipeline.engine import LocalEngine, PassFailed
from transforms.pipeline.feed import TableUnit

INNER = {"A": JoinRule("inner-single", ("A", "B"))}
FULL = {"A": JoinRule("inner-full", ("A", "B", "C"))}


def people(*subjects: str, of: str) -> Rows:
    """Subjects with serials of one party."""
    return [(subject, f"{of}-{subject}") for subject in subjects]


def test_serials_of_one_person_stand_in_one_row() -> None:
    parties = {"A": people("kim", "lee", "park", of="A"), "B": people("lee", "choi", "kim", of="B")}
    linked = link(matching(parties, INNER), engine_of(parties))
    assert linked.records("AB") == [("A-kim", "B-kim"), ("A-lee", "B-lee")]
    assert linked.rows.column_names == ["serial_A", "serial_B"]
    assert [linked.tally.having(place) for place in (0, 1)] == [3, 3]


def test_a_party_that_lacks_the_person_has_null() -> None:
    parties = {"A": people("kim", of="A"), "B": people("kim", "lee", of="B"), "C": people("lee", of="C")}
    linked = link(matching(parties, FULL), engine_of(parties))
    assert linked.records("ABC") == [(None, "B-lee", "C-lee"), ("A-kim", "B-kim", None)]


def test_all_serials_of_a_doubled_key_are_left_out_and_told() -> None:
    parties = {"A": [("kim", "A-1"), ("kim", "A-2"), ("lee", "A-3")], "B": people("kim", "lee", of="B")}
    linked = link(matching(parties, INNER), engine_of(parties))
    assert linked.records("AB") == [("A-3", "B-lee")]
    assert linked.doubled == {"A": ["A-1", "A-2"], "B": []}
    assert (linked.tally.doubled.tolist(), linked.tally.having(0)) == ([2, 0], 1)


def test_rows_with_the_serial_of_another_key_are_counted() -> None:
    parties = {"A": [(str(n), f"A-{n // 3}") for n in range(7)], "B": people("1", of="B")}
    for buckets in (1, 7):
        linked = link(matching(parties, INNER, buckets=buckets), engine_of(parties, 3))
        assert linked.tally.repeated.tolist() == [4, 0]  # stand on three rows each


def test_withdrawn_serials_take_no_part() -> None:
    parties = {"A": people("kim", "lee", of="A"), "B": people("kim", "lee", of="B")}
    linked = link(matching(parties, INNER, voids={"B": ["B-kim", "B-unknown"]}), engine_of(parties))
    assert linked.records("AB") == [("A-lee", "B-lee")]
    assert (linked.tally.voided.tolist(), linked.tally.having(1)) == ([0, 1], 1)


def test_link_ids_are_the_same_in_all_rounds_and_others_for_each_user() -> None:
    parties = {"A": people("kim", "lee", of="A"), "B": people("kim", "lee", of="B")}
    rules = {user: JoinRule("inner-single", ("A", "B")) for user in ("A", "B")}
    july, august = (
        link(matching(parties, rules, linked=("A", "B"), round=round), engine_of(parties))
        for round in ("2024-07", "2024-08")
    )
    assert july.links("A", "A") == august.links("A", "A")
    ids = [*july.links("A", "A").values(), *july.links("B", "A").values()]
    assert len(set(ids)) == 4
    assert all(one is not None and len(one) == 16 for one in ids)
    assert july.rows.column_names == ["serial_A", "serial_B", "link_A", "link_B"]


def test_a_new_link_salt_is_a_new_series() -> None:
    parties = {"A": people("kim", of="A"), "B": people("kim", of="B")}
    rules = {"A": INNER["A"]}
    one, other = (
        link(matching(parties, rules, linked=("A",), secret=secret), engine_of(parties)).links("A", "A")
        for secret in (L, Secret(b"another link salt of 32 bytes .."))
    )
    assert one.keys() == other.keys()
    assert set(one.values()).isdisjoint(other.values())


def test_a_user_has_link_ids_of_its_own_records_alone() -> None:
    parties = {"A": people("kim", "lee", of="A"), "B": people("kim", "park", of="B")}
    rules = {"A": JoinRule("inner-single", ("A", "B")), "B": JoinRule("anti-inner-single", ("A", "B"), "B")}
    linked = link(matching(parties, rules, linked=("A", "B")), engine_of(parties))
    assert linked.records("AB") == [(None, "B-park"), ("A-kim", "B-kim")]
    assert {serial: one is None for serial, one in linked.links("A", "B").items()} == {"B-kim": False, "B-park": True}
    assert {serial: one is None for serial, one in linked.links("B", "B").items()} == {"B-kim": True, "B-park": False}


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC by another implementation than ours."""
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def derived(purpose: str, domain: str, recipient: str | None) -> bytes:
    """HKDF-SHA-256 of L without salt (RFC 5869), written out."""
    names = {
        "organisation": "key agency", "run_or_series": "combination/test", "recipient": recipient,
        "algorithm": "AES-256-CMAC", "domain": domain, "step": None, "purpose": purpose,
    }  # fmt: skip
    info = b"gamyeong/1\0" + json.dumps(names, sort_keys=True, separators=(",", ":")).encode()
    drawn = hmac.new(bytes(32), L.reveal(), hashlib.sha256).digest()
    return hmac.new(drawn, info + b"\1", hashlib.sha256).digest()


def test_a_link_id_is_a_mac_under_a_key_of_the_user() -> None:
    parties = {"A": people("kim", of="A"), "B": people("kim", of="B")}
    linked = link(matching(parties, INNER, linked=("A",)), engine_of(parties))
    subject = cmac(derived("subject of join key", "all rounds", None), key_of("kim"))
    assert linked.links("A", "A")["A-kim"] == cmac(derived("link id", "all rounds", "A"), subject)


def test_the_order_is_keyed_and_another_in_each_round() -> None:
    names = [f"{number:04d}" for number in range(400)]
    parties = {"A": people(*names, of="A"), "B": people(*reversed(names), of="B")}
    orders = [
        link(matching(parties, INNER, round=round, secret=secret), engine_of(parties)).rows.column(0).to_pylist()
        for round, secret in (("1", L), ("2", L), ("1", Secret(bytes(32))))
    ]
    sources = [sorted(orders[0]), sorted(orders[0], key=lambda serial: key_of(serial[2:]))]
    for place, order in enumerate(orders):
        for other in [*sources, *orders[:place]]:
            ranks = {serial: rank for rank, serial in enumerate(other)}
            found = [ranks[serial] for serial in order]
            mean = (len(found) - 1) / 2
            spread = sum((rank - mean) ** 2 for rank in found)
            # Five standard deviations of the rank correlation of 400 in random order.
            assert abs(sum((n - mean) * (rank - mean) for n, rank in enumerate(found)) / spread) < 0.25


def test_no_join_key_nor_part_of_one_is_among_what_the_combining_agency_gets() -> None:
    parties = {"A": people("kim", "lee", of="A"), "B": people("kim", "lee", of="B")}
    linked = link(matching(parties, INNER, linked=("A",)), engine_of(parties))
    content = b"".join(
        buffer.to_pybytes()
        for column in linked.rows.columns
        for chunk in column.chunks
        for buffer in chunk.buffers()
        if buffer is not None
    )
    assert b"A-kim" in content
    for subject in ("kim", "lee"):
        key = key_of(subject)
        assert not any(key[at : at + 4] in content for at in range(29))


@pytest.mark.parametrize("buckets", [2, 5, 64])
@pytest.mark.parametrize("pieces", [1, 4])
def test_any_partitioning_gives_the_same_rows_in_the_same_order(buckets: int, pieces: int) -> None:
    names = [f"{number:04d}" for number in range(300)]
    parties = {"A": people(*names[:200], of="A"), "B": people(*names[100:], of="B"), "C": people(*names[::3], of="C")}
    whole = link(matching(parties, FULL, linked=("A",)), engine_of(parties))
    parts = link(matching(parties, FULL, linked=("A",), buckets=buckets), engine_of(parties, pieces))
    assert parts.rows.num_rows > 100
    assert parts.rows.combine_chunks().equals(whole.rows.combine_chunks())


def test_the_order_of_a_partys_rows_changes_nothing() -> None:
    parties: dict[str, Rows] = {"A": people("kim", "lee", "park", of="A"), "B": people("kim", "park", of="B")}
    turned = {party: list(reversed(rows)) for party, rows in parties.items()}
    one, other = (link(matching(p, INNER, linked=("A",)), engine_of(p)).rows for p in (parties, turned))
    assert one.equals(other)


def test_parties_without_rows_leave_an_empty_table() -> None:
    parties: dict[str, Rows] = {"A": [], "B": people("kim", of="B")}
    linked = link(matching(parties, INNER), engine_of(parties))
    assert (linked.rows.num_rows, linked.tally.rows.tolist()) == (0, [0, 1])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pa.table([[b"short"], ["A-1"]], schema=KEYS_SCHEMA), "keys of A: join keys null or of another length"),
        (pa.table([[None], ["A-1"]], schema=KEYS_SCHEMA), "keys of A: join keys null or of another length"),
        (pa.table([[key_of("kim")], [None]], schema=KEYS_SCHEMA), "keys of A: rows without a serial"),
        (pa.table([[key_of("kim")], [""]], schema=KEYS_SCHEMA), "keys of A: rows without a serial"),
    ],
)
def test_keys_that_are_none_are_refused(table: pa.Table, said: str) -> None:
    parties = {"A": people("kim", of="A"), "B": people("kim", of="B")}
    units = [[TableUnit(0, table, KEYS_SCHEMA)], [TableUnit(0, package(parties["B"]), KEYS_SCHEMA)]]
    with pytest.raises(PassFailed, match=said):
        link(matching(parties, INNER), LocalEngine(key_units(units)))


def test_buckets_are_bounded_and_keep_all_cores_busy() -> None:
    assert bucket_count(100, 8) == 1
    assert bucket_count(2_000_000, 8) == 8
    assert bucket_count(20_000_000, 2) == 14


subjects = st.lists(st.integers(0, 12), max_size=14)


@settings(max_examples=150)
@given(
    held=st.tuples(subjects, subjects, subjects),
    kind=st.sampled_from(["inner-single", "inner-multi", "inner-full", "outer-single", "anti-inner-single"]),
    optional=st.sampled_from([None, ("C",), ("B", "C"), ()]),
    voided=st.sets(st.tuples(st.sampled_from("ABC"), st.integers(0, 5)), max_size=4),
    buckets=st.integers(1, 5),
    pieces=st.integers(1, 3),
)
def test_the_same_as_by_dictionaries(
    held: Sequence[Sequence[int]],
    kind: str,
    optional: tuple[str, ...] | None,
    voided: set[tuple[str, int]],
    buckets: int,
    pieces: int,
) -> None:
    """Any subjects, doubled ones too, any rule, any withdrawals, any partitioning: as the reference says."""
    based = kind in ("inner-multi", "outer-single", "anti-inner-single")
    rules: Mapping[str, JoinRule] = {
        "A": JoinRule(kind, ("A", "B", "C"), "A" if based else None, optional),  # type: ignore[arg-type]
        "B": JoinRule("anti-inner-single", ("A", "B", "C"), "B"),
    }
    parties: dict[str, Rows] = {
        party: [(f"person {subject}", f"{party}{number}") for number, subject in enumerate(found)]
        for party, found in zip("ABC", held, strict=True)
    }
    voids = {party: [f"{party}{number}" for of, number in voided if of == party] for party in "ABC"}

    linked = link(matching(parties, rules, voids=voids, buckets=buckets), engine_of(parties, pieces))

    records, doubled = reference(parties, rules, voids)
    assert linked.records("ABC") == records
    assert linked.doubled == doubled
    assert linked.tally.repeated.tolist() == [0, 0, 0]


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2**63, 2**64 - 1, 5 << 60]), st.integers(0, 3)), max_size=40),
    st.integers(0, 2**40),
)
def test_numbers_that_begin_alike_stand_in_order(pairs: list[tuple[int, int]], more: int) -> None:
    """By all 128 bits, though the first sort sees the high words alone: here many are the same."""
    words = [((high + (low * more)) % 2**64, low) for high, low in pairs]
    turn, first = side_by_side(np.array(words, np.uint64).reshape(-1, 2))
    assert sorted(turn.tolist()) == list(range(len(words)))
    ordered = [words[place] for place in turn.tolist()]
    assert ordered == sorted(words)
    assert first.tolist() == [place == 0 or ordered[place] != ordered[place - 1] for place in range(len(words))]
