"""What each technique draws, told by plain Python on the members' own rows (guideline L2192-2197)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import DataRefused
from transforms.pipeline.engine import PassFailed
from transforms.pipeline.sample_strata import LARGEST_ROUNDS


def by(table: pa.Table, *names: str) -> Counter[Any]:
    """How many rows have which cells."""
    cells = zip(*(table[name].to_pylist() for name in names), strict=True)
    return Counter(one[0] if len(names) == 1 else one for one in cells)


def test_every_stratum_gives_its_share(desk: Any, everybody: pa.Table) -> None:
    """Proportional: each town's share of n, rounded down or up, null as a town of its own."""
    found = desk.run("{technique: stratified, by: [town], fraction: 0.2}", everybody, units=4)
    there, drawn = by(everybody, "town"), by(found.rows, "town")
    assert found.rows.num_rows == 180
    assert None in there
    for town, count in there.items():
        assert drawn[town] in (math.floor(count * 0.2), math.ceil(count * 0.2))


def test_neyman_draws_more_where_amounts_differ_more(desk: Any, everybody: pa.Table) -> None:
    sample = "{technique: stratified, by: [sex], allocation: {neyman: {of: paid}}, n: 200}"
    source = everybody.set_column(
        5, "paid", pa.array([n * 1000 if sex == "F" else n for n, sex in enumerate(everybody["sex"].to_pylist())])
    )
    drawn = by(desk.run(sample, source).rows, "sex")
    assert drawn.total() == 200
    assert drawn["F"] > 190


def test_fixed_numbers_of_each_stratum(desk: Any, everybody: pa.Table) -> None:
    sample = "{technique: stratified, by: [town], allocation: {fixed: 60}, short: report}"
    found = desk.run(sample, everybody, units=3)
    there = by(everybody, "town")
    assert by(found.rows, "town") == {town: min(60, count) for town, count in there.items()}
    facts = found.prepared.facts.sample
    assert facts.short == sum(count < 60 for count in there.values()) > 0


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ("{technique: stratified, by: [town], allocation: {fixed: 200}}", "fewer persons than they should give"),
        ("{technique: stratified, by: [town], allocation: {fixed: {서울: 5, 부산: 5}}}", "4 strata of town are not"),
        ("{technique: quota, by: [town], quota: {서울: 5, 제주: 500}}", "1 strata of town have fewer persons"),
        ("{technique: quota, by: [sex], quota: {F: 5, X: 1}}", "1 strata of sex have fewer persons"),
        ("{technique: quota, by: [town], quota: {서울: 5}, unlisted: refuse}", "5 strata of town are not named"),
        ("{technique: stratified, by: [town], n: 901}", "a sample of 901 subjects is asked for, there are 900"),
        ("{technique: systematic, n: 901}", "a sample of 901 subjects"),
        ("{technique: cluster, cluster: family, n: 5000}", "a sample of 5000 clusters"),
    ],
)
def test_what_the_data_can_not_give_stops_the_run(desk: Any, everybody: pa.Table, sample: str, words: str) -> None:
    with pytest.raises(DataRefused, match=words) as caught:
        desk.run(sample, everybody)
    assert not any(town in str(caught.value) for town in ("서울", "제주"))


def test_quotas_are_filled_and_nobody_else_is_drawn(desk: Any, everybody: pa.Table) -> None:
    sample = "{technique: quota, by: [town, sex], quota: {서울: {F: 30, M: 10}, 제주: {F: 90}}, short: report}"
    found = desk.run(sample, everybody, units=6)
    there = by(everybody, "town", "sex")
    few = there["제주", "F"]
    assert 0 < few < 90
    assert by(found.rows, "town", "sex") == {("서울", "F"): 30, ("서울", "M"): 10, ("제주", "F"): few}
    facts = found.prepared.facts.sample
    assert (facts.short, facts.unlisted) == (1, len(there) - 3)


def test_strata_of_whole_numbers_and_dates(desk: Any, everybody: pa.Table) -> None:
    """The plan's names are texts; they are brought to their column's type."""
    family = everybody["family"][0].as_py()
    sample = f"{{technique: quota, by: [family], quota: {{{family}: 1}}}}"
    assert desk.run(sample, everybody).rows["family"].to_pylist() == [family]
    day = everybody["joined"][7].as_py()
    found = desk.run(f"{{technique: quota, by: [joined], quota: {{{day}: 1}}}}", everybody)
    assert found.rows["joined"].to_pylist() == [day]


def test_whole_clusters_and_no_other(desk: Any, everybody: pa.Table) -> None:
    found = desk.run("{technique: cluster, cluster: family, n: 40}", everybody, units=5)
    drawn, there = by(found.rows, "family"), by(everybody, "family")
    assert len(drawn) == 40
    assert all(there[family] == count for family, count in drawn.items())
    assert found.prepared.drawn == found.rows.num_rows
    assert found.prepared.facts.sample.clusters == (len(there), 40)


