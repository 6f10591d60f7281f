"""A round without a party that sent in earlier ones has the same columns, so that plans and released tables go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.column_types import PLAIN, type_of_text

from .combined_round import NEXT, ROUND, CombinedRound, attributes, linking
from .conftest import Roles


def test_its_columns_are_empty_in_the_order_of_all(
    roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # B, in the middle of the file, is the one that may be missing
    optional = ("{supplies: housing-b}", "{supplies: housing-b, optional: true}")
    firm = ("{supplies: health-c, optional: true}", "{supplies: health-c}")
    of = CombinedRound.of(roles, tmp_path, optional, firm, ("optional: [C]", "optional: [B]"))
    known = {"A": {"p": 1, "q": 2}, "B": {"p": 3}, "C": {"p": 4, "q": 5}}
    for party, rows in known.items():
        of.send(party, "attributes", attributes(party, rows, column=f"x{party.lower()}"))
    of.send("KMA", "linking", linking(A="pq", B="p", C="pq"))
    of.begin()
    assert of.take(capsys, "CA", "combine")[0] == 0

    for party in ("A", "C"):
        of.send(party, "attributes", attributes(party, known[party], column=f"x{party.lower()}"), round_=NEXT)
    of.send("KMA", "linking", linking(A="pq", C="pq"), round_=NEXT)
    of.begin(NEXT)
    code, told = of.take(capsys, "CA", "combine", round_=NEXT)
    assert (code, told["left_out"]) == (0, {"B": "no keys"}), told["err"]

    def cells(month: int) -> list[tuple[Any, ...]]:
        rows = [row for row in of.rows() if row["round"].month == month]
        assert {tuple(row) for row in rows} == {("record", "link", "A_xa", "B_xb", "C_xc", "round")}
        return sorted((row["A_xa"], row["B_xb"], row["C_xc"]) for row in rows)

    assert cells(7) == [(1, 3, 4), (2, None, 5)]
    assert cells(8) == [(1, None, 4), (2, None, 5)]


def test_of_one_that_never_sent_nothing_is_known(
    roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of = CombinedRound.of(roles, tmp_path)
    for party in ("A", "B"):
        of.send(party, "attributes", attributes(party, {"p": 1}))
    of.send("KMA", "linking", linking(A="p", B="p"))
    of.begin()
    assert of.take(capsys, "CA", "combine")[0] == 0
    (row,) = of.rows()
    assert tuple(row) == ("record", "link", "A_x", "B_x", "round")


def test_its_table_of_several_rows_is_there_and_empty(
    roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of = CombinedRound.of(roles, tmp_path, ("optional: true", "optional: true, rows: many"))
    for party, rows in (("A", {"p": 1}), ("B", {"p": 2})):
        for name in (ROUND, NEXT):
            of.send(party, "attributes", attributes(party, rows), round_=name)
    of.send("C", "attributes", attributes("C", [("p", 3), ("p", 4)]))
    for name, known in ((ROUND, {"A": "p", "B": "p", "C": "p"}), (NEXT, {"A": "p", "B": "p"})):
        of.send("KMA", "linking", linking(**known), round_=name)
        of.begin(name)
        code, told = of.take(capsys, "CA", "combine", round_=name)
        assert code == 0, told["err"]
    tables = told["outputs"]["A"]["tables"]
    assert {name: one["rows"] for name, one in tables.items()} == {"": 1, "C": 0}
    assert {row["round"].month for row in of.rows("A-C")} == {7}
    assert len(of.rows("A-C")) == 2


@pytest.mark.parametrize("type_", [*PLAIN, pa.decimal128(12, 2), pa.decimal128(38, 0)], ids=str)
def test_the_types_of_the_record_are_read_as_they_were_written(type_: pa.DataType) -> None:
    assert type_of_text(str(type_)) == type_
    assert type_of_text("struct<x: int64>") is None
