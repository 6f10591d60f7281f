"""`gamyeong demo` (infra/run): the guideline's case end to end, once more without effect, and over again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.demo import main

CUSTOMERS = "82000"
# Spark's spill files and logs, and locks that every start takes.
PASSING = ("scratch", "_locks", "locks", ".lock")


def contents(warehouse: Path) -> dict[str, bytes]:
    """Every file that is not only of a passing nature, with its content."""
    return {
        str(path.relative_to(warehouse)): path.read_bytes()
        for path in warehouse.rglob("*")
        if path.is_file() and not any(part.endswith(PASSING) for part in path.parts)
    }


def last_line(text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(text.splitlines()[-1])
    return found


@pytest.mark.spark
@pytest.mark.slow
def test_the_worked_customer_comes_out_as_the_guideline_says(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse = tmp_path / "warehouse"
    words = ["--customers", CUSTOMERS, "--warehouse", str(warehouse), "--json"]
    assert main(words) == 0, capsys.readouterr().err
    first = capsys.readouterr().out
    summary = last_line(first)
    assert (summary["verdict"], summary["source_rows"]) == ("published", 20)
    assert 1 <= int(str(summary["golden_rows"])) <= 20
    for shown in ("EC-232578", "715,000", "710,000", "2,805,740", "2,800,000", "keys are made here"):
        assert shown in first
    assert Path(str(summary["table"])).is_dir()
    assert Path(str(summary["report"])).is_file()

    before = contents(warehouse)
    assert main(words) == 0
    again = capsys.readouterr().out
    assert last_line(again)["verdict"] == "already published"
    assert contents(warehouse) == before

    assert main([*words, "--fresh"]) == 0
    assert last_line(capsys.readouterr().out)["verdict"] == "published"


def test_another_environment_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--environment", str(tmp_path / "ours.yaml")]) == 2
    assert "--warehouse" in capsys.readouterr().err


@pytest.mark.parametrize("stranger", ["notes.txt", "source/crm/members/_delta_log/0.json"])
def test_fresh_removes_nothing_that_it_did_not_make(
    tmp_path: Path, stranger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / stranger
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("ours")
    if stranger.startswith("source/"):
        main(["--warehouse", str(tmp_path), "--customers", "1"])  # too few: only the environment is made
    assert main(["--warehouse", str(tmp_path), "--fresh"]) == 3
    assert kept.read_text() == "ours"
    assert str(tmp_path) in capsys.readouterr().err
