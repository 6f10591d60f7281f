"""`adequacy:` of a plan, as far as the review measures it: leftover identifiers, new outliers, utility."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field

from transforms.column_patterns import expand
from transforms.technique import Model


class Allowed(Model):
    """Forms of identifiers that a delivered column may hold, and why (a company's business number, say)."""

    kinds: tuple[str, ...] = Field(min_length=1)
    reason: str


class Leftovers(Model):
    """Leftover identifiers (잔여 식별정보). Nothing is allowed but what `allow` names, by delivered column.

    `against` are further source columns whose values must stand nowhere in what is delivered. They are read for
    that even where they are excluded; identifiers, the subject and the row key are compared in any case.
    """

    allow: dict[str, Allowed] = Field(default_factory=dict)
    against: tuple[str, ...] = ()


class NewOutliers(Model):
    """Outliers that processing made (L708): the largest share of a column's cells which lie further out than its
    source's own outliers begin, or are one record's alone, and were not before."""

    share: float = Field(ge=0, le=1)


class UtilityLimits(Model):
    """How far what is delivered may be from the source (유용성); what is not named is told and not judged.

    `mean`, `class-means`: change of a column's mean (in any class), in standard deviations of the source;
    `quantiles`: of the median and quartiles, likewise; `distance`: earth mover's distance, likewise; `correlation`:
    change of any correlation coefficient. `columns` are those judged (all that are measured, where not said).
    """

    mean: float | None = Field(default=None, ge=0)
    class_means: float | None = Field(default=None, alias="class-means", ge=0)
    quantiles: float | None = Field(default=None, ge=0)
    distance: float | None = Field(default=None, ge=0)
    correlation: float | None = Field(default=None, ge=0, le=2)
    columns: tuple[str, ...] | None = None

    def limits(self) -> Iterator[tuple[str, float]]:
        """The limits by the name of what they limit, those that are set."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name != "columns" and value is not None:
                yield field.alias or name, value


def against_of(asked: Leftovers | None, columns: Sequence[str]) -> tuple[str, ...]:
    """Those of a table's source columns that `against` names."""
    return tuple(name for name in columns if asked is not None and name in asked.against)


def kinds_of(asked: Leftovers | None, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The forms that a table's delivered columns may hold, by column."""
    allowed = asked.allow if asked is not None else {}
    return {met.column: one.kinds for pattern, one in allowed.items() for met in expand(pattern, columns)}


def judged_of(asked: UtilityLimits | None, columns: Sequence[str]) -> tuple[str, ...]:
    """The delivered columns that the limits name."""
    named = asked.columns or () if asked is not None else ()
    return tuple(met.column for pattern in named for met in expand(pattern, columns))
