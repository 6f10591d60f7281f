"""The page beside: every example leads to a test, and the numbers that it names stand in that test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROWS = [
    row.strip("|").split("|")
    for row in (HERE / "README.md").read_text("utf-8").splitlines()
    if row.startswith("| L")
]


@pytest.mark.parametrize(("line", "example", "tests"), ROWS, ids=[row[0].strip() for row in ROWS])
def test_the_example_stands_in_the_test_named(line: str, example: str, tests: str) -> None:
    files = [HERE / link for link in re.findall(r"\(([^)]+\.py)\)", tests)]
    assert files, line
    text = "".join(file.read_text("utf-8") for file in files).replace("_", "").replace(",", "")
    assert "def test" in text
    # The numbers and names of the example, or (where a sum or a range is checked) at least one of them.
    words = re.findall(r"[가-힣]{2,}|\d[\d,]*\d\d", example)
    assert not words or any(word.replace(",", "") in text for word in words), f"{line}: none of {words}"
