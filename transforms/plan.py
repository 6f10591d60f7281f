"""The plan (가명처리 계획) as a frozen model: what happens to every column, for one recipient, and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from transforms.complaint import complain, complaint
from transforms.plan_documents import Documents
from transforms.plan_fields import ColumnSteps, Day, Form, FurtherEntry, RowSteps, Span
from transforms.plan_later import LATER, leave_out_later
from transforms.plan_measures import AlphaKAnonymity, BetaLikeness, DeltaDisclosure, LDiversity, TCloseness
from transforms.plan_outliers import OutlierLimits, OutlierRule
from transforms.plan_review import Leftovers, NewOutliers, UtilityLimits
from transforms.plan_risk import Risk
from transforms.plan_sample import Sample
from transforms.technique import Model

Kind = Literal["identifier", "quasi-identifier", "sensitive", "attribute"]


class Application(Model):
    """The application (신청) that asks for the data; `number` names the folder of what is published."""

    number: str
    applicant: str | None = None
    date_: Day | None = None
    stage: Literal["new", "supplement"] = "new"


class Purpose(Model):
    """What the data are processed for (처리 목적), and the article that allows it (guideline L306-312).

    `items` are the columns that the purpose needs (names or patterns), each with the reason why (L325).
    """

    kind: Literal["statistics", "scientific-research", "public-interest-archiving"]
    statement: str
    legal_basis: str
    items: Annotated[dict[str, str] | None, LATER] = None


class Use(Model):
    """Who uses the result, where, from which day until which; `holds` is data that the user has already."""

    form: Form
    recipient: str
    place: Literal["closed", "open"]
    from_: Day
    until: Day
    holds: tuple[str, ...] = ()


class People(Model):
    """Who does what. Reviewers neither wrote nor carry out the plan; users can't reach the source.

    `chair` leads the review (위원장), `privacy_officer` countersigns its overall result. `small_organisation` is why a
    small enterprise (소상공인) can't keep users and handlers apart (L1647); every run enters it in the ledger.
    """

    responsible: str | None = None
    author: str | None = None
    operator: str | None = None
    processors: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    chair: Annotated[str | None, LATER] = None
    privacy_officer: Annotated[str | None, LATER] = None
    small_organisation: Annotated[str | None, LATER] = None


class StopRequests(Model):
    """Table of the subjects who asked to stop (처리정지 요구, §37) and how fresh it must be."""

    table: str
    key: str
    at: str | None = None
    scope: str | None = None
    max_age: Span = "1d"


class Period(Model):
    """Repeated runs: the date or time column by which a run takes one period alone."""

    column: str
    every: Literal["day", "week", "month", "quarter", "year"]


class Source(Model):
    """One source table. `row_key` is unique; `row-number` is the row's place in the pinned version."""

    table: str
    row_key: tuple[str, ...] | Literal["row-number"]
    subject: str | None = None
    stop_requests: StopRequests | None = None
    period: Period | None = None


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


def _derivation(raw: object) -> str | None:
    """Which derivation it is, by the key that names it."""
    for key, tag in (("sum", "SumOf"), ("largest", "LargestOf")):
        if key in raw if isinstance(raw, dict) else hasattr(raw, key):
            return tag
    return None


Derivation = Annotated[
    Annotated[SumOf, Tag("SumOf")] | Annotated[LargestOf, Tag("LargestOf")],
    Discriminator(_derivation),
]


class ColumnRule(Model):
    """What happens to one column (or, with a glob or captures in its name, to each of several).

    Either `apply` (steps, in order; `keep` is one) or `derive` (from final cells of other columns).
    `legal` marks sensitive information (민감정보, §23), unique identification information
    (고유식별정보, §24) and resident registration numbers, which need `act` and `article`.
    """

    label: str | None = None
    kind: Kind
    legal: Literal["sensitive-23", "unique-24", "rrn"] | None = None
    act: str | None = None
    article: str | None = None
    requirement: str | None = None
    unit: str | None = None
    coding: dict[str, str] = Field(default_factory=dict)
    secret: tuple[str, ...] = ()
    apply: ColumnSteps | None = None
    derive: Derivation | None = None

    @model_validator(mode="after")
    def _one_effect(self) -> ColumnRule:
        if (self.apply is None) == (self.derive is None):
            if self.derive is not None:
                raise complain([complaint("both `apply` and `derive`", "one of them")])
            hint = "to leave the cells as they are, write `apply: keep`"
            raise complain([complaint("neither `apply` nor `derive`", "one of them", hint)])
        return self


