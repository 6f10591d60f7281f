"""The guideline's worked examples of outliers (특이정보 처리 사례, L2249-2438, and L2057-2073), as plans."""

from __future__ import annotations

from typing import Any

LAWYERS = [600, 700, 500, 700, 1200, 800, 600, 1300, 300, 900, 800, 200]


def test_one_assembly_member_in_gangwon_is_found(treat: Any) -> None:
    """L2269-2280: (경기, 국회의원) 5 times, (강원, 국회의원) once."""
    places = ["경기", "경기", "강원", "경기", "경기", "경기"]
    rule = "{find: {frequency: {columns: [address, job], below: 2}}, treat: {record-suppression: {}}}"
    done = treat({"address": places, "job": ["국회의원"] * 6}, rule)
    assert done.outcomes == ({"rule": 1, "cells": 0, "rows": 1},)
    assert done.marks == [0, 1, 3, 4, 5]


def test_ulleungdo_becomes_null(treat: Any) -> None:
    """L2296-2328: local suppression by the frequency of the address. Nobody else's cell is touched: the one without an
    address (the 13th, not in the guideline) makes two of them. Without that, the smaller of the others joins."""
    places = ["서울"] * 5 + ["경기"] * 6 + ["울릉도"]
    rule = "{find: {frequency: {columns: [address], below: 2}}, treat: {local-suppression: {columns: [address]}}}"
    done = treat({"age": [35] * 13, "address": [*places, None], "income": [*LAWYERS, 400]}, rule)
    assert done.column("address") == ["서울"] * 5 + ["경기"] * 6 + [None, None]
    assert done.column("income") == [*LAWYERS, 400]
    assert done.outcomes == ({"rule": 1, "cells": 1, "rows": 0},)
    alone = treat({"age": [35] * 12, "address": places, "income": LAWYERS}, rule)
    assert alone.column("address") == [None] * 5 + ["경기"] * 6 + [None]


def test_the_record_with_73_million_goes(treat: Any) -> None:
    """L2337-2351: record suppression of the one with 7,300만원."""
    income = [600, 700, 500, 700, 1200, 800, 600, 7300, 300, 900, 800, 200]
    done = treat({"income": income}, "{find: {three-sigma: {column: income}}, treat: {record-suppression: {}}}")
    assert done.column("income") == [one for one in income if one != 7300]
    assert done.outcomes == ({"rule": 1, "cells": 0, "rows": 1},)


def test_judge_and_prosecutor_become_jurists(treat: Any) -> None:
    """L2353-2370: rare jobs alone become their parent category."""
    jobs = ["변호사"] * 4 + ["판사", "검사"] + ["변호사"] * 6
    tree = "job,parent\n변호사,법조인\n판사,법조인\n검사,법조인\n"
    rule = (
        "{find: {frequency: {columns: [job], below: 2}}, "
        "treat: {categorization: {hierarchy: jobs.csv, level: parent}}}"
    )
    done = treat({"job": jobs, "income": LAWYERS}, rule, files={"jobs.csv": tree})
    assert done.column("job") == ["변호사"] * 4 + ["법조인", "법조인"] + ["변호사"] * 6
    assert done.outcomes == ({"rule": 1, "cells": 2, "rows": 0},)


def test_incomes_of_seoul_in_their_thirties_become_their_range(treat: Any) -> None:
    """L2065-2073: the class of the outlying 28,169,700 alone is generalized."""
    incomes = [5987900, 28169700, 3009600, 4607300, 3560800, 2940100, 6088400, 2789200, 5048300]
    columns = {"region": ["서울"] * 3 + ["나주"] * 3 + ["세종"] * 3, "age": ["30대"] * 9, "income": incomes}
    rule = (
        "{find: {iqr: {column: income}}, treat: {local-generalization: {scope: %s, by: [region, age]}}}"
    )
    done = treat(columns, rule % "class")
    assert done.column("income") == ["3,009,600~28,169,700"] * 3 + [str(one) for one in incomes[3:]]
    # L2062: it may also be the outlying cell alone
    cell = treat(columns, rule % "cell")
    assert cell.column("income") == ["5987900", "3,009,600~28,169,700", *(str(one) for one in incomes[2:])]
    assert [one.outcomes[0]["cells"] for one in (done, cell)] == [3, 1]


def test_ages_84_and_88_become_over_80(treat: Any) -> None:
    """L2376-2404: only the rare ages are generalized, by top coding. (40 to 62 stand for the rows left out there.)"""
    ages = [35, 35, 35, 35, 36, 36, 36, 36, 37, 40, 45, 50, 55, 60, 62, 84, 88]
    rule = (
        "{find: {iqr: {column: age, side: upper}}, "
        "treat: {local-generalization: {scope: cell, as: beyond, unit: 10}}}"
    )
    done = treat({"age": ages}, rule)
    assert done.column("age") == [*(str(age) for age in ages[:-2]), "80초과", "80초과"]


def test_both_outlying_incomes_become_their_mean(treat: Any) -> None:
    """L2406-2438: 6,200 and 7,300 become 6,750, the others stay."""
    income = [600, 700, 500, 700, 6200, 800, 600, 7300, 300, 900, 800, 200]
    rule = "{find: {iqr: {column: income}}, treat: {microaggregation: {statistic: mean, of: outliers}}}"
    done = treat({"age": [35] * 12, "income": income}, rule)
    assert done.column("income") == [600, 700, 500, 700, 6750, 800, 600, 6750, 300, 900, 800, 200]
    assert done.outcomes == ({"rule": 1, "cells": 2, "rows": 0},)
