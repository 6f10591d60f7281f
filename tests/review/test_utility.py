"""Utility before and after, against figures that plain Python reckons from the same lists."""

from __future__ import annotations

import json
import random
import statistics

import pyarrow as pa
import pytest

from transforms.utility import Compared, Side
from transforms.utility_figures import Utility, figures

ASKED = Compared(numbers=("income", "age"), classes=("region",), categories=("job",))
LEAST = 3
Rows = dict[str, list[object]]


def people(count: int = 600) -> Rows:
    """Incomes that rise with age, in three regions; a rare job or two."""
    chance = random.Random(5)
    ages = [20 + i % 60 for i in range(count)]
    return {
        "age": list(ages),
        "income": [None if i % 50 == 0 else 1000 + 40 * age + chance.randrange(900) for i, age in enumerate(ages)],
        "region": [("서울", "나주", "세종")[i % 3] for i in range(count)],
        "job": ["판사" if i == 5 else "검사" if i == 6 else "회사원" for i in range(count)],
    }


def side_of(rows: Rows, classes: Rows | None = None, pieces: int = 1) -> Side:
    """A side summed up in so many pieces, which are merged."""
    side, size = Side(), -(-len(rows["age"]) // pieces)
    for start in range(0, len(rows["age"]), size):
        part = {name: pa.array(cells[start : start + size]) for name, cells in rows.items()}
        by = {name: pa.array(cells[start : start + size]) for name, cells in (classes or rows).items()}
        one = Side()
        one.observe(ASKED, part)
        one.observe_classes(ASKED, by, part)
        side.merge(one)
    return side


def compared(before: Rows, after: Rows, least: int = LEAST) -> Utility:
    return figures(ASKED, side_of(before, after), side_of(after), least)


def rounded(rows: Rows) -> Rows:
    """Incomes rounded down to 1000, ages to 10."""
    income = [None if one is None else one // 1000 * 1000 for one in rows["income"]]
    return rows | {"income": income, "age": [one // 10 * 10 for one in rows["age"]]}


def near(found: float | None, expected: float, share: float = 0.006) -> bool:
    """Equal to three significant digits."""
    assert found is not None
    return abs(found - expected) <= share * abs(expected) + 1e-9


def known(cells: list[object]) -> list[float]:
    return [float(one) for one in cells if one is not None]


def test_unchanged_cells_lose_nothing() -> None:
    told = compared(people(), people())
    for one in told.numbers:
        assert (one.mean_moved(), one.quantiles_moved(), one.distance, one.new) == (0, 0, 0, 0)
    assert all(before == after for _, _, before, after in told.correlations)
    assert {one.moved for one in told.classes} == {0.0}
    assert [one.new for one in told.categories] == [0]


def test_means_and_deviations() -> None:
    before, after = people(), rounded(people())
    told = {one.column: one for one in compared(before, after).numbers}
    for name in ("income", "age"):
        lists = known(before[name]), known(after[name])
        assert all(near(found, statistics.fmean(one)) for found, one in zip(told[name].mean, lists, strict=True))
        assert all(near(found, statistics.pstdev(one)) for found, one in zip(told[name].deviation, lists, strict=True))
        moved = abs(statistics.fmean(lists[0]) - statistics.fmean(lists[1])) / statistics.pstdev(lists[0])
        assert told[name].mean_moved() == pytest.approx(moved, abs=0.02)
    assert told["income"].nulls == (12, 12)


def test_quantiles_to_three_digits() -> None:
    before, after = people(), rounded(people())
    (income, _) = compared(before, after).numbers
    for share, old, new in income.quantiles:
        for found, cells in ((old, before["income"]), (new, after["income"])):
            ordered = sorted(known(cells))
            exact = ordered[-(-int(share * len(ordered) * 1000) // 1000) - 1]  # smallest with a share of q or more
            assert near(found, exact, 0.01)


def test_earth_movers_distance_is_the_mean_way_between_sorted_cells() -> None:
    before, after = people(), rounded(people())
    ages = compared(before, after).numbers[1]
    way = statistics.fmean(abs(a - b) for a, b in zip(sorted(before["age"]), sorted(after["age"]), strict=True))
    assert ages.distance == pytest.approx(way / statistics.pstdev(known(before["age"])), rel=0.01)


def test_correlation_is_lost_by_permutation_and_kept_by_rounding() -> None:
    before = people()
    mixed = list(before["income"])
    random.Random(1).shuffle(mixed)
    pairs = [(a, b) for a, b in zip(before["age"], before["income"], strict=True) if b is not None]
    exact = statistics.correlation(*(list(map(float, one)) for one in zip(*pairs, strict=True)))
    ((_, _, kept, rounded_off),) = compared(before, rounded(before)).correlations
    ((_, _, _, lost),) = compared(before, before | {"income": mixed}).correlations
    assert kept == pytest.approx(exact, abs=0.006)
    assert rounded_off > 0.6
    assert abs(lost) < 0.15


# Guideline L2156-2170: incomes as they were, permuted over all, permuted within their region.
PERMUTED = [
    ("서울", 5_987_900, 2_789_200, 3_009_600), ("서울", 8_169_700, 4_607_300, 5_987_900),
    ("서울", 3_009_600, 5_987_900, 8_169_700), ("나주", 4_607_300, 2_940_100, 2_940_100),
    ("나주", 3_560_800, 8_169_700, 4_607_300), ("나주", 2_940_100, 5_048_300, 3_560_800),
    ("세종", 6_088_400, 3_009_600, 2_789_200), ("세종", 2_789_200, 3_560_800, 5_048_300),
    ("세종", 5_048_300, 6_088_400, 6_088_400),
]  # fmt: skip


def test_classes_keep_their_means_under_permutation_within_them() -> None:
    """Means of 5,722,400, 3,702,733 and 4,641,967 stay, or become others. (Of 나주, L2168 prints the third income,
    5,048,300, for the mean of the three.)"""
    same: Rows = {"region": [row[0] for row in PERMUTED], "age": [30] * 9, "job": ["x"] * 9}
    before = same | {"income": [row[1] for row in PERMUTED]}

    def moved(column: int) -> float | None:
        told = compared(before, same | {"income": [row[column] for row in PERMUTED]})
        (found,) = (one for one in told.classes if one.column == "income")
        assert (found.by, found.classes, found.compared) == ("region", 3, 3)
        return found.moved

    largest = statistics.fmean([2_940_100, 8_169_700, 5_048_300]) - 3_702_733  # 나주's mean moved furthest
    assert near(moved(2), largest / statistics.pstdev(known(before["income"])))
    assert moved(3) == 0.0


def test_the_order_of_the_parts_does_not_matter() -> None:
    rows, after = people(), rounded(people())
    told = figures(ASKED, side_of(rows, after, 7), side_of(after, None, 4), LEAST)
    assert told == compared(rows, after)


def test_new_outliers_of_numbers() -> None:
    rows = people()
    noisy = list(rows["income"])
    ordered = sorted(known(rows["income"]))
    first, third = ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4]
    for place in (11, 12, 13):
        noisy[place] = int(third + 4 * (third - first))
    (income, age) = compared(rows, rows | {"income": noisy}).numbers
    assert (income.outliers, income.new) == ((0, 3), 3)
    assert age.new == 0
    # an outlier of the source that the processing took away is no new one
    assert compared(rows | {"income": noisy}, rows).numbers[0].new == 0


def test_new_values_that_one_record_alone_holds() -> None:
    rows = people()
    jobs = ["법조인" if job in ("판사", "검사") else job for job in rows["job"]]
    (made,) = compared(rows, rows | {"job": jobs}).categories
    assert (made.unique, made.new) == ((2, 0), 0)
    jobs[100] = "그 밖의 직업"
    (made,) = compared(rows, rows | {"job": jobs}).categories
    assert (made.unique, made.new) == ((2, 1), 1)


def test_figures_of_few_persons_are_not_told() -> None:
    rows = people(9)
    told = compared(rows, rows, least=10)
    assert all(one.mean == (None, None) and one.distance is None and one.outliers is None for one in told.numbers)
    assert told.correlations == ()
    assert all(one.compared == 0 and one.moved is None for one in told.classes)


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_table_and_one_of_a_single_row(count: int) -> None:
    rows = people(2)
    part = {name: pa.array(cells, pa.int64() if name in ("age", "income") else pa.string()).slice(0, count)
            for name, cells in rows.items()}  # fmt: skip
    side = Side()
    side.observe(ASKED, part)
    side.observe_classes(ASKED, part, part)
    told = figures(ASKED, side, side, LEAST)
    assert [one.cells for one in told.numbers] == [(0, 0), (count, count)]  # the first income is null
    assert all(one.new == 0 for one in (*told.numbers, *told.categories))


def test_too_many_classes_tell_nothing() -> None:
    rows = people()
    own = rows | {"region": [f"동네 {i}" for i in range(600)]}
    assert compared(own, own).classes == ()


def test_there_and_back_as_json() -> None:
    told = compared(people(), rounded(people()))
    assert Utility.from_json(json.loads(json.dumps(told.to_json()))) == told
