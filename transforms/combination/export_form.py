"""The application for export (반출신청서, ref. 7: guideline L3010-3060) as a frozen model, read from YAML 1.2."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from transforms.complaint import complain, complaint
from transforms.errors import PlanError, Problem
from transforms.plan_faults import problems_of
from transforms.plan_places import placed, places, read_text
from transforms.purpose import is_vague
from transforms.technique import Model
from transforms.yaml_nodes import read_yaml

KIND = "export application"


class Applicant(Model):
    """Who applies (결합신청자)."""

    organisation: str = Field(min_length=1)
    registration: str = Field(min_length=1)
    address: str = Field(min_length=1)
    representative: str = Field(min_length=1)
    contact: str = Field(min_length=1)
    reach: str = Field(min_length=1)


class ExportPurpose(Model):
    """What the exported data are for (반출 목적)."""

    kind: Literal["statistics", "scientific-research", "public-interest-archiving"]
    statement: str

    @model_validator(mode="after")
    def _says_something(self) -> ExportPurpose:
        if is_vague(self.statement):
            found = "a purpose that does not say what is studied"
            raise complain([complaint(found, "what is studied, and in what respect", loc=("statement",), refused=True)])
        return self


class Surroundings(Model):
    """Where and how the exported data are used (활용 형태, 처리 장소, 방법): what holds after the export (L1606)."""

    form: Literal["internal-same-department", "internal-other-department", "third-party"]
    place: Literal["closed", "open"]
    method: str = Field(min_length=1)


class Attachments(Model):
    """Files beside the application (첨부 서류): the safety plan always, the others where they are asked for."""

    safety: tuple[str, ...] = Field(min_length=1)
    purpose: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


class ExportForm(Model):
    """An application for export. Whether it is the first of a series (최초) or a further one (추가) is not asked:
    the rounds tell. The receipt number (반출접수번호) is the combining agency's."""

    format: Literal[1]
    applicant: Applicant
    file: str = Field(min_length=1)
    purpose: ExportPurpose
    information: Literal["pseudonymous", "anonymous"]
    receive: Literal["online", "offline", "analysis-space"]
    support: tuple[Literal["analysis", "education"], ...] = ()
    environment: Surroundings
    attachments: Attachments


def load_export_form(path: str | Path) -> ExportForm:
    """The application in a file; PlanError with every problem in it, each with its line and path.

    The attached files are not opened.
    """
    file = Path(path)
    root, problems = read_yaml(read_text(file, KIND), file.name)
    try:
        form = ExportForm.model_validate(root.plain())
    except ValidationError as error:
        problems += problems_of(error.errors(include_url=False), root, file.name, ExportForm)
        form = None
    if problems or form is None:
        lines, files = places(root, file.name)
        named: list[Problem] = [placed(one, lines, files, file.name) for one in problems]
        raise PlanError(named)
    return form
