"""What a table's classes disclose: k, and for each sensitive column l, t and their kin, in one pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transforms.kernels.codes import Codes
from transforms.measures.class_table import ClassTable, Values, class_table
from transforms.measures.closeness import (
    bounded_gains,
    disclosures,
    equal_distances,
    gains,
    is_ordered,
    ordered_distances,
)
from transforms.measures.diversity import Numbers, entropies, largest_shares, lengths, recursions
from transforms.measures.matching import matching

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class ColumnDisclosure:
    """One sensitive column over all classes: figures of the worst class; 0 where there is no row.

    `l` distinct, `entropy_l` entropy l-diversity; `c` of recursive (c, l)-diversity with that l (every larger c
    holds); `alpha` the largest share; `t`, over ranks where `ordered`; `beta` and `enhanced_beta` (infinite where none
    is enough); `delta`.
    """

    l: int  # noqa: E741
    entropy_l: float
    c: float
    alpha: float
    t: float
    ordered: bool
    beta: float
    enhanced_beta: float
    delta: float


@dataclass(frozen=True)
class Disclosure:
    """`k`, the size of the smallest class (0 where there is no row), the number of classes, and sensitive columns."""

    k: int
    classes: int
    columns: Mapping[str, ColumnDisclosure]


def disclosure(
    frame: DataFrame,
    quasi_identifiers: Sequence[str],
    sensitive: Sequence[str] = (),
    subject: str | None = None,
    wildcards: Collection[str] = (),
    ordered: Collection[str] | None = None,
) -> Disclosure:
    """All measures of a frame in one pass; see `class_table`, `matching` and each measure's function.

    `ordered` are the sensitive columns whose t is over ranks: numbers, dates and times where it is not said.
    """
    return disclosure_of(matching(class_table(frame, quasi_identifiers, sensitive, subject), wildcards), ordered)


def disclosure_of(table: ClassTable, ordered: Collection[str] | None = None) -> Disclosure:
    """All measures of a class table."""
    columns = {name: _column(table, name, ordered) for name in table.sensitive}
    return Disclosure(smallest_class(table), len(table), columns)


def smallest_class(table: ClassTable) -> int:
    """k: the size of the smallest class, 0 where there is none."""
    return int(table.sizes.min()) if len(table) else 0


def distances(table: ClassTable, column: str, ordered: Collection[str] | None = None) -> Numbers:
    """t of each class that has a value: over ranks where the column is ordered, else with equal distances."""
    values = table.sensitive[column]
    return ordered_distances(values) if over_ranks(values, column, ordered) else equal_distances(values)


def over_ranks(values: Values, column: str, ordered: Collection[str] | None) -> bool:
    """Is t of this column over ranks? As `ordered` says, else by its type."""
    return is_ordered(values.values) if ordered is None else column in ordered


def _column(table: ClassTable, column: str, ordered: Collection[str] | None) -> ColumnDisclosure:
    values = table.sensitive[column]
    l = int(least(lengths(values)))  # noqa: E741
    return ColumnDisclosure(
        l=l,
        entropy_l=least(entropies(values)),
        c=most(recursions(values, max(1, l))),
        alpha=most(largest_shares(values, table.sizes)),
        t=most(distances(table, column, ordered)),
        ordered=over_ranks(values, column, ordered),
        beta=most(gains(values)),
        enhanced_beta=most(bounded_gains(values)),
        delta=most(disclosures(values)),
    )


def least(numbers: Numbers | Codes) -> float:
    """The smallest, 0 where there is none."""
    return float(numbers.min()) if len(numbers) else 0.0


def most(numbers: Numbers | Codes) -> float:
    """The largest, 0 where there is none."""
    return float(numbers.max()) if len(numbers) else 0.0


__all__ = [
    "ColumnDisclosure",
    "Disclosure",
    "disclosure",
    "disclosure_of",
    "distances",
    "least",
    "most",
    "over_ranks",
    "smallest_class",
]
