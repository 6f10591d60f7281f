"""The application for a combination (결합 신청서): who asks for what, for which purpose, to be held how."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from transforms.combination.model import Combination
from transforms.errors import PlanError
from transforms.plan import Plan, Purpose
from transforms.plan_faults import problems_of
from transforms.plan_fields import Day
from transforms.plan_places import placed, places, read_text
from transforms.purpose import is_vague
from transforms.technique import Model
from transforms.yaml_nodes import read_yaml

Support = Literal["pseudonymization", "mock-combination", "further-processing", "analysis", "training"]


class Applicant(Model):
    """Who applies (신청자): organisation or department, and the person to talk to."""

    organisation: str = Field(min_length=1)
    contact: str = Field(min_length=1)
    position: str | None = None
    phone: str | None = None
    email: str | None = None


class Subject(Model):
    """What is asked for or supplied (신청 명세): its name, what is in it, the period of use (both days with it)."""

    name: str = Field(min_length=1)
    content: str = Field(min_length=1)
    from_: Day
    until: Day


class CombinationApplication(Model):
    """One party's application for one round, by the form of the guideline (L4343-4360; L2953-2995).

    `form`: always by way of a combining agency. `environment` and `place`: where the result is processed.
    `repeated`: one round, or a series. `attachments`: names of what is handed in beside it.
    """

    applicant: Applicant
    purpose: Purpose
    form: Literal["combination"] = "combination"
    controller: Literal["same", "third-party"] = "third-party"
    environment: Literal["inside", "outside"] = "inside"
    place: Literal["closed", "open"] = "closed"
    repeated: Literal["once", "series"] = "once"
    provision: Literal["online", "offline", "analysis-space"] = "online"
    recipient: str = Field(min_length=1)
    subject: Subject
    support: tuple[Support, ...] = ()
    attachments: tuple[str, ...] = ()


def load_application(path: Path) -> CombinationApplication:
    """The application in a YAML file; PlanError with every problem in it, each with its line and path."""
    root, problems = read_yaml(read_text(path, "application"), path.name)
    application: CombinationApplication | None = None
    try:
        application = CombinationApplication.model_validate(root.plain())
    except ValidationError as error:
        problems += problems_of(error.errors(include_url=False), root, path.name, CombinationApplication)
    if problems or application is None:
        lines, files = places(root, path.name)
        raise PlanError([placed(problem, lines, files, path.name) for problem in problems])
    return application


def application_of(plan: Plan, organisation: str, combination: Combination) -> CombinationApplication:
    """What a supplier's plan says already: purpose, period of use, recipient, columns by their labels."""
    rules = [*plan.columns.values(), *(rule for table in plan.tables.values() for rule in table.columns.values())]
    labels = [rule.label for rule in rules if rule.label]
    return CombinationApplication(
        applicant=Applicant(
            organisation=plan.application.applicant or organisation,
            contact=plan.people.responsible or plan.people.author or organisation,
        ),
        purpose=plan.purpose,
        controller="same" if combination.internal else "third-party",
        place=plan.use.place,
        repeated="once" if combination.series is None else "series",
        recipient=plan.use.recipient,
        subject=Subject(
            name=plan.plan, content=", ".join(labels) or plan.output.table, from_=plan.use.from_, until=plan.use.until
        ),
    )


def problems_in(application: CombinationApplication, combination: Combination, today: date) -> list[str]:
    """What the combining agency asks to be put right before it gives a receipt number (guideline L1350-1354)."""
    problems = []
    if is_vague(application.purpose.statement):
        problems.append(
            "purpose.statement is not specific; allowed: what is studied, and in what respect (guideline L306)"
        )
    if application.subject.until < application.subject.from_:
        problems.append("subject: the period of use ends before it begins; allowed: from, then until")
    if application.subject.until < today:
        problems.append(f"subject.until: the use ended on {application.subject.until}; allowed: a later day")
    wanted = "once" if combination.series is None else "series"
    if application.repeated != wanted:
        problems.append(f"repeated: {application.repeated}; allowed: {wanted}, as the combination file says")
    if combination.internal != (application.controller == "same"):
        allowed = "same" if combination.internal else "third-party"
        problems.append(f"controller: {application.controller}; allowed: {allowed}, as the combination file says")
    return problems
