"""Rounds of a small combination at the places from which tests go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from .run_by_hand import run_by_hand
from .stage import AUGUST, JULY, Stage, copied, made


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A combination before its first round."""
    return made(tmp_path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Two rounds, combined and processed by the output's plan; nobody has judged them."""
    stage = made(tmp_path_factory.mktemp("processed"))
    for round in (JULY, AUGUST):
        stage.combined(round)
        run = run_by_hand(stage.roles["CA"], stage.folder / "output.yaml", round)
        stage.round("CA", round).record("process", {"outputs": {"A": run}})
    return stage


@pytest.fixture
def processed(template: Stage, tmp_path: Path) -> Stage:
    """A copy of that for one test."""
    return copied(template, tmp_path)
