"""A combination (결합) of several organisations' data as a frozen model: who, by which key, when, to what end."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from transforms.combination.key_spec import AT_LEAST_ONE, KeySpec
from transforms.combination.schedule import ONCE, Dues, Every, Period, period_of, periods
from transforms.plain import plain
from transforms.technique import Model

Join = Literal["inner-single", "inner-multi", "inner-full", "outer-single", "anti-inner-single"]
# A join is a table over all patterns of presence; with more suppliers it would be too large.
MOST_PARTIES = 16
# What is joined to one party's records; the others are joined among equals.
BASED: frozenset[Join] = frozenset({"inner-multi", "outer-single", "anti-inner-single"})


def _round_name(raw: object) -> object:
    """Years are written as numbers; every round's name is a text."""
    return str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw


RoundName = Annotated[str, BeforeValidator(_round_name)]


class Roles(Model):
    """Who makes and keeps the salts (결합키관리기관), and who combines (결합전문기관)."""

    key_agency: str
    combining_agency: str


class Party(Model):
    """An applicant (결합신청자): supplies data by the plan `supplies`, or uses the result, or both.

    `optional`: a round may go on without it. `rows: many`: several rows of a subject, which stay a table
    of their own.
    """

    supplies: str | None = None
    uses: bool = False
    optional: bool = False
    rows: Literal["one", "many"] = "one"


class Series(Model):
    """A repeated combination (반복결합): one round for each period from `first` to `last`.

    `keys_due` and `attributes_due` are days after the period's last day; `late` says what becomes of a
    round when a party misses them: cancelled, or made without those that are optional.
    """

    every: Every
    first: RoundName
    last: RoundName
    keys_due: int = Field(ge=1, le=366)
    attributes_due: int = Field(ge=1, le=366)
    late: Literal["cancel", "without-optional"] = "cancel"


class Mock(Model):
    """Mock combination (모의결합) of at most so many subjects of a party, in these rounds."""

    rounds: tuple[RoundName, ...] = AT_LEAST_ONE
    subjects: int = Field(default=1000, ge=1)


class JoinRate(Model):
    """Join rate (결합률): below the floor the round stops; each party may ask so often in a round."""

    floor: float = Field(default=0.0, ge=0, le=1)
    asks: int = Field(default=1, ge=1)


class Extraction(Model):
    """Extraction (가명정보 추출): cover as large as what matches; a person decides where the rest is small."""

    cover: Literal["equal"] = "equal"
    rest_over: int = Field(default=1000, ge=0)


class Options(Model):
    """The optional steps; a step that is not named is not made."""

    mock: Mock | None = None
    join_rate: JoinRate | None = None
    extraction: Extraction | None = None


class Output(Model):
    """What one user gets: kind of join (결합 유형), link id over the rounds, plan of the further processing.

    `optional` (inner-multi alone) names the parties that a record may be without; of the others but the
    base each record has all. Without it a record has the base and at least one other. `plan` is a file
    beside the combination file, or None where nothing is processed further.
    """

    user: str
    join: Join
    base: str | None = None
    optional: tuple[str, ...] | None = None
    link_id: bool = False
    plan: str | None = None


class Export(Model):
    """Export (반출): how many judge it, and whether a written vote does from the second round on (L1592)."""

    reviewers: int = Field(default=3, ge=3)
    simplified: Literal["never", "when-unchanged"] = "never"


class Combination(Model):
    """A validated combination file. `internal`: all parties are one controller (내부결합)."""

    combination: str
    internal: bool = False
    roles: Roles
    parties: dict[str, Party]
    key: KeySpec
    series: Series | None = None
    options: Options = Options()
    outputs: tuple[Output, ...] = AT_LEAST_ONE
    export: Export = Export()

    @property
    def suppliers(self) -> tuple[str, ...]:
        """The parties that supply data, in the file's order."""
        return tuple(name for name, party in self.parties.items() if party.supplies is not None)

    @property
    def users(self) -> tuple[str, ...]:
        """The parties that use a result, in the file's order."""
        return tuple(name for name, party in self.parties.items() if party.uses)

    def output(self, user: str) -> Output:
        """The one output of a user; KeyError for a party that uses none."""
        return {one.user: one for one in self.outputs}[user]

    def rounds(self) -> tuple[str, ...]:
        """Names of all rounds in order: 2024-07, 2024-W27, 2024-Q3 or 2024; `once` without a series."""
        return (ONCE,) if self.series is None else tuple(self._periods)

    def period(self, name: str) -> Period | None:
        """First and last day of a round's period; None without a series. ValueError for no round of it."""
        self._known(name)
        return None if self.series is None else self._periods[name]

    def due(self, name: str) -> Dues | None:
        """Until when keys and attributes must be there; None without a series. ValueError as `period`."""
        period = self.period(name)
        if period is None or self.series is None:
            return None
        return Dues(period.after(self.series.keys_due), period.after(self.series.attributes_due))

    def round_problem(self, name: str) -> str | None:
        """Why a name is no round of this combination (not a name, before its start, after its end), or None."""
        if name in self.rounds():
            return None
        if self.series is None:
            return f"round {name!r}; allowed: {ONCE} (combination {self.combination} has no series)"
        allowed = f"allowed: {self.series.first} to {self.series.last}, one for each {self.series.every}"
        asked = period_of(self.series.every, name)
        if asked is None:
            return f"round {name!r}; {allowed}"
        if asked.last < self._periods[self.rounds()[0]].first:
            return f"round {name} is before the series began; {allowed}"
        return f"round {name} is after the series' end; {allowed}; a longer series is a new combination"

    def _known(self, name: str) -> None:
        problem = self.round_problem(name)
        if problem is not None:
            raise ValueError(problem)

    @cached_property
    def _periods(self) -> dict[str, Period]:
        assert self.series is not None
        return {one.name: one for one in periods(self.series.every, self.series.first, self.series.last)}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of what the file says: every role must have the same.

        Comments, the order of keys and a default that is written out don't count; every value and the
        order of the parties do. Of output plans, the files' names count, not what is in them: the other
        roles don't hold them.
        """
        whole = {"combination": plain(self), "parties": list(self.parties)}
        text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()
