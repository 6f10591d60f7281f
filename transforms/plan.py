"""The plan (가명처리 계획) as a frozen model: what happens to every column of a data set, for one recipient, and why."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field, SerializeAsAny

from transforms.technique import Model, RowTechnique, Technique

Kind = Literal["identifier", "quasi-identifier", "sensitive", "attribute"]


class Application(Model):
    number: str
    applicant: str | None = None
    date_: date | None = None
    stage: Literal["new", "supplement"] = "new"


class Purpose(Model):
    kind: Literal["statistics", "scientific-research", "public-interest-archiving"]
    statement: str
    legal_basis: str


class Use(Model):
    form: Literal["internal-same-department", "internal-other-department", "third-party", "public"]
    recipient: str
    place: Literal["closed", "open"]
    from_: date
    until: date
    holds: tuple[str, ...] = ()


class People(Model):
    responsible: str | None = None
    author: str | None = None
    operator: str | None = None
    processors: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


class StopRequests(Model):
    """Table of the subjects who asked to stop (처리정지 요구, §37) and how fresh it must be."""

    table: str
    key: str
    at: str | None = None
    scope: str | None = None
    max_age: str = "1d"


class Period(Model):
    column: str
    every: Literal["day", "month"]


class Source(Model):
    """One source table. `row_key` is unique; `row-number` stands for the row's place in the pinned version."""

    table: str
    row_key: tuple[str, ...] | Literal["row-number"]
    subject: str | None = None
    stop_requests: StopRequests | None = None
    period: Period | None = None


class Sample(Model):
    """Sampling of subjects: n = floor(N x fraction), or `n`. `of` names the subject where there are several tables."""

    technique: Literal["simple"] = "simple"
    replacement: Literal[False] = False
    fraction: float | None = Field(default=None, gt=0, le=1)
    n: int | None = Field(default=None, gt=0)
    of: str | None = None


class SumOf(Model):
    """derive: {sum: COLUMNS}: the sum of final cells; null if one is null, unless `nulls: zero`."""

    sum: str | tuple[str, ...]
    nulls: Literal["null", "zero"] = "null"


class LargestOf(Model):
    """derive: {largest: COLUMNS, as: CAPTURE}: the name of the largest of final cells.

    `as` names the capture whose text (or label) is the value; ties go to the `first` or `last` column
    in source order; where all are zero or null the value is `none`.
    """

    largest: str | tuple[str, ...]
    as_: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    ties: Literal["first", "last"] = "first"
    none: str | None = None


class ColumnRule(Model):
    """What happens to one column (or, with a glob or captures in its name, to each of several)."""

    label: str | None = None
    kind: Kind
    legal: Literal["sensitive-23", "unique-24", "rrn"] | None = None
    act: str | None = None
    article: str | None = None
    requirement: str | None = None
    unit: str | None = None
    coding: dict[str, str] = Field(default_factory=dict)
    secret: tuple[str, ...] = ()
    apply: tuple[SerializeAsAny[Technique], ...] | None = None
    derive: SumOf | LargestOf | None = None


class Frequency(Model):
    """Classes of the final cells of `columns` with fewer than `below` subjects (or rows)."""

    columns: tuple[str, ...]
    below: int = Field(gt=1)
    count: Literal["subject", "row"] = "subject"


class Find(Model):
    frequency: Frequency


class LocalSuppression(Model):
    """Treatment: the cells of `columns` become null in the classes found, then records are removed."""

    columns: tuple[str, ...]


class Treat(Model):
    local_suppression: LocalSuppression = Field(alias="local-suppression")


class OutlierRule(Model):
    find: Find
    treat: Treat


class OutlierLimits(Model):
    """Largest share of cells (of the treated columns) and of rows that outlier rules may change; beyond: exit 1."""

    cells: float = Field(default=0.05, ge=0, le=1)
    rows: float = Field(default=0.01, ge=0, le=1)
    recheck: Literal["stop", "report"] = "stop"


class KAnonymity(Model):
    """k in distinct subjects over `columns` (the delivered quasi-identifiers where not said)."""

    k: int = Field(ge=2)
    columns: tuple[str, ...] | None = None


class Adequacy(Model):
    k_anonymity: KAnonymity | None = Field(default=None, alias="k-anonymity")
    reviewers: int | None = Field(default=None, ge=3)
    on_failure: Literal["stop"] = "stop"


class Keep(Model):
    reason: str
    until: date


class AdditionalInformation(Model):
    """What becomes of the additional information (추가정보): gone after publishing, or kept encrypted."""

    destroy: Literal["approved"] | None = None
    keep: Keep | None = None


class Output(Model):
    table: str


class Subject(Model):
    """A person (정보주체) whose rows stand in several tables: the register lists each once."""

    register_: str
    key: str
    stop_requests: StopRequests | None = None


class Pseudonym(Model):
    """A pseudonym domain: all columns that name this person get the same pseudonym."""

    technique: Literal["keyed-token"]
    stable_over: str | None = None
    length: int = Field(default=26, ge=13, le=26)


class TablePlan(Model):
    """One table of a plan with several (`tables:`)."""

    source: str
    row_key: tuple[str, ...] | Literal["row-number"]
    subject: dict[str, str] = Field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    rows: tuple[SerializeAsAny[RowTechnique], ...] = ()
    columns: dict[str, ColumnRule]
    outliers: tuple[OutlierRule, ...] = ()


class InternalCombination(Model):
    link: str
    key_after: Literal["delete", "keep-until-series-end"] = "delete"


class Plan(Model):
    """A validated plan. Either `source` and `columns`, or `subjects` and `tables`."""

    format: Literal[1]
    plan: str
    application: Application
    purpose: Purpose
    use: Use
    people: People = People()
    source: Source | None = None
    excluded: tuple[str, ...] = ()
    sample: Sample | None = None
    rows: tuple[SerializeAsAny[RowTechnique], ...] = ()
    columns: dict[str, ColumnRule] = Field(default_factory=dict)
    subjects: dict[str, Subject] = Field(default_factory=dict)
    pseudonyms: dict[str, Pseudonym] = Field(default_factory=dict)
    tables: dict[str, TablePlan] = Field(default_factory=dict)
    internal_combination: InternalCombination | None = None
    outliers: tuple[OutlierRule, ...] = ()
    outlier_limits: OutlierLimits = OutlierLimits()
    adequacy: Adequacy = Adequacy()
    additional_information: AdditionalInformation
    output: Output
    time_zone: str = "UTC"

    def canonical(self) -> dict[str, Any]:
        """The plan as plain data, for its fingerprint: defaults filled in, aliases as in YAML."""
        return self.model_dump(mode="json", by_alias=True)


