"""The outlier rules of a plan (특이정보 처리): pairs of what is found and how it is treated, in order."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, model_serializer, model_validator

from transforms.complaint import complain, complaint
from transforms.plain import plain
from transforms.technique import Model
from transforms.techniques.parameters import Share, Unit

Names = Annotated[tuple[str, ...], Field(min_length=1)]
Ends = Literal["both", "upper", "lower"]


class Frequency(Model):
    """Frequency table (도수분포표): classes of the cells of `columns` with fewer than `below` subjects (or rows).

    Null is a value of its own. Source: guideline L2264-2280.
    """

    columns: Names
    below: int = Field(gt=1)
    count: Literal["subject", "row"] = "subject"


class RareCombinations(Model):
    """Minimal rare combinations (희귀 조합): cells of up to `size` of the columns that fewer than `below` share,
    while any fewer of these cells are shared by `below` or more.

    With `below: 2` these are the minimal sample uniques. A null cell is no part of a combination.
    """

    columns: Names
    below: int = Field(default=2, gt=1)
    size: int = Field(default=3, ge=1, le=3)
    count: Literal["subject", "row"] = "subject"


class NumberFind(Model):
    """What the finds on one column of numbers (dates, times) share: the classes `within` which they look.

    Without `within` the whole table is one class. Null cells are never found; a null in `within` is a class.
    """

    column: str
    within: tuple[str, ...] = ()
    side: Ends = "both"


class ThreeSigma(NumberFind):
    """3-sigma rule (3시그마 규칙): cells further than `factor` standard deviations from their class's mean.

    The standard deviation is that of the class itself (divided by n). Source: guideline L2266-2267.
    """

    factor: Unit = 3


class Iqr(NumberFind):
    """Interquartile range (사분위 범위): cells more than `factor` x (Q3 - Q1) below Q1 or above Q3.

    A quartile is the smallest value whose cumulative share is at least a quarter (three quarters).
    """

    factor: Unit = Decimal("1.5")


class QuantileFind(NumberFind):
    """Cells beyond a quantile (분위수): the smallest value whose cumulative share is at least `q`."""

    q: Share
    side: Literal["upper", "lower"] = "upper"


FindKind: TypeAlias = Frequency | RareCombinations | ThreeSigma | Iqr | QuantileFind


class LocalSuppression(Model):
    """Local suppression (로컬 삭제): the cells found become null; what stays rare loses its record.

    `columns` are those of `find` that may lose cells (all, where not said). With `importance` (by column, higher
    is more important) not all of them go together: the fewest and least important cells do, found greedily.
    Source: guideline L2292-2328.
    """

    columns: tuple[str, ...] = ()
    importance: dict[str, Annotated[int, Field(gt=0)]] = Field(default_factory=dict)


class RemoveRecords(Model):
    """Record suppression (행 삭제): the records with what is found are removed. Source: guideline L2330-2351."""


class ParentCategory(Model):
    """Parent category (단일 속성으로 대체): rare values alone become their value at `level` of a hierarchy.

    `column` is one of `find`'s (the only one, where not said); it becomes text. Source: guideline L2357-2370.
    """

    hierarchy: str
    level: str
    column: str | None = None

    def hierarchy_file(self) -> str:
        """The file that the loader reads."""
        return self.hierarchy


class LocalGeneralization(Model):
    """Local generalization (로컬 일반화): values become their range, as text; all others stay, as text.

    `scope: class`: all values of the classes `by` that hold something found; `scope: cell`: the cells found
    alone. `as: range`: the range of the class's values (to whole multiples of `unit`, outwards); a class of one
    value has no range, and becomes null. `as: beyond` (cells): "80초과", the bound brought to a multiple of
    `unit`. `by` is `find`'s classes where not said. Source: guideline L2057-2073, L2372-2404.
    """

    column: str | None = None
    scope: Literal["class", "cell"] = "class"
    by: tuple[str, ...] | None = None
    as_: Literal["range", "beyond"] = "range"
    unit: Unit | None = None
    above: str = "초과"
    below: str = "미만"

    @model_validator(mode="after")
    def _beyond(self) -> LocalGeneralization:
        if self.as_ == "beyond" and self.scope == "class":
            raise complain([complaint("`as: beyond` of a whole class", "`scope: cell` with it", None, ("as",))])
        if self.as_ == "beyond" and self.unit is None:
            allowed = "`unit` with it, for a measured bound is not published"
            raise complain([complaint("`as: beyond` without a unit", allowed, None, ("as",))])
        return self


class Microaggregation(Model):
    """Microaggregation (부분 총계) of outliers: they become the mean or median of their class's outliers (on the
    same side), or of all of the class. Source: guideline L2406-2438.

    A class's only outlier would be its own mean: it becomes that of the whole class.
    """

    statistic: Literal["mean", "median"] = "mean"
    of: Literal["outliers", "class"] = "outliers"


class EndCoding(Model):
    """Top or bottom coding (상하단코딩) of outliers: they become the bound (to a multiple of `unit`, inwards), or
    the mean of their class's outliers (of the whole class, where there is only one)."""

    replace: Literal["cut", "mean"] = "mean"
    unit: Unit | None = None


