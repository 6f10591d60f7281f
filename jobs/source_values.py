"""Hashes of the identifiers of whom a run delivers (additional information, 추가정보): the review's, to find leftovers.

The file holds no value, and the key of its hashes: whoever holds it may try values out, so it goes where facts go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from jobs.errors import BadInput, Refused
from jobs.runs import RunFolder
from jobs.storage import Location, write_atomically
from transforms.leftovers import Marker, SourceValues
from transforms.pipeline.marks import Marked, compared_columns, marker_of
from transforms.pipeline.run import Prepared
from transforms.pipeline_model import TablePipeline
from transforms.run_keys import RunKeys


def place(folder: RunFolder) -> Location:
    """The run's file of hashes."""
    return folder.additional / "source-values.hashes"


def marker(keys: RunKeys, tables: Iterable[Prepared]) -> Marker:
    """The hash of a run that delivers these tables."""
    return marker_of(keys, sum(one.rows * len(compared_columns(one.work.table)) for one in tables))


def write(folder: RunFolder, marker: Marker, marked: Mapping[str, Marked]) -> None:
    """Writes the hashes of all tables together."""
    values = np.unique(np.concatenate([np.empty(0, np.uint64), *(one.values for one in marked.values())]))
    chance = {
        (table, column): cells for table, one in marked.items() for column, cells in one.chance(values).items()
    }
    write_atomically(place(folder).local, SourceValues(marker, values, chance).to_bytes())


def load(folder: RunFolder, tables: Iterable[TablePipeline]) -> SourceValues | None:
    """The run's hashes; None where no table has a column to be compared. BadInput, Refused as for facts."""
    if not any(compared_columns(table) for table in tables):
        return None
    try:
        return SourceValues.from_bytes(place(folder).local.read_bytes())
    except FileNotFoundError:
        raise BadInput(
            f"no hashes of source values of run {folder.run} at {place(folder)}; allowed: a run that stands in "
            "staging, made by this version of the program"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{place(folder)} is damaged; allowed: as pseudonymize wrote it") from None
