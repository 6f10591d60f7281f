"""Short ways to run a step as a plan writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import Site
from transforms.given import Given
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

Run = Callable[..., list[Any]]


@pytest.fixture
def run() -> Run:
    """Apply one step to values of a type; every result must lie in the step's image."""

    def apply(step: Any, values: list[Any], type_: pa.DataType | None = None, **given: Any) -> list[Any]:
        (technique,) = parse_steps(step)
        assert isinstance(technique, ColumnTechnique)
        here = Given(Site("t", "c", 0, "columns.c.apply"), **given)
        source = pa.array(values, type_)
        result = technique.apply(source, here)
        assert result.type == technique.applied_type(source.type)
        assert technique.applied_image(Anything(), here).contains(result).all()
        cells: list[Any] = result.to_pylist()
        return cells

    return apply