class KAnonymity(Model):
    """k in distinct subjects over `columns` (the delivered quasi-identifiers where not said)."""

    k: int = Field(ge=2)
    columns: tuple[str, ...] | None = None


class Adequacy(Model):
    """What the delivered data must meet (적정성), and by how many reviewers it is judged, how many of them external.

    `unique-values` is the largest share of a generalized column's cells whose value one record alone holds.
    """

    k_anonymity: KAnonymity | None = Field(default=None, alias="k-anonymity")
    unique_values: float | None = Field(default=None, alias="unique-values", ge=0, le=1)
    reviewers: int | None = Field(default=None, ge=3)
    external: Annotated[int | None, LATER] = Field(default=None, ge=0)
    l_diversity: Annotated[LDiversity | None, LATER] = Field(default=None, alias="l-diversity")
    t_closeness: Annotated[TCloseness | None, LATER] = Field(default=None, alias="t-closeness")
    alpha_k_anonymity: Annotated[AlphaKAnonymity | None, LATER] = Field(default=None, alias="alpha-k-anonymity")
    beta_likeness: Annotated[BetaLikeness | None, LATER] = Field(default=None, alias="beta-likeness")
    delta_disclosure: Annotated[DeltaDisclosure | None, LATER] = Field(default=None, alias="delta-disclosure")
    leftovers: Annotated[Leftovers | None, LATER] = None
    new_outliers: Annotated[NewOutliers | None, LATER] = None
    utility: Annotated[UtilityLimits | None, LATER] = None
    on_failure: Literal["stop"] = "stop"


class Keep(Model):
    """Additional information kept, encrypted: why, and until when."""

    reason: str
    until: Day


class AdditionalInformation(Model):
    """What becomes of the additional information (추가정보): gone after publishing, or kept encrypted."""

    destroy: Literal["approved"] | None = None
    keep: Keep | None = None

    @model_validator(mode="after")
    def _one_fate(self) -> AdditionalInformation:
        if (self.destroy is None) == (self.keep is None):
            found = "neither `destroy` nor `keep`" if self.keep is None else "both `destroy` and `keep`"
            raise complain([complaint(found, "`destroy: approved`, or `keep: {reason, until}`")])
        return self


class Output(Model):
    """The published table's name. `records: withheld` delivers the aggregate tables of `further` alone."""

    table: str
    records: Literal["delivered", "withheld"] = "delivered"


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
    period: Annotated[Period | None, LATER] = None
    rows: RowSteps = ()
    columns: dict[str, ColumnRule]
    outliers: tuple[OutlierRule, ...] = ()
    further: dict[str, FurtherEntry] = Field(default_factory=dict)


class InternalCombination(Model):
    """Tables of one controller linked by a subject's pseudonym (guideline L767-781)."""

    link: str
    key_after: Literal["delete", "keep-until-series-end"] = "delete"


class Contribution(Model):
    """What a party (결합신청자) of a combination supplies by this plan.

    `name` is the combination file's, `subject` the subject's column (or its name under `subjects`), `key` names by
    the file's key columns those of the register that they are made of. Of these none is delivered but `cleared` ones,
    each with the reason why nobody is recognized by it (guideline L1553).
    """

    name: str
    party: str
    subject: str
    key: dict[str, str] = Field(min_length=1)
    cleared: dict[str, str] = Field(default_factory=dict)


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
    rows: RowSteps = ()
    columns: dict[str, ColumnRule] = Field(default_factory=dict)
    subjects: dict[str, Subject] = Field(default_factory=dict)
    pseudonyms: dict[str, Pseudonym] = Field(default_factory=dict)
    tables: dict[str, TablePlan] = Field(default_factory=dict)
    internal_combination: InternalCombination | None = None
    combination: Annotated[Contribution | None, LATER] = None
    outliers: tuple[OutlierRule, ...] = ()
    outlier_limits: OutlierLimits = OutlierLimits()
    further: dict[str, FurtherEntry] = Field(default_factory=dict)
    risk: Annotated[Risk | None, LATER] = None
    adequacy: Adequacy = Adequacy()
    additional_information: AdditionalInformation
    documents: Annotated[Documents | None, LATER] = None
    output: Output
    time_zone: str = "UTC"

    def periods(self) -> dict[str, Period]:
        """The tables' periods by name in the plan (`""` where there is one source); those that have one."""
        named = {"": self.source.period if self.source is not None else None}
        named |= {name: table.period for name, table in self.tables.items()}
        return {name: period for name, period in named.items() if period is not None}

    def canonical(self) -> dict[str, Any]:
        """The plan as plain data with the names of YAML: for its fingerprint, and to be read again."""
        plain: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        leave_out_later(self, plain)
        return plain
