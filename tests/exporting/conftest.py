"""Rounds of a small combination at the places from which tests go on. Spark runs once for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .stage import AUGUST, JULY, Stage, copied, made

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A combination before its first round."""
    return made(tmp_path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Stage:
    """Two rounds, combined and processed by the output's plan; nobody has judged them."""
    stage = made(tmp_path_factory.mktemp("processed"))
    for round in (JULY, AUGUST):
        stage.combined(round)
        code, told, said = stage.take("CA", "process", round=round)
        assert (code, told["outputs"]["A"]["state"]) == (5, "waiting"), said
    return stage


@pytest.fixture
def processed(template: Stage, tmp_path: Path) -> Stage:
    """A copy of that for one test."""
    return copied(template, tmp_path)