def test_a_person_without_a_cluster_is_refused(desk: Any, everybody: pa.Table) -> None:
    source = everybody.set_column(4, "family", pa.array([None, *everybody["family"].to_pylist()[1:]], pa.int32()))
    with pytest.raises(PassFailed, match="null in the cluster's column family"):
        desk.run("{technique: cluster, cluster: family, n: 40}", source)
    stopped = everybody["id"].slice(0, 1).combine_chunks()
    desk.run("{technique: cluster, cluster: family, n: 40}", source, stopped=stopped)


@pytest.mark.parametrize("column", ["joined", "paid", "no"])
def test_a_systematic_sample_is_even_in_its_order(desk: Any, everybody: pa.Table, column: str) -> None:
    """Up to every value, the drawn are n/N of those there, but for less than one."""
    n = 137
    found = desk.run(f"{{technique: systematic, order_by: {column}, n: {n}}}", everybody, units=3)
    assert len(set(found.numbers)) == n
    last = float("inf")

    def place(cell: Any) -> Any:
        return (cell is None, cell if cell is not None else last)

    there = sorted(everybody[column].to_pylist(), key=place)
    drawn = sorted(found.rows[column].to_pylist(), key=place)
    for edge in sorted(set(there), key=place):
        below = sum(place(cell) <= place(edge) for cell in there)
        assert abs(sum(place(cell) <= place(edge) for cell in drawn) - below * n / 900) < 1


def test_a_systematic_sample_by_unique_numbers_takes_every_kth(desk: Any, members: Any) -> None:
    found = desk.run("{technique: systematic, order_by: no, n: 60}", members(300), units=7)
    assert {b - a for a, b in zip(found.numbers, found.numbers[1:], strict=False)} == {5}
    assert 0 <= found.numbers[0] < 5


def test_thresholds_are_found_though_the_windows_were_too_narrow(
    desk: Any, everybody: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the passes are repeated with wider ones, to the same sample."""
    from transforms.pipeline import sample_strata
    from transforms.pipeline.measure import Window

    sample = "{technique: stratified, by: [town], fraction: 0.3}"
    expected = desk.run(sample, everybody)
    true = sample_strata.stratum_window
    calls: list[int] = []

    def narrow(share: float, size: int, wider: int = 1) -> Window:
        calls.append(wider)
        return true(share, size, wider) if wider > 1 else Window(0, 0)

    monkeypatch.setattr(sample_strata, "stratum_window", narrow)
    found = desk.run(sample, everybody)
    assert found.rows.equals(expected.rows)
    assert set(calls) == {1, 8}
    assert len([name for name in found.prepared.passes if name.startswith("thresholds")]) == 2 <= LARGEST_ROUNDS


def many_rows(everybody: pa.Table) -> pa.Table:
    """Each member one to three times, row by row."""
    rows = [row for row in everybody.to_pylist() for _ in range(1 + row["no"] % 3)]
    return pa.Table.from_pylist(rows, schema=everybody.schema).append_column("visit", pa.array(range(len(rows))))


@pytest.mark.parametrize(
    "sample",
    [
        "{technique: stratified, by: [town], fraction: 0.2}",
        "{technique: stratified, by: [town], allocation: {neyman: {of: paid}}, n: 100, short: report}",
        "{technique: systematic, order_by: joined, n: 90}",
        "{technique: cluster, cluster: family, fraction: 0.1}",
        "{technique: quota, by: [sex], quota: {F: 20, M: 20}}",
    ],
)
def test_persons_with_many_rows_are_drawn_whole(desk: Any, everybody: pa.Table, sample: str) -> None:
    """As many persons, and the very same, as where each has one row; all rows of theirs."""
    source = many_rows(everybody)
    single = desk.run(sample, everybody)
    found = desk.run(sample, source, units=5, row_key="visit", excluded="visit")
    assert found.prepared.subjects == 900
    rows = defaultdict(int)
    for number in found.numbers:
        rows[number] += 1
    assert sorted(rows) == single.numbers
    assert all(count == 1 + number % 3 for number, count in rows.items())
    assert found.verified().differences == ()


@pytest.mark.parametrize(
    ("sample", "column"),
    [
        ("{technique: stratified, by: [sex], n: 10}", "sex"),
        ("{technique: systematic, order_by: paid, n: 10}", "paid"),
        ("{technique: cluster, cluster: family, n: 3}", "family"),
    ],
)
def test_a_person_in_two_strata_is_refused(desk: Any, everybody: pa.Table, sample: str, column: str) -> None:
    source = many_rows(everybody)
    place = source.column_names.index(column)
    cells = source[column].to_pylist()
    cells[2] = {"sex": "X", "paid": 77, "family": 10**6}[column]
    source = source.set_column(place, source.schema.field(column), pa.array(cells, source.schema.field(column).type))
    with pytest.raises(PassFailed, match=f"subjects whose rows differ in {column}"):
        desk.run(sample, source, units=4, row_key="visit", excluded="visit")
