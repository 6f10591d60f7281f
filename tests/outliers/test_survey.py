"""`gamyeong outliers`: counts of outliers before any rule is written, against plain counts on lists."""

from __future__ import annotations

import json
import random
import stat
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.derivation import Secret
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.outlier_survey import Asked, Survey, survey
from transforms.pipeline.work import make_work
from transforms.pipeline_model import Chain, TablePipeline
from transforms.plan import ColumnRule
from transforms.run_keys import RunKeys

KEYS = RunKeys(Secret(bytes(range(32))), "organisation", "0123456789abcdef", "recipient")
DRAW = random.Random(3)
ROWS = 400
PEOPLE = pa.table(
    {
        "id": [f"P{number // 2}" for number in range(ROWS)],
        "age": [*(None if n % 50 == 0 else DRAW.randint(20, 60) for n in range(ROWS - 2)), 99, 98],
        "town": DRAW.choices(["서울", "나주", "세종", "울릉도"], [50, 30, 20, 0.5], k=ROWS),
        "job": DRAW.choices(["변호사", "판사", "의사", None], [50, 1, 30, 5], k=ROWS),
        "income": [*(Decimal(DRAW.randint(200, 900)) for _ in range(ROWS - 1)), Decimal("7300.25")],
        "weight": [DRAW.gauss(65, 10) for _ in range(ROWS - 1)] + [400.0],
    }
)


