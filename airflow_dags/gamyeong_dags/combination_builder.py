"""Tasks of a combination's DAG: which step of which role, with whose environment, in which order."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup

from gamyeong_dags.combination_file import CombinationFile
from gamyeong_dags.combination_tasks import CombinationOperator
from gamyeong_dags.common import look_again, patience
from gamyeong_dags.decisions import Look, SignedDecisions
from gamyeong_dags.environments import Place
from gamyeong_dags.periods import ONCE, Period
from gamyeong_dags.schedule import CombinationSchedule, Scheduled


class Builder:
    """Makes tasks of one DAG; `task(role, step)` finds them again, None for a role that runs elsewhere."""

    def __init__(self, one: Scheduled, model: CombinationSchedule, found: CombinationFile, dag: DAG) -> None:
        self.one, self.model, self.found, self.dag = one, model, found, dag
        self.file = str(one.path(model.combination))
        self.places = {role: Place(one.path(path)) for role, path in model.environments.items()}
        self.groups = {role: TaskGroup(role, dag=dag, tooltip=f"steps of {role}") for role in self.places}
        self.made: dict[tuple[str, str], Any] = {}
        every = found.series.every if found.series else None
        self.period = Period(every, model.time_zone, "round") if every else None

    def round(self, context: Any) -> str:
        """The round that a DAG run is about."""
        return self.period.of(context) if self.period else ONCE

    def late_at(self, context: Any, what: str) -> datetime:
        """From when a step goes on without the late, or cancels; never before a backfilled run had its time."""
        begun: datetime = context["dag_run"].start_date
        patient = begun + timedelta(hours=self.model.late_after_hours)
        series = self.found.series
        if series is None:
            return begun + timedelta(days=self.model.patience_days)
        due = series.keys_due if what == "keys" else series.attributes_due
        return max(patient, datetime.combine(series.over(self.round(context), due), time(), UTC))

    def step(self, role: str, step: str, *words: str, late: str = "", **more: Any) -> Any:
        """A task for a step of a role; None where the role runs elsewhere. `late`: takes `--late` once it is time."""
        if role not in self.places:
            return None
        optional = role in self.found.parties and self.found.parties[role].optional

        told = more.pop("more", lambda context: [])

        def at_start(context: Any) -> list[str]:
            is_late = late and datetime.now(UTC) >= self.late_at(context, late)
            return ["--round", self.round(context), *words, *told(context), *(["--late"] if is_late else [])]

        kind = more.pop("kind", CombinationOperator)
        waits = partial(self.late_at, what="attributes") if optional else patience(self.model)
        made = kind(
            task_id=step.replace("-", "_"),
            step=step,
            words=[step, self.file],
            more=at_start,
            place=self.places[role],
            look_again=look_again(self.model),
            patience=waits,
            optional=optional,
            task_group=self.groups[role],
            dag=self.dag,
            doc_md=f"`gamyeong combination {step}` of {role}; `--help` tells what it does.",
            **more,
        )
        self.made[role, step] = made
        return made

    def people(self, role: str, name: str, subject: str, look: Look) -> Any:
        """A task that waits for signatures."""
        if role not in self.places:
            return None
        made = SignedDecisions(
            task_id=name,
            subject=subject,
            words=[self.file],
            look=look,
            look_again=look_again(self.model),
            task_group=self.groups[role],
            dag=self.dag,
            doc_md="Signed decisions count; an answer here replaces none.",
        )
        self.made[role, name] = made
        return made

    def gathered(self, role: str, name: str) -> None:
        """A task without work that starts when all before it have ended, well or not: what is missing is missed by
        the step behind it, by the combination's own rules."""
        if role in self.places:
            self.made[role, name] = EmptyOperator(
                task_id=name,
                trigger_rule="all_done",
                task_group=self.groups[role],
                dag=self.dag,
                doc_md="Starts when all before it have ended; a failed party is missed by the step behind it.",
            )

    def plan(self, party: str) -> list[str]:
        """The words that hand a party its plan."""
        plan = self.model.plans.get(party)
        return ["--plan", str(self.one.path(plan))] if plan else []

    def after(self, role: str, step: str, *before: tuple[str, str]) -> None:
        """Order, as far as both run here; packages of the others are waited for by the step itself (exit 5)."""
        task = self.made.get((role, step))
        for one in before:
            if task is not None and one in self.made:
                self.made[one] >> task