TreatKind: TypeAlias = (
    LocalSuppression | RemoveRecords | ParentCategory | LocalGeneralization | Microaggregation | EndCoding
)


class _OneOf(Model):
    """A mapping with exactly one of its keys; the others are left out when it is written."""

    @model_validator(mode="after")
    def _exactly_one(self) -> _OneOf:
        named = self._named()
        if len(named) != 1:
            known = ", ".join(one.alias or name for name, one in type(self).model_fields.items())
            found = " and ".join(f"`{name}`" for name, _ in named) or "nothing"
            raise complain([complaint(found, f"one of: {known}")])
        return self

    @model_serializer
    def _without_others(self) -> dict[str, Any]:
        return {name: plain(value) for name, value in self._named()}

    def _named(self) -> list[tuple[str, Any]]:
        fields = type(self).model_fields.items()
        values = ((field.alias or name, getattr(self, name)) for name, field in fields)
        return [(name, value) for name, value in values if value is not None]

    @property
    def name(self) -> str:
        """Its name in the plan."""
        return self._named()[0][0]


class Find(_OneOf):
    """How an outlier rule finds outliers (특이정보), on the cells that the rules before it left."""

    frequency: Frequency | None = None
    rare_combinations: RareCombinations | None = Field(default=None, alias="rare-combinations")
    three_sigma: ThreeSigma | None = Field(default=None, alias="three-sigma")
    iqr: Iqr | None = None
    quantile: QuantileFind | None = None

    @property
    def one(self) -> FindKind:
        return self._named()[0][1]  # type: ignore[no-any-return]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose cells are found."""
        one = self.one
        return (one.column,) if isinstance(one, NumberFind) else one.columns


class Treat(_OneOf):
    """What an outlier rule does with them."""

    local_suppression: LocalSuppression | None = Field(default=None, alias="local-suppression")
    record_suppression: RemoveRecords | None = Field(default=None, alias="record-suppression")
    categorization: ParentCategory | None = None
    local_generalization: LocalGeneralization | None = Field(default=None, alias="local-generalization")
    microaggregation: Microaggregation | None = None
    top_coding: EndCoding | None = Field(default=None, alias="top-coding")
    bottom_coding: EndCoding | None = Field(default=None, alias="bottom-coding")

    @property
    def one(self) -> TreatKind:
        return self._named()[0][1]  # type: ignore[no-any-return]


class OutlierRule(Model):
    """One find-and-treat pair; a plan's pairs work in order."""

    find: Find
    treat: Treat

    @property
    def classes(self) -> tuple[str, ...]:
        """The columns whose cells make the classes that `find` looks at or within."""
        one = self.find.one
        return one.within if isinstance(one, NumberFind) else one.columns

    @property
    def treated(self) -> tuple[str, ...]:
        """The columns whose cells it may change; none where it removes records."""
        treat = self.treat.one
        match treat:
            case RemoveRecords():
                return ()
            case LocalSuppression():
                return treat.columns or self.find.columns
            case ParentCategory() | LocalGeneralization():
                return (treat.column,) if treat.column is not None else self.find.columns
            case _:
                return self.find.columns

    @property
    def by(self) -> tuple[str, ...]:
        """The classes of whose values a treatment takes its range."""
        treat = self.treat.one
        named = treat.by if isinstance(treat, LocalGeneralization) else None
        return self.classes if named is None else named

    def columns(self) -> tuple[str, ...]:
        """Every column that it names, once."""
        return tuple(dict.fromkeys((*self.find.columns, *self.classes, *self.treated, *self.by)))

    def named(self) -> Iterator[tuple[str, str]]:
        """Every place that names a column, below the rule's own path, and the column."""
        find, treat = self.find.one, self.treat.one
        if isinstance(find, NumberFind):
            yield f"find.{self.find.name}.column", find.column
            yield from _places(f"find.{self.find.name}.within", find.within)
        else:
            yield from _places(f"find.{self.find.name}.columns", find.columns)
        if isinstance(treat, LocalGeneralization) and treat.by is not None:
            yield from _places(f"treat.{self.treat.name}.by", treat.by)
        if isinstance(treat, LocalGeneralization) and treat.column is not None:
            yield f"treat.{self.treat.name}.column", treat.column


def _places(path: str, columns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for number, column in enumerate(columns):
        yield f"{path}[{number}]", column


class OutlierLimits(Model):
    """Largest share of (treated) cells and of rows that an outlier rule may change; beyond: exit 1.

    What a rule leaves rare, or a later one makes rare again, is exit 1 as well. `recheck: report` counts both
    for the reviewers instead.
    """

    cells: float = Field(default=0.05, ge=0, le=1)
    rows: float = Field(default=0.01, ge=0, le=1)
    recheck: Literal["stop", "report"] = "stop"
