"""A task that submits one of our jobs to Spark, and does what the job's exit code asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.exceptions import AirflowException
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, AirflowSkipException

from gamyeong_dags import places
from gamyeong_dags.environments import Place
from gamyeong_dags.outcomes import Ended
from gamyeong_dags.problems import Unfit
from gamyeong_dags.submit import CONNECTION, JobHook, job_hook

Words = Callable[[Any], Sequence[str]]


class JobOperator(SparkSubmitOperator):
    """One job of jobs/ as a task.

    `words` are its arguments (templated); `more` adds those that are known only when the task starts.
    Exit 0: done, its names go to XCom. 1, 2, 3: the task fails and is not tried again. 4, or killed: it is tried
    again. 5: it asks again after `look_again`, which counts as no try, until `patience` is over; then an `optional`
    task is skipped and another fails. `only` says for which DAG runs the task is there at all.
    """

    template_fields: Sequence[str] = ("words",)

    def __init__(
        self,
        *,
        job: str,
        words: Sequence[str],
        place: Place,
        spark: bool,
        look_again: timedelta,
        patience: Callable[[Any], datetime],
        more: Words | None = None,
        only: Callable[[Any], bool] | None = None,
        optional: bool = False,
        waiting_is_done: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(conn_id=CONNECTION, name=f"gamyeong-{job}", **kwargs)
        self.job, self.words, self.place, self.spark = job, list(words), place, spark
        self.look_again, self.patience, self.more, self.only = look_again, patience, more, only
        self.optional, self.waiting_is_done = optional, waiting_is_done
        self._job_hook: JobHook | None = None

    def execute(self, context: Any) -> dict[str, str]:
        """Runs the job; raises what its exit code means. Returns names and verdicts alone."""
        try:
            if self.only is not None and not self.only(context):
                raise AirflowSkipException("not in this round")
            words = [*self.words, *(self.more(context) if self.more else ())]
            self._job_hook = job_hook(self.job, words, self.place, spark=self.spark)
            ended = self._job_hook.run(str(places.jobs() / f"{self.job}.py"))
            self.judged(ended, context)
        except Unfit as error:
            raise AirflowFailException(f"{error}\nwhat to do: correct this, then clear the task") from None
        return ended.kept

    def judged(self, ended: Ended, context: Any) -> None:
        """Raises what Airflow must know of the job's end."""
        if ended.what == "done" or (ended.what == "wait" and self.waiting_is_done):
            return
        if ended.what == "wait":
            self.wait(ended, self.patience(context))
        text = ended.told(self.job)
        raise AirflowFailException(text) if ended.what == "stop" else AirflowException(text)

    def wait(self, ended: Ended, until: datetime) -> None:
        """Asks again later; after `until` no more."""
        now = datetime.now(UTC)
        if now < until:
            self.log.info("gamyeong %s waits; asked again in %s\n%s", self.job, self.look_again, ended.words)
            raise AirflowRescheduleException(now + self.look_again)
        if self.optional:
            raise AirflowSkipException(f"too late; the others go on without it\n{ended.words}")
        raise AirflowFailException(
            f"{ended.words}\nwhat to do: it waited until {until:%Y-%m-%d %H:%M} UTC; ask those who are named, then"
            " clear this task (the schedule's patience_days says how long a task waits)"
        )

    def on_kill(self) -> None:
        """Ends spark-submit and what it started."""
        if self._job_hook is not None:
            self._job_hook.end()
