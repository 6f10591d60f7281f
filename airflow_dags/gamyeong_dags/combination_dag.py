"""The DAG of a combination: a task group for each role that runs here, a task for each step, one run a round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param

from gamyeong_dags.combination_builder import Builder
from gamyeong_dags.combination_file import CRONS, CombinationFile, load_combination_file
from gamyeong_dags.combination_tasks import ExportOperator
from gamyeong_dags.common import dag_settings
from gamyeong_dags.looks import adequacy_standing, votes_standing
from gamyeong_dags.mock_steps import build_mock
from gamyeong_dags.periods import ONCE
from gamyeong_dags.schedule import CombinationSchedule, Scheduled


def combination_dags(one: Scheduled, model: CombinationSchedule) -> list[DAG]:
    """The DAG of the rounds, and that of what is sent again; UnfitFile where schedule and file don't fit together."""
    found = load_combination_file(one, model)
    return [rounds_dag(one, model, found), resend_dag(one, model, found)]


def rounds_dag(one: Scheduled, model: CombinationSchedule, found: CombinationFile) -> DAG:
    """A run for each round, from the applications to what is destroyed at its end."""
    about = f"a {found.series.every}; empty: the run's own" if found.series else ONCE
    dag = DAG(
        schedule=_timetable(model, found),
        doc_md=_doc(one, model, found),
        params={"round": Param(None, type=["null", "string"], description=about)} if found.series else {},
        **_dates(model, found),
    )
    builder = Builder(one, model, found, dag)
    build_inputs(builder, found.suppliers)
    build_mock(builder)
    build_joining(builder)
    build_release(builder)
    return dag


def resend_dag(one: Scheduled, model: CombinationSchedule, found: CombinationFile) -> DAG:
    """A party's keys and attributes once more, as another revision, while the round waits for its decisions.

    The other parties' packages are used again; linked, combined and processed anew, and earlier decisions are void.
    """
    here = [party for party in found.suppliers if party in model.environments]
    params: dict[str, Any] = {
        "round": Param(None, type=["null", "string"], description="which round"),
        "party": Param(None, type=["null", "string"], enum=[None, *here], description="who; empty: another elsewhere"),
        "revision": Param(2, type="integer", minimum=2, description="2, then 3 …"),
    }
    settings = dag_settings(model) | {"dag_id": f"{model.schedule}.resend", "catchup": False, "end_date": None}
    text = f"# {model.schedule}.resend\n{(resend_dag.__doc__ or '').strip()}"
    dag = DAG(schedule=None, doc_md=text, params=params, **settings)
    builder = Builder(one, model, found, dag)

    def of(party: str) -> Any:
        return lambda context: context["params"]["party"] == party

    def revised(context: Any) -> list[str]:
        return ["--revision", str(context["params"]["revision"])]

    key, combining = found.roles.key_agency, found.roles.combining_agency
    steps = [(key, "salt"), *((party, "keys") for party in here)]
    # The salt was erased where the keys were made: the key agency hands it over once more.
    told = lambda context: [*revised(context), "--party", context["params"]["party"]]  # noqa: E731
    builder.step(key, "salt", more=told, only=lambda context: bool(context["params"]["party"]))
    for party in here:
        builder.step(party, "keys", *builder.plan(party), more=revised, only=of(party), trigger_rule="none_failed")
        builder.after(party, "keys", (key, "salt"))
    joined: dict[str, Any] = {"trigger_rule": "none_failed", "spark": True}
    for step, wanted in (("rate", found.options.join_rate), ("extract", found.options.extraction), ("link", True)):
        if wanted:
            builder.step(key, step, late="keys", **joined)
            builder.after(key, step, *steps)
            steps = [(key, step)]
    for party in here:
        builder.step(party, "attributes", *builder.plan(party), more=revised, only=of(party), **joined)
        builder.after(party, "attributes", (party, "keys"), *steps)
    builder.step(combining, "combine", late="attributes", **joined)
    builder.after(combining, "combine", *steps, *((party, "attributes") for party in here))
    builder.step(combining, "process", waiting_is_done=True, **joined)
    builder.after(combining, "process", (combining, "combine"))
    return dag


def build_inputs(build: Builder, suppliers: Sequence[str]) -> None:
    """Applications, proofs, salts, keys."""
    found, key, combining = build.found, build.found.roles.key_agency, build.found.roles.combining_agency
    for party in found.parties:
        application = build.model.applications.get(party)
        given = ["--application", str(build.one.path(application))] if application else build.plan(party)
        build.step(party, "apply", *given)
    # A role takes one step of a round at a time (another ends with exit 4), so that even what could be parallel is not.
    for party in suppliers:
        build.step(party, "prove", trigger_rule="all_done")
        build.after(party, "prove", (party, "apply"))
    # Whoever failed is missing, and missed by the agencies' own rules: they start when all have ended.
    build.step(combining, "receive", late="keys", trigger_rule="all_done")
    build.step(key, "salt", trigger_rule="all_done")
    build.after(combining, "receive", *((party, "apply") for party in found.parties))
    build.after(key, "salt", *((party, "prove") for party in suppliers))
    for party in suppliers:
        build.step(party, "keys", *build.plan(party), spark=True, trigger_rule="none_failed")
        build.after(party, "keys", (party, "prove"), (key, "salt"), (combining, "receive"))


def build_joining(build: Builder) -> None:
    """Rate, extraction, linking table, attributes, combined tables, further processing."""
    found, key, combining = build.found, build.found.roles.key_agency, build.found.roles.combining_agency
    build.gathered(key, "keys_in")
    build.after(key, "keys_in", *((party, "keys") for party in found.suppliers))
    before = [(key, "keys_in"), (key, "salt")]
    for step, wanted in (("rate", found.options.join_rate), ("extract", found.options.extraction), ("link", True)):
        if wanted:
            build.step(key, step, late="keys", spark=True)
            build.after(key, step, *before)
            before = [(key, step)]
    for party in found.suppliers:
        build.step(party, "attributes", *build.plan(party), spark=True)
        build.after(party, "attributes", (party, "keys"))
        if found.options.extraction:
            build.after(party, "attributes", (key, "extract"))
    build.gathered(combining, "attributes_in")
    build.after(combining, "attributes_in", *((party, "attributes") for party in found.suppliers))
    build.step(combining, "combine", late="attributes", spark=True)
    build.after(combining, "combine", (combining, "receive"), (key, "link"), (combining, "attributes_in"))
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
        last = (combining, "adequacy")
        for user in users:
            name = f"votes_{user}"
            votes_of = partial(votes_standing, place=place, round_=build.round, user=user)
            build.people(combining, name, f"{found.combination}: may it be exported to {user}?", votes_of)
            build.after(combining, name, last, (user, "apply-export"))
            last = (combining, name)
        asset = Asset(name=build.one.asset, uri=f"gamyeong://{build.one.asset}", group="gamyeong")
        build.step(combining, "export", kind=ExportOperator, asset=asset, period=build.period, users=users, spark=True)
        build.after(combining, "export", last)
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
        build.after(party, "forget", (combining, "close"), (party, "attributes"), (party, "take"))


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
