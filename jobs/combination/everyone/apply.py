"""`apply`: a party's application (결합 신청) for a round goes to the combining agency, sealed: it names people."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pyarrow as pa

from jobs.combination.applicant.party_plan import party_plan
from jobs.combination.step import Call, Step
from jobs.errors import BadInput, Refused
from jobs.job import Outcome
from transforms.combination.application import CombinationApplication, application_of, load_application
from transforms.errors import PlanError
from transforms.plain import plain

TABLE, COLUMN = "application", "application"


def body(call: Call) -> Outcome:
    """Sends the application; the agency answers with a receipt number once nothing is missing (`receive`)."""
    if call.me not in call.combination.parties:
        parties = ", ".join(call.combination.parties)
        raise Refused(f"`apply` is a step of the parties ({parties}); this environment is that of {call.me}")
    application = _application(call)
    text = json.dumps(plain(application), ensure_ascii=False, sort_keys=True)
    party = call.combination.parties[call.me]
    agency = call.combination.roles.combining_agency
    package = call.draft("application", agency, inputs=text)
    sealed = package.sealer.write(pa.table({COLUMN: [text]}), TABLE)
    package.finish([sealed], {"supplies": party.supplies is not None, "uses": party.uses})
    purpose = {"kind": application.purpose.kind, "statement": application.purpose.statement}
    call.round.record("apply", {"purpose": purpose, "until": str(application.subject.until)}, call.revision)
    said = f"{call.me} applied to {agency} for round {call.round.name}, revision {call.revision}"
    return Outcome({"to": agency, "revision": call.revision}, text=f"{said}; its receipt comes into the inbox")


def _application(call: Call) -> CombinationApplication:
    given: tuple[Path | None, Path | None] = (call.arguments.application, call.arguments.plan)
    match given:
        case (Path() as file, None):
            try:
                return load_application(file)
            except PlanError as error:
                raise BadInput(f"{len(error.problems)} problem(s) in the application\n{error}") from None
        case (None, Path()):
            if call.combination.parties[call.me].supplies is None:
                raise BadInput(f"--plan: {call.me} supplies nothing; allowed: --application FILE")
            plan = party_plan(call)[0].plan
            return application_of(plan, call.environment.organisation, call.combination)
    raise BadInput("allowed: --application FILE, or --plan FILE (its purpose, people and use), one of them")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    parser.add_argument("--application", type=Path, metavar="FILE", help="the application (YAML)")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="a supplier's plan, which says the same")


STEP = Step(
    "apply",
    "applies for a round at the combining agency (suppliers and users)",
    "all",
    body,
    writes=("keys", "evidence"),
    arguments=arguments,
)
