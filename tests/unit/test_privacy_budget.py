"""The noise of differential privacy, drawn once; the budget of a data set, kept in the ledger; verify's judgement."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from jobs import budget
from jobs.aggregate_tables import bins, comments
from jobs.budget import Charge
from jobs.environment import Environment
from jobs.errors import Refused
from jobs.key_providers.file import FileProvider
from jobs.ledger import evidence_ledger
from jobs.noising import NOISED, noised, noised_numbers
from jobs.runs import RunFolder, SourceVersion
from transforms.aggregates import Aggregate, Measure
from transforms.compiler import compile_plan
from transforms.pipeline.aggregate_verdict import judge_aggregate
from transforms.plan_loader import load

PLAN = """\
format: 1
plan: visits
application: {number: 2026-001}
purpose: {kind: statistics, statement: 지점별 방문과 지출 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {destroy: approved}
output: {table: visits, records: withheld}
source: {table: visits, row_key: [visit], subject: person}
excluded: [visit]
columns:
  person: {kind: identifier, apply: keyed-token}
  shop: {label: 지점, kind: quasi-identifier, apply: keep}
  paid: {label: 지출, kind: attribute, apply: keep}
further:
  by_shop:
    differential-privacy:
      by: {shop: [a, b]}
      max_groups: 2
      max_rows: 5
      queries:
        visits: {count: rows, epsilon: 0.1}
        paid: {sum: paid, bounds: [0, 20.5], epsilon: 0.4}
        mean: {mean: paid, bounds: [10, 20], epsilon: 0.4}
        sizes: {histogram: paid, edges: [5, 10.25], epsilon: 0.1}
      budget: 2
"""
SCHEMA = pa.schema(
    [("visit", pa.int64()), ("person", pa.int64()), ("shop", pa.string()), ("paid", pa.decimal128(9, 2))]
)


@pytest.fixture
def aggregate(tmp_path: Path) -> Aggregate:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN, "utf-8")
    return compile_plan(load(file).plan, SCHEMA).aggregates["by_shop"]


def numbers(aggregate: Aggregate) -> dict[str, list[int]]:
    """Exact ones, as the pass would give them: 100 rows of 12.34 and 50 of 6.00."""
    found = {"visits": [100, 50], "paid": [123_400, 30_000], "mean": [100 * (2468 - 3000), 50 * (2000 - 3000)]}
    return found | {"mean rows": [100, 50], "sizes": [0, 0, 100, 0, 50, 0]}


@pytest.fixture
def charge() -> Callable[..., Charge]:
    def make(run: str = "r1", table: str = "t", epsilon: str = "1", budget: str = "2", data_set: str = "D") -> Charge:
        source = SourceVersion("people", data_set, 3)
        return Charge(run, table, f"further.{table}.differential-privacy", source, Decimal(epsilon), Decimal(budget))

    return make


def test_sensitivities_follow_bounds_and_contributions(aggregate: Aggregate) -> None:
    """Of one person 2 groups x 5 rows count; amounts are in hundredths; a mean is about the middle of its bounds."""
    expected = {"visits": 10, "paid": 10 * 2050, "mean": 10 * 1000, "mean rows": 10, "sizes": 10}
    assert {one.name: one.sensitivity for one in aggregate.measures} == expected
    assert {one.name: str(one.epsilon) for one in aggregate.measures} == {
        "visits": "0.1", "paid": "0.4", "mean": "0.2", "mean rows": "0.2", "sizes": "0.1",
    }  # fmt: skip


def test_the_table_is_made_of_the_noised_numbers_alone(aggregate: Aggregate) -> None:
    table = aggregate.finished(numbers(aggregate))
    assert table.to_pylist() == [
        {"shop": "a", "visits": 100, "paid": Decimal("1234.00"), "mean": 12.34, "sizes_1": 0, "sizes_2": 0,
         "sizes_3": 100},
        {"shop": "b", "visits": 50, "paid": Decimal("300.00"), "mean": 10.0, "sizes_1": 0, "sizes_2": 50, "sizes_3": 0},
    ]  # fmt: skip
    negative = numbers(aggregate) | {"mean": [10**9, -(10**9)], "mean rows": [-4, 0]}
    assert aggregate.finished(negative)["mean"].to_pylist() == [20.0, 10.0]


def test_columns_say_what_they_hold(aggregate: Aggregate) -> None:
    said = comments(aggregate)
    assert said["shop"] == "지점"
    assert said["paid"] == "paid 합계(sum), 0~20.5, ε=0.4"
    assert said["sizes_2"] == "paid 구간별 건수(rows by bin), ε=0.1: 5~10.25"
    assert bins(aggregate.technique.queries["sizes"]) == ["~5", "5~10.25", "10.25~"]


def test_noise_is_discrete_laplace_of_the_planned_scale() -> None:
    """20,000 numbers: mean |X| is 2a / (1 - a^2), a = e^(-1 / scale); its own deviation is below one percent."""
    measure = Measure("n", "rows", Decimal("0.5"), 5)
    found = noised(measure, [10**15] * 20_000)
    noise = [one - 10**15 for one in found]
    a = math.exp(-1 / 10)
    mean = sum(map(abs, noise)) / len(noise)
    assert abs(mean / (2 * a / (1 - a * a)) - 1) < 0.1
    assert abs(sum(noise) / len(noise)) < 1
    assert max(map(abs, noise)) <= measure.noise_limit(len(noise))
    assert noised(measure, [0] * 50) != noised(measure, [0] * 50)


def test_noise_is_drawn_once_after_the_budget_is_entered(aggregate: Aggregate, environment: Environment) -> None:
    folder, calls = RunFolder(environment, "0123456789abcdef"), list[str]()

    def exact(one: Aggregate) -> dict[str, list[int]]:
        calls.append("exact")
        return numbers(one)

    def spend() -> None:
        assert not (folder.evidence / NOISED).exists()
        calls.append("spend")

    first = noised_numbers(folder, {"by_shop": aggregate}, exact, spend)
    assert noised_numbers(folder, {"by_shop": aggregate}, exact, spend) == first
    assert calls == ["exact", "spend"]


def test_nothing_is_drawn_where_the_budget_refuses(aggregate: Aggregate, environment: Environment) -> None:
    folder = RunFolder(environment, "0123456789abcdef")

    def spend() -> None:
        raise Refused("overspent")

    with pytest.raises(Refused):
        noised_numbers(folder, {"by_shop": aggregate}, numbers, spend)
    assert not (folder.evidence / NOISED).exists()


def test_noised_numbers_of_another_shape_are_refused(aggregate: Aggregate, environment: Environment) -> None:
    folder = RunFolder(environment, "0123456789abcdef")
    altered = {"by_shop": numbers(aggregate) | {"visits": [1]}}
    (folder.evidence / NOISED).write_json({"format": 1, "run": folder.run, "tables": altered})
    with pytest.raises(Refused, match="was altered"):
        noised_numbers(folder, {"by_shop": aggregate}, numbers, lambda: None)


def test_verify_sees_all_but_the_noise(aggregate: Aggregate) -> None:
    exact = numbers(aggregate)
    drawn = {one.name: noised(one, exact[one.name]) for one in aggregate.measures}
    staged = aggregate.finished(drawn)
    assert judge_aggregate(aggregate, exact, drawn, staged).equal
    swapped = staged.take(pa.array([1, 0]))
    assert {one.what for one in judge_aggregate(aggregate, exact, drawn, swapped).differences} == {"cells"}
    fewer = judge_aggregate(aggregate, exact, drawn, staged.slice(1)).differences
    assert [(one.what, one.rows) for one in fewer] == [("rows", 1)]
    other = staged.rename_columns([*staged.column_names[:-1], "x"])
    assert {one.place for one in judge_aggregate(aggregate, exact, drawn, other).differences} == {"sizes_3", "x"}
    far = drawn | {"paid": [drawn["paid"][0], exact["paid"][1] + 3 * 10**6]}
    found = judge_aggregate(aggregate, exact, far, aggregate.finished(far)).differences
    assert [(one.what, one.place, one.rows) for one in found] == [("noise", "paid", 1)]


def test_a_data_set_s_budget_is_spent_once_for_each_run(
    environment: Environment, charge: Callable[..., Charge]
) -> None:
    FileProvider.init(environment.keys.path)
    ledger = evidence_ledger(environment)
    assert budget.spend(environment, ledger, [charge()])["D"].left == 1
    assert budget.spend(environment, ledger, [charge()])["D"].left == 1
    other = charge("r2", epsilon="0.75")
    assert str(budget.spend(environment, ledger, [other])["D"].left) == "0.25"
    assert budget.spend(environment, ledger, [charge("r3", data_set="E")])["E"].left == 1
    before = ledger.head()
    with pytest.raises(Refused, match=r"allowed: at most 0\.25") as refused:
        budget.spend(environment, ledger, [charge("r4", epsilon="0.26")])
    assert "further.t.differential-privacy.budget" in refused.value.message
    assert ledger.head() == before
    assert budget.spend(environment, ledger, [charge("r5", epsilon="0.25")])["D"].left == 0


def test_several_tables_of_one_run_spend_together(environment: Environment, charge: Callable[..., Charge]) -> None:
    FileProvider.init(environment.keys.path)
    ledger = evidence_ledger(environment)
    with pytest.raises(Refused, match=r"would spend ε = 2\.1"):
        budget.spend(environment, ledger, [charge(), charge(table="u", epsilon="1.1")])
    assert ledger.entries() == []


def test_the_smallest_budget_that_was_ever_declared_holds(
    environment: Environment, charge: Callable[..., Charge]
) -> None:
    FileProvider.init(environment.keys.path)
    ledger = evidence_ledger(environment)
    budget.spend(environment, ledger, [charge(epsilon="0.5", budget="1")])
    with pytest.raises(Refused, match=r"budget of 1 other runs have spent 0\.5"):
        budget.spend(environment, ledger, [charge("r2", epsilon="0.6", budget="100")])
