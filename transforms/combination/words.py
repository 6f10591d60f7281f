"""Keyed draws of 128 bits as columns of tables on their way through shuffles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import one_chunk
from transforms.pipeline.members import Words

# Of a row's own serial; of the record that it belongs to.
OWN, TARGET = ("\x00own0", "\x00own1"), ("\x00record0", "\x00record1")
# Which parties the linking table names for a record; its link id; a row's place in its package.
HELD, LINK_ID, PLACE = "\x00held", "\x00link", "\x00place"
_HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint16)
# So few different texts in a batch that their numbers take less room on the way, in each of its blobs.
FEW = 256
NOWHERE = -1


def word_arrays(words: Words) -> list[pa.Array]:
    """128-bit draws, uint64 (n, 2), as two columns."""
    return [pa.array(np.ascontiguousarray(words[:, half])) for half in (0, 1)]


def words_of(table: pa.Table | pa.RecordBatch, names: tuple[str, str]) -> Words:
    """The way back."""
    return np.stack([one_chunk(table.column(name)).to_numpy() for name in names], axis=1)


def with_words(rows: pa.RecordBatch, words: Words, names: tuple[str, str]) -> pa.RecordBatch:
    """The rows with draws as their first columns."""
    return pa.RecordBatch.from_arrays([*word_arrays(words), *rows.columns], names=[*names, *rows.schema.names])


def sorting(words: Words) -> npt.NDArray[np.int64]:
    """The order of draws by all their bits."""
    turn = np.argsort(words[:, 0])
    highs = words[turn, 0]
    if (highs[1:] == highs[:-1]).any():
        turn = np.lexsort((words[:, 1], words[:, 0]))
    return turn


def repeats(words: Words) -> int:
    """How many of sorted draws equal the one before."""
    return int((words[1:] == words[:-1]).all(axis=1).sum())


def places_of(words: Words, listed: Words) -> npt.NDArray[np.int64]:
    """Where draws stand in a list that is sorted and has each once, -1 where they don't.

    Draws are spread evenly, so their first bits tell the place but for a few steps: faster than to sort or search.
    """
    found = np.full(len(words), NOWHERE)
    if not len(listed):
        return found
    highs = np.ascontiguousarray(listed[:, 0])
    low, span = highs[0], int(highs[-1] - highs[0])
    shift = np.uint64(max(0, span.bit_length() - (2 * len(listed)).bit_length()))
    cells = ((highs - low) >> shift).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(np.bincount(cells))])
    rows = np.flatnonzero((words[:, 0] >= low) & (words[:, 0] <= highs[-1]))
    high = words[rows, 0]
    cell = ((high - low) >> shift).astype(np.int64)
    place, end = starts[cell], starts[cell + 1]
    while len(rows):
        going = place < end
        rows, high, place, end = rows[going], high[going], place[going], end[going]
        same = highs[place] == high
        same[same] = listed[place[same], 1] == words[rows[same], 1]
        found[rows[same]] = place[same]
        rest = ~same
        rows, high, place, end = rows[rest], high[rest], place[rest] + 1, end[rest]
    return found


def hex_text(values: pa.Array) -> pa.Array:
    """Binary of a fixed width as lower-case hex; null stays null."""
    width, rows = values.type.byte_width, len(values)
    stored = np.frombuffer(values.buffers()[1], np.uint8, rows * width, values.offset * width)
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(2 * width)
    text = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(_HEX[stored]))
    return text if values.null_count == 0 else pc.if_else(values.is_valid(), text, None)


def narrowed(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with columns of few different texts as numbers of texts: less to move and to copy."""
    columns = rows.columns
    for place, column in enumerate(columns):
        if pa.types.is_string(column.type) and len(column) > FEW and len(pc.unique(column[:FEW])) <= FEW // 2:
            numbered = column.dictionary_encode()
            if len(numbered.dictionary) <= FEW:
                columns[place] = numbered
    return pa.RecordBatch.from_arrays(columns, names=rows.schema.names)


def widened(column: pa.Array) -> pa.Array:
    """The way back, of one column."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Rows of several blobs in one chunk; texts stay numbers only where they are in all blobs."""
    mixed = {
        name
        for name in tables[0].column_names
        if len({pa.types.is_dictionary(one.schema.field(name).type) for one in tables}) > 1
    }
    for name in mixed:
        tables = [
            one.set_column(one.schema.get_field_index(name), name, widened(one_chunk(one.column(name))))
            for one in tables
        ]
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()
