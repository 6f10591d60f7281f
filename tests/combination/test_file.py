"""A combination file says who combines what, by which key, when; all roles compare its fingerprint."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.combination.loader import load_combination
from transforms.combination.model import Combination
from transforms.yaml_nodes import read_yaml

from .sample_file import VALID, written

SERIES = "series: {every: month, first: 2024-07, last: 2025-06, keys_due: 5, attributes_due: 12, late: cancel}\n"
WITHOUT_SERIES = (
    (SERIES, ""),
    (", link_id: true", ""),
    (", simplified: when-unchanged", ""),
    ("rounds: [2024-07]", "rounds: [once]"),
)


def test_what_the_file_says(tmp_path: Path) -> None:
    found = load_combination(written(tmp_path))
    assert found.suppliers == ("A", "B", "C")
    assert found.users == ("A",)
    assert found.output("A").optional == ("C",)
    # L1385: name, phone, birth date, in this order; their usual forms needn't be written
    assert [(column.name, column.form) for column in found.key.columns] == [
        ("name", "name"), ("phone", "digits"), ("birth", "date"),
    ]  # fmt: skip
    assert (found.key.encoding, found.key.normal, found.key.digest_bytes) == ("UTF-8", "NFC", 32)
    assert not found.internal


def test_a_monthly_series_has_a_round_for_each_month_with_its_dues(tmp_path: Path) -> None:
    found = load_combination(written(tmp_path))
    assert found.rounds() == tuple(f"2024-{month:02d}" for month in range(7, 13)) + tuple(
        f"2025-{month:02d}" for month in range(1, 7)
    )
    # days after the period's last day: the keys of July by 5 August
    due = found.due("2024-07")
    assert due is not None
    assert (due.keys, due.attributes) == (date(2024, 8, 5), date(2024, 8, 12))
    period = found.period("2025-02")
    assert period is not None
    assert (period.first, period.last) == (date(2025, 2, 1), date(2025, 2, 28))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("2024-06", "before the series began"),
        ("2025-07", "after the series' end"),
        ("2024-13", "allowed: 2024-07 to 2025-06, one for each month"),
        ("once", "allowed: 2024-07 to 2025-06"),
    ],
)
def test_a_name_that_is_no_round_is_told_why(tmp_path: Path, name: str, says: str) -> None:
    found = load_combination(written(tmp_path))
    problem = found.round_problem(name)
    assert problem is not None
    assert says in problem
    assert found.round_problem("2024-12") is None
    with pytest.raises(ValueError, match="allowed"):
        found.due(name)


def test_without_a_series_there_is_one_round(tmp_path: Path) -> None:
    found = load_combination(written(tmp_path, *WITHOUT_SERIES))
    assert found.rounds() == ("once",)
    assert found.due("once") is None
    assert "has no series" in str(found.round_problem("2024-07"))


def test_the_salt_is_as_long_as_the_digest_where_not_said(tmp_path: Path) -> None:
    for algorithm, size in (("SHA-512", 64), ("HMAC-SHA-384", 48)):
        change = (("SHA-256\n  salt_bytes: 32", algorithm),)
        found = load_combination(written(tmp_path, *change))
        assert (found.key.salt_bytes, found.key.digest_bytes) == (size, size)
        assert found.key.keyed == algorithm.startswith("HMAC")


def test_a_year_is_a_round_though_yaml_reads_a_number(tmp_path: Path) -> None:
    yearly = ("every: month, first: 2024-07, last: 2025-06", "every: year, first: 2024, last: 2026")
    found = load_combination(written(tmp_path, yearly, ("rounds: [2024-07]", "rounds: [2024]")))
    assert found.rounds() == ("2024", "2025", "2026")


@pytest.mark.parametrize(
    "same",
    [
        ("roles:", "# who\nroles:"),
        ("key_agency: KMA, combining_agency: CA", "combining_agency: CA, key_agency: KMA"),
        ("[name, phone, birth]", "[{name: name, form: name}, {name: phone}, birth]"),
        ("B: {supplies: housing-b}", "B: {supplies: housing-b, uses: false, rows: one}"),
        ("  salt_bytes: 32\n", ""),
        (", late: cancel", ""),
    ],
    ids=["comment", "order of keys", "usual forms", "defaults", "salt of the digest's length", "late"],
)
def test_the_fingerprint_is_of_what_is_said_not_how(tmp_path: Path, same: tuple[str, str]) -> None:
    assert load_combination(written(tmp_path, same)).fingerprint == load_combination(written(tmp_path)).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        ("[name, phone, birth]", "[phone, name, birth]"),
        ("birth]", "{name: birth, form: text}]"),
        ("SHA-256", "HMAC-SHA-256"),
        ("salt_bytes: 32", "salt_bytes: 48"),
        ("limit: 0.001", "limit: 0.01"),
        ("last: 2025-06", "last: 2025-07"),
        ("rounds: [2024-07]", "rounds: [2024-08]"),
        ("optional: [C], ", ""),
        ("housing-b", "housing-2"),
        ("reviewers: 3", "reviewers: 5"),
        ("  A: {supplies: fuel-a, uses: true}\n  B: {supplies: housing-b}\n",
         "  B: {supplies: housing-b}\n  A: {supplies: fuel-a, uses: true}\n"),
    ],
)  # fmt: skip
def test_the_fingerprint_tells_all_else(tmp_path: Path, other: tuple[str, str]) -> None:
    assert load_combination(written(tmp_path, other)).fingerprint != load_combination(written(tmp_path)).fingerprint


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_canonical_dump_is_read_as_the_same(data: st.DataObject) -> None:
    raw = read_yaml(VALID, "combination.yaml")[0].plain()
    raw["key"]["columns"] = data.draw(st.permutations(["name", "phone", {"name": "member", "form": "text"}]))
    raw["key"]["duplicates"]["limit"] = data.draw(st.floats(0, 0.999))
    raw["series"]["keys_due"] = data.draw(st.integers(1, 12))
    raw["export"]["reviewers"] = data.draw(st.integers(3, 9))
    found = Combination.model_validate(raw)
    again = Combination.model_validate(found.model_dump(mode="json", by_alias=True))
    assert again == found
    assert again.fingerprint == found.fingerprint
