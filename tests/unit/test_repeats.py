"""Work on texts that occur often is done once for each of them: the same cells, the same counts of refused ones."""

from __future__ import annotations

import pyarrow as pa
import pytest

from transforms.errors import CellsRefused, Site
from transforms.given import Given
from transforms.repeats import LEAST, PILOT, repeated
from transforms.techniques import TECHNIQUES
from transforms.techniques.texts import PartialSuppression

SITE = Site("people", "address", 0, "columns.address.apply[0]")
ADDRESSES = ["서울시 은평구 연서로 29길 245", None, "부산시 중구 a\u0301로 1", "대구시"]


def test_values_that_occur_often_stand_once() -> None:
    found = repeated(pa.array(ADDRESSES * PILOT))
    assert found is not None
    assert found.dictionary.to_pylist() == [one for one in ADDRESSES if one is not None]
    assert found.to_pylist() == ADDRESSES * PILOT


def test_few_cells_or_many_values_are_left_alone() -> None:
    assert repeated(pa.array(ADDRESSES)) is None
    assert repeated(pa.array([str(number) for number in range(PILOT)])) is None
    # The first cells are alike, those behind them are not.
    late = ["same"] * PILOT + [str(number) for number in range(PILOT)]
    assert len(set(late)) * LEAST > len(late)
    assert repeated(pa.array(late)) is None


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("partial-suppression", {"words": 2}), ("masking", {"first": 1}), ("region", {"level": "sido"})],
)
def test_cells_are_those_that_each_text_gives_alone(name: str, parameters: dict[str, object]) -> None:
    technique = TECHNIQUES[name](**parameters)
    assert technique.once_each
    once = technique.apply(pa.array(ADDRESSES), Given(SITE)).to_pylist()
    assert technique.apply(pa.array(ADDRESSES * PILOT), Given(SITE)).to_pylist() == once * PILOT


def test_refused_cells_are_counted_each() -> None:
    technique = PartialSuppression(ending=("구",))
    with pytest.raises(CellsRefused) as refused:
        technique.apply(pa.array(ADDRESSES * PILOT), Given(SITE))
    assert refused.value.count == PILOT * 3
