"""`risk:` of a plan: what the risk review (식별 위험성 검토) is told, because no data can tell it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from transforms.complaint import complain, complaint
from transforms.technique import Model

QUESTIONS = range(1, 17)
"""Numbers of the guideline's checklist (L504-546)."""


class Population(Model):
    """Whom the source's persons are a sample of: `size` persons, or of which the source is a `fraction`."""

    size: int | None = Field(default=None, ge=1)
    fraction: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> Population:
        if (self.size is None) == (self.fraction is None):
            found = "neither `size` nor `fraction`" if self.size is None else "both `size` and `fraction`"
            raise complain([complaint(found, "one of them: {size: 8000000} or {fraction: 0.25}")])
        return self

    def persons(self, counted: int) -> int:
        """The population's size where the source has `counted` persons; never below these."""
        return max(counted, self.size if self.size is not None else round(counted / (self.fraction or 1.0)))


class Held(Model):
    """A table of the source zone like what the recipient holds or can get (L392-416).

    `on` names the columns by which it could be linked: theirs, and the plan's source column.
    """

    table: str
    on: dict[str, str] = Field(min_length=1)
    of: str | None = None
    says: str | None = None


class Answer(Model):
    """An answer to a question of the checklist, and why."""

    answer: Literal["yes", "no"]
    note: str | None = None


class Surroundings(Model):
    """Where and under what the data are used (처리 환경), beside `use`: in the report's own words.

    `certification`: of the recipient (ISMS-P, ISO 27001 …); `contract`: what it forbids and asks for; `place`: how
    access is limited; `others`: what other information the recipient holds; `linking`: whether linking is planned.
    """

    certification: str | None = None
    contract: str | None = None
    place: str | None = None
    others: str | None = None
    linking: bool | None = None


class Limits(Model):
    """The most that may be found; above, `assess` ends with exit 1. What is not named is told and not judged.

    Shares of records or persons: `unique` alone in their class of quasi-identifiers, `population` unique in the
    population by any model, `marketer` expected to be named, `held` met alone by a declared table, `released` alone
    in all that the recipient was given before.
    """

    unique: float | None = Field(default=None, ge=0, le=1)
    population: float | None = Field(default=None, ge=0, le=1)
    marketer: float | None = Field(default=None, ge=0, le=1)
    held: float | None = Field(default=None, ge=0, le=1)
    released: float | None = Field(default=None, ge=0, le=1)

    def limits(self) -> Iterator[tuple[str, float]]:
        """The limits by the name of what they limit, those that are set."""
        for name in type(self).model_fields:
            if (value := getattr(self, name)) is not None:
                yield name, value


def _numbered(raw: Any) -> Any:
    """Keys as numbers: a plan that went through JSON has them as text."""
    if not isinstance(raw, Mapping):
        return raw
    return {int(key) if isinstance(key, str) and key.isdecimal() else key: value for key, value in raw.items()}


class Risk(Model):
    """What the risk review is told.

    `nulls`: by source column, whether an empty cell is a value of its own or may be any (`wildcard`). `columns`: those
    taken for quasi-identifiers (the rules' own, where not said). `threshold`: classes below it are at risk (the plan's
    k, or 3). `subsets`: sets of up to so many columns are looked at, and minimal sample uniques (SUDA2) among them.
    `opinion`: the reviewer's words, one entry a point (최종 검토의견).
    """

    columns: tuple[str, ...] | None = Field(default=None, min_length=1)
    nulls: dict[str, Literal["value", "wildcard"]] = Field(default_factory=dict)
    population: Population | None = None
    threshold: int | None = Field(default=None, ge=2)
    subsets: int = Field(default=3, ge=1, le=6)
    held: tuple[Held, ...] = ()
    checklist: Annotated[dict[int, Answer], BeforeValidator(_numbered)] = Field(default_factory=dict)
    environment: Surroundings = Surroundings()
    impact: str | None = None
    opinion: tuple[str, ...] = ()
    limits: Limits = Limits()
