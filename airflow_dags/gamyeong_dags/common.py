"""What the DAGs of plans and of combinations share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gamyeong_dags.failing import failed
from gamyeong_dags.schedule import Model


def task_defaults(model: Model) -> dict[str, Any]:
    """Owner, retries with growing pauses, and who is told of a failure."""
    pause = timedelta(minutes=model.retry_minutes)
    return {
        "owner": model.owner,
        "retries": model.retries,
        "retry_delay": pause,
        "retry_exponential_backoff": True,
        "max_retry_delay": 8 * pause,
        "on_failure_callback": failed(model.notify, model.owner),
    }


def dag_settings(model: Model) -> dict[str, Any]:
    """First and last day, catch-up, one active run at a time."""
    zone = ZoneInfo(model.time_zone)
    return {
        "dag_id": model.schedule,
        "start_date": datetime.combine(model.start, time(), zone),
        "end_date": datetime.combine(model.end, time.max, zone) if model.end else None,
        "catchup": model.catch_up,
        "max_active_runs": 1,
        "default_args": task_defaults(model),
        "tags": {"gamyeong", *model.tags},
        "is_paused_upon_creation": True,
    }


def patience(model: Model) -> Callable[[Any], datetime]:
    """Until when the waiting tasks of a DAG run wait."""
    days = timedelta(days=model.patience_days)

    def until(context: Any) -> datetime:
        begun: datetime = context["dag_run"].start_date
        return begun + days

    return until


def look_again(model: Model) -> timedelta:
    """How long a waiting task pauses before it asks again."""
    return timedelta(minutes=model.look_again_minutes)


