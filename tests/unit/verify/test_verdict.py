"""verify: an honest run is equal; whatever is altered in staging or in the facts is found and named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from transforms.outlier_changes import RuleChange
from transforms.pipeline.engine import PassFailed
from transforms.pipeline.verdict import TableVerdict
from transforms.run_facts import TableFacts

Case = Any
Claimed = Callable[[Case, TableFacts], Case]


def found(verdict: TableVerdict) -> set[tuple[str, str, int | None]]:
    return {(one.what, one.place, one.rows) for one in verdict.differences}


@pytest.fixture(scope="module")
def honest(shop: Any) -> Case:
    return shop.run()


@pytest.mark.parametrize("buckets", [1, 5])
@pytest.mark.parametrize("pieces", [1, 3, 50])
def test_an_honest_run_is_equal_however_it_was_cut(shop: Any, buckets: int, pieces: int) -> None:
    verdict = shop.run(buckets=buckets).verified(pieces)
    assert verdict.equal
    assert verdict.differences == ()
    assert verdict.rows["source"] == 900
    assert verdict.rows["sampled"] == 450
    assert verdict.rows["recomputed"] == verdict.rows["staged"] > 400
    assert (verdict.columns, verdict.facts) == (8, 2)


def cells(case: Case, name: str) -> list[object]:
    return case.staged.column(name).to_pylist()


def altered(case: Case, name: str, row: int, value: object) -> Case:
    values = cells(case, name)
    assert values[row] != value
    values[row] = value
    return case.with_column(name, pa.array(values, case.staged.schema.field(name).type))


@pytest.mark.parametrize(
    ("column", "value"),
    [("age", 20), ("city", "Ulsan"), ("city", ""), ("spent_food", 1), ("spent_food", None), ("member", None),
     ("total", 7), ("most", "books")],
)  # fmt: skip
def test_one_altered_cell_names_its_column(honest: Case, column: str, value: object) -> None:
    row = next(n for n, cell in enumerate(cells(honest, column)) if cell not in (value, None))
    assert found(altered(honest, column, row, value).verified()) == {("cells", column, 1)}


def test_a_null_made_a_value_is_found(honest: Case) -> None:
    row = cells(honest, "spent_food").index(None)
    assert found(altered(honest, "spent_food", row, 0).verified()) == {("cells", "spent_food", 1)}


def test_two_cells_swapped_between_rows_are_found_though_the_column_sums_are_equal(honest: Case) -> None:
    ages = cells(honest, "age")
    other = next(n for n, age in enumerate(ages) if age != ages[0])
    ages[0], ages[other] = ages[other], ages[0]
    assert found(honest.with_column("age", pa.array(ages)).verified()) == {("cells", "age", 2)}


def test_two_swapped_serials_are_found(honest: Case) -> None:
    serials = cells(honest, "id")
    serials[3], serials[200] = serials[200], serials[3]
    assert found(honest.with_column("id", pa.array(serials)).verified()) == {("cells", "id", 2)}


def test_a_serial_that_nobody_has_is_found(honest: Case) -> None:
    assert found(altered(honest, "id", 5, 99_999).verified()) == {("cells", "id", 1)}


def test_a_row_dropped_and_another_doubled_are_found_though_the_number_of_rows_is_right(honest: Case) -> None:
    places = list(range(honest.staged.num_rows))
    places[10] = 11
    verdict = honest.with_(staged=honest.staged.take(places)).verified()
    assert found(verdict) == {("rows", "missing in staging", 1), ("rows", "too many in staging", 1)}


def test_a_row_too_many_is_found(honest: Case) -> None:
    staged = pa.concat_tables([honest.staged, honest.staged.slice(7, 1)]).combine_chunks()
    assert found(honest.with_(staged=staged).verified()) == {("rows", "too many in staging", 1)}


def test_an_empty_staging_table_is_found(honest: Case) -> None:
    verdict = honest.with_(staged=honest.staged.slice(0, 0)).verified()
    assert found(verdict) == {("rows", "missing in staging", honest.staged.num_rows)}


def test_rows_that_do_not_stand_in_keyed_order_are_found(honest: Case) -> None:
    assert found(honest.with_(staged=honest.staged.take(np.arange(honest.staged.num_rows)[::-1])).verified()) == {
        ("order", "rows within their files", None)
    }


def test_an_unprocessed_part_is_found_with_every_column_that_steps_would_have_changed(shop: Any, honest: Case) -> None:
    # The plan without its steps: the same people under the same serials, with their cells as in the source.
    raw = copy.deepcopy(shop.PLAN)
    raw["columns"]["age"]["apply"] = "keep"
    raw["columns"]["spent_{what}"]["apply"] = "keep"
    raw["outliers"] = []
    unprocessed = shop.run(raw).staged
    assert unprocessed["id"].equals(honest.staged["id"])
    part = 100
    staged = pa.concat_tables([unprocessed.slice(0, part), honest.staged.slice(part)]).combine_chunks()
    names = [name for name in staged.column_names if name != "id"]
    expected = {
        name: sum(a != b for a, b in zip(staged[name].to_pylist(), cells(honest, name), strict=True)) for name in names
    }
    assert expected["age"] > 80
    assert found(honest.with_(staged=staged).verified()) == {
        ("cells", name, rows) for name, rows in expected.items() if rows
    }


@pytest.mark.parametrize("change", [{"drop": "most"}, {"rename": "most"}, {"cast": "age"}])
def test_another_schema_is_found(honest: Case, change: dict[str, str]) -> None:
    ((how, name),) = change.items()
    place = honest.staged.column_names.index(name)
    if how == "drop":
        staged = honest.staged.drop_columns([name])
    elif how == "rename":
        staged = honest.staged.rename_columns({name: "least"})
    else:
        staged = honest.staged.set_column(place, name, honest.staged[name].cast(pa.int32()))
    assert ("schema", name, None) in found(honest.with_(staged=staged).verified())


@pytest.fixture(scope="module")
def claimed(shop: Any) -> Claimed:
    """A run that worked with other facts: what it staged agrees with them."""
    return lambda case, facts: case.with_(facts=facts, staged=shop.staged_with(case, facts))


def test_a_cut_off_that_is_off_by_one_is_found_though_the_cells_agree_with_it(honest: Case, claimed: Claimed) -> None:
    cut = honest.facts.concluded["spent_food", 0]["cut"]
    wrong = {**honest.facts.concluded, ("spent_food", 0): {"cut": replace(cut, cut=cut.cut - 1)}}
    verdict = claimed(honest, replace(honest.facts, concluded=wrong)).verified()
    ((what, place, rows),) = found(verdict)
    assert (what, rows) == ("fact", None)
    assert "spent_food" in place
    assert str(cut.cut) not in place
    assert str(cut.cut - 1) not in place


def test_a_threshold_moved_by_one_subject_is_found(shop: Any, honest: Case, claimed: Claimed) -> None:

    one_more = replace(
        honest.facts,
        threshold=shop.threshold_of_rank(honest, 451),
        sampled_rows=451,
    )
    assert ("sample", "subjects within the threshold", None) in found(claimed(honest, one_more).verified())


def test_a_number_of_subjects_that_was_not_floored_is_found(honest: Case) -> None:
    wrong = replace(honest.facts, drawn=449)
    assert found(honest.with_(facts=wrong).verified()) == {("sample", "number of subjects to draw", None)}


@pytest.mark.parametrize(
    ("field", "place"),
    [("seen", "rows seen"), ("stopped_rows", "rows of stopped subjects"), ("sampled_rows", "rows sampled"),
     ("delivered", "rows delivered")],
)  # fmt: skip
def test_a_wrong_count_in_the_facts_is_found(honest: Case, field: str, place: str) -> None:
    wrong = replace(honest.facts, **{field: getattr(honest.facts, field) + 1})
    assert found(honest.with_(facts=wrong).verified()) == {("counts", place, None)}


def fewer_classes(change: RuleChange, removed: bool = False) -> RuleChange:
    """A solved rule that forgets a class whose cells go (or whose records go)."""
    (act,) = [act for act in change.acts if (act.column is None) == removed]
    assert len(act.keys)
    others = [other for other in change.acts if other is not act]
    return replace(change, acts=(*others, replace(act, keys=act.keys[1:])))


def test_a_small_class_that_was_left_as_it_is_is_found_though_the_cells_agree_with_it(
    honest: Case, claimed: Claimed
) -> None:
    fewer = fewer_classes(honest.facts.rules[0])
    verdict = claimed(honest, replace(honest.facts, rules=(fewer,))).verified()
    assert found(verdict) == {("outliers", "outliers[0]", None)}


def test_a_rule_that_was_left_out_is_found(honest: Case, claimed: Claimed) -> None:
    verdict = claimed(honest, replace(honest.facts, rules=())).verified()
    assert found(verdict) == {("outliers", "outliers[0]", None)}


def test_a_fact_that_is_missing_is_found_before_anything_is_computed(honest: Case) -> None:
    verdict = honest.with_(facts=replace(honest.facts, concluded={})).verified()
    assert {what for what, _, _ in found(verdict)} == {"fact"}
    assert len(verdict.differences) == 2
    assert verdict.rows == {}


def test_a_source_whose_row_keys_are_no_keys_can_not_be_verified(honest: Case) -> None:
    doubled = pa.concat_tables([honest.source, honest.source.slice(0, 50)]).combine_chunks()
    with pytest.raises(PassFailed, match=r"row key \(.*\) of another row"):
        honest.with_(source=doubled).verified()


def test_a_source_that_is_another_one_is_found(honest: Case) -> None:
    place = honest.source.column_names.index("member")
    flipped = pa.array([None if cell is None else not cell for cell in honest.source["member"].to_pylist()])
    verdict = honest.with_(source=honest.source.set_column(place, "member", flipped)).verified()
    ((what, column, rows),) = found(verdict)
    assert (what, column) == ("cells", "member")
    assert rows == honest.staged.num_rows - honest.staged["member"].null_count


@pytest.fixture(scope="module")
def visits(shop: Any) -> Case:
    plan = copy.deepcopy(shop.PLAN)
    plan["source"]["row_key"] = ["visit"]
    plan["excluded"] = ["name", "visit"]
    return shop.run(plan, shop.customers(200, visits=4), buckets=3)


@pytest.fixture(scope="module")
def unnumbered(shop: Any) -> Case:
    plan = copy.deepcopy(shop.PLAN)
    plan["excluded"] = ["id", "name"]
    del plan["columns"]["id"]
    return shop.run(plan)


def test_many_rows_of_a_subject(visits: Case) -> None:
    assert visits.verified().equal
    assert visits.facts.drawn == 100
    assert visits.verified().distributions == {}
    moved = replace(visits.facts, subjects=201)
    assert ("sample", "number of subjects", None) in found(visits.with_(facts=moved).verified())


def test_an_altered_cell_among_many_rows_of_a_subject(visits: Case) -> None:
    row = next(n for n, age in enumerate(cells(visits, "age")) if age != 20)
    verdict = altered(visits, "age", row, 20).verified()
    assert found(verdict) == {
        ("cells", "age", None), ("rows", "missing in staging", 1), ("rows", "too many in staging", 1),
    }  # fmt: skip


def test_a_table_without_serials(unnumbered: Case) -> None:
    assert unnumbered.verified().equal
    row = next(n for n, age in enumerate(cells(unnumbered, "age")) if age != 20)
    assert found(altered(unnumbered, "age", row, 20).verified()) == {
        ("cells", "age", None), ("rows", "missing in staging", 1), ("rows", "too many in staging", 1),
    }  # fmt: skip


def test_cells_swapped_in_a_table_without_serials_are_found(unnumbered: Case) -> None:
    ages = cells(unnumbered, "age")
    other = next(n for n, age in enumerate(ages) if age != ages[0])
    ages[0], ages[other] = ages[other], ages[0]
    verdict = unnumbered.with_column("age", pa.array(ages)).verified()
    assert ("rows", "missing in staging", 2) in found(verdict)


def test_a_rule_that_removes_records(shop: Any) -> None:
    case = shop.run(source=shop.customers(60), buckets=2)
    assert case.facts.rules[0].rows > 0
    assert case.verified().equal
    assert case.verified().rows["recomputed"] == case.facts.delivered < 30
    kept = fewer_classes(case.facts.rules[0], removed=True)
    assert ("outliers", "outliers[0]", None) in found(case.with_(facts=replace(case.facts, rules=(kept,))).verified())


def test_a_wrong_solution_is_found_though_the_solver_comes_to_it_again(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classes are counted behind the changes, so that one mistake in both solutions does not hide itself."""
    from transforms.pipeline import outlier_rules
    from transforms.pipeline.outlier_suppression import of_rule

    def forgetful(*given: Any) -> RuleChange:
        return fewer_classes(of_rule(*given))

    monkeypatch.setattr(outlier_rules, "of_rule", forgetful)
    assert found(shop.run().verified()) == {("outliers", "outliers[0]", None)}


