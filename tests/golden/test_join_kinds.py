"""The guideline's kinds of joins (결합의 다양한 유형), reference 3: its keys, and the serials that it says come out."""

from __future__ import annotations

import pyarrow as pa
import pytest

from transforms.combination.joins import JoinRule, members, needed, patterns_of
from transforms.combination.model import Join

KEYS = {
    "A": {"dac": "A1", "c2e": "A2", "cd1": "A3", "89c": "A4", "9a0": "A5"},
    "B": {"abc": "B1", "dac": "B2", "c2e": "B3", "9a0": "B4", "rew": "B5"},
    "C": {"o23": "C1", "dac": "C2", "c2e": "C3", "89c": "C4", "rew": "C5"},
}
# kind, parties, base, parties that may be missing (None: not said) → the records of the guideline's table.
TABLES: list[tuple[Join, str, str | None, tuple[str, ...] | None, str]] = [
    ("inner-single", "AB", None, None, "A1B2 A2B3 A5B4"),
    ("inner-single", "ABC", None, None, "A1B2C2 A2B3C3"),
    ("inner-multi", "ABC", "A", None, "A1B2C2 A2B3C3 A5B4– A4–C4"),
    ("inner-multi", "ABC", "A", ("C",), "A1B2C2 A2B3C3 A5B4–"),
    ("inner-full", "ABC", None, None, "A1B2C2 A2B3C3 A5B4– A4–C4 –B5C5"),
    ("outer-single", "AB", "A", None, "A1B2 A2B3 A3– A4– A5B4"),
    ("outer-single", "ABC", "A", None, "A1B2C2 A2B3C3 A3–– A5B4– A4–C4"),
    ("anti-inner-single", "AB", "A", None, "A3 A4"),
    ("anti-inner-single", "ABC", "A", None, "A3"),
]
NAMES = [f"{kind} {parties} {optional or ''}" for kind, parties, _, optional, _ in TABLES]


@pytest.mark.parametrize(("kind", "parties", "base", "optional", "records"), TABLES, ids=NAMES)
def test_the_guidelines_table(
    kind: Join, parties: str, base: str | None, optional: tuple[str, ...] | None, records: str
) -> None:
    rule = JoinRule(kind, tuple(parties), base, optional)
    subjects = sorted({key for party in parties for key in KEYS[party]})
    serials = {party: pa.array([KEYS[party].get(key) for key in subjects], pa.string()) for party in parties}

    taken = rule.taken[patterns_of(serials, rule.parties)]

    found = {
        "".join(serials[party][row].as_py() or "–" for party in rule.shown)
        for row in range(len(subjects))
        if taken[row]
    }
    assert found == set(records.split())


def test_each_pattern_is_a_set_of_parties() -> None:
    assert [members("ABC", pattern) for pattern in (0, 1, 5, 7)] == [(), ("A",), ("A", "C"), ("A", "B", "C")]


def test_a_record_that_one_of_two_users_gets_is_linked() -> None:
    both = {"A": JoinRule("inner-single", ("A", "B")), "B": JoinRule("anti-inner-single", ("A", "B"), "B")}
    assert [bool(one) for one in needed(both)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("kind", "parties", "base", "said"),
    [
        ("inner-single", "A", None, "a join of 1 parties; allowed: 2 to 16"),
        ("inner-single", "ABA", None, "each once"),
        ("inner-single", "AB", "A", "with base A; allowed: none"),
        ("outer-single", "AB", None, "allowed: one of A, B"),
        ("anti-inner-single", "AB", "C", "with base C; allowed: one of A, B"),
    ],
)
def test_a_join_that_can_not_be(kind: Join, parties: str, base: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        JoinRule(kind, tuple(parties), base)
