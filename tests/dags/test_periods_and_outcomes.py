"""Which period a DAG run is about, and what exit codes mean to Airflow. Needs no Airflow."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gamyeong_dags.outcomes import Ended, summary_of
from gamyeong_dags.periods import Period
from gamyeong_dags.problems import Unfit

NEW_YEAR_IN_SEOUL = datetime(2025, 12, 31, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "seoul", "utc"),
    [
        ("day", "2026-01-01", "2025-12-31"),
        ("week", "2026-W01", "2026-W01"),  # ISO 8601: the week of 1 January 2026 began on 29 December
        ("month", "2026-01", "2025-12"),
        ("quarter", "2026-Q1", "2025-Q4"),
        ("year", "2026", "2025"),
    ],
)
def test_a_period_is_that_of_the_time_zone(every: str, seoul: str, utc: str) -> None:
    assert Period(every, "Asia/Seoul").named(NEW_YEAR_IN_SEOUL) == seoul
    assert Period(every, "UTC").named(NEW_YEAR_IN_SEOUL) == utc


def event(period: str | None) -> Any:
    return SimpleNamespace(extra={"period": period} if period else {})


def test_the_period_asked_for_goes_before_that_of_the_asset_and_that_before_the_interval() -> None:
    month = Period("month", "UTC")
    context: dict[str, Any] = {"data_interval_start": datetime(2026, 3, 1, tzinfo=UTC)}
    assert month.of(context) == "2026-03"
    context["triggering_asset_events"] = {"published/x": [event("2026-02"), event(None)]}
    assert month.of(context) == "2026-02"
    context["params"] = {"period": "2026-01"}
    assert month.of(context) == "2026-01"


def test_without_any_period_it_is_told_how_to_give_one() -> None:
    with pytest.raises(Unfit, match=r"start the DAG by hand with the parameter period \(say 2026-10\)"):
        Period("month", "UTC").of({"params": {"period": None}})


def test_assets_that_tell_several_periods_are_not_guessed_about() -> None:
    events = {"a": [event("2026-01")], "b": [event("2026-02")]}
    with pytest.raises(Unfit, match="2026-01, 2026-02"):
        Period("month", "UTC").of({"triggering_asset_events": events})


@pytest.mark.parametrize(
    ("code", "what", "words"),
    [
        (0, "done", ""),
        (1, "stop", "change the plan or the data"),
        (2, "stop", "Correct what is named"),
        (3, "stop", "a person must look"),
        (4, "retry", "tried again by itself"),
        (5, "wait", "waits for others"),
        (-9, "retry", "killed"),
        (143, "retry", "killed"),
    ],
)
def test_an_exit_code_means_done_wait_retry_or_stop_and_says_what_to_do(code: int, what: str, words: str) -> None:
    summary = {"error": "disk full"} if code in range(1, 6) else {}
    ended = Ended(code, summary)
    assert ended.what == what
    assert words in ended.told("verify")
    assert ended.words in ended.told("verify")


def test_only_names_and_verdicts_are_kept() -> None:
    ended = Ended(0, {"run": "ab12", "rows": 42, "tables": [{"table": "/x"}], "verdict": "fit", "error": None})
    assert ended.kept == {"run": "ab12", "verdict": "fit"}


def test_the_last_line_of_a_job_is_told_from_others() -> None:
    line = json.dumps({"job": "verify", "exit": 0})
    assert summary_of(line) == {"job": "verify", "exit": 0}
    assert summary_of('{"job": broken') is None
    assert summary_of('26/11/22 INFO {"job": "verify"}') is None
