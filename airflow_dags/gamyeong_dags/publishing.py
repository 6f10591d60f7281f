"""The task that publishes: emits an asset when it has, and ends quietly where the reviewers rejected."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowSkipException

from gamyeong_dags.job import JobOperator
from gamyeong_dags.outcomes import Ended
from gamyeong_dags.periods import Period
from gamyeong_dags.submit import state_of


class PublishOperator(JobOperator):
    """`gamyeong publish RUN`. A signed rejection skips it: staging is removed, nothing is published, no asset."""

    def __init__(self, *, asset: Asset, period: Period | None, **kwargs: Any) -> None:
        super().__init__(job="publish", spark=False, outlets=[asset], **kwargs)
        self.asset, self.period = asset, period

    def execute(self, context: Any) -> dict[str, str]:
        """Publishes; those who wait for the asset are told which period it was."""
        kept = super().execute(context)
        if self.period is not None:
            context["outlet_events"][self.asset].extra = {"period": self.period.of(context)}
        return kept

    def judged(self, ended: Ended, context: Any) -> None:
        """As every job, but a run that is rejected has ended as it should."""
        if ended.code == 1 and state_of(self.words[0], self.place)["state"] == "rejected":
            raise AirflowSkipException("rejected by a reviewer: nothing is published, the staged result was removed")
        super().judged(ended, context)
