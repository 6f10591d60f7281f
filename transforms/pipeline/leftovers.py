"""Leftover identifiers (잔여 식별정보): where the review looks for them.

In every delivered cell that may hold something of the source: not in numbers and categories that the plan lists,
which the images check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.families import family_of
from transforms.identity.find import identifier_cells
from transforms.identity.kinds import KINDS
from transforms.images import Anything, Image, Matching, Union
from transforms.leftovers import LEAST_NUMBER, SourceValues
from transforms.pipeline.marks import SAME_FORM, delivered
from transforms.pipeline_model import Chain, TablePipeline

_MADE_ANEW = SAME_FORM | {"tokenization", "serial-number", "secret-sharing"}


@dataclass(frozen=True)
class Look:
    """One delivered column to look into: for forms of identifiers but for the `allowed` kinds, if at all.

    `whole`: its cells are made anew, as one token each, and are compared as wholes.
    """

    column: str
    forms: bool
    whole: bool
    allowed: frozenset[str] = frozenset()


def looks(table: TablePipeline, images: Mapping[str, Image]) -> tuple[Look, ...]:
    """The delivered columns that may hold something of the source, by their images."""
    found = []
    for chain in delivered(table):
        image = images.get(chain.name)
        if image is None or chain.classed or not _open(image, chain.type):
            continue
        anew, kinds = _made_anew(chain), table.allowed_kinds.get(chain.name, ())
        found.append(Look(chain.name, not anew, anew, frozenset(kinds)))
    return tuple(found)


def _open(image: Image, type_: pa.DataType) -> bool:
    """Can a cell be any text, or any text of a form, or any number?"""
    if isinstance(image, Union):
        return any(_open(part, type_) for part in image.parts)
    if pa.types.is_string(type_):
        return isinstance(image, (Anything, Matching))
    return isinstance(image, Anything) and pa.types.is_int64(type_)


def _made_anew(chain: Chain) -> bool:
    return any(
        step.technique.name in _MADE_ANEW or family_of(step.technique.name).english == "encryption"
        for step in chain.steps
        if step.technique.when is None
    )


Left = dict[tuple[str, str], int]
# What a cell holds that holds one of the source's identifiers; other names are those of forms.
VALUE = "source-value"
# Forms that other numbers have too, and numbers of businesses and corporations.
UNSURE = "unsure"
# In a column of numbers those forms alone mean something that have many digits.
_OF_NUMBERS = frozenset({"rrn", "foreigner", "card"})


def left_in(cells: Mapping[str, pa.Array], looked: Sequence[Look], values: SourceValues | None) -> Left:
    """Cells by column and what they hold: an identifier of the source, or the kind of its form."""
    found: Left = {}
    for look in looked:
        if look.column not in cells:
            continue
        counted = pc.value_counts(cells[look.column].drop_null())
        distinct, counts = counted.field("values"), counted.field("counts").to_numpy()
        numbers = pa.types.is_integer(distinct.type)
        if numbers:
            long = pc.greater_equal(distinct, LEAST_NUMBER)
            distinct, counts = distinct.filter(long), counts[long.to_numpy(zero_copy_only=False)]
        if values is not None:
            found[look.column, VALUE] = int(counts[values.found(distinct, look.whole)].sum())
        if look.forms:
            for kind, which in identifier_cells(distinct).items():
                if kind not in look.allowed and (not numbers or kind in _OF_NUMBERS):
                    sure = which.strong if KINDS[kind].person else np.zeros(len(distinct), np.bool_)
                    found[look.column, kind] = int(counts[sure].sum())
                    unsure = (which.whole | which.inside) & ~sure
                    found[look.column, UNSURE] = found.get((look.column, UNSURE), 0) + int(counts[unsure].sum())
    return {key: cells for key, cells in found.items() if cells}


def add_left(left: Left, more: Left) -> Left:
    """The counts of both."""
    return {key: left.get(key, 0) + more.get(key, 0) for key in left.keys() | more.keys()}


def beyond_chance(left: Left, table: str, values: SourceValues | None) -> Left:
    """Without as many cells as are some identifier by chance, where a technique makes others of the same form."""
    chance = values.chance if values is not None else {}
    less = {
        (column, what): cells - (chance.get((table, column), 0) if what == VALUE else 0)
        for (column, what), cells in left.items()
    }
    return {key: cells for key, cells in less.items() if cells > 0}
