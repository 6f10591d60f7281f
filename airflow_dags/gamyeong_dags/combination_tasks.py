"""Tasks of combinations: a step of a role, and the export, which a rejection ends quietly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowSkipException

from gamyeong_dags.job import JobOperator
from gamyeong_dags.looks import is_rejected
from gamyeong_dags.outcomes import Ended
from gamyeong_dags.periods import ONCE, Period


class CombinationOperator(JobOperator):
    """`gamyeong combination STEP FILE --round R` of one role."""

    def __init__(self, *, step: str, spark: bool = False, **kwargs: Any) -> None:
        super().__init__(job="combination_job", spark=spark, **kwargs)
        self.step = step


class ExportOperator(CombinationOperator):
    """`export`. Where reviewers or committee rejected, it is skipped; the round is closed, and nothing leaves."""

    def __init__(self, *, asset: Asset, period: Period | None, users: Sequence[str], **kwargs: Any) -> None:
        super().__init__(outlets=[asset], **kwargs)
        self.asset, self.period, self.users = asset, period, tuple(users)

    def execute(self, context: Any) -> dict[str, str]:
        """Exports; those who wait for the asset are told which round it was."""
        kept = super().execute(context)
        if self.period is not None:
            context["outlet_events"][self.asset].extra = {"period": self.period.of(context)}
        return kept

    def judged(self, ended: Ended, context: Any) -> None:
        """As every step, but a rejection has ended the round as it should."""
        round_ = self.period.of(context) if self.period else ONCE
        if ended.code == 1 and is_rejected(self.words[1], round_, self.users, self.place):
            raise AirflowSkipException(f"rejected: nothing is exported, what was staged is removed\n{ended.words}")
        super().judged(ended, context)
