"""With replacement (복원추출): a person drawn m times appears m times, each copy a record of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import DataRefused, PlanError
from transforms.pipeline.members import repeated

LINKED = "{technique: simple, replacement: true, copies: linked, n: 1200}"
APART = "{technique: simple, replacement: true, copies: apart, n: 1200}"


@pytest.mark.parametrize("sample", [LINKED, APART])
def test_as_many_records_as_draws(desk: Any, everybody: pa.Table, sample: str) -> None:
    found = desk.run(sample, everybody, units=4)
    assert found.rows.num_rows == found.prepared.drawn == 1200
    times = Counter(found.numbers)
    assert found.prepared.facts.sample.persons == len(times)
    assert 600 < len(times) < 720  # of 900, 1 - exp(-4/3): about 663
    assert max(times.values()) > 2


def test_linked_copies_share_a_pseudonym_and_others_have_their_own(desk: Any, everybody: pa.Table) -> None:
    tokens = {LINKED: 1, APART: None}
    for sample, shared in tokens.items():
        rows = desk.run(sample, everybody, units=3).rows
        by_person: dict[int, list[str]] = {}
        for number, token in zip(rows["no"].to_pylist(), rows["id"].to_pylist(), strict=True):
            by_person.setdefault(number, []).append(token)
        for found in by_person.values():
            assert len(set(found)) == (shared or len(found))
        every = [token for found in by_person.values() for token in set(found)]
        assert len(set(every)) == len(every)


def test_the_first_copy_has_the_pseudonym_of_a_sample_without_copies(desk: Any, everybody: pa.Table) -> None:
    """So copies are the only thing that `apart` changes."""
    one = dict(zip(*(desk.run("{fraction: 1}", everybody).rows[n].to_pylist() for n in ("no", "id")), strict=True))
    apart = desk.run(APART, everybody).rows
    firsts = [one[number] == token for number, token in
              zip(apart["no"].to_pylist(), apart["id"].to_pylist(), strict=True)]  # fmt: skip
    assert sum(firsts) == len(set(apart["no"].to_pylist()))


@pytest.mark.parametrize("sample", [LINKED, APART])
@pytest.mark.parametrize(("units", "buckets"), [(1, 1), (7, 5)])
def test_each_copy_has_a_serial_number_of_its_own(
    desk: Any, everybody: pa.Table, sample: str, units: int, buckets: int
) -> None:
    found = desk.run(sample, everybody, units=units, buckets=buckets, pseudonym="serial-number")
    assert found.rows["id"].to_pylist() == list(range(1, 1201))
    neighbours = zip(found.rows["no"].to_pylist(), found.rows["no"].to_pylist()[1:], strict=False)
    assert sum(left == right for left, right in neighbours) < 15  # copies don't stand together
    assert found.verified().differences == ()


@pytest.mark.parametrize("sample", [LINKED, APART])
def test_all_rows_of_a_person_come_as_often(desk: Any, everybody: pa.Table, sample: str) -> None:
    rows = [row for row in everybody.to_pylist() for _ in range(1 + row["no"] % 2)]
    source = pa.Table.from_pylist(rows, schema=everybody.schema).append_column("visit", pa.array(range(len(rows))))
    found = desk.run(sample, source, units=4, row_key="visit", excluded="visit", pseudonym="serial-number")
    single = Counter(desk.run(sample, everybody).numbers)
    assert Counter(found.numbers) == {number: count * (1 + number % 2) for number, count in single.items()}
    serials = found.rows["id"].to_pylist()
    assert sorted(set(serials)) == list(range(1, 1201))
    assert found.verified().differences == ()


def test_copies_make_no_class_of_persons_larger(desk: Any, members: Any) -> None:
    """One person of a town, drawn twenty times, still is one: the outlier rule suppresses the town."""
    source = members(40)
    towns = ["외딴섬" if n == 0 else "서울" for n in range(40)]
    source = source.set_column(2, "town", pa.array(towns))
    rule = (
        "outliers: [{find: {frequency: {columns: [town], below: 3}}, treat: {local-suppression: {columns: [town]}}}]\n"
        "outlier_limits: {cells: 1, rows: 1}\n"
    )
    found = desk.run(LINKED.replace("1200", "800"), source, more=rule)
    assert found.numbers.count(0) > 10
    assert "외딴섬" not in found.rows["town"].to_pylist()


@pytest.mark.parametrize(
    ("sample", "pseudonym", "fits"),
    [(LINKED, "keyed-token", True), (APART, "keyed-token", False), (LINKED, "serial-number", False)],
)
def test_k_of_persons_needs_copies_that_can_be_told(
    desk: Any, sample: str, pseudonym: str, fits: bool
) -> None:
    more = "adequacy: {k-anonymity: {k: 3}}\n"
    if fits:
        assert desk.table(sample, pseudonym=pseudonym, more=more).sample.replacement
        return
    with pytest.raises(PlanError, match=r"adequacy\.k-anonymity: k of persons, where copies of one person"):
        desk.table(sample, pseudonym=pseudonym, more=more)


def test_a_pseudonym_that_is_the_same_in_all_copies_is_no_answer_to_apart(desk: Any) -> None:
    with pytest.raises(PlanError, match=r"columns.id.apply: suppression, which is the same in all copies"):
        desk.table(APART, pseudonym="suppression")


def test_draws_of_nobody_are_refused(desk: Any, everybody: pa.Table) -> None:
    with pytest.raises(DataRefused, match="a sample of 1200 subjects is asked for, there are 0"):
        desk.run(LINKED, everybody.slice(0, 0))


def test_a_person_drawn_too_often_is_refused(desk: Any, members: Any) -> None:
    with pytest.raises(DataRefused, match="a person is drawn 65536 times or more"):
        desk.run(LINKED.replace("1200", "200000"), members(2))


def test_rows_are_repeated_as_often_as_their_person_was_drawn() -> None:
    import numpy as np

    rows, copies = repeated(np.array([4, 7, 9]), np.array([1, 3, 2]))
    assert rows.tolist() == [4, 7, 7, 7, 9, 9]
    assert copies.tolist() == [0, 0, 1, 2, 0, 1]
