"""The DAG that destroys what is due: it asks, waits for reviewers' signatures, carries out what they allowed."""

from __future__ import annotations

from functools import partial
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from gamyeong_dags.common import dag_settings, look_again, patience
from gamyeong_dags.decisions import SignedDecisions
from gamyeong_dags.environments import Place
from gamyeong_dags.job import JobOperator
from gamyeong_dags.looks import due_standing
from gamyeong_dags.outcomes import Ended
from gamyeong_dags.schedule import DueSchedule, Scheduled

REASON = "the period of use has ended"


class DestroyOperator(JobOperator):
    """`gamyeong destroy --due …`. Skipped where nothing is due; fails where copies of what is gone lie elsewhere."""

    def __init__(self, *, words: list[str], **kwargs: Any) -> None:
        super().__init__(job="destroy", words=["--due", *words], spark=False, **kwargs)

    def judged(self, ended: Ended, context: Any) -> None:
        """As every job, but for these two."""
        if ended.code == 1 and ended.summary.get("verdict"):
            raise AirflowFailException(
                "destroyed, but files with the same bytes lie in another zone\nwhat to do: `gamyeong ledger list` names"
                " them (copies of the entry destroy-data); look at each, and remove it"
            )
        super().judged(ended, context)
        if ended.summary.get("verdict") == "nothing":
            raise AirflowSkipException("nothing is due")


def due_dag(one: Scheduled, model: DueSchedule) -> DAG:
    """Builds the DAG: ask, decisions, destroy."""
    start = CronDataIntervalTimetable(model.cron, timezone=model.time_zone) if model.cron else None
    dag = DAG(schedule=start, doc_md=_doc(one, model), **dag_settings(model))
    place = Place(one.path(model.destroy_due))
    asked = {"look_again": look_again(model), "dag": dag}
    shared: dict[str, Any] = {"place": place, "patience": patience(model), **asked}
    ask = DestroyOperator(
        task_id="ask",
        words=["--person", model.requester, "--reason", REASON],
        doc_md="`gamyeong destroy --due`: enters a request for all published data whose use has ended.",
        **shared,
    )
    decisions = SignedDecisions(
        task_id="decisions",
        words=[],
        look=partial(due_standing, place=place),
        subject="May what is due be destroyed?",
        doc_md="A reviewer signs each with `gamyeong destroy`; an answer here replaces no signature.",
        **asked,
    )
    destroy = DestroyOperator(
        task_id="destroy",
        words=["--person", model.performer, "--approved"],
        doc_md="`gamyeong destroy --due --approved`: judges every signature once more, destroys, enters the proof.",
        **shared,
    )
    ask >> decisions >> destroy
    return dag


def _doc(one: Scheduled, model: DueSchedule) -> str:
    starts = f"by `{model.cron}` ({model.time_zone})" if model.cron else "by hand"
    does = f"Destroys published data whose use has ended, in `{model.destroy_due.name}`."
    waits = "It waits for a reviewer's **signature** on each. Approving here destroys nothing; rejecting ends the run."
    return "\n".join(
        [
            f"# {model.schedule}",
            model.about,
            "",
            f"{does} Starts {starts}. Owner: {model.owner}. Written in `{one.file.name}`.",
            "",
            waits,
        ]
    )
