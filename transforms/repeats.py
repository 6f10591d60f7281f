"""Arrays in which few values occur often: work is done once for each of them."""

from __future__ import annotations

import pyarrow as pa

# A look at so many cells tells whether it pays to look at all.
PILOT = 2_048
# Equal cells must be so many, on average.
LEAST = 4


def repeated(values: pa.Array) -> pa.DictionaryArray | None:
    """The array with each of its values once (indices of null cells are null), where values occur often; else None."""
    if len(values) < PILOT or len(values.slice(0, PILOT).unique()) * LEAST > PILOT:
        return None
    encoded = values.dictionary_encode()
    return encoded if len(encoded.dictionary) * LEAST <= len(values) else None
