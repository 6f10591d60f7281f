"""The key agency's passes on Spark: the same as in one process, and nothing of them in the open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.combination import engines

from .conftest import Roles
from .key_round import NEXT, ROUND, KeyRound

pytestmark = pytest.mark.spark


def test_spark_links_and_extracts_as_one_process_does(
    spark: Any, roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same persons in two rounds, one on Spark: the same lists, the same pairs, the same link ids."""
    at = KeyRound.of(roles, tmp_path, capsys, "options:\n  extraction: {cover: equal, rest_over: 10}\n")
    people = {"A": range(300), "B": range(260, 700), "C": range(290, 300)}
    made = {}
    for round_, rows in ((ROUND, 0), (NEXT, engines.LOCAL_ROWS)):
        monkeypatch.setattr(engines, "LOCAL_ROWS", rows)
        for party, numbers in people.items():
            at.keys(party, [str(number) for number in numbers], round_)
        assert at.run("extract", round_=round_)[0] == 0
        code, told, text = at.run("link", round_=round_)
        assert (code, told["rows"]) == (0, 40), text
        extraction, linking = at.got("A", "extraction", round_), at.got("CA", "linking", round_)
        assert extraction is not None
        assert linking is not None
        table = linking.table()
        pairs = zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True)
        made[round_] = (sorted(extraction.table().column("serial").to_pylist()), sorted(pairs, key=str))
    assert made[ROUND] == made[NEXT]
    assert len(made[ROUND][0]) == 80
