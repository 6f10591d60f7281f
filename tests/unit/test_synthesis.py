"""Synthetic data (guideline L2227-2230): full, partial, hybrid; like its origin, near to nobody, repeatable by key."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.synthesis.figures import figures
from transforms.synthesis.trees import Recipe, SynthesisRefused, rows_to_fit, synthesize

DRAWS = Draws(Secret(bytes(range(32))))
OTHER = Draws(Secret(bytes(32)))
COUNT = 1_500


def people(count: int = COUNT, seed: int = 3) -> pa.Table:
    """Pseudonymized people: the amount depends on the grade and the age band, a few amounts are null."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        age, grade = draw.choice([20, 30, 40, 50, 60]), draw.choices(["A", "B", "C"], [1, 3, 6])[0]
        likely = age * 1000 + 60_000 * "CBA".index(grade)
        amount = None if draw.random() < 0.05 else int(draw.gauss(likely, 4000)) // 100
        rows.append({"age": age, "region": draw.choice(["서울", "부산"]), "grade": grade, "amount": amount,
                     "seen": date(2024, 1, 1) + timedelta(days=draw.randrange(0, 300, 30)),
                     "member": draw.random() < 0.5})  # fmt: skip
    schema = pa.schema([("age", pa.int32()), ("region", pa.string()), ("grade", pa.string()), ("amount", pa.int64()),
                        ("seen", pa.date32()), ("member", pa.bool_())])  # fmt: skip
    return pa.Table.from_pylist(rows, schema)


REAL = people()


@pytest.fixture(scope="module")
def full() -> pa.Table:
    return synthesize(REAL, Recipe("full"), DRAWS)


def test_it_has_the_columns_types_and_values_of_its_origin(full: pa.Table) -> None:
    assert full.schema == REAL.schema
    assert full.num_rows == COUNT
    for name in REAL.column_names:
        assert set(full[name].to_pylist()) <= set(REAL[name].to_pylist())
    assert 0 < full["amount"].null_count < COUNT * 0.1


def test_the_same_key_gives_the_same_table_and_another_key_another(full: pa.Table) -> None:
    assert synthesize(REAL, Recipe("full"), DRAWS).equals(full)
    assert not synthesize(REAL, Recipe("full"), OTHER).equals(full)


def test_relations_stay(full: pa.Table) -> None:
    """Mean amount by grade, counted by plain Python: near that of the origin, and far apart between grades."""

    def means(table: pa.Table) -> dict[str, float]:
        amounts: dict[str, list[int]] = {"A": [], "B": [], "C": []}
        for row in table.to_pylist():
            if row["amount"] is not None:
                amounts[row["grade"]].append(row["amount"])
        return {grade: sum(found) / len(found) for grade, found in amounts.items()}

    real, made = means(REAL), means(full)
    assert all(abs(real[grade] - made[grade]) < 100 for grade in "ABC")
    assert made["A"] > made["B"] + 400 > made["C"] + 800


def test_figures_tell_a_like_table_from_an_unlike_one(full: pa.Table) -> None:
    rng = np.random.default_rng(5)
    shuffled = pa.table(
        {name: REAL[name].take(pa.array(rng.permutation(COUNT))) for name in REAL.column_names}, schema=REAL.schema
    )
    like, unlike = figures(REAL, full, DRAWS), figures(REAL, shuffled, DRAWS)
    assert max(one["distance"] for one in like["quality"]["columns"].values()) < 0.08
    assert all(one["distance"] == 0 for one in unlike["quality"]["columns"].values())
    assert like["quality"]["correlations"]["largest_difference"] < 0.1
    assert unlike["quality"]["correlations"]["largest_difference"] > 0.3
    assert like["quality"]["pmse"] < 0.02 < 0.05 < unlike["quality"]["pmse"]


def test_privacy_figures_against_plain_counts(full: pa.Table) -> None:
    found = figures(REAL, full, DRAWS)["privacy"]
    kinds = Counter(tuple(row.values()) for row in REAL.to_pylist())
    made = [kinds[tuple(row.values())] for row in full.to_pylist()]
    assert found["exact_copies"] == pytest.approx(sum(count > 0 for count in made) / COUNT, abs=1e-6)
    assert found["copies_of_single_records"] == pytest.approx(sum(count == 1 for count in made) / COUNT, abs=1e-6)
    assert found["closest"]["synthetic_median"] > 0
    copied = figures(REAL, REAL, DRAWS)["privacy"]
    assert copied["exact_copies"] == 1
    assert copied["closest"]["synthetic_median"] == 0 < copied["closest"]["real_median"]


def test_a_partial_table_keeps_every_record_but_the_columns_named() -> None:
    made = synthesize(REAL, Recipe("partial", columns=("amount",)), DRAWS)
    others = [name for name in REAL.column_names if name != "amount"]

    def kept(table: pa.Table) -> Counter[tuple[Any, ...]]:
        return Counter(zip(*(table[name].to_pylist() for name in others), strict=True))

    assert kept(made) == kept(REAL)
    assert sorted(map(str, made.to_pylist())) != sorted(map(str, REAL.to_pylist()))


def test_a_hybrid_table_holds_the_share_that_stays_and_new_records() -> None:
    made = synthesize(REAL, Recipe("hybrid", stays=0.4, rows=1_000), DRAWS)
    assert made.num_rows == 1_000
    real = Counter(tuple(row.values()) for row in REAL.to_pylist())
    same = sum((Counter(tuple(row.values()) for row in made.to_pylist()) & real).values())
    assert 400 <= same < 700


def test_more_or_fewer_records_than_the_origin_has() -> None:
    assert synthesize(REAL, Recipe("full", rows=3_000), DRAWS).num_rows == 3_000
    assert rows_to_fit(REAL, 200, DRAWS).num_rows == 200
    assert rows_to_fit(REAL, COUNT, DRAWS).equals(REAL)


@pytest.mark.parametrize(
    ("recipe", "found"),
    [
        (Recipe("partial"), "columns to make anew"),
        (Recipe("full", columns=("age",)), "columns to make anew"),
        (Recipe("partial", columns=("agee",)), "no column agee"),
        (Recipe("partial", columns=("age",), rows=10), "every record stays"),
        (Recipe("partial", columns=tuple(REAL.column_names)), "all columns anew"),
        (Recipe("hybrid"), "all or no records"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(recipe: Recipe, found: str) -> None:
    with pytest.raises(SynthesisRefused, match=found):
        synthesize(REAL, recipe, DRAWS)


def test_ids_and_tables_of_few_are_refused() -> None:
    serial = REAL.append_column("serial", pa.array(range(1, COUNT + 1)))
    token = REAL.append_column("token", pa.array([f"t{number}" for number in range(COUNT)]))
    for table, name in ((serial, "serial"), (token, "token")):
        with pytest.raises(SynthesisRefused, match=f"column {name} is an id"):
            synthesize(table, Recipe("full"), DRAWS)
    with pytest.raises(SynthesisRefused, match="99 records"):
        synthesize(REAL.slice(0, 99), Recipe("full"), DRAWS)