def test_a_change_that_no_rule_asks_for_is_found(honest: Case, claimed: Claimed) -> None:
    rule = honest.facts.rules[0]
    again = replace(rule, acts=(replace(rule.acts[0], keys=rule.acts[0].keys[:1], column=None),))
    assert ("outliers", "outliers[0]", None) in found(
        claimed(honest, replace(honest.facts, rules=(rule, again))).verified()
    )


def test_a_gap_between_serials_is_found_though_the_cells_agree_with_it(shop: Any, claimed: Claimed) -> None:
    """A gap would tell that somebody's record was taken out."""
    case = shop.run(buckets=2)
    first, second = case.facts.offsets
    gap = replace(case.facts, offsets=(first, second + 1))
    assert found(claimed(case, gap).verified()) == {("counts", "offsets", None)}


def test_subjects_who_asked_to_stop_are_left_out_and_not_counted(shop: Any) -> None:
    stopped = pa.array(["C000001", "C000002", "C000003", "nobody"])
    case = shop.run(stopped=stopped)
    verdict = case.verified()
    assert verdict.equal
    assert (verdict.rows["stopped"], verdict.rows["sampled"]) == (3, 448)
    forgotten = found(case.with_(stopped=None).verified())
    assert ("sample", "number of subjects", None) in forgotten
    assert ("counts", "rows of stopped subjects", None) in forgotten


def test_a_large_class_that_was_suppressed_is_found_though_the_cells_agree_with_it(
    shop: Any, honest: Case, claimed: Claimed
) -> None:
    rule = honest.facts.rules[0]
    left = honest.staged.filter(pc.is_valid(honest.staged["city"])).select(["age", "city"])
    (large,) = shop.encode_ids([left[name].combine_chunks().slice(0, 1) for name in ("age", "city")]).to_pylist()
    listed = rule.acts[0].keys.to_pylist()
    assert large not in listed
    more = replace(rule, acts=(replace(rule.acts[0], keys=pa.array([*listed, large])),))
    verdict = claimed(honest, replace(honest.facts, rules=(more,))).verified()
    assert found(verdict) == {("outliers", "outliers[0]", None)}


@pytest.mark.parametrize("copies", ["linked", "apart"])
def test_outlier_rules_on_persons_drawn_more_than_once(shop, copies):
    """Copies of a person's rows are one person: the run and verify count the same classes."""
    sample = {"technique": "simple", "fraction": 0.8, "replacement": True, "copies": copies}
    case = shop.run({**shop.PLAN, "rows": [], "sample": sample})
    assert case.facts.rules
    assert case.verified().differences == ()
