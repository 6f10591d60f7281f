"""The papers that a party signs and hands in: its application for a combination, and for export."""

from __future__ import annotations

import argparse
from pathlib import Path

from jobs.combination.opening import open_combination
from jobs.combination.packages import received
from jobs.combination.rounds import Round
from jobs.documents.as_docx import docx_bytes
from jobs.documents.as_html import html_bytes
from jobs.documents.model import Document
from jobs.errors import BadInput, Refused
from jobs.forms.combination import combination_application, export_application
from jobs.job import Context, Outcome
from jobs.plans import open_plan
from jobs.storage import write_atomically
from transforms.combination.application import CombinationApplication, application_of, load_application
from transforms.combination.export_form import load_export_form
from transforms.errors import PlanError

APPLY, EXPORT = "apply", "apply-export"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of both papers."""
    parser.add_argument("combination", type=Path, metavar="FILE", help="the combination file")
    parser.add_argument("--round", metavar="ROUND", required=True, help="which round, say 2024-07, or once")
    parser.add_argument("--application", type=Path, metavar="FILE", help="the application (YAML)")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="apply: a supplier's plan, which says the same")
    parser.add_argument("--to", type=Path, metavar="FOLDER", required=True, help="where HTML and DOCX go")


def apply_paper(context: Context) -> Outcome:
    """The application for a combination (결합신청서), by the file or plan that the step `apply` is given."""
    round_, me = _round(context)
    said = _application(context, round_, me)
    repeated = _repeated(round_)
    # a further round names the receipt number of the first
    first = Round(round_.environment, round_.combination, round_.combination.rounds()[0])
    receipt = _receipt(first) if repeated == "further" else None
    return _written(context, combination_application(said, round_.combination, me, repeated, receipt), APPLY)


def export_paper(context: Context) -> Outcome:
    """The application for export (반출신청서), by the file that the step `apply-export` is given."""
    round_, me = _round(context)
    if context.arguments.application is None or context.arguments.plan is not None:
        raise BadInput("allowed: --application FILE, the application for export")
    form = load_export_form(context.arguments.application)
    return _written(
        context, export_application(form, round_.combination, me, _repeated(round_), _receipt(round_)), EXPORT
    )


def _round(context: Context) -> tuple[Round, str]:
    combination = open_combination(context.arguments.combination)
    me = context.environment.exchange.name
    if me not in combination.parties:
        parties = ", ".join(combination.parties)
        raise Refused(f"papers are those of the parties ({parties}); this environment is that of {me}")
    return Round(context.environment, combination, context.arguments.round), me


def _application(context: Context, round_: Round, me: str) -> CombinationApplication:
    match context.arguments.application, context.arguments.plan:
        case (Path() as file, None):
            try:
                return load_application(file)
            except PlanError as error:
                raise BadInput(f"{len(error.problems)} problem(s) in the application\n{error}") from None
        case (None, Path() as file):
            plan = open_plan(file, context.environment).plan
            found = plan.combination
            if found is None or (found.name, found.party) != (round_.combination.combination, me):
                raise BadInput(f"{file}: not the plan of what {me} supplies to {round_.combination.combination}")
            return application_of(plan, context.environment.organisation, round_.combination)
    raise BadInput("allowed: --application FILE, or --plan FILE (its purpose, people and use), one of them")


def _repeated(round_: Round) -> str | None:
    """The first of a series (최초) or a further one (추가); None without one."""
    if round_.combination.series is None:
        return None
    return "first" if round_.first else "further"


def _receipt(round_: Round) -> str | None:
    """The combining agency's number of a round (결합접수번호), if it has come."""
    agency = round_.combination.roles.combining_agency
    found = received(
        round_.environment, round_.combination, round=round_.name, kind="receipt", sender=agency, enter=False
    )
    return found.manifest.receipt if found is not None else None


def _written(context: Context, document: Document, name: str) -> Outcome:
    folder: Path = context.arguments.to
    files = {f"{name}.html": html_bytes(document), f"{name}.docx": docx_bytes(document)}
    for file, content in files.items():
        write_atomically(folder / file, content)
    text = f"{document.title}: {', '.join(files)} in {folder}, to be signed"
    return Outcome({"folder": str(folder), "files": sorted(files)}, text=text)
