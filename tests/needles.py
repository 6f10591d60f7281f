"""Many byte strings looked for at once: thousands of keys, each in a dozen forms, in hundreds of megabytes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

LEAST = 8
# Four bytes of a text, mixed, say where in this table they stand (Knuth's multiplicative hash).
BITS, FACTOR = 22, np.uint32(2_654_435_761)


class Needles:
    """Byte strings of eight bytes or more. `among` takes a few nanoseconds a byte, however many they are.

    The first four bytes of each are marked in a table; where a text has such four, the first eight are compared; where
    those are the same, all.
    """

    def __init__(self, wanted: Iterable[bytes]) -> None:
        self.by_head: dict[int, list[bytes]] = {}
        for one in set(wanted):
            if len(one) < LEAST:
                raise ValueError(f"{len(one)} bytes; allowed: {LEAST} or more")
            self.by_head.setdefault(int.from_bytes(one[:LEAST], "little"), []).append(one)
        self.heads = np.array(sorted(self.by_head), np.uint64)
        self.table = np.zeros(1 << BITS, np.bool_)
        self.table[_places((self.heads & np.uint64(0xFFFFFFFF)).astype(np.uint32))] = True

    def __len__(self) -> int:
        return sum(map(len, self.by_head.values()))

    def among(self, content: bytes) -> set[bytes]:
        """Those that are in it."""
        found: set[bytes] = set()
        if len(content) < LEAST:
            return found
        whole = np.frombuffer(content, np.uint8)
        for offset in range(4):
            words = whole[offset : offset + (len(whole) - offset) // 4 * 4].view("<u4")
            at = np.flatnonzero(self.table[_places(words)]) * 4 + offset
            at = at[at <= len(content) - LEAST]
            if not len(at):
                continue
            heads = whole[at[:, None] + np.arange(LEAST)].reshape(-1).view("<u8")
            nearest = self.heads[np.minimum(np.searchsorted(self.heads, heads), len(self.heads) - 1)]
            for place, head in zip(at[nearest == heads], heads[nearest == heads], strict=True):
                found |= {one for one in self.by_head[int(head)] if content.startswith(one, int(place))}
        return found


def _places(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return (words * FACTOR) >> np.uint32(32 - BITS)
