"""A hundred and more ways in which what is delivered can be wrong; each is planted alone in a sound run.

`by` is who must find it: the review (the expectation, and its column), or verify where the cell might be right in
another row, which the review, without the source, can't know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .checkups import checkups, member_of, name_of, phone_of

IMAGE, SERIALS = "expect_cells_in_image_of_chain", "expect_serial_numbers_without_gap"
DERIVED, ROWS = "expect_derived_cells_to_add_up", "expect_rows_as_counted"
COLUMNS, EXCLUDED = "expect_columns_as_planned", "expect_no_excluded_column"
NULLS, SUBJECTS, K = "expect_nulls_as_planned", "expect_subjects_as_sampled", "expect_k_anonymity"
VALUES, FORMS = "expect_no_source_value_left", "expect_no_form_of_identifier_left"
VERIFY = "verify"
ROW = 7


@dataclass(frozen=True)
class Planted:
    """What is delivered after a mutation: the files' rows, and the facts that go with them."""

    tables: Sequence[pa.Table]
    facts: Any = None


@dataclass(frozen=True)
class Mutation:
    """One thing that is wrong, and who finds it."""

    what: str
    by: tuple[str, str | None]
    plant: Callable[[Any], Planted]


def with_cell(table: pa.Table, column: str, cell: object, row: int = ROW) -> pa.Table:
    """The table with one cell altered."""
    field = table.schema.field(column)
    cells = table[column].to_pylist()
    assert cells[row] != cell
    cells[row] = cell
    return table.set_column(table.schema.get_field_index(column), field, pa.array(cells, field.type))


def exchanged(table: pa.Table, column: str) -> pa.Table:
    """The table in which two rows have exchanged their cells of a column."""
    cells = table[column].to_pylist()
    other = next(row for row, cell in enumerate(cells) if cell not in (None, cells[ROW]))
    return with_cell(with_cell(table, column, cells[other]), column, cells[ROW], other)


def cell(column: str, value: object, by: str = IMAGE) -> Mutation:
    """One altered cell."""
    about = None if by in (VALUES, FORMS, K, NULLS, VERIFY) else column
    what = "null" if value is None else repr(value)
    name = f"{column}: one cell is {what}"
    return Mutation(name, (by, about), lambda run: Planted([with_cell(run.table, column, value)]))


def of_table(what: str, by: tuple[str, str | None], change: Callable[[pa.Table], pa.Table]) -> Mutation:
    """Something done to the whole table."""
    return Mutation(what, by, lambda run: Planted([change(run.table)]))


def of_file(what: str, by: tuple[str, str | None], change: Callable[[pa.Table], pa.Table]) -> Mutation:
    """Something done to the first of two files."""

    def plant(run: Any) -> Planted:
        half = len(run.table) // 2
        return Planted([run.table.slice(half), change(run.table.slice(0, half))])

    return Mutation(what, by, plant)


def of_facts(what: str, by: str, change: Callable[[Any], Any]) -> Mutation:
    """Another claim of the run about its counts."""
    return Mutation(what, (by, None), lambda run: Planted([run.table], change(run.facts)))


def unprocessed(column: str, by: tuple[str, str | None]) -> Mutation:
    """A file in which one column is as in the source."""

    def raw(part: pa.Table) -> pa.Table:
        source = checkups().filter(pc.greater_equal(checkups()["age"], 20)).slice(0, len(part))
        field = part.schema.field(column)
        return part.set_column(part.schema.get_field_index(column), field, source[column].cast(field.type))

    return of_file(f"{column}: one file is not processed", by, raw)


def altered_cells() -> Iterator[Mutation]:
    """Cells that no value of the source can become."""
    implausible: dict[str, list[object]] = {
        "member": ["010-1234-5678", "A" * 26, "a" * 25, "", "1" * 26, "a" * 25 + "b"],
        "phone": ["abc", "", "01-23"],
        "card": ["9410-1234-0001-0002", "x", "****-****-****-12"],
        "age": [36, 81, 90, 25],
        "years": [41, 1000],
        "region": ["서울", "제주", "", "수도권 "],
        "address": ["서울시 은평구 연서로", "서울시 은평구 연서로 29길", "서울시  은평구"],
        "weight": [61, 62, 1],
        "balance": [Decimal("100.50"), Decimal("0.01"), Decimal("150.00")],
        "seen": [date(2026, 3, 15), date(2026, 12, 31)],
        "spend_drugs": [1, 1001, 2_999_000],
        "spend_tests": [999, 50_500, 2_999_000],
    }
    for column, values in implausible.items():
        yield from (cell(column, value) for value in values)
    yield cell("weight", None, NULLS)
    yield cell("sex", "X", K)
    yield cell("age", -10, K)  # a multiple of ten, and nobody's


def serials_and_sums() -> Iterator[Mutation]:
    """Serial numbers that are not 1 … n, derived cells that their row does not give."""
    for number in (5, 0, -1, 10**6, None):
        yield cell("patient", number, SERIALS)
    yield of_table("patient: numbers begin at 2", (SERIALS, "patient"), lambda t: t.set_column(
        0, t.schema.field(0), pc.add(t["patient"], 1)))  # fmt: skip
    yield cell("total", -1, DERIVED)
    yield cell("total", None, DERIVED)
    yield cell("favourite", "food", DERIVED)
    yield cell("favourite", None, DERIVED)
    yield of_table("favourite: the same one everywhere", (DERIVED, "favourite"), lambda t: t.set_column(
        t.schema.get_field_index("favourite"), "favourite", _all(t, "tests")))  # fmt: skip


