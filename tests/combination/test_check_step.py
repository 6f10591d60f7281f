"""`gamyeong combination check FILE`: valid, with its fingerprint and dues, or every problem; nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.combination_job import main
from tests.unit.conftest import TOWNS, VALID
from transforms.combination.loader import load_combination

from .sample_file import written

PLAN = ("link_id: true}", "link_id: true, plan: combined.yaml}")


def said(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> tuple[int, dict[str, Any], str]:
    code = main(["check", *map(str, argv), "--json"])
    told = capsys.readouterr().out
    return code, json.loads(told.splitlines()[-1]), told


def test_a_right_file_is_told_with_its_fingerprint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path)
    code, summary, text = said(capsys, path)
    assert (code, summary["rounds"]) == (0, 12)
    assert summary["fingerprint"] == load_combination(path).fingerprint
    assert "keys are due on 2024-08-05 and attributes on 2024-08-12" in text


def test_an_output_plan_that_lies_there_is_checked_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, PLAN)
    code, summary, text = said(capsys, path)
    assert (code, summary["plans"]) == (0, {"combined.yaml": None})
    assert "combined.yaml is not here; CA needs it" in text
    (tmp_path / "towns.csv").write_text(TOWNS, encoding="utf-8")
    (tmp_path / "combined.yaml").write_text(VALID, encoding="utf-8")
    code, summary, _ = said(capsys, path)
    assert code == 0
    assert len(summary["plans"]["combined.yaml"]) == 64
    (tmp_path / "combined.yaml").write_text(VALID.replace("{k: 3}", "{k: 1}"), encoding="utf-8")
    code, summary, _ = said(capsys, path)
    assert code == 2
    assert "adequacy.k-anonymity.k" in summary["error"]


def test_problems_are_exit_2_and_refusals_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, summary, _ = said(capsys, written(tmp_path, ("base: A", "base: X"), ("SHA-256", "MD5")))
    assert code == 2
    assert "outputs[0].base" in summary["error"]
    assert "key.algorithm" in summary["error"]
    code, summary, _ = said(capsys, written(tmp_path, ("SHA-256", "MD5")))
    assert code == 3
    assert "1 problem(s) in combination.yaml" in summary["error"]
    assert "weaker than SHA-256" in summary["error"]
