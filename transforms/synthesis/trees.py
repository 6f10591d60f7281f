"""Sequential trees (CART): each column is drawn from records that are alike in the columns before it.

A tree (scikit-learn) parts the pseudonymized records by the columns that are there already; a synthetic
record gets the value of a record drawn from its leaf. So margins and relations stay, and no record is
copied but by chance. All chance comes from keyed draws; the same key gives the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.draws import Draws
from transforms.identifiers import encode_ids
from transforms.synthesis.coded import Matrix, coded

Kind = Literal["full", "partial", "hybrid"]
Places = npt.NDArray[np.int64]
# More distinct categories than this are parted by their order, as numbers are.
MOST_CLASSES = 64
# Rounds of draws that no column uses.
_ORDER, _STAYS, _SEED, _FIT = 60_000, 60_001, 60_002, 60_003
SMALLEST = 100


class SynthesisRefused(Exception):
    """A table or recipe from which nothing may be made; the text names columns and counts, never a value."""


@dataclass(frozen=True)
class Recipe:
    """What is made.

    `full`: `rows` new records. `partial`: every record stays, but its `columns` are made anew. `hybrid`: the
    share `stays` of the records stays, the others are new ones. `leaf` is the fewest records among which a
    value is drawn.
    """

    kind: Kind
    columns: tuple[str, ...] = ()
    stays: float = 0.0
    rows: int | None = None
    leaf: int = 10


def synthesize(table: pa.Table, recipe: Recipe, draws: Draws) -> pa.Table:
    """A synthetic table with the columns and types of `table` (pseudonymized records), in keyed order.

    Null is a value like others. Refused (SynthesisRefused): fewer than 100 records, an id among the columns
    (text that is distinct in more than half of the records, a serial number), columns that are not there.
    """
    _check(table, recipe)
    cells = coded(table)
    names, rows = list(table.column_names), recipe.rows or table.num_rows
    made = names if recipe.kind != "partial" else [name for name in names if name in recipe.columns]
    kept = [name for name in names if name not in made]
    donors = _donors(cells.cells, cells.numeric, [names.index(name) for name in kept + made], len(kept), rows,
                     recipe.leaf, draws)  # fmt: skip
    columns = [table.column(name).take(pa.array(donors[name_place])) for name_place, name in enumerate(names)]
    result = pa.Table.from_arrays(columns, schema=table.schema)
    if recipe.kind == "hybrid":
        staying = _smallest(draws, table.num_rows, _STAYS, int(recipe.stays * rows))
        result = pa.concat_tables([table.take(pa.array(staying)), result.slice(0, rows - len(staying))])
    order = _smallest(draws, result.num_rows, _ORDER, result.num_rows)
    return result.take(pa.array(order)).combine_chunks()


def rows_to_fit(table: pa.Table, most: int, draws: Draws) -> pa.Table:
    """The table, or so many of its records, drawn."""
    if table.num_rows <= most:
        return table.combine_chunks()
    places = np.sort(_smallest(draws, table.num_rows, _FIT, most))
    return table.take(pa.array(places)).combine_chunks()


def _donors(
    cells: Matrix, numeric: tuple[bool, ...], order: list[int], kept: int, rows: int, leaf: int, draws: Draws
) -> dict[int, Places]:
    """For each column (by its place in the table), the record from which each new record takes its value."""
    count = len(cells)
    ids = encode_ids([pa.array(np.arange(rows))])
    donors: dict[int, Places] = {place: np.arange(count) for place in order[:kept]}
    if not kept:
        donors[order[0]] = draws.below(ids, count, round=0)
    for turn in range(max(kept, 1), len(order)):
        place, before = order[turn], order[:turn]
        known = np.column_stack([cells[donors[one], one] for one in before])
        seed = int(draws.below(encode_ids([pa.array([turn])]), 2**31 - 1, round=_SEED)[0])
        tree = _tree(cells[:, place], numeric[place], leaf, seed)
        tree.fit(cells[:, before], cells[:, place])
        donors[place] = _from_leaves(tree.apply(cells[:, before]), tree.apply(known), ids, turn, draws)
    return donors


def _tree(target: Matrix, numeric: bool, leaf: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    by_class = not numeric and len(np.unique(target)) <= MOST_CLASSES
    return (DecisionTreeClassifier if by_class else DecisionTreeRegressor)(min_samples_leaf=leaf, random_state=seed)


def _from_leaves(real: Places, new: Places, ids: pa.Array, turn: int, draws: Draws) -> Places:
    """For every new record, one of the real records in its leaf, all as likely."""
    order = np.argsort(real, kind="stable")
    leaves, starts, counts = np.unique(real[order], return_index=True, return_counts=True)
    place = np.searchsorted(leaves, new)
    picked: Places = order[starts[place] + draws.below(ids, counts[place].astype(np.int64), round=turn)]
    return picked


def _smallest(draws: Draws, count: int, round_: int, wanted: int) -> Places:
    """So many of the places 0 … count - 1, those with the smallest draws, in the order of the draws."""
    bits = draws.bits(encode_ids([pa.array(np.arange(count))]), round_)
    return np.lexsort((bits[:, 1], bits[:, 0]))[:wanted]


def _check(table: pa.Table, recipe: Recipe) -> None:
    problems = []
    unknown = sorted(set(recipe.columns) - set(table.column_names))
    if unknown:
        problems.append(f"no column {', '.join(unknown)}; allowed: {', '.join(table.column_names)}")
    if table.num_rows < SMALLEST:
        problems.append(f"{table.num_rows} records; allowed: {SMALLEST} or more")
    if (recipe.kind == "partial") != bool(recipe.columns):
        problems.append("columns to make anew belong to a partial table, and to no other")
    if recipe.kind == "partial" and set(recipe.columns) >= set(table.column_names):
        problems.append("all columns anew; allowed: some of them, or a full table")
    if recipe.kind == "partial" and recipe.rows is not None:
        problems.append("a number of records for a partial table; allowed: none, every record stays")
    if recipe.kind == "hybrid" and not 0 < recipe.stays < 1:
        problems.append("a hybrid table of which all or no records stay; allowed: a share between 0 and 1")
    if len(table.column_names) < 2:
        problems.append("one column; allowed: two or more")
    problems += [f"column {name} is an id; allowed: drop it" for name in _ids(table)]
    if problems:
        raise SynthesisRefused("; ".join(problems))


def _ids(table: pa.Table) -> list[str]:
    """Columns that name a record: tokens and serial numbers."""
    found = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = column.drop_null()
        distinct = len(values.unique())
        serial = False
        if pa.types.is_integer(values.type) and distinct == table.num_rows:
            numbers = values.to_numpy()
            serial = int(numbers.max()) - int(numbers.min()) == distinct - 1
        if serial or (pa.types.is_string(values.type) and distinct > table.num_rows / 2):
            found.append(name)
    return found
