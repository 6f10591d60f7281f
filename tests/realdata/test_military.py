"""Every member of the US armed forces (openintro::military): 1.41 million persons without a key or an identifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

pytestmark = pytest.mark.spark

RACES = {
    "white": "백인", "black": "흑인", "asian": "아시아계", "multi": "기타", "ami/aln": "기타", "p/i": "기타",
    "unk": "미상",
}  # fmt: skip
COLUMNS = ["grade", "branch", "gender", "race", "hisp", "rank"]
TREATED = ["race", "rank"]
OTHERS = [name for name in COLUMNS if name not in TREATED]
K = 5


BANDS = {rank: text for ranks, text in ((range(1, 4), "1~3"), (range(4, 7), "4~6"), (range(7, 10), "7~9"),
                                        (range(10, 12), "10~11")) for rank in ranks}  # fmt: skip


@pytest.fixture(scope="module")
def house(processed: Callable[..., Any]) -> Any:
    return processed("military", "openintro::military")


@pytest.fixture(scope="module")
def expected(raw: Callable[[str, str], pd.DataFrame]) -> pd.DataFrame:
    """The plan's columns before outliers are treated."""
    frame = raw("openintro", "military")
    assert len(frame) == 1_414_593
    return frame.assign(race=frame["race"].map(RACES), rank=frame["rank"].map(BANDS))


@pytest.fixture(scope="module")
def delivered(house: Any) -> pd.DataFrame:
    frame: pd.DataFrame = house.staged("military")
    return frame


def test_every_job_says_yes(house: Any) -> None:
    assert {job: ended.said for job, ended in house.ended.items() if ended.code} == {}
    assert list(house.ended) == ["keys", "generate", "check", "pseudonymize", "verify", "review"]
    assert house.ended["generate"].told["rows"] == 1_414_593
    assert house.ended["verify"].told["verdict"] == "equal"
    assert house.ended["review"].told["verdict"] == "fit"


def test_suppressed_and_removed_are_as_many_as_on_paper(
    house: Any, expected: pd.DataFrame, delivered: pd.DataFrame, local_suppression: Callable[..., tuple[int, int]]
) -> None:
    sizes = expected.groupby(COLUMNS).size()
    classes = Counter(
        {(tuple(key[COLUMNS.index(c)] for c in OTHERS), (key[3], key[5])): int(n) for key, n in sizes.items()}
    )
    cells, rows = local_suppression(classes, (None, None), K, len(TREATED))
    assert cells > 0
    assert rows > 0
    assert house.counts("military")["outliers"] == [{"rule": 1, "cells": cells, "rows": rows}]
    assert len(delivered) == 1_414_593 - rows
    assert int(delivered[TREATED].isna().to_numpy().sum()) == cells


def test_every_class_is_whole_or_gone(expected: pd.DataFrame, delivered: pd.DataFrame) -> None:
    """A class keeps all its members or gives all of them to the class without race and rank beside it."""
    before = expected.groupby(COLUMNS).size()
    kept = delivered.dropna(subset=TREATED).groupby(COLUMNS).size()
    assert (kept == before.reindex(kept.index)).all()
    assert kept.index.isin(before.index).all()
    people = delivered.groupby(OTHERS).size()
    assert (people == expected.groupby(OTHERS).size().reindex(people.index)).all()
    assert delivered["race"].isna().equals(delivered["rank"].isna())


def test_no_class_is_below_k(house: Any, expected: pd.DataFrame, delivered: pd.DataFrame) -> None:
    assert expected.groupby(COLUMNS).size().min() < K  # there was something to do
    smallest = int(delivered.groupby(COLUMNS, dropna=False).size().min())
    assert smallest >= K
    told = house.result()["k"]["military"]
    assert (told["asked"], told["found"], told["columns"]) == (K, smallest, COLUMNS)


def test_rows_stand_in_no_order_of_the_source(expected: pd.DataFrame, delivered: pd.DataFrame) -> None:
    """The source stands sorted by grade, branch and so on; neighbours of the result have nothing in common."""
    source = expected["branch"].to_numpy()
    result = delivered["branch"].to_numpy()
    by_chance = float(((expected["branch"].value_counts() / len(source)) ** 2).sum())
    assert float((source[1:] == source[:-1]).mean()) > 0.99
    assert abs(float((result[1:] == result[:-1]).mean()) - by_chance) < 0.005
