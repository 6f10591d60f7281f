"""Reviewed runs as tests/jobs/publishing makes them, and the commands as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.jobs.publishing.conftest import make_run, reviewers  # noqa: F401 - fixtures

Run = Callable[..., tuple[int, dict[str, Any], str, str]]


@pytest.fixture
def gamyeong(environment_file: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a job; gives exit code, its JSON, its other output and what it says on stderr."""

    def run(job: ModuleType, *words: str) -> tuple[int, dict[str, Any], str, str]:
        code = job.main([*words, "--environment", str(environment_file), "--json"])
        printed = capsys.readouterr()
        *text, last = printed.out.splitlines()
        return code, json.loads(last), "\n".join(text), printed.err

    return run