def rows_and_columns() -> Iterator[Mutation]:
    """Rows too few or too many, columns of other names, types, places."""
    note = ("note", "x")
    yield of_table("a row is missing", (ROWS, None), lambda t: pa.concat_tables([t.slice(0, 30), t.slice(31)]))
    yield of_table("a row stands there twice", (ROWS, None), lambda t: pa.concat_tables([t, t.slice(5, 1)]))
    yield of_table("half of the rows are missing", (ROWS, None), lambda t: t.slice(0, len(t) // 2))
    yield of_table("no row is there", (ROWS, None), lambda t: t.slice(0, 0))
    yield of_table("a column too many", (COLUMNS, None), lambda t: t.append_column(note[0], _all(t, note[1])))
    yield of_table("an excluded column", (EXCLUDED, None), lambda t: t.append_column("name", _all(t, "x")))
    yield of_file("an excluded column in one file", (EXCLUDED, None), lambda t: t.append_column("e_mail", _all(t, "x")))
    yield of_table("a column is missing", (COLUMNS, None), lambda t: t.drop_columns(["weight"]))
    yield of_file("a column is missing in one file", (IMAGE, "weight"), lambda t: t.drop_columns(["weight"]))
    yield of_table("columns in another order", (COLUMNS, None), lambda t: t.select(list(reversed(t.column_names))))
    yield of_table("a column has another name", (COLUMNS, None), lambda t: t.rename_columns(
        ["Weight" if name == "weight" else name for name in t.column_names]))  # fmt: skip
    yield of_file("a wider type in one file", (IMAGE, "weight"), lambda t: t.set_column(
        t.schema.get_field_index("weight"), "weight", t["weight"].cast(pa.float64())))  # fmt: skip
    yield of_table("numbers as text", (IMAGE, "visits"), lambda t: t.set_column(
        t.schema.get_field_index("visits"), "visits", t["visits"].cast(pa.string())))  # fmt: skip


def _all(table: pa.Table, text: str) -> pa.Array:
    return pa.array([text] * len(table))


def unprocessed_parts() -> Iterator[Mutation]:
    """One partition of one column is left as it was."""
    shown = ("age", "years", "region", "address", "weight", "balance", "seen", "spend_drugs", "spend_tests", "card")
    for column in shown:
        yield unprocessed(column, (IMAGE, column))
    for column in ("member", "phone"):  # raw ones look like processed ones
        yield unprocessed(column, (VALUES, None))


def left_over() -> Iterator[Mutation]:
    """Identifiers where none should be: somebody's of the source, or what has the form of one."""
    known = {
        "memo": [name_of(17), f"{name_of(17)}님 재검", "고객 ec232590의 요청", f"회원 {member_of(21)}", phone_of(21),
                 f"카드 9410 1234 {17 * 17 % 10_000:04d} 0017", "user.17@example.com에 회신", "EC-232590"],
        "sex": ["EC-232590", name_of(23)],
        "address": [f"서울시 {name_of(23)}"],
        "member": [member_of(17), member_of(21)],
        "phone": [phone_of(31)],
        "visits": [int(phone_of(33).replace("-", ""))],
    }  # fmt: skip
    for column, values in known.items():
        yield from (cell(column, value, VALUES) for value in values)
    of_nobody = ["연락처 010-9999-1234로", "문의 nobody@example.org", "주민번호 900101-1234568",
                 "카드 4111-1111-1111-1111"]  # fmt: skip
    yield from (cell("memo", text, FORMS) for text in of_nobody)


def claims() -> Iterator[Mutation]:
    """Facts that are not those of the sample and the rows."""
    yield of_facts("one person drawn too many", SUBJECTS, lambda f: replace(f, drawn=f.drawn + 1))
    yield of_facts("five persons more in the source", SUBJECTS, lambda f: replace(f, subjects=f.subjects + 5))
    yield of_facts("a sampled row of nobody", SUBJECTS, lambda f: replace(f, sampled_rows=f.sampled_rows + 1))
    yield of_facts("a delivered row too many counted", ROWS, lambda f: replace(f, delivered=f.delivered + 1))


def in_place_of_another() -> Iterator[Mutation]:
    """Cells that are right in another row: whoever lacks the source can't tell."""
    for column in ("sex", "age", "region", "weight", "balance", "seen", "memo", "visits", "member", "phone"):
        yield of_table(f"{column}: two rows exchanged", (VERIFY, None), lambda t, c=column: exchanged(t, c))
    yield of_table("years: 39 where the cut-off makes 40", (VERIFY, None), lambda t: with_cell(
        t, "years", 39, t["years"].to_pylist().index(40)))  # fmt: skip
    yield of_table("age: a decade too low", (VERIFY, None), lambda t: with_cell(
        t, "age", 70, t["age"].to_pylist().index(80)))  # fmt: skip
    yield of_table("rows in another order", (VERIFY, None), lambda t: t.take(list(reversed(range(len(t))))))
    yield of_table("a record stands in for another", (VERIFY, None), lambda t: pa.concat_tables(
        [t.slice(0, 30), t.slice(40, 1).set_column(0, "patient", t["patient"].slice(30, 1)), t.slice(31)]))  # fmt: skip


def mutations() -> list[Mutation]:
    """All of them."""
    families = (altered_cells, serials_and_sums, rows_and_columns, unprocessed_parts, left_over, claims,
                in_place_of_another)  # fmt: skip
    return [one for family in families for one in family()]
