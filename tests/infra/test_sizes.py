"""infra/README.md: what a billion rows need follows from what was measured, and from nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests" / "benchmarks" / "results"
ROWS = 1_000_000_000
CORES = 64


def measured(customers: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"retail-{customers}.json").read_text("utf-8"))
    return found


def told() -> dict[str, list[float]]:
    """The figures of each row, by its first cell."""
    page = (ROOT / "infra" / "README.md").read_text("utf-8")
    between = page.split("<!-- sizes: begin -->")[1].split("<!-- sizes: end -->")[0]
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in between.splitlines() if re.match(r"\|.*\d", line)]
    numbers = re.compile(r"[\d,.]+")
    return {row[0]: [float(cell.replace(",", "")) for cell in row[1:] if numbers.fullmatch(cell)] for row in rows}


def test_rates_and_times_follow_from_the_measured_seconds() -> None:
    found = measured(8_200_000)
    cores, customers = found["machine"]["cores"], found["customers"]
    for job in ("pseudonymize", "verify", "review"):
        both = found["seconds"]["median"][job], found["seconds"]["first"][job]
        expected = [round(customers / seconds / cores, -2) for seconds in both]
        expected += [round(ROWS / customers * seconds * cores / 3600, 1) for seconds in both]
        expected += [round(ROWS / customers * seconds * cores / CORES / 60, 1) for seconds in both]
        assert told()[job] == expected, job


def test_disks_follow_from_the_measured_bytes() -> None:
    found = measured(2_000_000)
    share = ROWS / found["customers"] / 1e9
    shuffled = sum(stage["shuffled_bytes"] for stage in found["profile"]["pseudonymize"]["stages"])
    assert told()["source as zstd Parquet"] == [round(found["copy"]["bytes"] * share)]
    assert told()["shuffle of pseudonymize, over all executors' local disks"] == [round(shuffled * share)]
