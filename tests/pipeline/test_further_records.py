"""Further tables with the same rows: dealt-out columns, joined by a drawn record id and by nothing else."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import PlanError
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.parts import prepare_part
from transforms.pipeline.recompute import StagedUnit
from transforms.pipeline.run import Options, finish, prepare
from transforms.pipeline.transform import ToBatches
from transforms.pipeline.verdict import Claim, Ways, verify_table

PLAIN = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {destroy: approved}
output: {table: people}
source: {table: people, row_key: [id], subject: id}
excluded: [name]
sample: {fraction: 0.5}
rows:
  - record-suppression: {where: {age: {below: 20}}}
columns:
  id: {kind: identifier, apply: keyed-token}
  age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
  region: {kind: quasi-identifier, apply: keep}
  "amount_{kind}":
    kind: attribute
    apply: [{top-coding: {quantile: 0.99}}, {rounding: {unit: 100, direction: half-down}}]
  total: {kind: attribute, derive: {sum: "amount_{kind}", nulls: zero}}
outliers:
  - {find: {frequency: {columns: [age, region], below: 3}}, treat: {local-suppression: {columns: [region]}}}
outlier_limits: {cells: 0.2, rows: 0.05}
"""
DEALT = PLAIN + """\
further:
  amounts: {anatomization: {columns: ["amount_*", total]}}
"""


def delivered(case: Any, text: str, table: str | None = None) -> pa.Table:
    one = case(text)
    return one.pipeline.apply_table(one.source, one.keys, table)


def test_the_join_by_record_id_gives_the_one_table_back(case: Any) -> None:
    """Cells, facts, sample, row rules and outlier rules are the same as without anatomization."""
    whole = delivered(case, PLAIN)
    first, second = delivered(case, DEALT), delivered(case, DEALT, "amounts")
    assert first.column_names == ["record_id", "id", "age", "region"]
    assert second.column_names == ["record_id", "amount_food", "amount_rent", "total"]
    attributes = {row.pop("record_id"): row for row in second.to_pylist()}
    joined = [attributes.pop(row.pop("record_id")) | row for row in first.to_pylist()]
    assert not attributes
    assert {row["id"]: row for row in joined} == {row["id"]: row for row in whole.to_pylist()}
    assert len(joined) == whole.num_rows


def test_record_ids_are_drawn_once_for_each_row(case: Any) -> None:
    first, second = delivered(case, DEALT), delivered(case, DEALT, "amounts")
    ids = first["record_id"].to_pylist()
    assert len(set(ids)) == len(ids) > 1000
    assert set(ids) == set(second["record_id"].to_pylist())
    assert not set(ids) & set(first["id"].to_pylist())


@pytest.mark.parametrize("with_pseudonym", [True, False])
def test_neither_order_tells_the_other(case: Any, with_pseudonym: bool) -> None:
    """Rank correlation of the same record in both tables, and of record ids with either order, is chance."""
    id_ = "  id: {kind: identifier, apply: keyed-token}\n"
    text = DEALT if with_pseudonym else DEALT.replace(id_, "").replace("excluded: [name]", "excluded: [id, name]")
    first, second = delivered(case, text), delivered(case, text, "amounts")
    assert ("id" in first.column_names) == with_pseudonym
    place = {one: number for number, one in enumerate(second["record_id"].to_pylist())}
    there = [place[one] for one in first["record_id"].to_pylist()]
    alphabetic = sorted(range(len(there)), key=lambda number: first["record_id"][number].as_py())
    for ranks in (there, alphabetic):
        # A correlation of n random ranks lies within 5 / sqrt(n), but for one in a million; the keys are fixed.
        assert abs(correlation(list(range(len(ranks))), ranks)) < 5 / len(ranks) ** 0.5


def correlation(left: list[int], right: list[int]) -> float:
    mean = (len(left) - 1) / 2
    spread = sum((value - mean) ** 2 for value in left)
    return sum((a - mean) * (b - mean) for a, b in zip(left, right, strict=True)) / spread


