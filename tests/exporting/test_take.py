"""The user's own table over the rounds: each package once, a later revision in place of the earlier one."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs.combination.packages import draft

from .stage import AUGUST, JULY, Stage


def handed(stage: Stage, amounts: list[int], round: str = JULY, revision: int = 1, column: str = "amount") -> None:
    """The agency's export of a round, by hand."""
    package = draft(
        stage.roles["CA"], stage.combination, round=round, kind="export", receiver="A", revision=revision,
        inputs=amounts,
    )  # fmt: skip
    tables = {"homes": {"comments": {column: "보증금"}, "description": "연구"}}
    rows = pa.table({column: pa.array(amounts, pa.int64())})
    package.finish([package.sealer.write(rows, "homes")], {"run": f"run-{round}-{revision}", "tables": tables})


@pytest.fixture
def user(stage: Stage) -> Stage:
    """A user who has applied for both rounds."""
    for round in (JULY, AUGUST):
        stage.applied(round)
    return stage


def released(stage: Stage) -> DeltaTable:
    return DeltaTable(str(stage.roles["A"].zone("published") / "cars-homes" / "homes"))


def held(stage: Stage) -> dict[str, list[int]]:
    rows = released(stage).to_pyarrow_table().to_pylist()
    return {one: sorted(r["amount"] for r in rows if r["period"] == one) for one in sorted({r["period"] for r in rows})}


def test_a_new_revision_replaces_its_own_round_and_no_other(user: Stage) -> None:
    handed(user, [1, 2])
    handed(user, [5], AUGUST)
    assert user.take("A", "take")[0] == 0
    assert user.take("A", "take", round=AUGUST)[0] == 0
    assert held(user) == {JULY: [1, 2], AUGUST: [5]}
    handed(user, [7, 8, 9], revision=2)
    assert user.take("A", "take")[0] == 0
    assert held(user) == {JULY: [7, 8, 9], AUGUST: [5]}
    assert released(user).version() == 2  # three commits for three packages
    # What was replaced is gone from the disk too, not only from the newest version.
    place = user.roles["A"].zone("published").local
    files = [pq.read_table(file, partitioning=None) for file in place.rglob("*.parquet")]
    assert sorted(n for file in files for n in file["amount"].to_pylist()) == [5, 7, 8, 9]


def test_what_the_columns_mean_comes_along(user: Stage) -> None:
    handed(user, [1])
    assert user.take("A", "take")[0] == 0
    (amount, period) = released(user).schema().fields
    assert amount.metadata["comment"] == "보증금"
    assert "기간" in period.metadata["comment"]
    assert released(user).metadata().description == "연구"


def test_other_columns_than_before_are_refused(user: Stage) -> None:
    handed(user, [1])
    handed(user, [2], AUGUST, column="deposit")
    assert user.take("A", "take")[0] == 0
    code, _, said = user.take("A", "take", round=AUGUST)
    assert code == 3
    assert "its earlier rounds have other columns" in said
    assert held(user) == {JULY: [1]}


def test_nothing_is_taken_before_it_came(user: Stage) -> None:
    code, _, said = user.take("A", "take")
    assert code == 5
    assert "waits for the export of CA" in said
