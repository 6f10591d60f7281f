"""The DAG of a combination: a task group for each role that runs here, a task for each step, one run a round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param, TaskGroup

from gamyeong_dags.combination_file import CRONS, CombinationFile, load_combination_file
from gamyeong_dags.combination_tasks import CombinationOperator, ExportOperator
from gamyeong_dags.common import dag_settings, look_again, patience
from gamyeong_dags.decisions import Look, SignedDecisions
from gamyeong_dags.environments import Place
from gamyeong_dags.looks import adequacy_standing, votes_standing
from gamyeong_dags.periods import Period
from gamyeong_dags.schedule import CombinationSchedule, Scheduled

ONCE = "once"


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

        def at_start(context: Any) -> list[str]:
            is_late = late and datetime.now(UTC) >= self.late_at(context, late)
            return ["--round", self.round(context), *words, *(["--late"] if is_late else [])]

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

    def after(self, role: str, step: str, *before: tuple[str, str]) -> None:
        """Order, as far as both run here; packages of the others are waited for by the step itself (exit 5)."""
        task = self.made.get((role, step))
        for one in before:
            if task is not None and one in self.made:
                self.made[one] >> task


def combination_dag(one: Scheduled, model: CombinationSchedule) -> DAG:
    """Builds the DAG; UnfitFile where schedule and combination don't fit together."""
    found = load_combination_file(one, model)
    about = f"a {found.series.every}; empty: the run's own" if found.series else ONCE
    dag = DAG(
        schedule=_timetable(model, found),
        doc_md=_doc(one, model, found),
        params={"round": Param(None, type=["null", "string"], description=about)} if found.series else {},
        **_dates(model, found),
    )
    builder = Builder(one, model, found, dag)
    build_inputs(builder, found.suppliers)
    build_joining(builder)
    build_release(builder)
    return dag


def build_inputs(build: Builder, suppliers: Sequence[str]) -> None:
    """Applications, proofs, salts, keys."""
    found, key, combining = build.found, build.found.roles.key_agency, build.found.roles.combining_agency
    for party in found.parties:
        plan = build.model.plans.get(party)
        application = build.model.applications.get(party)
        given = ["--plan", str(build.one.path(plan))] if plan else []
        given = ["--application", str(build.one.path(application))] if application else given
        build.step(party, "apply", *given)
    for party in suppliers:
        build.step(party, "prove")
    # Whoever failed is missing, and missed by the agencies' own rules: they start when all have ended.
    build.step(combining, "receive", late="keys", trigger_rule="all_done")
    build.step(key, "salt", trigger_rule="all_done")
    build.after(combining, "receive", *((party, "apply") for party in found.parties))
    build.after(key, "salt", *((party, "prove") for party in suppliers))
    for party in suppliers:
        plan = build.model.plans.get(party)
        build.step(party, "keys", *(["--plan", str(build.one.path(plan))] if plan else []), spark=True)
        build.after(party, "keys", (party, "apply"), (party, "prove"), (key, "salt"), (combining, "receive"))


def build_joining(build: Builder) -> None:
    """Rate, extraction, linking table, attributes, combined tables, further processing."""
    found, key, combining = build.found, build.found.roles.key_agency, build.found.roles.combining_agency
    required = [party for party in found.suppliers if not found.parties[party].optional]
    before = [(party, "keys") for party in required] + [(key, "salt")]
    for step, wanted in (("rate", found.options.join_rate), ("extract", found.options.extraction), ("link", True)):
        if wanted:
            build.step(key, step, late="keys", spark=True)
            build.after(key, step, *before)
            before = [(key, step)]
    for party in found.suppliers:
        plan = build.model.plans.get(party)
        build.step(party, "attributes", *(["--plan", str(build.one.path(plan))] if plan else []), spark=True)
        build.after(party, "attributes", (party, "keys"))
        if found.options.extraction:
            build.after(party, "attributes", (key, "extract"))
    build.step(combining, "combine", late="attributes", spark=True)
    sent = [(party, "attributes") for party in required]
    build.after(combining, "combine", (combining, "receive"), (key, "link"), *sent)
    build.step(combining, "process", spark=True, waiting_is_done=True)
    build.after(combining, "process", (combining, "combine"))


def build_release(build: Builder) -> None:
    """Adequacy, applications for export, votes, export, what users take, what is destroyed."""
    found, key, combining = build.found, build.found.roles.key_agency, build.found.roles.combining_agency
    users = tuple(output.user for output in found.outputs)
    for user in users:
        form = build.model.export_applications.get(user)
        build.step(user, "apply-export", *(["--application", str(build.one.path(form))] if form else []))
        build.after(user, "apply-export", (user, "apply"), (combining, "process"))
    last = (combining, "process")
    if combining in build.places:
        place = build.places[combining]
        title = f"{found.combination}: is what was combined adequate?"
        look = partial(adequacy_standing, place=place, round_=build.round)
        build.people(combining, "adequacy", title, look)
        build.after(combining, "adequacy", last)
        votes = []
        for user in users:
            name = f"votes_{user}"
            votes_of = partial(votes_standing, place=place, round_=build.round, user=user)
            build.people(combining, name, f"{found.combination}: may it be exported to {user}?", votes_of)
            build.after(combining, name, (combining, "adequacy"), (user, "apply-export"))
            votes.append((combining, name))
        asset = Asset(name=build.one.asset, uri=f"gamyeong://{build.one.asset}", group="gamyeong")
        build.step(combining, "export", kind=ExportOperator, asset=asset, period=build.period, spark=True)
        build.after(combining, "export", *votes)
    for user in users:
        build.step(user, "take", spark=True)
        build.after(user, "take", (combining, "export"), (user, "apply-export"))
    # A rejected round is closed too: what came for it is destroyed.
    build.step(combining, "close", trigger_rule="none_failed")
    build.after(combining, "close", (combining, "export"))
    build.step(key, "close", trigger_rule="none_failed")
    build.after(key, "close", (combining, "close"), (key, "link"))
    for party in found.suppliers:
        build.step(party, "forget", trigger_rule="none_failed")
        build.after(party, "forget", (combining, "close"), (party, "attributes"))


def _timetable(model: CombinationSchedule, found: CombinationFile) -> Any:
    if found.series is None:
        return None
    return CronDataIntervalTimetable(CRONS[found.series.every], timezone=model.time_zone)


def _dates(model: CombinationSchedule, found: CombinationFile) -> dict[str, Any]:
    """The schedule's settings, within the rounds of the series."""
    settings = dag_settings(model)
    if found.series is not None:
        zone = ZoneInfo(model.time_zone)
        first, last = (found.series.first_day(name) for name in (found.series.first, found.series.last))
        settings["start_date"] = max(settings["start_date"], datetime.combine(first, time(), zone))
        end = datetime.combine(last, time(), zone)
        settings["end_date"] = min(settings["end_date"] or end, end)
    return settings


def _doc(one: Scheduled, model: CombinationSchedule, found: CombinationFile) -> str:
    elsewhere = [role for role in found.everyone if role not in model.environments]
    series = found.series
    rounds = f"one round each {series.every}, {series.first} to {series.last}" if series else ONCE
    return "\n".join(
        [
            f"# {model.schedule}",
            model.about,
            "",
            f"Combination `{found.combination}` (`{model.combination.name}`), {rounds}. Owner: {model.owner}.",
            f"Roles here: {', '.join(model.environments)}; elsewhere: {', '.join(elsewhere) or 'none'}.",
            "Each has an environment of its own. A step that needs another's package waits until it comes.",
            "",
            "Adequacy and export wait for **signed** decisions; approving here alone releases nothing.",
        ]
    )
