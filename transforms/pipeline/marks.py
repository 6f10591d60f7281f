"""What the transforming pass marks of the source: keyed hashes of the identifiers of those whom it delivers.

The review looks for them in what is delivered (transforms/pipeline/leftovers.py). What `adequacy.leftovers.against`
names is marked too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.derivation import SECRET_BYTES, subkey
from transforms.leftovers import Hashes, Marker, is_compared, level_for
from transforms.pipeline.work import Rows
from transforms.pipeline_model import Chain, TablePipeline
from transforms.run_keys import ALGORITHM, RunKeys

# So many hashes of a run are kept: 64 MB, and as much in each task of the review.
MOST_VALUES = 1 << 23
# Their results have the form of what goes in, so some are somebody's identifier by chance.
SAME_FORM = frozenset({"format-preserving-encryption", "random-replacement"})


def marker_of(keys: RunKeys, values: int) -> Marker:
    """The run's own hash for this; of very many values a share alone is kept."""
    key = subkey(
        keys.secret,
        organisation=keys.organisation,
        run_or_series=keys.run,
        recipient=keys.recipient,
        algorithm=ALGORITHM,
        domain="run",
        step=0,
        purpose="leftovers",
        length=SECRET_BYTES,
    )
    return Marker(key, level_for(values, MOST_VALUES))


def compared_columns(table: TablePipeline) -> tuple[str, ...]:
    """Source columns whose values may stand nowhere in what is delivered: identifiers, and those of `against`."""
    own = {chain.name for chain in table.chains if chain.rule.kind == "identifier" or chain.rule.legal == "unique-24"}
    keys = {table.subject, *((table.row_key or ()) if len(table.row_key or ()) == 1 else ())}
    named = own | keys | set(table.against)
    return tuple(one.name for one in table.source_schema if one.name in named and is_compared(one.type))


def same_form(table: TablePipeline) -> tuple[str, ...]:
    """Delivered columns whose cells may be an identifier of the source by chance."""
    return tuple(
        chain.name
        for chain in delivered(table)
        if chain.by_row and any(step.technique.name in SAME_FORM for step in chain.steps)
    )


def delivered(table: TablePipeline) -> list[Chain]:
    """The delivered columns that come from one of the source."""
    return [column for column in table.columns if isinstance(column, Chain)]


Counted = tuple[Hashes, npt.NDArray[np.int64]]
_NONE = np.empty(0, np.uint64)


@dataclass(frozen=True)
class Marked:
    """Marks of some rows: hashes of identifiers, and of cells of the same form (distinct hashes, and how often)."""

    values: Hashes = field(default_factory=lambda: _NONE)
    cells: Mapping[str, Counted] = field(default_factory=dict)

    @classmethod
    def together(cls, parts: Sequence[Marked]) -> Marked:
        """The marks of several parts of the rows."""
        names = dict.fromkeys(name for part in parts for name in part.cells)
        return cls(
            np.unique(np.concatenate([_NONE, *(part.values for part in parts)])),
            {name: _added([part.cells[name] for part in parts if name in part.cells]) for name in names},
        )

    def chance(self, values: Hashes) -> dict[str, int]:
        """By column, how many cells are one of these values."""
        return {name: int(counts[np.isin(hashes, values)].sum()) for name, (hashes, counts) in self.cells.items()}


def _added(parts: Sequence[Counted]) -> Counted:
    distinct, places = np.unique(np.concatenate([hashes for hashes, _ in parts]), return_inverse=True)
    counts = np.concatenate([counts for _, counts in parts])
    return distinct, np.bincount(places, weights=counts, minlength=len(distinct)).astype(np.int64)


@dataclass(frozen=True)
class Marking:
    """How the transforming pass marks a table's rows. It holds a subkey: broadcast only."""

    marker: Marker
    columns: tuple[str, ...]
    alike: tuple[str, ...]

    @classmethod
    def of(cls, table: TablePipeline, marker: Marker) -> Marking | None:
        """None where a table has no column to be compared."""
        columns = compared_columns(table)
        return cls(marker, columns, same_form(table)) if columns else None

    def mark(self, rows: Rows, cells: Mapping[str, pa.Array]) -> Marked:
        """The marks of transformed rows: of their source values, and of the cells of the same form."""
        found = [Marked(self.marker.marks(rows.column(name))) for name in self.columns]
        for name in self.alike:
            counted = pc.value_counts(cells[name].drop_null())
            hashes, chosen = self.marker.wholes(counted.field("values"))
            found.append(Marked(cells={name: _added([(hashes, counted.field("counts").to_numpy()[chosen])])}))
        return Marked.together(found)
