"""The DAG of one scheduled plan: check, assess, pseudonymize, verify, review, decisions, publish."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param

from gamyeong_dags.common import dag_settings, look_again, patience
from gamyeong_dags.decisions import SignedDecisions
from gamyeong_dags.environments import Place
from gamyeong_dags.job import JobOperator
from gamyeong_dags.looks import run_standing
from gamyeong_dags.periods import Period
from gamyeong_dags.publishing import PublishOperator
from gamyeong_dags.schedule import PlanSchedule, Scheduled

RUN = "{{ ti.xcom_pull(task_ids='pseudonymize')['run'] }}"


def plan_dag(one: Scheduled, model: PlanSchedule) -> DAG:
    """Builds the DAG; with `trial` it ends after the review, since a trial can't be published."""
    period = Period(model.period, model.time_zone) if model.period else None
    params = {"period": Param(None, type=["null", "string"], description=f"a {model.period}; empty: the run's own")}
    dag = DAG(
        schedule=_start(model),
        doc_md=_doc(one, model),
        params=params if period else {},
        **dag_settings(model),
    )
    plan, place = str(one.path(model.plan)), Place(one.path(model.environment))
    asked = {"look_again": look_again(model), "dag": dag}
    shared: dict[str, Any] = {"place": place, "patience": patience(model), **asked}

    def of_run(context: Any) -> list[str]:
        one_period = ["--period", period.of(context)] if period else []
        return [*one_period, *(["--limit", str(model.trial)] if model.trial else [])]

    def job(name: str, *words: str, **more: Any) -> JobOperator:
        doc = f"`gamyeong {name}`: exit code and what to do stand in the log."
        return JobOperator(task_id=name, job=name, words=words, doc_md=doc, **more, **shared)

    steps: list[Any] = [
        job("check", plan, spark=False),
        job("assess", plan, spark=True, more=of_run),
        job("pseudonymize", plan, spark=True, more=of_run),
        job("verify", RUN, spark=True),
        job("review", RUN, spark=True),
    ]
    if model.trial is None:
        steps += [
            SignedDecisions(
                task_id="decisions",
                words=[RUN],
                look=partial(run_standing, place=place),
                subject=f"May {model.schedule} be published?",
                doc_md="The reviewers sign with `gamyeong decide`; an answer here replaces no signature.",
                **asked,
            ),
            PublishOperator(
                task_id="publish",
                words=[RUN],
                asset=Asset(name=one.asset, uri=f"gamyeong://{one.asset}", group="gamyeong"),
                period=period,
                doc_md="`gamyeong publish`: judges every signature once more; then the asset starts what waits for it.",
                **shared,
            ),
        ]
    for before, after in pairwise(steps):
        before >> after
    return dag


def _start(model: PlanSchedule) -> Any:
    if model.cron:
        return CronDataIntervalTimetable(model.cron, timezone=model.time_zone)
    if model.waits_for:
        return [Asset(name=name, uri=f"gamyeong://{name}", group="gamyeong") for name in model.waits_for]
    return None


def _doc(one: Scheduled, model: PlanSchedule) -> str:
    starts = f"by `{model.cron}` ({model.time_zone})" if model.cron else "by hand"
    starts = f"when {' and '.join(model.waits_for)} are published" if model.waits_for else starts
    each = f", one run for each {model.period}" if model.period else ""
    end = (
        "Before publishing it waits for the reviewers' **signed** decisions (`gamyeong decide`). Approving here alone"
        " publishes nothing; rejecting ends the run."
    )
    if model.trial is not None:
        end = f"A trial on {model.trial} subjects: it ends after the review and is never published."
    return "\n".join(
        [
            f"# {model.schedule}",
            model.about,
            "",
            f"Plan `{model.plan.name}`{each}.",
            f"Starts {starts}. Owner: {model.owner}. Written in `{one.file.name}`.",
            "",
            end,
        ]
    )
