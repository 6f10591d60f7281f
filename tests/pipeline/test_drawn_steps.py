"""Drawn techniques in a pipeline: one result whatever the partitioning, one shift for a person over all tables."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import PlanError
from transforms.pipeline.engine import LocalEngine, PassFailed
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.recompute import StagedUnit
from transforms.pipeline.review import image_of
from transforms.pipeline.verdict import Claim, Ways, verify_table
from transforms.run_facts import RunFacts

STAYS = """\
source: {table: stays, row_key: [stay], subject: patient}
excluded: [stay]
columns:
  patient: {kind: identifier, apply: keyed-token}
  card: {kind: identifier, apply: {tokenization: {length: 10}}}
  admitted: {kind: quasi-identifier, apply: {date-shift: {days: [-9, 9]}}}
  discharged: {kind: quasi-identifier, apply: {date-shift: {days: [-9, 9]}}}
  seen_at: {kind: quasi-identifier, apply: {date-shift: {days: [-9, 9], per: patient}}}
  born: {kind: quasi-identifier, apply: {noise: {distribution: normal, days: 20, per: subject}}}
  weight: {kind: attribute, apply: {noise: {distribution: laplace, scale: 2, at_least: 1}}}
  paid: {kind: attribute, apply: {random-rounding: {unit: [100, 1000], unbiased: true}}}
  cost: {kind: attribute, apply: {noise: {distribution: normal, scale: 5000, keep_sum: true, by: [ward]}}}
  ward:
    kind: attribute
    apply: {random-replacement: {values: [P, Q, R, S, T], distinct: true, accept_frequency_leak: wards are no persons}}
"""
TYPES = pa.schema(
    [
        ("stay", pa.int64()),
        ("patient", pa.int32()),
        ("card", pa.string()),
        ("admitted", pa.date32()),
        ("discharged", pa.date32()),
        ("seen_at", pa.timestamp("us", "UTC")),
        ("born", pa.date32()),
        ("weight", pa.int64()),
        ("paid", pa.decimal128(12, 2)),
        ("cost", pa.int64()),
        ("ward", pa.string()),
    ]
)


def stays(count: int = 900, patients: int = 300) -> pa.Table:
    draw = random.Random(11)
    rows = []
    for number in range(count):
        patient = draw.randrange(patients)
        day = date(2024, 1, 1) + timedelta(draw.randrange(300))
        rows.append(
            {
                "stay": number,
                "patient": patient,
                "card": f"K-{patient}",
                "admitted": day,
                "discharged": None if draw.random() < 0.05 else day + timedelta(draw.randrange(20)),
                "seen_at": datetime(day.year, day.month, day.day, draw.randrange(24), tzinfo=UTC),
                "born": date(1950, 1, 1) + timedelta(patient * 7),
                "weight": draw.randrange(40, 90),
                "paid": Decimal(draw.randrange(10**7)).scaleb(-2),
                "cost": draw.randrange(10**6) if draw.random() < 0.9 else None,
                "ward": draw.choice(["내과", "외과", "소아과", None]),
            }
        )
    return pa.Table.from_pylist(rows, schema=TYPES)


@pytest.fixture
def hospital(case: Callable[..., Any], plan_head: str) -> Any:
    return case(plan_head + STAYS, stays())


@pytest.mark.parametrize(("units", "buckets"), [(5, 1), (90, 7)])
def test_same_rows_under_any_partitioning_and_order(hospital: Any, units: int, buckets: int) -> None:
    _, expected, counts = hospital.run()
    turn = list(range(hospital.source.num_rows))
    random.Random(3).shuffle(turn)
    _, rows, other = hospital.run(units=units, buckets=buckets, source=hospital.source.take(pa.array(turn)))
    assert rows.equals(expected)
    assert other == counts


def test_verify_recomputes_every_cell_and_review_finds_it_in_the_image(hospital: Any) -> None:
    prepared, rows, _ = hospital.run(units=4)
    table = hospital.pipeline.table()
    facts = RunFacts.from_json(RunFacts({table.name: prepared.facts}).to_json()).tables[table.name]
    source = [TableUnit(0, hospital.source, table.source_schema, 0)]

    def verdict(staged: pa.Table) -> Any:
        both = LocalEngine([*source, StagedUnit(TableUnit(0, staged, staged.schema, 0))])
        ways = Ways(LocalEngine(source), both, Draws(Secret(b"v" * 32)), staged.schema)
        return verify_table(Claim.of(table, hospital.keys, facts), ways)

    assert verdict(rows).equal
    for chain in table.chains:
        assert image_of(table, chain, facts).contains(rows.column(chain.name).combine_chunks()).all()
    changed = [*rows.column("weight").to_pylist()[:-1], rows.column("weight")[-1].as_py() + 1]
    place = rows.column_names.index("weight")
    other = rows.set_column(place, rows.schema.field("weight"), pa.array(changed, pa.int64()))
    assert {one.place for one in verdict(other).differences if one.what == "cells"} == {"weight"}


def test_a_persons_dates_keep_their_distances(hospital: Any) -> None:
    """The rows of a person are found again by the weights' order of arrival: the pseudonym, and days in hospital."""
    _, rows, _ = hospital.run()
    source, made = defaultdict(list), defaultdict(list)
    for row in hospital.source.to_pylist():
        source[row["patient"]].append(row)
    for row in rows.to_pylist():
        made[row["patient"]].append(row)
    assert len(made) == len(source)

    def spans(persons: list[dict[str, Any]]) -> list[Any]:
        first = min(one["admitted"] for one in persons)
        return sorted(
            [
                (
                    one["admitted"] - first,
                    one["discharged"] and one["discharged"] - first,
                    one["seen_at"].date() - first,
                )
                for one in persons
            ],
            key=str,
        )

    assert sorted(map(spans, made.values()), key=str) == sorted(map(spans, source.values()), key=str)
    firsts = [min(one["admitted"] for one in persons) for persons in source.values()]
    moved = [min(one["admitted"] for one in persons) for persons in made.values()]
    assert sorted(firsts) != sorted(moved)
    assert {len({one["born"] for one in persons}) for persons in made.values()} == {1}
    assert {len({one["card"] for one in persons}) for persons in made.values()} == {1}


