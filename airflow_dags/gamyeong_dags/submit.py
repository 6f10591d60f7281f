"""spark-submit of one job, with nothing of its words passed on but the job's own last line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from airflow.exceptions import AirflowException
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook

from gamyeong_dags import places
from gamyeong_dags.environments import Place
from gamyeong_dags.outcomes import Ended, summary_of
from gamyeong_dags.problems import Unfit

CONNECTION = "spark_default"
FIRST_LINES = 15
GRACE_SECONDS = 10


class JobHook(SparkSubmitHook):
    """The provider's hook, for our jobs.

    Spark's own log may quote rows, so it is read and dropped; only the first lines, from before a job has read
    anything, are told where a job never came to its last line.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(conn_id=CONNECTION, **kwargs)
        self._summary: dict[str, Any] = {}
        self._first: list[str] = []
        self._lines = 0

    def _process_spark_submit_log(self, itr: Iterator[Any]) -> None:
        for raw in itr:
            line = str(raw).strip()
            self._lines += 1
            self._summary = summary_of(line) or self._summary
            if len(self._first) < FIRST_LINES:
                self._first.append(line)

    def run(self, application: str) -> Ended:
        """Submits, waits, tells how the job ended."""
        if self._connection.get("deploy_mode") == "cluster":
            raise Unfit(f"connection {CONNECTION} says deploy-mode cluster; allowed: client")
        # The job is handed nothing of Airflow's own settings (its database's address, its keys).
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "_AIRFLOW"))}
        try:
            self.submit(application, cwd=str(places.work()), env=environment, start_new_session=True)
        except AirflowException:
            if self._submit_sp is None:
                raise
        except OSError as error:
            raise Unfit(f"spark-submit can't be started ({error.strerror}); look at PATH and at its rights") from None
        assert self._submit_sp is not None
        ended = Ended(int(self._submit_sp.returncode), self._summary)
        self.log.info("exit code %s; %s lines of Spark and of the job are left out", ended.code, self._lines)
        if not ended.summary:
            self.log.warning("the job did not come to its last line; it began with:\n%s", "\n".join(self._first))
        return ended

    def end(self) -> None:
        """Ends spark-submit and all that it started."""
        if self._submit_sp is None or self._submit_sp.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._submit_sp.pid, signal.SIGTERM)
        try:
            self._submit_sp.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._submit_sp.pid, signal.SIGKILL)


def job_hook(job: str, words: Sequence[str], place: Place, *, spark: bool) -> JobHook:
    """The hook for one job; Unfit, with what to do, where this machine lacks something."""
    places.require_tools(job)
    packages, settings = place.submit_settings()
    return JobHook(
        conf=settings,
        packages=packages if spark else None,
        name=f"gamyeong-{job}",
        application_args=[*words, *common(place)],
    )


def common(place: Place) -> list[str]:
    """The arguments that every job gets from here."""
    return ["--environment", str(place.file), "--json", "--quiet"]


def state_of(run: str, place: Place) -> dict[str, Any]:
    """What `gamyeong status RUN` says about a run; Unfit with its words where it can't."""
    job = "status"
    ended = job_hook(job, [run], place, spark=False).run(str(places.jobs() / f"{job}.py"))
    runs = ended.summary.get("runs")
    if ended.code or not isinstance(runs, list) or len(runs) != 1:
        raise Unfit(ended.told(job))
    found: dict[str, Any] = runs[0]
    return found
