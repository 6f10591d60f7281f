"""`keys` on Spark: the same keys as in one process, and no salt or key in what Spark leaves on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.combination.applicant import register
from jobs.session import spark_session

from .conftest import Roles
from .party_round import ROUND, PartyRound, member
from .test_key_steps import found_in, salt_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MEMBERS = [member(number, name) for number in range(300) for name in ("홍길동", "홍 길동")[: 1 + number % 2]]


@pytest.fixture
def round_(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> PartyRound:
    made = PartyRound.of(roles, tmp_path, capsys)
    made.register("A", MEMBERS, stops=(7,))
    made.salted("A")
    return made


def test_spark_makes_the_same_keys_and_leaves_none_behind(
    round_: PartyRound, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = round_.done("A", "keys")
    expected = round_.keys("A")
    monkeypatch.setattr(register, "LOCAL_ROWS", 0)
    started: list[str] = []
    monkeypatch.setattr(register, "spark_session", _noting(started))
    round_.done("KMA", "salt", "--party", "A", "--revision", "2")
    summary = round_.done("A", "keys", "--revision", "2")
    assert started == [f"keys {ROUND}"]
    assert round_.keys("A") == expected
    assert {**summary, "seconds": 0, "revision": 1} == {**alone, "seconds": 0}
    assert (summary["subjects"], summary["repeated"], summary["stopped"]) == (299, 149, 2)
    scratch = Path(str(spark.conf.get("spark.local.dir")))
    left = {path: path.read_bytes() for path in scratch.rglob("*") if path.is_file()}
    assert left
    salt = salt_of(round_)
    for secret in (salt, *list(expected)[:20], *(serial.encode() for serial in list(expected.values())[:20])):
        assert found_in(left | round_.everything("A"), secret) == []


def _noting(started: list[str]) -> Callable[..., SparkSession]:
    def session(environment: object, description: str) -> SparkSession:
        started.append(description)
        return spark_session(environment, description)  # type: ignore[arg-type]

    return session
