"""`documents:` of a plan: what the guideline's forms ask for and no run knows; what stands elsewhere is not asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from transforms.complaint import complain, complaint
from transforms.plan_fields import Day
from transforms.technique import Model


class Applicant(Model):
    """Who applies (신청자, L4345-4347): beside `application.applicant`, who is asked there, and who signs (신청인)."""

    department: str | None = None
    contact: str | None = None
    position: str | None = None
    telephone: str | None = None
    email: str | None = None
    address: str | None = None
    head: str | None = None


class PurposePlan(Model):
    """The plan of statistics, research or archiving (ref. 5, L2923-2955), beside `purpose` and `use`.

    `keeper` and `retention` (기록보관 기관, 보존기간) are asked of archiving in the public interest alone.
    """

    title: str | None = None
    person: str | None = None
    background: str | None = None
    method: str | None = None
    content: str | None = None
    effect: str | None = None
    keeper: str | None = None
    retention: str | None = None


class Data(Model):
    """The base-data specification (기초자료 명세서, L3172-3187): what the data are and how they are handed over."""

    name: str | None = None
    collection: str | None = None
    features: str | None = None
    generation: str | None = None
    provision: str | None = None
    environment: str | None = None


class Handing(Model):
    """How the application says that data are used and handed over (L4351-4354): 처리 환경, 제공 방법, 제공 횟수."""

    environment: tuple[Literal["inside", "outside"], ...] = ()
    delivery: tuple[Literal["online", "offline"], ...] = ()
    times: int | None = Field(default=None, ge=2)


class Verifier(Model):
    """Who looked at processed images, sounds or texts (자체 검증자)."""

    affiliation: str
    name: str


class Unstructured(Model):
    """The self-verification of processed unstructured data (L3309-3323); the engine processes none of these."""

    summary: str
    kinds: str
    source_formats: str
    result_formats: str
    scale: str
    size: str
    items: str
    technique: str
    from_: Day
    until: Day
    place: str
    method: str
    result: str
    verifiers: tuple[Verifier, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Unstructured:
        if self.until < self.from_:
            found = f"{self.until}, before `from` ({self.from_})"
            raise complain([complaint(found, "a day on or after `from`", loc=("until",))])
        return self


class Documents(Model):
    """What stands in the forms because somebody says so. What is left out stays a blank to be filled in by hand."""

    applicant: Applicant = Applicant()
    plan: PurposePlan = PurposePlan()
    data: Data = Data()
    handing: Handing = Handing()
    attachments: tuple[str, ...] = ()
    meeting: str | None = None
    unstructured: Unstructured | None = None