@pytest.mark.parametrize(("units", "buckets"), [(3, 1), (5, 4)])
def test_partitions_and_input_order_change_nothing(case: Any, units: int, buckets: int) -> None:
    one = case(DEALT)
    expected = {name: one.pipeline.apply_table(one.source, one.keys, name) for name in one.pipeline.tables}
    places = list(range(one.source.num_rows))
    random.Random(5).shuffle(places)
    source = one.source.take(pa.array(places))
    size = -(-source.num_rows // units)
    pieces = [source.slice(first, size) for first in range(0, source.num_rows, size)]
    engine = LocalEngine([TableUnit(n, piece, source.schema, n * size) for n, piece in enumerate(pieces)])
    options = Options(buckets=buckets, rows_hint=source.num_rows, limits=one.pipeline.plan.outlier_limits)
    tables = one.pipeline.tables
    whole = prepare(tables["people"].whole, one.keys, engine, options)
    for name, table in tables.items():
        part = prepare_part(whole, table, one.keys, engine, options)
        blobs = finish(part, engine, ToBatches(), options).outputs
        rows = pa.concat_tables([pa.ipc.open_stream(blob).read_all() for blob in blobs])
        assert rows.equals(expected[name])
        assert part.offsets[0] == 0
        sizes = [pa.ipc.open_stream(blob).read_all().num_rows for blob in blobs]
        assert len(blobs) == buckets
        assert list(part.offsets) == [sum(sizes[:number]) for number in range(buckets)]


REFUSED = [
    ("[age]", "column 'age' (kind quasi-identifier), which identifies"),
    ("[id]", "column 'id' (kind identifier), which identifies"),
    ("[amount_food, amount_food]", "column 'amount_food' a second time"),
    ("[amount_food]", "derived column 'total' in another table than 'amount_food'"),
    ("[salary]", "'salary', which the table does not deliver"),
    ("[name]", "'name', which the table does not deliver"),
]


@pytest.mark.parametrize(("columns", "found"), REFUSED)
def test_what_would_join_the_tables_is_refused(case: Any, columns: str, found: str) -> None:
    text = DEALT.replace('["amount_*", total]', columns)
    with pytest.raises(PlanError) as refused:
        case(text)
    problem = next(one for one in refused.value.problems if found in str(one))
    assert problem.path.startswith("further.amounts.anatomization.columns[")
    assert problem.line == DEALT[: DEALT.index("  amounts:")].count("\n") + 1


def test_a_column_goes_to_one_further_table(case: Any) -> None:
    with pytest.raises(PlanError, match="any more"):
        case(DEALT + "  rent: {anatomization: {columns: [amount_rent]}}\n")


def test_a_record_id_is_a_new_column(case: Any) -> None:
    with pytest.raises(PlanError, match="'name', which is a column already"):
        case(DEALT.replace("total]}", "total], record_id: name}"))


def test_a_further_technique_is_no_step(case: Any) -> None:
    with pytest.raises(PlanError, match=r"makes a further table; .* put it under `further`"):
        case(PLAIN.replace("apply: keep}", "apply: {anatomization: {columns: [age]}}}"))


def test_a_step_is_no_further_table(case: Any) -> None:
    with pytest.raises(PlanError, match="technique 'keep', which makes no table"):
        case(PLAIN + "further: {amounts: keep}\n")


def test_the_name_is_a_folder_s(case: Any) -> None:
    with pytest.raises(PlanError, match="a name of letters"):
        case(DEALT.replace("  amounts:", "  ../amounts:"))


def test_a_further_table_can_t_have_the_main_table_s_name(case: Any) -> None:
    with pytest.raises(PlanError, match="a name that no other table has"):
        case(DEALT.replace("  amounts:", "  people:"))


def test_k_is_counted_in_the_main_table(case: Any) -> None:
    text = DEALT.replace("plan: people\n", "plan: people\nadequacy: {k-anonymity: {k: 2, columns: [age, total]}}\n")
    with pytest.raises(PlanError, match="'total', by which k is counted"):
        case(text)


def test_each_of_several_tables_may_have_further_ones(compiled: Any, keys: Any) -> None:
    """`tables.NAME.further`: the same as `further` of a plan with one table."""
    head, rest = PLAIN.split("source: {table: people, row_key: [id], subject: id}\n")
    body = rest.split("sample:")[0] + rest[rest.index("columns:") : rest.index("outliers:")]
    table = "  {name}:\n    source: {name}\n    row_key: [id]\n    subject: {{person: id}}\n"
    names = ("people", "others")
    parts = [
        table.format(name=name)
        + "".join(f"    {line}\n" for line in body.splitlines())
        + f"    further: {{{name}-paid: {{anatomization: {{columns: ['amount_*', total]}}}}}}\n"
        for name in names
    ]
    text = head + "subjects: {person: {register: people, key: id}}\ntables:\n" + "".join(parts)
    source = pa.table(
        {"id": ["a", "b", "c"], "name": ["A", "B", "C"], "age": [20, 30, 40], "region": ["x", "y", "z"],
         "amount_food": [100, 200, 300], "amount_rent": [1, 2, 3]}
    )  # fmt: skip
    pipeline = compiled(text, dict.fromkeys(names, source.schema))
    assert list(pipeline.tables) == ["people", "people-paid", "others", "others-paid"]
    ids = {name: set(pipeline.apply_table(source, keys, name)["record_id"].to_pylist()) for name in pipeline.tables}
    assert ids["people"] == ids["people-paid"]
    assert ids["others"] == ids["others-paid"]
    assert not ids["people"] & ids["others"]


def test_explain_tells_where_a_further_table_comes_from(case: Any) -> None:
    said = case(DEALT).pipeline.explain()
    _, second = said.split("→ amounts")
    assert "measured with table people" in second
    assert "facts, pass 1 of 1: reads age, id and 2 more columns" in said
    assert "facts, pass" not in second


@pytest.mark.parametrize("buckets", [1, 3])
def test_verify_recomputes_a_further_table_as_any_other(case: Any, buckets: int) -> None:
    """Each part has facts of its own; an amount or a record id that moved to another row shows."""
    one = case(DEALT)
    pieces = [one.source.slice(first, 1500) for first in range(0, 4000, 1500)]
    source = [TableUnit(n, piece, piece.schema, n * 1500) for n, piece in enumerate(pieces)]
    engine = LocalEngine(source)
    options = Options(buckets=buckets, rows_hint=4000, limits=one.pipeline.plan.outlier_limits)
    whole = prepare(one.pipeline.tables["people"].whole, one.keys, engine, options)
    seed = Draws(Secret(b"v" * 32))
    for table in one.pipeline.tables.values():
        part = prepare_part(whole, table, one.keys, engine, options)
        blobs = finish(part, engine, ToBatches(), options).outputs
        staged = pa.concat_tables([pa.ipc.open_stream(blob).read_all() for blob in blobs]).combine_chunks()
        claim = Claim.of(replace(table, whole=None), one.keys, part.facts)

        def differences(rows: pa.Table, claim: Claim = claim) -> set[str]:
            both = LocalEngine([*source, StagedUnit(TableUnit(0, rows, rows.schema, 0))])
            found = verify_table(claim.ready(engine), Ways(engine, both, seed, rows.schema))
            return {one.what for one in found.differences}

        assert differences(staged) == set()
        for name in ("record_id", staged.column_names[2]):
            cells = staged[name].to_pylist()
            cells[0], cells[1] = cells[1], cells[0]
            place, type_ = staged.column_names.index(name), staged.schema.field(name).type
            moved = staged.set_column(place, name, pa.array(cells, type_))
            assert not moved.equals(staged)
            assert differences(moved)


def test_steps_on_whole_classes_work_in_a_further_table(case: Any) -> None:
    """A permutation within regions, in the table of attributes: the regions keep their amounts, people don't."""
    step = "apply: [{top-coding: {quantile: 0.99}}, {rounding: {unit: 100, direction: half-down}}]"
    rounded = "apply: [{rounding: {unit: 100, direction: half-down}}]"
    mixed = "apply: [{rounding: {unit: 100, direction: half-down}}, {permutation: {by: [region], small: keep}}]"
    total = '  total: {kind: attribute, derive: {sum: "amount_{kind}", nulls: zero}}\n'
    rules = DEALT[DEALT.index("outliers:") : DEALT.index("further:")]
    text = DEALT.replace(total, "").replace(", total", "").replace(rules, "")
    assert step in text

    def rents(plan: str) -> dict[str, tuple[str, int]]:
        second = delivered(case, plan, "amounts")
        amounts = dict(zip(second["record_id"].to_pylist(), second["amount_rent"].to_pylist(), strict=True))
        return {row["id"]: (row["region"], amounts[row["record_id"]]) for row in delivered(case, plan).to_pylist()}

    own, permuted = rents(text.replace(step, rounded)), rents(text.replace(step, mixed))
    assert sorted(own.values()) == sorted(permuted.values())
    assert sum(own[person] != permuted[person] for person in own) > len(own) * 0.9


def test_copies_of_a_record_would_share_its_id(case: Any) -> None:
    with pytest.raises(PlanError, match="further tables of a sample with replacement"):
        case(DEALT.replace("{fraction: 0.5}", "{n: 100, replacement: true, copies: apart}"))
