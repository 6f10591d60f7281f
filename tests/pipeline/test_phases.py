"""What each phase of the pipeline does to small data, told by a plain-Python reference."""

import math
from collections import Counter

import pyarrow as pa
import pytest

from transforms.errors import DataRefused
from transforms.pipeline.engine import PassFailed, failure_of
from transforms.pipeline.transform import DuplicateRowKeys


def test_exactly_n_subjects_are_drawn(case):
    one = case()
    prepared, _, _ = one.run(units=3)
    assert prepared.subjects == 4000
    assert prepared.drawn == math.floor(4000 * 0.5)
    assert prepared.sampled_rows == 2000


def test_a_far_off_guess_of_the_row_count_changes_nothing(case):
    _, expected, _ = case().run()
    prepared, rows, _ = case().run(rows_hint=10**9)
    assert rows.equals(expected)
    assert [name for name in prepared.passes if name.startswith("subjects")] == [
        "subjects, pass 1", "subjects, pass 2",
    ]  # fmt: skip


def test_stopped_subjects_shape_nothing(case):
    """A person who asked to stop is neither counted, nor drawn, nor part of a cut-off."""
    one = case()
    stopped = one.source["id"].slice(0, 1000).combine_chunks()
    prepared, rows, _ = one.run(stopped=stopped)
    without, same, _ = one.run(source=one.source.slice(1000))
    assert (prepared.subjects, prepared.drawn) == (3000, 1500)
    assert prepared.stopped_rows == 1000
    assert prepared.work.facts == without.work.facts
    assert rows.equals(same)


def test_facts_describe_the_delivered_rows_alone(case, plan_text):
    """The cut-off is taken after sampling and row rules, nulls left out."""
    text = plan_text[: plan_text.index("outliers:")].replace("apply: serial-number", "apply: keyed-token")
    text = text.replace("rounding: {unit: 100, direction: half-down}", "rounding: {unit: 1, direction: down}")
    one = case(text)
    prepared, rows, _ = one.run(units=4)
    cut = prepared.work.facts[("amount_rent", 0)]["cut"].cut
    assert max(rows["amount_rent"].to_pylist()) == cut
    top = sum(1 for v in rows["amount_rent"].to_pylist() if v == cut)
    assert top == rows.num_rows - math.ceil(0.99 * rows.num_rows) + 1


def test_derived_cells_come_from_final_cells(case):
    _, rows, _ = case().run()
    for row in rows.to_pylist():
        cells = {"food": row["amount_food"], "rent": row["amount_rent"]}
        assert row["total"] == sum(v or 0 for v in cells.values())
        if not any(cells.values()):
            assert row["preferred"] is None
        else:
            best = max(v for v in cells.values() if v is not None)
            assert row["preferred"] == next(name for name, v in cells.items() if v == best)


def test_local_suppression_leaves_no_class_below_k(case):
    prepared, rows, counts = case().run(units=5)
    classes = Counter(zip(rows["age"].to_pylist(), rows["region"].to_pylist(), strict=True))
    assert min(classes.values()) >= 3
    suppressed = sum(count for (_, region), count in classes.items() if region is None)
    assert suppressed > 0
    assert counts[("region", -1)][0] == suppressed == prepared.outliers[0]["cells"]


def test_records_go_where_no_class_can_take_them_in(case, plan_text, persons):
    """A person alone with an age band loses the record; serials still have no gap."""
    source = persons(2000)
    alone = pa.table(
        {"id": ["Z"], "name": ["z"], "age": [25], "region": ["region 1"], "amount_food": [1], "amount_rent": [1]},
        schema=source.schema,
    )
    ages = pa.array([max(40, age) for age in source["age"].to_pylist()], pa.int32())
    source = source.set_column(2, source.schema.field("age"), ages)
    text = plan_text.replace("sample: {fraction: 0.5}", "sample: {fraction: 1.0}")
    prepared, rows, _ = case(text, pa.concat_tables([source, alone])).run(units=3, buckets=4)
    assert prepared.outliers[0]["rows"] == 1
    assert 20 not in rows["age"].to_pylist()
    assert rows["id"].to_pylist() == list(range(1, 2001))


