"""What outliers become (특이정보 처리): each treatment by hand-made rows, with its rounding, nulls and edge cases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import DataRefused

# Quartiles 2 and 4 (ranks 3 and 8 of 11), so beyond -1 and 7 with the factor 1.5: -20, 90 and 95.
SPREAD = [2, 3, 3, 4, 2, 3, 4, 2, -20, 90, 95]
IQR = "{find: {iqr: {column: x}}, treat: %s}"


def column(values: list[Any], type_: pa.DataType | None = None) -> pa.Table:
    return pa.table({"x": pa.array(values, type_ or pa.int64())})


def test_local_suppression_empties_the_cells_alone(treat: Any) -> None:
    done = treat(column([*SPREAD, None]), IQR % "{local-suppression: {}}")
    assert done.column("x") == [*SPREAD[:8], None, None, None, None]
    assert done.outcomes == ({"rule": 1, "cells": 3, "rows": 0},)


def test_each_side_has_its_own_mean_and_a_lone_outlier_that_of_its_class(treat: Any) -> None:
    """90 and 95 become 92.5, rounded away from zero; -20, alone below, becomes the mean of all 11: 188 / 11 = 17.09."""
    done = treat(column(SPREAD), IQR % "{microaggregation: {statistic: mean, of: outliers}}")
    assert done.column("x") == [*SPREAD[:8], 17, 93, 93]


def test_a_mean_keeps_the_digits_that_its_type_has(treat: Any) -> None:
    done = treat(column([Decimal(n) for n in SPREAD], pa.decimal128(9, 1)), IQR % "{microaggregation: {}}")
    assert done.column("x")[8:] == [Decimal("17.1"), Decimal("92.5"), Decimal("92.5")]
    floats = treat(column([float(n) for n in SPREAD], pa.float64()), IQR % "{microaggregation: {}}")
    assert floats.column("x")[8:] == [188 / 11, 92.5, 92.5]


@pytest.mark.parametrize(("statistic", "value"), [("mean", 17), ("median", 3)])
def test_of_the_class_all_outliers_become_the_same(treat: Any, statistic: str, value: int) -> None:
    """The median of an even number of values is the lower one of the middle."""
    done = treat(column(SPREAD), IQR % f"{{microaggregation: {{statistic: {statistic}, of: class}}}}")
    assert done.column("x") == [*SPREAD[:8], value, value, value]


def test_a_median_of_outliers_is_one_of_them(treat: Any) -> None:
    done = treat(column([*SPREAD, 99]), IQR % "{microaggregation: {statistic: median, of: outliers}}")
    assert done.column("x")[9:] == [95, 95, 95]


def test_within_classes_each_has_its_own_figures(treat: Any) -> None:
    tens = [10 * n for n in SPREAD[:8]]
    data = pa.table({"x": [*SPREAD[:8], 90, 95, *tens, 900, 1000], "c": ["a"] * 10 + ["b"] * 10})
    rule = "{find: {iqr: {column: x, within: [c]}}, treat: {microaggregation: {}}}"
    done = treat(data, rule)
    assert done.column("x") == [*SPREAD[:8], 93, 93, *tens, 950, 950]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # the bound 7, brought down to a multiple of 5
        ("{find: {iqr: {column: x, side: upper}}, treat: {top-coding: {replace: cut, unit: 5}}}", [-20, 5, 5]),
        ("{find: {iqr: {column: x, side: upper}}, treat: {top-coding: {replace: mean}}}", [-20, 93, 93]),
        ("{find: {iqr: {column: x, side: upper}}, treat: {top-coding: {replace: mean, unit: 10}}}", [-20, 90, 90]),
        # the bound -1, brought up to a multiple of 5; alone, its mean is that of the class: 17.09, upwards
        ("{find: {iqr: {column: x, side: lower}}, treat: {bottom-coding: {replace: cut, unit: 5}}}", [0, 90, 95]),
        ("{find: {iqr: {column: x, side: lower}}, treat: {bottom-coding: {unit: 5}}}", [20, 90, 95]),
    ],
)
def test_ends_are_coded_by_the_bound_or_the_mean(treat: Any, rule: str, expected: list[int]) -> None:
    assert treat(column(SPREAD), rule).column("x") == [*SPREAD[:8], *expected]


def test_a_class_range_goes_to_multiples_of_the_unit_and_a_single_value_has_none(treat: Any) -> None:
    data = pa.table({"x": [*SPREAD, 200], "c": ["a"] * 11 + ["b"]})
    rule = "{find: {iqr: {column: x}}, treat: {local-generalization: {by: [c]%s}}}"
    assert treat(data, rule % "").column("x") == ["-20~95"] * 11 + [None]
    assert treat(data, rule % ", unit: 30").column("x") == ["-30~120"] * 11 + ["180~210"]


def test_cells_below_and_above_are_told_apart_in_their_own_words(treat: Any) -> None:
    words = "{local-generalization: {scope: cell, as: beyond, unit: 5, above: ' and more', below: ' and less'}}"
    done = treat(column([*SPREAD, None]), IQR % words)
    assert done.column("x") == [*(str(n) for n in SPREAD[:8]), "0 and less", "5 and more", "5 and more", None]


def test_dates_have_ranges_too(treat: Any) -> None:
    days = [date(2020, 1, 1 + n) for n in (2, 3, 3, 4, 2, 3, 4, 2)] + [date(2021, 5, 1)]
    rule = "{find: {iqr: {column: x}}, treat: {local-generalization: {scope: cell}}}"
    done = treat(column(days, pa.date32()), rule)
    assert done.column("x") == [*(day.isoformat() for day in days[:8]), "2020-01-03~2021-05-01"]


def test_values_of_rare_classes_become_their_range(treat: Any) -> None:
    """The two lawyers of the island are fewer than three: their incomes become one range."""
    data = {"town": ["city"] * 4 + ["island"] * 2, "job": ["lawyer"] * 6, "income": [600, 700, 500, 700, 800, 300]}
    rule = (
        "{find: {frequency: {columns: [town, job], below: 3}}, treat: {local-generalization: {column: income}}}"
    )
    done = treat(data, rule, limits="{cells: 1, rows: 1, recheck: report}")
    assert done.column("income") == ["600", "700", "500", "700", "300~800", "300~800"]
    assert done.outcomes == ({"rule": 1, "cells": 2, "rows": 0, "left": 1},)


TREE = "job,field,all\njudge,law,any\nprosecutor,law,any\nlawyer,law,any\nnurse,health,any\n"


def test_a_parent_that_is_rare_itself_is_refused_or_reported(treat: Any) -> None:
    """One nurse becomes one of health: still alone. Nothing is told but how many classes are left."""
    jobs = {"job": ["lawyer"] * 5 + ["judge", "prosecutor", "nurse", None, None]}
    rule = "{find: {frequency: {columns: [job], below: 2}}, treat: {categorization: {hierarchy: t.csv, level: %s}}}"
    with pytest.raises(DataRefused) as refused:
        treat(jobs, rule % "field", files={"t.csv": TREE})
    assert "outliers[0]: 1 classes are rare once all rules are applied" in str(refused.value)
    assert "nurse" not in str(refused.value)
    reported = treat(jobs, rule % "field", files={"t.csv": TREE}, limits="{cells: 1, rows: 1, recheck: report}")
    assert reported.column("job") == ["lawyer"] * 5 + ["law", "law", "health", None, None]
    assert reported.outcomes[0]["left"] == 1
    assert treat(jobs, rule % "all", files={"t.csv": TREE}).column("job")[5:8] == ["any"] * 3


def test_a_rare_value_without_a_parent_stops_the_run(treat: Any) -> None:
    rule = "{find: {frequency: {columns: [job], below: 2}}, treat: {categorization: {hierarchy: t.csv, level: field}}}"
    with pytest.raises(DataRefused, match=r"outliers\[0\]: 1 rare classes have a value of job that t.csv does not"):
        treat({"job": ["lawyer", "lawyer", "pilot"]}, rule, files={"t.csv": TREE})


def test_codes_become_text_with_their_parents(treat: Any) -> None:
    """Of (code, town) the code of rare pairs alone is replaced; the column becomes text."""
    tree = "code,group\n11,1x\n12,1x\n21,2x\n"
    data = {"code": [11, 11, 12, 11, 21, 21], "town": ["a", "a", "a", "b", "b", "b"]}
    rule = (
        "{find: {frequency: {columns: [code, town], below: 2}}, "
        "treat: {categorization: {hierarchy: c.csv, level: group, column: code}}}"
    )
    report = "{cells: 1, rows: 1, recheck: report}"
    done = treat(data, rule, files={"c.csv": tree}, limits=report)
    assert done.column("code") == ["11", "11", "1x", "1x", "21", "21"]
    assert done.staged.schema.field("code").type == pa.string()


def test_rules_work_in_order_each_on_what_the_earlier_ones_left(treat: Any) -> None:
    """The first empties the island; the second finds no outlier any more, for the islander is out of its class."""
    data = {"town": ["a"] * 8 + ["island"], "job": ["p"] * 9, "x": [*SPREAD[:8], 90]}
    remove = "{find: {frequency: {columns: [town], below: 2}}, treat: {record-suppression: {}}}"
    mean = "{find: {iqr: {column: x}}, treat: {microaggregation: {of: class}}}"
    assert treat(data, remove, mean).column("x") == SPREAD[:8]
    other = treat(data, mean, remove)
    assert other.column("x") == SPREAD[:8]
    assert [one["cells"] for one in other.outcomes] == [1, 0]
    assert [one["cells"] for one in treat(data, remove, mean).outcomes] == [0, 0]


def test_what_a_later_rule_makes_rare_again_is_found(treat: Any) -> None:
    """Two of town b are enough for the first rule; the second removes one of them."""
    data = {"town": ["a"] * 8 + ["b", "b"], "x": [*SPREAD[:8], 3, 90]}
    rules = (
        "{find: {frequency: {columns: [town], below: 2}}, treat: {local-suppression: {columns: [town]}}}",
        "{find: {iqr: {column: x}}, treat: {record-suppression: {}}}",
    )
    with pytest.raises(DataRefused, match=r"outliers\[0\]: 1 classes are rare once all rules are applied"):
        treat(data, *rules)
    done = treat(data, *rules, limits="{cells: 1, rows: 1, recheck: report}")
    assert done.outcomes == ({"rule": 1, "cells": 0, "rows": 0, "left": 1}, {"rule": 2, "cells": 0, "rows": 1})


@pytest.mark.parametrize(
    ("treatment", "limits", "found"),
    [
        ("{local-suppression: {}}", "{cells: 0.2}", "27.27% of the cells"),
        ("{record-suppression: {}}", "{rows: 0.2}", "27.27% of the rows"),
        ("{local-generalization: {}}", "{cells: 0.99}", "100.00% of the cells"),
    ],
)
def test_limits_hold_for_every_treatment(treat: Any, treatment: str, limits: str, found: str) -> None:
    with pytest.raises(DataRefused) as refused:
        treat(column(SPREAD), IQR % treatment, limits=limits)
    assert f"table people, outliers[0]: the rule would change {found}" in str(refused.value)
    assert f"take more than these {len(SPREAD)} rows" in str(refused.value)


def test_nothing_to_find_changes_nothing_but_a_type_that_the_plan_changes(treat: Any) -> None:
    same = column([1, 2, 3, None])
    assert treat(same, IQR % "{microaggregation: {}}").column("x") == [1, 2, 3, None]
    assert treat(same, IQR % "{local-generalization: {}}").column("x") == ["1", "2", "3", None]
    empty = column([])
    assert treat(empty, IQR % "{local-generalization: {}}").column("x") == []
    assert treat(empty, "{find: {rare-combinations: {columns: [x]}}, treat: {record-suppression: {}}}").marks == []


def test_derived_columns_are_made_of_treated_cells(treat: Any) -> None:
    data = pa.table({"x": SPREAD, "y": [1] * 11})
    more = "  total: {kind: attribute, derive: {sum: [x, y]}}\n"
    rule = "{find: {iqr: {column: x, side: upper}}, treat: {microaggregation: {}}}"
    done = treat(data, rule, more=more)
    assert done.column("total")[9:] == [94, 94]
