"""Which period a DAG run is about: asked for by hand, told by the asset that started it, or that of its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gamyeong_dags.problems import Unfit

# The one round of a combination without a series.
ONCE = "once"
NAMES: dict[str, Callable[[date], str]] = {
    "day": lambda day: day.isoformat(),
    "week": lambda day: day.strftime("%G-W%V"),
    "month": lambda day: f"{day.year:04d}-{day.month:02d}",
    "quarter": lambda day: f"{day.year:04d}-Q{(day.month + 2) // 3}",
    "year": lambda day: f"{day.year:04d}",
}


@dataclass(frozen=True)
class Period:
    """Names of periods: `every` day … year, in a time zone; `param` is the DAG's parameter that sets it by hand."""

    every: str
    time_zone: str
    param: str = "period"

    def named(self, moment: datetime) -> str:
        """The period that a moment lies in: 2026-10-31, 2026-W44, 2026-10, 2026-Q4, 2026."""
        return NAMES[self.every](moment.astimezone(ZoneInfo(self.time_zone)).date())

    def of(self, context: Any) -> str:
        """The period of a DAG run; Unfit, with what to do, where nothing tells it."""
        asked = (context.get("params") or {}).get(self.param)
        if asked:
            return str(asked)
        told = {
            str(event.extra["period"])
            for events in (context.get("triggering_asset_events") or {}).values()
            for event in events
            if (event.extra or {}).get("period")
        }
        if len(told) == 1:
            return told.pop()
        begin = context.get("data_interval_start")
        if begin is not None and not told:
            return self.named(begin)
        found = f"the assets that started it tell several ({', '.join(sorted(told))})" if told else "nothing tells it"
        raise Unfit(
            f"which {self.every}? {found}; start the DAG by hand with the parameter {self.param}"
            f" (say {self.named(datetime(2026, 10, 31, 12, tzinfo=ZoneInfo(self.time_zone)))})"
        )
