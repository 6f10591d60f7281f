"""Differential privacy (차분 프라이버시): a small table of noised counts, sums and means beside records, or alone."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator
from pydantic_core import InitErrorDetails

from transforms.complaint import complain, complaint
from transforms.further import FurtherTable
from transforms.technique import Language, Model, Wording
from transforms.techniques.parameters import ExactNumber, Unit, refuse

MOST_GROUPS = 10_000
GroupValue = str | int | bool | None
Kind = Literal["count", "sum", "mean", "histogram"]


def _value(raw: object) -> object:
    """A group as the plan writes it: text, whole number, true, false, null; a date is its text."""
    if raw is None or isinstance(raw, (str, int, bool)):
        return raw
    if hasattr(raw, "isoformat"):
        return str(raw)
    raise complain([complaint(f"{type(raw).__name__}", "a text, a whole number, a date, true, false or null")])


Group = Annotated[GroupValue, BeforeValidator(_value)]
Number = Annotated[ExactNumber, PlainSerializer(lambda value: int(value) if value == int(value) else float(value))]
Epsilon = Annotated[Unit, PlainSerializer(lambda value: int(value) if value == int(value) else float(value))]


class Query(Model):
    """One query, answered for every group: a count, a sum, a mean or a histogram, with its own epsilon.

    `count: persons` or `count: rows`; `sum` and `mean` name a delivered column of whole numbers or decimals, whose
    cells are clipped to `bounds`; `histogram` names one and counts its rows below the first of `edges`, between
    each two (the lower one included), and from the last one on. Null cells take no part.
    """

    count: Literal["persons", "rows"] | None = None
    sum: str | None = None
    mean: str | None = None
    histogram: str | None = None
    bounds: tuple[Number, Number] | None = None
    edges: tuple[Number, ...] | None = None
    epsilon: Epsilon

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        asked = [name for name in ("count", "sum", "mean", "histogram") if getattr(self, name) is not None]
        if len(asked) != 1:
            found = " and ".join(f"`{name}`" for name in asked) or "no question"
            refuse(found, "one of `count`, `sum`, `mean`, `histogram`")
        bounded, histogram = asked[0] in ("sum", "mean"), asked[0] == "histogram"
        if bounded and self.bounds is None:
            raise complain([_unbounded(asked[0])])
        if self.bounds is not None and (not bounded or self.bounds[0] >= self.bounds[1]):
            found = f"bounds {list(map(str, self.bounds))}" if bounded else f"`bounds` with `{asked[0]}`"
            refuse(found, "[lowest, highest] of `sum` or `mean`", None, "bounds")
        if histogram != (self.edges is not None) or (self.edges is not None and not _rises(self.edges)):
            found = "nothing" if self.edges is None else "edges that do not rise" if histogram else "`edges`"
            refuse(found, "rising numbers, with `histogram`", None, "edges")
        return self

    @property
    def kind(self) -> Kind:
        """Which question it is."""
        return "count" if self.count else "sum" if self.sum else "mean" if self.mean else "histogram"

    @property
    def column(self) -> str | None:
        """The column whose cells it needs."""
        return self.sum or self.mean or self.histogram


def _unbounded(kind: str) -> InitErrorDetails:
    return complaint(
        f"an unbounded {kind}: one person could change it by any amount, so no noise hides who takes part",
        "`bounds: [lowest, highest]`, chosen without looking at the data",
        None,
        ("bounds",),
        refused=True,
    )


def _rises(edges: tuple[int | Decimal, ...]) -> bool:
    return bool(edges) and all(low < high for low, high in pairwise(edges))


class DifferentialPrivacy(FurtherTable):
    """Noised counts, sums, means and histograms by declared groups (차분 프라이버시): one row for each group.

    Stands under `further`. `by` lists, for each delivered column, the values that make groups; every combination is
    delivered, met or not, and rows of others are left out, so that no group's presence tells anything. The
    unit of privacy is the person: of each, at most `max_groups` groups and `max_rows` rows a group count (the
    first in a keyed order), and their cells are clipped. Discrete Laplace noise of scale sensitivity / epsilon is
    added to whole numbers (OpenDP); a mean is a noised sum about the middle of `bounds` over a noised count, half
    of the epsilon each. The result is (ε, 0)-differentially private under adding or removing one person,
    ε being the sum over all queries. Each run spends its ε of the `budget` of the source table (all its
    versions, all plans: the smallest budget that a plan declared holds); an overspent budget is refused.

    Cells are those of the plan's columns before outlier rules. Null is a group only where `by` lists it; null
    cells are neither summed nor counted. Counts may be negative: they are not corrected. The noise is not
    keyed and is drawn once in a run, after everything else succeeded: running it again gives the same table.

    Kept: totals by group, to within the noise. Lost: every record. Attack: differences of two releases reveal no
    person beyond e^ε; but ε adds up over releases, also over those of other tables about the same persons, which
    the ledger of one table does not see. Who holds the records too gains nothing from the noise. Bounds, edges,
    groups taken from the data itself would tell of it: choose them from public knowledge.

    Refused: an unbounded sum or mean, an overspent budget, a plan with a sample (one person would decide on
    another's membership) or without a subject, columns with measured steps (a cut-off is not private), groups
    by floats or serial numbers. Source: guideline L2241-2247.
    """

    name: ClassVar[str] = "differential-privacy"
    korean: ClassVar[str] = "차분 프라이버시"

    by: dict[str, tuple[Group, ...]] = Field(default_factory=dict)
    max_groups: int = Field(default=1, ge=1)
    max_rows: int = Field(default=1, ge=1)
    queries: dict[str, Query] = Field(min_length=1)
    budget: Epsilon

    @model_validator(mode="after")
    def _sound(self) -> Self:
        size = 1
        for column, values in self.by.items():
            if not values or len(set(map(repr, values))) < len(values):
                found = "a group twice" if values else "no group"
                refuse(found, "the values that make groups, each once", None, "by", column)
            size *= len(values)
        if size > MOST_GROUPS:
            refuse(f"{size} groups", f"at most {MOST_GROUPS}", "fewer columns or values", "by")
        for name in self.queries:
            if not name.isidentifier() or name in self.by:
                allowed = "letters, digits and _, and no name of `by`"
                refuse(f"query name {name!r}", allowed, None, "queries", name)
        if self.epsilon > Decimal(self.budget):
            raise complain(
                [
                    complaint(
                        f"queries that spend {self.epsilon} of a budget of {self.budget}",
                        "a sum of epsilons within the budget",
                        None,
                        ("budget",),
                        refused=True,
                    )
                ]
            )
        return self

    @property
    def epsilon(self) -> Decimal:
        """What one run spends: the sum over its queries."""
        return sum((Decimal(query.epsilon) for query in self.queries.values()), Decimal(0))

    @property
    def groups(self) -> int:
        """How many groups there are."""
        size = 1
        for values in self.by.values():
            size *= len(values)
        return size

    def wording(self, language: Language) -> Wording:
        by = ", ".join(self.by)
        if language == "ko":
            of = f"{by}별 집단 {self.groups}개" if by else "전체"
            return Wording(
                self.korean,
                f"{of}의 집계 {len(self.queries)}종에 이산 라플라스 잡음, ε = {self.epsilon}; "
                f"한 사람은 집단 {self.max_groups}개, 집단마다 {self.max_rows}건까지 반영",
            )
        of = f"{self.groups} groups by {by}" if by else "the whole"
        return Wording(
            "differential privacy",
            f"discrete Laplace noise on {len(self.queries)} aggregates of {of}, ε = {self.epsilon}; "
            f"a person counts in at most {self.max_groups} groups and {self.max_rows} rows of each",
        )