def test_the_sum_of_each_class_is_kept(hospital: Any) -> None:
    _, rows, _ = hospital.run(units=30, buckets=3)

    def sums(table: pa.Table) -> list[tuple[int, int]]:
        """Rows and sum of each ward; wards have other names afterwards."""
        found = table.group_by("ward").aggregate([("cost", "sum"), ("cost", "count")]).to_pylist()
        return sorted((one["cost_count"], one["cost_sum"]) for one in found)

    assert sums(rows) == sums(hospital.source)
    assert set(rows["cost"].to_pylist()) != set(hospital.source["cost"].to_pylist())


def test_stand_ins_are_told_apart_over_all_units(hospital: Any) -> None:
    _, rows, _ = hospital.run(units=30)
    before, after = hospital.source.column("ward").to_pylist(), rows.column("ward").to_pylist()
    assert sorted(after.count(one) for one in set(after)) == sorted(before.count(one) for one in set(before))
    assert after.count(None) == before.count(None)


def test_more_values_than_stand_ins_stop_the_run(case: Callable[..., Any], plan_head: str) -> None:
    short = case(plan_head + STAYS.replace("[P, Q, R, S, T]", "[P, Q]"), stays())
    with pytest.raises(PassFailed, match="more distinct values") as caught:
        short.run(units=3)
    assert "내과" not in str(caught.value)


SHOP = """\
subjects: {member: {register: members, key: no}}
pseudonyms: {member: {technique: keyed-token, stable_over: panel}}
tables:
  members:
    source: members
    row_key: [no]
    subject: {member: no}
    columns:
      "no": {kind: identifier, apply: {pseudonym: member}}
      joined: {kind: quasi-identifier, apply: {date-shift: {days: [-20, 20]}}}
  visits:
    source: visits
    row_key: row-number
    subject: {member: who}
    columns:
      who: {kind: identifier, apply: {pseudonym: member}}
      "*_at": {kind: quasi-identifier, apply: {date-shift: {days: [-20, 20], per: member}}}
"""
JOINED = [date(2024, 1, 1) + timedelta(7 * number) for number in range(40)]


@pytest.fixture
def shop(compiled: Callable[[str, Any], Any], plan_head: str) -> tuple[Any, pa.Table, pa.Table]:
    """Members who come in at noon of the day on which they joined, and leave at one; numbers of another type."""
    members = pa.table({"no": [str(number) for number in range(40)], "joined": JOINED})
    noon = [datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in JOINED]
    type_ = pa.timestamp("us", "UTC")
    visits = pa.table(
        {
            "who": pa.array(range(40), pa.int64()),
            "in_at": pa.array(noon, type_),
            "out_at": pa.array([one + timedelta(hours=1) for one in noon], type_),
        }
    )
    return compiled(plan_head + SHOP, {"members": members.schema, "visits": visits.schema}), members, visits


