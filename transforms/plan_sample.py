"""`sample:` of a plan (표본추출): which persons are drawn; one model for each technique (guideline L2192-2197).

Sampling always is by subject (정보주체): all rows of a drawn person stay, in all tables of that person. What is
drawn depends on the run's keys alone, never on how the data are cut or ordered. Kept: the share of each kind of
person, within the limits of chance. Lost: everybody who is not drawn. Attack: whoever knows that a person is in
the sample gains what the sample was to prevent, so membership is no secret that a release may rest on; a recipient
who holds a stratum or cluster with few persons in the source knows them all: coarsen `by`, or ask for k.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import InitErrorDetails

from transforms.complaint import Location, complain, complaint, did_you_mean
from transforms.technique import Model

Path = tuple[str, ...]


def _one_size(sample: SizedSample) -> list[InitErrorDetails]:
    if (sample.fraction is None) != (sample.n is None):
        return []
    found = "neither `fraction` nor `n`" if sample.n is None else "both `fraction` and `n`"
    return [complaint(found, "one of them")]


class SizedSample(Model):
    """What has one size: n = floor(N x fraction), or `n`. `of` names the subject of several tables.

    `secret` keeps the size out of what recipients read; the share of an open sample is published.
    """

    fraction: float | None = Field(default=None, gt=0, le=1)
    n: int | None = Field(default=None, gt=0)
    of: str | None = None
    secret: tuple[Literal["fraction", "n"], ...] = ()


class SimpleSample(SizedSample):
    """단순 무작위 표본추출: every set of n persons is as likely as any other.

    `replacement: true` (복원): n draws of one person each; a person who is drawn m times appears m times, each copy
    with its own place in the order and its own serial number. `copies: linked` gives all copies of a person the
    same pseudonym, `apart` each its own; cells made by other steps are the same in all copies.
    `stable_over: SERIES` takes the persons whose draw under the series' secret lies below the fraction: a growing
    table keeps its earlier members, and n is not exact.
    """

    technique: Literal["simple"] = "simple"
    replacement: bool = False
    copies: Literal["linked", "apart"] | None = None
    stable_over: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> SimpleSample:
        wrong = [*_one_size(self), *_stable_by_fraction(self)]
        if self.replacement and self.copies is None:
            hint = "linked: the copies of a person have one pseudonym; apart: each has its own"
            wrong.append(complaint("`replacement: true` without `copies`", "`copies: linked` or `apart`", hint))
        if self.copies is not None and not self.replacement:
            wrong.append(complaint("`copies` without `replacement: true`", "no `copies`", None, ("copies",)))
        if self.replacement and self.stable_over is not None:
            allowed = "`stable_over` of samples without replacement"
            wrong.append(complaint("`stable_over` beside `replacement: true`", allowed, None, ("stable_over",)))
        if wrong:
            raise complain(wrong)
        return self


class SystematicSample(SizedSample):
    """계통적 표본추출: every N/n-th person from a keyed start, exactly n; each person is as likely as any other.

    Persons stand in the order of `order_by` (numbers, dates, times; equal ones in keyed order, null last), or in
    keyed order where it is not said.
    """

    technique: Literal["systematic"]
    order_by: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> SystematicSample:
        if wrong := _one_size(self):
            raise complain(wrong)
        return self


class ClusterSample(SizedSample):
    """집락 표본추출: `n` (or a fraction) of the clusters that `cluster` names, and all persons of these.

    A person without a cluster (null) is refused. With `stable_over: SERIES` a cluster that was drawn stays drawn,
    and the number of clusters is not exact.
    """

    technique: Literal["cluster"]
    cluster: str
    stable_over: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> ClusterSample:
        if wrong := [*_one_size(self), *_stable_by_fraction(self)]:
            raise complain(wrong)
        return self


def _stable_by_fraction(sample: SimpleSample | ClusterSample) -> list[InitErrorDetails]:
    if sample.stable_over is None or sample.n is None:
        return []
    hint = "who is drawn must not depend on how many others there are, so n can't be exact"
    return [complaint("`n` beside `stable_over`", "`fraction`", hint, ("n",))]


def _numbers(raw: object) -> object:
    """Sizes by stratum: a mapping of cells to whole numbers, nested once for each further column of `by`."""
    wrong: list[InitErrorDetails] = []
    found = _sizes(raw, (), wrong)
    if wrong:
        raise complain(wrong)
    return found


def _sizes(raw: object, loc: Location, wrong: list[InitErrorDetails]) -> Any:
    if isinstance(raw, Mapping) and raw:
        named = {}
        for key, value in raw.items():
            if key is None or isinstance(key, float):
                name = "nothing" if key is None else "a fraction"
                hint = "persons without a value are in no named stratum; `unlisted` says what becomes of them"
                wrong.append(complaint(f"{name} as a stratum", "cells of the columns of `by`", hint, loc))
                continue
            text = str(key).lower() if isinstance(key, bool) else str(key)
            named[text] = _sizes(value, (*loc, text), wrong)
        return named
    if isinstance(raw, int) and not isinstance(raw, bool) and raw > 0:
        return raw
    wrong.append(complaint("no number of persons", "a whole number above 0 for each stratum", None, loc))
    return raw


Sizes = Annotated[dict[str, Any], BeforeValidator(_numbers)]
SizesOrOne = Annotated[int | dict[str, Any], BeforeValidator(_numbers)]


def size_cells(sizes: Mapping[str, Any], before: Path = ()) -> Iterator[tuple[Path, int]]:
    """The strata that a plan names, each with its number."""
    for name, value in sizes.items():
        if isinstance(value, Mapping):
            yield from size_cells(value, (*before, name))
        else:
            yield (*before, name), value


def _depths(by: tuple[str, ...], sizes: Mapping[str, Any], loc: Location) -> list[InitErrorDetails]:
    """A stratum is named by one cell for each column of `by`."""
    wrong = [path for path, _ in size_cells(sizes) if len(path) != len(by)]
    columns = ", ".join(by)
    return [
        complaint(f"a stratum of {len(path)} cells", f"one cell for each of: {columns}", None, (*loc, *path))
        for path in wrong
    ]


class NeymanOf(Model):
    """The column of numbers whose spread within the strata decides; null cells are left out of it."""

    of: str


class NeymanAllocation(Model):
    """allocation: {neyman: {of: COLUMN}}: n by N_h x S_h, with exact standard deviations S_h (Neyman 1934)."""

    neyman: NeymanOf


class FixedAllocation(Model):
    """allocation: {fixed: NUMBER} for every stratum, or {fixed: {STRATUM: NUMBER}}."""

    fixed: SizesOrOne


def _known_allocation(raw: object) -> object:
    allowed = "proportional, {neyman: {of: COLUMN}} or {fixed: NUMBERS}"
    if raw == "neyman":
        raise complain([complaint("neyman without `of`", allowed, "name the column whose spread decides")])
    single = isinstance(raw, Mapping) and len(raw) == 1 and next(iter(raw)) in ("neyman", "fixed")
    if raw == "proportional" or single or isinstance(raw, (NeymanAllocation, FixedAllocation)):
        return raw
    raise complain([complaint("no known allocation", allowed)])


def _allocation(raw: object) -> str:
    if isinstance(raw, str):
        return "proportional"
    neyman = isinstance(raw, NeymanAllocation) or (isinstance(raw, Mapping) and "neyman" in raw)
    return "NeymanAllocation" if neyman else "FixedAllocation"


Allocation = Annotated[
    Annotated[Literal["proportional"], Tag("proportional")]
    | Annotated[NeymanAllocation, Tag("NeymanAllocation")]
    | Annotated[FixedAllocation, Tag("FixedAllocation")],
    Discriminator(_allocation),
    BeforeValidator(_known_allocation),
]


class StratifiedSample(Model):
    """층화 표본추출: so many persons of each stratum, which the columns of `by` make; null is a stratum of its own.

    Proportional and Neyman allocation divide n by largest remainder, so that it is exact. A stratum with fewer
    persons than it should give stops the run, or (`short: report`) is taken whole: under Neyman allocation the
    others then give more, under fixed numbers n is smaller. Strata that fixed numbers do not name stop the run
    too, unless `unlisted: leave-out`.
    """

    technique: Literal["stratified"]
    by: tuple[str, ...] = Field(min_length=1)
    allocation: Allocation = "proportional"
    fraction: float | None = Field(default=None, gt=0, le=1)
    n: int | None = Field(default=None, gt=0)
    short: Literal["refuse", "report"] = "refuse"
    unlisted: Literal["refuse", "leave-out"] = "refuse"
    of: str | None = None
    secret: tuple[Literal["fraction", "n", "allocation"], ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> StratifiedSample:
        wrong: list[InitErrorDetails] = []
        if isinstance(self.allocation, FixedAllocation):
            if self.fraction is not None or self.n is not None:
                wrong.append(complaint("a size beside fixed numbers", "one of them"))
            if isinstance(self.allocation.fixed, dict):
                wrong += _depths(self.by, self.allocation.fixed, ("allocation", "fixed"))
        elif (self.fraction is None) == (self.n is None):
            found = "neither `fraction` nor `n`" if self.n is None else "both `fraction` and `n`"
            wrong.append(complaint(found, "one of them"))
        if wrong:
            raise complain(wrong)
        return self


class QuotaSample(Model):
    """할당 표본추출: fixed numbers of persons of named cells. Within a cell everybody is as likely to be drawn.

    A cell with fewer persons stops the run, or (`short: report`) is taken whole and reported. Who is in no named
    cell is not drawn (`unlisted: leave-out`), or stops the run.
    """

    technique: Literal["quota"]
    by: tuple[str, ...] = Field(min_length=1)
    quota: Sizes
    short: Literal["refuse", "report"] = "refuse"
    unlisted: Literal["refuse", "leave-out"] = "leave-out"
    of: str | None = None
    secret: tuple[Literal["quota"], ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> QuotaSample:
        if wrong := _depths(self.by, self.quota, ("quota",)):
            raise complain(wrong)
        return self


SAMPLES: Mapping[str, type[Model]] = {
    "simple": SimpleSample,
    "systematic": SystematicSample,
    "stratified": StratifiedSample,
    "cluster": ClusterSample,
    "quota": QuotaSample,
}


def _known_technique(raw: object) -> object:
    if not isinstance(raw, Mapping):
        return raw
    technique = raw.get("technique", "simple")
    if not isinstance(technique, str) or technique not in SAMPLES:
        found, known = repr(technique), ", ".join(SAMPLES)
        raise complain([complaint(found, known, did_you_mean(str(technique), SAMPLES), ("technique",))])
    return raw


def _technique(raw: object) -> str:
    """Which model it is, by `technique`."""
    if isinstance(raw, Model):
        return type(raw).__name__
    return SAMPLES[raw.get("technique", "simple")].__name__ if isinstance(raw, Mapping) else "SimpleSample"


Sample: TypeAlias = Annotated[
    Annotated[SimpleSample, Tag("SimpleSample")]
    | Annotated[SystematicSample, Tag("SystematicSample")]
    | Annotated[StratifiedSample, Tag("StratifiedSample")]
    | Annotated[ClusterSample, Tag("ClusterSample")]
    | Annotated[QuotaSample, Tag("QuotaSample")],
    Discriminator(_technique),
    BeforeValidator(_known_technique),
]


def stable_series(sample: Sample | None) -> str | None:
    """The series under whose secret the sample is drawn, where it is one."""
    return sample.stable_over if isinstance(sample, (SimpleSample, ClusterSample)) else None


def with_copies(sample: Sample | None) -> bool:
    """May a person be drawn more than once?"""
    return isinstance(sample, SimpleSample) and sample.replacement


def fixed_sizes(sample: StratifiedSample | QuotaSample) -> int | dict[str, Any] | None:
    """Numbers by stratum, one number for each stratum, or None where a size is divided."""
    if isinstance(sample, QuotaSample):
        return sample.quota
    return sample.allocation.fixed if isinstance(sample.allocation, FixedAllocation) else None


def group_columns(sample: Sample | None) -> tuple[str, ...]:
    """Columns whose cells say to which stratum or cluster a row belongs."""
    if isinstance(sample, (StratifiedSample, QuotaSample)):
        return sample.by
    return (sample.cluster,) if isinstance(sample, ClusterSample) else ()


def measured_column(sample: Sample | None) -> str | None:
    """The column of numbers that a sample is ordered or divided by."""
    if isinstance(sample, SystematicSample):
        return sample.order_by
    if isinstance(sample, StratifiedSample) and isinstance(sample.allocation, NeymanAllocation):
        return sample.allocation.neyman.of
    return None


def named_columns(sample: Sample) -> dict[str, str]:
    """Every column that a sample names, by the path of its place in the plan."""
    if isinstance(sample, ClusterSample):
        return {"sample.cluster": sample.cluster}
    if isinstance(sample, SystematicSample):
        return {"sample.order_by": sample.order_by} if sample.order_by is not None else {}
    if isinstance(sample, SimpleSample):
        return {}
    named = {f"sample.by[{number}]": column for number, column in enumerate(sample.by)}
    if (column := measured_column(sample)) is not None:
        named["sample.allocation.neyman.of"] = column
    return named
