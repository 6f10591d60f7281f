"""What an assessment found: counts, shares, names of columns. JSON out, the same object back; never a cell value."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.identity.legal import Unmarked
from transforms.risk.figures import Figures, RiskFigures


@dataclass(frozen=True)
class Said(Figures):
    """One statement in Korean and in English."""

    ko: str
    en: str


@dataclass(frozen=True)
class FormFound(Figures):
    """Cells of a column that hold an identification number of some `kind`; `verdict`: is, contains, may-contain."""

    kind: str
    verdict: str
    cells: int
    person: bool


@dataclass(frozen=True)
class ColumnRisk(Figures):
    """One delivered source column: `alone` is the share of its cells whose value no other row has.

    `distinct`, `alone` and `entropy` (bits) are estimates where `exact` is false. `rare`: values that fewer rows than
    the threshold have (null: too many values to know); `reach`: standard deviations from the mean to its farther end.
    """

    column: str
    kind: str
    legal: str | None
    rows: int
    nulls: int
    distinct: int
    exact: bool
    alone: float
    entropy: float
    rare: int | None
    reach: float | None
    found: tuple[FormFound, ...]


@dataclass(frozen=True)
class SensitiveRisk(Figures):
    """A sensitive column within the classes of quasi-identifiers, as `transforms.measures.disclosure` tells it: figures
    of the worst class; null where a figure is infinite."""

    column: str
    l: int  # noqa: E741 - its name in the literature
    entropy_l: float
    c: float | None
    alpha: float
    t: float
    beta: float | None
    enhanced_beta: float | None
    delta: float | None


@dataclass(frozen=True)
class HeldRisk(Figures):
    """A declared table like what the recipient holds: shares of our records whose combination stands there (`met`),
    and which are linked to one of its records alone, theirs being the only one, too (`alone`)."""

    table: str
    version: int
    on: tuple[tuple[str, str], ...]
    rows: int
    records: int
    met: float
    alone: float


@dataclass(frozen=True)
class ComingRisk(Figures):
    """Earlier releases and the coming one together, by `columns` that all of them have: `rows`, smallest class `k`, and
    the share of rows `alone`."""

    columns: tuple[str, ...]
    rows: int
    k: int
    alone: float


@dataclass(frozen=True)
class ReleasedRisk(Figures):
    """All that one recipient was given of the same source before: `runs` in order of release, `rows` together.

    `columns` are those by which releases are held against one another. `k` and `alone`: smallest class and share of
    rows alone in the union. `linked` names a pseudonym that stays the same: then rows of one person belong together,
    and `people_alone` is the share of persons whose rows, taken together, no other person has.

    `coming`: the union with what this plan would deliver now (null: that can't be had). Its pseudonyms are the run's
    alone, so rows of persons are held together in the releases before it only.
    """

    runs: tuple[str, ...]
    columns: tuple[str, ...]
    rows: int
    k: int
    alone: float
    linked: str | None
    people_alone: float | None
    coming: ComingRisk | None


@dataclass(frozen=True)
class PlannedRisk(Figures):
    """The figures of what the plan's sample, row rules, steps and outlier rules would deliver.

    `sampled`: by a draw of the plan's method and size under a passing secret; the run draws other people. `left_out`
    names what could not be had: "sample" (drawn in another table), "outliers" (they need whole classes), or
    "outliers-failed" (the rules stop at their own limits, as the run would).
    """

    figures: RiskFigures
    sampled: bool
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class TableRisk(Figures):
    """One source table. `rows` stand in it, `stopped` of them belong to people who asked to stop (`requests` people
    asked), `outside` lie in other periods, `records` are looked at, of `persons` people (null: no subject named).

    `figures` are null without quasi-identifiers or records. `planned`: the same of what the plan would deliver; null
    where that can't be had without the run itself.
    `unmarked`: columns for which `pseudonymize` refuses the plan (§24, §24-2).
    """

    table: str
    source: str
    version: int
    rows: int
    outside: int
    requests: int | None
    stopped: int
    records: int
    persons: int | None
    columns: tuple[ColumnRisk, ...]
    unmarked: tuple[Unmarked, ...]
    figures: RiskFigures | None
    planned: PlannedRisk | None
    sensitive: tuple[SensitiveRisk, ...]
    held: tuple[HeldRisk, ...]
    released: ReleasedRisk | None


@dataclass(frozen=True)
class Answered(Figures):
    """A question of the checklist. `by`: "data" (measured), "plan" (follows from it), "told" (`risk.checklist`).

    `answer` is null where nobody answered. `against`: `risk.checklist` says no where data or plan say yes.
    """

    question: int
    answer: str | None
    by: str | None
    reason: Said | None
    note: str | None
    against: bool


@dataclass(frozen=True)
class Measure(Figures):
    """What an item needs (L547-556): `why` is a question of the checklist, `does` what the plan does with it."""

    table: str
    columns: tuple[str, ...]
    why: int
    needed: Said
    does: Said


@dataclass(frozen=True)
class Exceeded(Figures):
    """A limit of `risk.limits` that what was found is above."""

    limit: str
    table: str
    allowed: float
    found: float


@dataclass(frozen=True)
class Assessment(Figures):
    """The whole review of one plan's source for one run (whose name it bears before the run is made)."""

    run: str
    plan: str
    fingerprint: str
    period: str | None
    threshold: int
    tables: tuple[TableRisk, ...]
    checklist: tuple[Answered, ...]
    measures: tuple[Measure, ...]
    exceeded: tuple[Exceeded, ...]

    @property
    def unanswered(self) -> tuple[int, ...]:
        """The questions that nobody answered."""
        return tuple(one.question for one in self.checklist if one.answer is None)