def test_one_shift_for_a_person_over_columns_tables_and_types(shop: Any, keys: Any) -> None:
    pipeline, members, visits = shop
    joined = {row["no"]: row["joined"] for row in pipeline.apply_table(members, keys, "members").to_pylist()}
    rows = pipeline.apply_table(visits, keys, "visits").to_pylist()
    assert {row["who"] for row in rows} == set(joined)
    for row in rows:
        assert row["in_at"].date() == row["out_at"].date() == joined[row["who"]]
        assert (row["in_at"].hour, row["out_at"].hour) == (12, 13)
    assert sorted(joined.values()) != JOINED


def test_a_stable_pseudonym_has_a_stable_shift(shop: Any, keys: Any) -> None:
    """Another run of the same series gives a person the same pseudonym, so it must not draw another shift."""
    pipeline, members, _ = shop
    first = pipeline.apply_table(members, keys, "members")
    again = pipeline.apply_table(members, replace(keys, run="another", secret=Secret(b"z" * 32)), "members")
    assert sorted(map(str, first.to_pylist())) == sorted(map(str, again.to_pylist()))
    series = replace(keys, series={"panel": Secret(b"q" * 32)})
    assert sorted(map(str, first.to_pylist())) != sorted(
        map(str, pipeline.apply_table(members, series, "members").to_pylist())
    )


def problems(compiled: Callable[[str, Any], Any], text: str, schema: Any) -> list[str]:
    with pytest.raises(PlanError) as caught:
        compiled(text, schema)
    return [str(problem) for problem in caught.value.problems]


def test_plans_that_can_not_be_drawn_are_refused(compiled: Callable[[str, Any], Any], plan_head: str) -> None:
    without = plan_head + STAYS.replace(", subject: patient", "")
    found = problems(compiled, without, TYPES)
    assert len(found) == 4  # three shifts, and the noise of a person
    assert all("`source.subject`" in one for one in found)
    (other,) = problems(compiled, plan_head + STAYS.replace("per: patient", "per: doctor"), TYPES)
    assert "seen_at.apply[0].date-shift.per: 'doctor'; allowed: the table's subject: patient" in other
    uneven = plan_head + STAYS.replace(
        "discharged: {kind: quasi-identifier, apply: {date-shift: {days: [-9, 9]",
        ("discharged: {kind: quasi-identifier, apply: {date-shift: {days: [-5, 5]"),
    )
    (different,) = problems(compiled, uneven, TYPES)
    assert "columns.discharged.apply[0].date-shift" in different
    assert "columns.admitted.apply[0].date-shift" in different


def test_shifts_of_one_person_are_alike_over_tables(shop: Any, compiled: Any, plan_head: str) -> None:
    _, members, visits = shop
    uneven = SHOP.replace("{days: [-20, 20], per: member}", "{days: [-20, 20], not_zero: true}")
    (found,) = problems(compiled, plan_head + uneven, {"members": members.schema, "visits": visits.schema})
    assert "tables.visits.columns" in found


def test_a_vault_needs_a_plan_that_keeps_its_additional_information(compiled: Any, plan_head: str) -> None:
    vault = STAYS.replace("{length: 10}", "{length: 10, vault: true}")
    with pytest.raises(PlanError) as caught:
        compiled(plan_head + vault, TYPES)
    (problem,) = caught.value.problems
    assert problem.refused
    assert problem.path == "columns.card.apply[0].tokenization.vault"
    keeps = plan_head.replace("{destroy: approved}", "{keep: {reason: 재식별 요청 대응, until: 2028-12-31}}")
    compiled(keeps + vault, TYPES)
    behind = vault.replace(
        "{tokenization: {length: 10, vault: true}}",
        "[{tokenization: {length: 10, vault: true}}, {masking: {first: 2}}]",
    )
    (found,) = problems(compiled, keeps + behind, TYPES)
    assert "last step" in found


def test_no_facts_hold_all_identifiers(compiled: Any, plan_head: str) -> None:
    names = STAYS.replace("  ward:\n    kind: attribute", "  ward:\n    kind: identifier")
    with pytest.raises(PlanError) as caught:
        compiled(plan_head + names, TYPES)
    (problem,) = caught.value.problems
    assert problem.refused
    assert problem.path == "columns.ward.apply[0].random-replacement.distinct"


def test_tokens_and_stand_ins_of_other_columns_need_a_reason(compiled: Any, plan_head: str) -> None:
    bare = STAYS.replace(", accept_frequency_leak: wards are no persons", "")
    (found,) = problems(compiled, plan_head + bare, TYPES)
    assert "accept_frequency_leak" in found
