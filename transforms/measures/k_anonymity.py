"""k-anonymity (k-익명성): in how many persons' company everyone stands, by what others may know of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - as everyone calls it

from transforms.measures.class_table import ClassTable, class_table
from transforms.measures.disclosure import smallest_class
from transforms.measures.matching import matching

SIZE = "class_size"


@dataclass(frozen=True)
class Anonymity:
    """`k` is the size of the smallest class (0 where there is no row); `below` counts classes under the k asked."""

    k: int
    classes: int
    below: int


def class_sizes(
    frame: DataFrame, quasi_identifiers: Sequence[str], subject: str | None = None
) -> DataFrame:
    """One row a class of equal quasi-identifiers (동질집합): their values, and `class_size` (long).

    The size counts rows, or, with `subject`, the distinct values of that column: a person with many rows
    counts once. Null is a value of its own among quasi-identifiers; NaN equals NaN and -0.0 equals 0.0. A null
    subject counts as nobody, so a class can have size 0. No quasi-identifier: all rows are one class. Source:
    Sweeney 2002, section 3; guideline L2516 (k-익명성). ValueError for a column that `frame` lacks.
    """
    named = [*quasi_identifiers, *([subject] if subject is not None else [])]
    missing = [name for name in named if name not in frame.columns]
    if missing or SIZE in quasi_identifiers:
        found = f"columns {', '.join(missing)}" if missing else f"a quasi-identifier called {SIZE}"
        raise ValueError(f"{found}; allowed: columns of the frame, none of them {SIZE}: {', '.join(frame.columns)}")
    columns = [frame[_quoted(name)] for name in quasi_identifiers]
    size = F.count(F.lit(1)) if subject is None else F.count_distinct(frame[_quoted(subject)])
    if columns:
        return frame.groupBy(*columns).agg(size.alias(SIZE))
    whole = frame.agg(size.alias(SIZE), F.count(F.lit(1)).alias("rows"))
    return whole.where("rows > 0").select(SIZE)


def anonymity(
    frame: DataFrame, quasi_identifiers: Sequence[str], k: int, subject: str | None = None
) -> Anonymity:
    """Smallest class, number of classes, and how many of them are smaller than `k`, in one Spark job."""
    sizes = class_sizes(frame, quasi_identifiers, subject)
    row = sizes.agg(
        F.min(SIZE).alias("smallest"),
        F.count(F.lit(1)).alias("classes"),
        F.count_if(F.col(SIZE) < k).alias("below"),
    ).first()
    assert row is not None
    return Anonymity(int(row["smallest"] or 0), int(row["classes"]), int(row["below"]))


def anonymity_of(table: ClassTable, k: int) -> Anonymity:
    """The same of a class table."""
    return Anonymity(smallest_class(table), len(table), int((table.sizes < k).sum()))


def k_anonymity(
    frame: DataFrame,
    quasi_identifiers: Sequence[str],
    subject: str | None = None,
    wildcards: Collection[str] = (),
) -> int:
    """Size of the smallest class of equal quasi-identifiers; 0 for a frame without rows. See `class_sizes`.

    Null is a value of its own; in the columns of `wildcards` it matches everything, and the size is that of the rows
    that match a combination. See `matching`.
    """
    if wildcards:
        return smallest_class(matching(class_table(frame, quasi_identifiers, subject=subject), wildcards))
    return anonymity(frame, quasi_identifiers, 0, subject).k


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
