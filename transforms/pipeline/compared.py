"""Which columns of a table the utility figures compare, and how verify sums up their two sides."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from transforms.distributions import is_shown
from transforms.families import family_of
from transforms.pipeline_model import Chain, TablePipeline
from transforms.utility import Compared

# So many columns of each kind, beside those that the plan's limits name.
MOST_NUMBERS, MOST_CLASSES, MOST_CATEGORIES = 12, 4, 8


def compared_of(table: TablePipeline) -> Compared:
    """Quasi-identifiers first, then the other columns in the plan's order; identifiers never."""
    chains = sorted(_chains(table), key=lambda one: (one.name not in table.judged, one.rule.kind != "quasi-identifier"))
    numbers = [one.name for one in chains if is_shown(one.source_type) and is_shown(one.type)]
    most = max(MOST_NUMBERS, sum(name in table.judged for name in numbers))
    # A class is told by the delivered cell, which a row of the source must give; its rows must be persons.
    by = [one for one in chains if one.by_row and one.rule.kind == "quasi-identifier" and table.one_row_per_subject]
    texts = [one.name for one in chains if pa.types.is_string(one.type) and _is_category(one)]
    return Compared(
        tuple(numbers[:most]),
        tuple(one.name for one in by[:MOST_CLASSES]),
        tuple(texts[:MOST_CATEGORIES]),
    )


def _chains(table: TablePipeline) -> Iterator[Chain]:
    for column in table.columns:
        known = isinstance(column, Chain) and not column.ranked and column.name in table.source_schema.names
        if isinstance(column, Chain) and known and column.rule.kind != "identifier":
            yield column


def _is_category(chain: Chain) -> bool:
    """Is its result a value of the source, or of a coarser kind? (Tokens are as unique as what they stand for.)"""
    return all(family_of(step.technique.name).english not in ("encryption", "tables") for step in chain.steps)