def looked_at(asked: Asked, subject: str | None = None, pieces: int = 3) -> Survey:
    """The survey of PEOPLE as it is, in several pieces."""
    rule = ColumnRule.model_validate({"kind": "attribute", "apply": "keep"})
    columns = tuple(Chain(one.name, one.type, (), rule, {}, f"people.{one.name}") for one in PEOPLE.schema)
    table = TablePipeline(
        name="people", source="people", source_schema=PEOPLE.schema, row_key=None, subject=subject,
        subject_domain="people.id" if subject else None, register=None, columns=columns, excluded=(), row_rules=(),
        sample=None, outliers=(), quasi_identifiers=(),
    )  # fmt: skip
    size = -(-ROWS // pieces)
    starts = range(0, ROWS, size)
    units = [TableUnit(n, PEOPLE.slice(first, size), PEOPLE.schema, first) for n, first in enumerate(starts)]
    return survey(make_work(table, KEYS), LocalEngine(units), asked)


def quartile(values: list[Any], share: Fraction) -> Fraction:
    ordered = sorted(values)
    return Fraction(next(one for n, one in enumerate(ordered, 1) if Fraction(n, len(ordered)) >= share))


def beyond(values: list[Any], method: str) -> tuple[int, int]:
    """Cells below and above mean ± 3 sd, or the quartiles ± 1.5 interquartile ranges, by definition."""
    if method == "iqr":
        first, third = quartile(values, Fraction(1, 4)), quartile(values, Fraction(3, 4))
        reach = Fraction(3, 2) * (third - first)
        return sum(one < first - reach for one in values), sum(one > third + reach for one in values)
    mean = sum(map(Fraction, values), Fraction(0)) / len(values)
    variance = sum(((Fraction(one) - mean) ** 2 for one in values), Fraction(0)) / len(values)
    far = [Fraction(one) - mean for one in values if (Fraction(one) - mean) ** 2 > 9 * variance]
    return sum(one < 0 for one in far), sum(one > 0 for one in far)


def test_numbers_beyond_both_bounds_of_all_columns() -> None:
    found = looked_at(Asked())
    assert {(one.column, one.method) for one in found.numbers} == {
        (name, method) for name in ("age", "income", "weight") for method in ("three-sigma", "iqr")
    }
    for one in found.numbers:
        values = [value for value in PEOPLE[one.column].to_pylist() if value is not None]
        assert one.values == len(values)
        assert (one.below, one.above) == beyond(values, one.method)
        assert one.above >= 1
        assert one.bounds[1] < max(values)


def test_numbers_within_classes() -> None:
    found = looked_at(Asked(within=("town",)))
    for one in found.numbers:
        by_town: dict[str, list[Any]] = {}
        for town, value in zip(PEOPLE["town"].to_pylist(), PEOPLE[one.column].to_pylist(), strict=True):
            if value is not None:
                by_town.setdefault(town, []).append(value)
        sides = [beyond(values, one.method) for values in by_town.values()]
        assert (one.below, one.above) == (sum(low for low, _ in sides), sum(high for _, high in sides))
        assert one.bounds == (None, None)


@pytest.mark.parametrize("subject", [None, "id"])
def test_frequencies_of_each_column_and_of_some_together(subject: str | None) -> None:
    """Null is a value of its own. Two rows of one person are one person."""
    found = looked_at(Asked(("town", "job"), below=3, subjects=subject is not None), subject)
    persons = PEOPLE["id"].to_pylist()
    for one in found.classes:
        classes = list(zip(*(PEOPLE[name].to_pylist() for name in one.columns), strict=True))
        counts = Counter(classes) if subject is None else Counter(c for c, _ in set(zip(classes, persons, strict=True)))
        assert one.classes == len(counts)
        assert one.counted == sum(counts.values())
        rare = [count for count in counts.values() if count < 3]
        assert (one.rare, one.rare_counted) == (len(rare), sum(rare))
        assert sum(one.sizes.values()) == one.classes
        assert one.sizes["1"] == sum(count == 1 for count in counts.values())
    assert [one.columns for one in found.classes] == [
        ("id",), ("age",), ("town",), ("job",), ("income",), ("town", "job"),
    ]  # fmt: skip


def test_rare_combinations_that_hold_no_smaller_one() -> None:
    names = ("age", "town", "job")
    counts: Counter[tuple[tuple[str, Any], ...]] = Counter()
    for row in PEOPLE.select(names).to_pylist():
        there = [(name, row[name]) for name in names if row[name] is not None]
        for size in (1, 2, 3):
            counts.update(combinations(there, size))
    rare = {one for one, count in counts.items() if count < 3}
    minimal = [o for o in rare if not any(part in rare for n in range(1, len(o)) for part in combinations(o, n))]
    expected = Counter(tuple(name for name, _ in one) for one in minimal)
    found = looked_at(Asked(names, below=3)).combinations
    assert {columns: number for columns, number in found.items() if number} == expected
    assert found == looked_at(Asked(names, below=3), pieces=1).combinations


def test_the_job_on_a_table_and_behind_a_plan(spark: Any, environment_file: Path, tmp_path: Path, capfd: Any) -> None:
    """Counts are printed, never a value; the bounds go to a file of their own, which its owner alone can read."""
    from deltalake import write_deltalake

    from jobs.cli import main
    from jobs.environment import load_environment

    write_deltalake(str(load_environment(environment_file).zone("source") / "people"), PEOPLE)
    given = ["--environment", str(environment_file), "--json"]
    bounds = tmp_path / "bounds.json"
    assert main(["outliers", "people", *given, "--classes", "town,job", "--bounds", str(bounds)]) == 0
    out, err = capfd.readouterr()
    summary = json.loads(out.splitlines()[-1])
    towns = Counter(PEOPLE["town"].to_pylist())
    (town,) = [one for one in summary["tables"]["people"]["classes"] if one["columns"] == ["town"]]
    assert (town["classes"], town["rare"]) == (len(towns), sum(count < 3 for count in towns.values()))
    for value in ("울릉도", "판사", "7300", "7,300", "400.0"):
        assert value not in out + err
    assert stat.S_IMODE(bounds.stat().st_mode) == 0o600
    assert {one["column"] for one in json.loads(bounds.read_text("utf-8"))["people"]} == {"age", "income", "weight"}
    assert main(["outliers", "people", *given, "--bounds", str(bounds)]) == 2
    assert main(["outliers", "people", *given, "--classes", "twon"]) == 2
    assert "did you mean" in capfd.readouterr().err
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "format: 1\nplan: people\napplication: {number: 2026-001}\n"
        "purpose: {kind: statistics, statement: 지역별 직업별 월소득 통계작성, legal_basis: 제28조의2}\n"
        "use: {form: third-party, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}\n"
        "additional_information: {destroy: approved}\noutput: {table: people}\nexcluded: [weight]\n"
        "adequacy: {k-anonymity: {k: 3}}\n"
        "source: {table: people, row_key: row-number}\n"
        # a key that a series of runs shares: the survey has none of that series, and needs none
        "columns:\n  id: {kind: identifier, apply: {one-way-hash: {stable_over: yearly}}}\n"
        "  age: {kind: quasi-identifier, apply: {rounding: {unit: 10, direction: down}}}\n"
        "  town: {kind: quasi-identifier, apply: keep}\n  job: {kind: quasi-identifier, apply: keep}\n"
        "  income: {kind: attribute, apply: {top-coding: {at: 1000}}}\n",
        "utf-8",
    )
    assert main(["outliers", str(plan), *given]) == 0
    behind = json.loads(capfd.readouterr().out.splitlines()[-1])["tables"]["people"]
    assert {tuple(one["columns"]) for one in behind["classes"]} >= {("age",), ("age", "town", "job")}
    (age,) = [one for one in behind["classes"] if one["columns"] == ["age"]]
    decades = {None if one is None else one // 10 for one in PEOPLE["age"].to_pylist()}
    assert age["classes"] == len(decades)
