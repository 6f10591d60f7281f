"""The measures one by one, as functions of a Spark DataFrame; `disclosure` gives all of them in one pass.

`sensitive` is a column or several: each is measured alone, and the worst counts. To let the others count as known to
the attacker, name them among the quasi-identifiers. `subject` counts distinct persons instead of rows. Null is a value
of its own; among the quasi-identifiers of `wildcards` it matches everything. A frame without rows gives 0. ValueError
for columns that the frame lacks, that are named twice, or that hold more than single values; see `class_table` and
`matching`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from transforms.kernels.codes import Codes
from transforms.measures.class_table import ClassTable, Values, class_table
from transforms.measures.closeness import bounded_gains, disclosures, gains
from transforms.measures.disclosure import distances, least, most, smallest_class
from transforms.measures.diversity import Numbers, entropies, largest_shares, lengths, recursions
from transforms.measures.matching import matching

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Names = Sequence[str]


def l_diversity(
    frame: DataFrame,
    quasi_identifiers: Names,
    sensitive: str | Names,
    subject: str | None = None,
    wildcards: Collection[str] = (),
) -> int:
    """The least number of distinct values in any class (l-다양성). See `diversity.lengths`."""
    return int(min(_each(_table(frame, quasi_identifiers, sensitive, subject, wildcards), lengths, least)))


def entropy_l_diversity(
    frame: DataFrame,
    quasi_identifiers: Names,
    sensitive: str | Names,
    subject: str | None = None,
    wildcards: Collection[str] = (),
) -> float:
    """The largest l (a fraction, too) for which all classes are entropy l-diverse. See `diversity.entropies`."""
    return min(_each(_table(frame, quasi_identifiers, sensitive, subject, wildcards), entropies, least))


def recursive_c_l_diversity(
    frame: DataFrame,
    quasi_identifiers: Names,
    sensitive: str | Names,
    l: int | None = None,  # noqa: E741 - as the measure is called everywhere
    subject: str | None = None,
    wildcards: Collection[str] = (),
) -> tuple[float, int]:
    """(c, l): all classes are recursive (c', l)-diverse for every c' above c. `l` is the distinct one where not given.

    c is infinite where a class has fewer than l values. See `diversity.recursions`. ValueError for an l below 1.
    """
    if l is not None and l < 1:
        raise ValueError(f"l of {l}; allowed: 1 or more")
    table = _table(frame, quasi_identifiers, sensitive, subject, wildcards)
    asked = int(min(_each(table, lengths, least))) if l is None else l
    return max(_each(table, lambda values: recursions(values, max(1, asked)), most)), asked


def alpha_k_anonymity(
    frame: DataFrame,
    quasi_identifiers: Names,
    sensitive: str | Names,
    subject: str | None = None,
    wildcards: Collection[str] = (),
) -> tuple[float, int]:
    """(alpha, k): the largest share of a value in any class, and the smallest class. See `diversity.largest_shares`."""
    table = _table(frame, quasi_identifiers, sensitive, subject, wildcards)
    return max(_each(table, lambda values: largest_shares(values, table.sizes), most)), smallest_class(table)


def t_closeness(
    frame: DataFrame,
    quasi_identifiers: Names,
    sensitive: str | Names,
    subject: str | None = None,
    wildcards: Collection[str] = (),
    ordered: Collection[str] | None = None,
) -> float:
    """The largest earth mover's distance of a class's values from the table's (t-근접성).

    Over ranks for columns of `ordered` (numbers, dates and times where it is not said), with equal distances for
    others. See `closeness.ordered_distances` and `equal_distances`.
    """
    table = _table(frame, quasi_identifiers, sensitive, subject, wildcards)
    return max(most(distances(table, name, ordered)) for name in table.sensitive)


def basic_beta_likeness(
    frame: DataFrame,
    quasi_identifiers: Names,
    sensitive: str | Names,
    subject: str | None = None,
    wildcards: Collection[str] = (),
) -> float:
    """The largest relative gain of a value's share in any class: (q - p) / p. See `closeness.gains`."""
    return max(_each(_table(frame, quasi_identifiers, sensitive, subject, wildcards), gains, most))


def enhanced_beta_likeness(
    frame: DataFrame,
    quasi_identifiers: Names,
    sensitive: str | Names,
    subject: str | None = None,
    wildcards: Collection[str] = (),
) -> float:
    """The same, infinite where a gain passes -ln p, so that no β allows it. See `closeness.bounded_gains`."""
    return max(_each(_table(frame, quasi_identifiers, sensitive, subject, wildcards), bounded_gains, most))


def delta_disclosure(
    frame: DataFrame,
    quasi_identifiers: Names,
    sensitive: str | Names,
    subject: str | None = None,
    wildcards: Collection[str] = (),
    absent: bool = False,
) -> float:
    """The largest |ln(q / p)| of any class and value that it has; `absent`: of the values that it lacks, too.

    See `closeness.disclosures`.
    """
    table = _table(frame, quasi_identifiers, sensitive, subject, wildcards)
    return max(_each(table, lambda values: disclosures(values, absent), most))


def _table(
    frame: DataFrame, quasi_identifiers: Names, sensitive: str | Names, subject: str | None, wildcards: Collection[str]
) -> ClassTable:
    names = [sensitive] if isinstance(sensitive, str) else list(sensitive)
    if not names:
        raise ValueError("no sensitive column; allowed: one or more")
    return matching(class_table(frame, quasi_identifiers, names, subject), wildcards)


def _each(
    table: ClassTable, figure: Callable[[Values], Numbers | Codes], worst: Callable[[Numbers | Codes], float]
) -> list[float]:
    return [worst(figure(values)) for values in table.sensitive.values()]


__all__ = [
    "alpha_k_anonymity",
    "basic_beta_likeness",
    "delta_disclosure",
    "enhanced_beta_likeness",
    "entropy_l_diversity",
    "l_diversity",
    "recursive_c_l_diversity",
    "t_closeness",
]