def test_more_suppression_than_allowed_stops_the_run(case, plan_text):
    text = plan_text.replace("outlier_limits: {cells: 0.2, rows: 0.05}", "outlier_limits: {cells: 0.0001}")
    with pytest.raises(DataRefused, match=r"outliers\[0\].*allowed by outlier_limits.cells"):
        case(text).run()


def test_duplicate_row_keys_are_refused(case):
    one = case()
    # Both rows of a person are drawn or neither is, so the first two persons are doubled many times.
    source = pa.concat_tables([one.source, one.source.slice(0, 50)])
    with pytest.raises(PassFailed, match=r"row key \(id\) of another row; allowed: .* deduplicate .*\(at least"):
        one.run(source=source, units=2)


def test_duplicate_row_keys_of_all_tasks_are_told_as_one():
    failed = [failure_of(DuplicateRowKeys("crm/people", ("id", "day"), count)) for count in (3, 5)]
    (told,) = str(PassFailed(failed)).splitlines()
    assert told.startswith("table crm/people: rows that have the row key (id, day) of another row; allowed: ")
    assert told.endswith("(at least 8)")


def test_a_null_row_key_is_refused(case):
    one = case()
    ids = pa.array([None, *one.source["id"].to_pylist()[1:]], pa.string())
    with pytest.raises(PassFailed, match=r"null in the"):
        one.run(source=one.source.set_column(0, "id", ids))


def test_an_unlisted_category_is_refused_without_its_value(case, plan_text):
    text = plan_text.replace(
        "region: {kind: quasi-identifier, apply: keep}",
        "region: {kind: quasi-identifier, apply: {categorization: {A: [region 1, region 2]}}}",
    )
    with pytest.raises(PassFailed) as caught:
        case(text).run()
    assert "columns.region.apply" in str(caught.value)
    assert "region 3" not in str(caught.value)


def test_a_plan_for_nobody_gives_an_empty_table(case, plan_text):
    text = plan_text.replace("{age: {below: 20}}", "{age: {below: 200}}")
    prepared, rows, _ = case(text).run()
    assert (prepared.rows, rows.num_rows) == (0, 0)
    assert rows.schema.names == ["id", "age", "region", "amount_food", "amount_rent", "total", "preferred"]


def test_an_empty_source(case):
    one = case()
    prepared, rows, _ = one.run(source=one.source.slice(0, 0))
    assert (prepared.subjects, prepared.drawn, rows.num_rows) == (0, 0, 0)


def test_removing_records_with_null_cells(case, plan_text):
    text = plan_text.replace(
        "apply: [{top-coding: {quantile: 0.99}}", "apply: [{top-coding: {quantile: 0.99, nulls: remove}}"
    )
    _, rows, _ = case(text).run()
    assert rows["amount_food"].null_count == 0
    _, kept, _ = case().run()
    assert kept["amount_food"].null_count > 0
    assert rows.num_rows < kept.num_rows


def test_counts_of_changed_unchanged_and_null_cells(case):
    prepared, rows, counts = case().run(units=4, buckets=3)
    for column in ("age", "amount_food"):
        for step in (0, 1):
            assert sum(counts[(column, step)]) == prepared.rows
    assert counts[("amount_food", 1)][2] == rows["amount_food"].null_count
    assert counts[("region", 0)] == (0, prepared.rows, 0)


def test_classes_of_the_first_rule_are_counted_with_the_facts(case, plan_text, monkeypatch):
    """One pass less; with too many classes the shuffle counts them, to the same result."""
    from transforms.pipeline import measure

    prepared, expected, _ = case().run(units=4)
    assert not [name for name in prepared.passes if "classes" in name]
    monkeypatch.setattr(measure, "MOST_CLASSES", 5)
    prepared, rows, _ = case().run(units=4)
    assert [name for name in prepared.passes if "classes" in name] == ["outlier rule 1, classes"]
    assert rows.equals(expected)
