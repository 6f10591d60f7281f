"""Keyed randomness (난수): the only source of chance in Gamyeong.

A draw is AES-256-CMAC (SP 800-38B) of an id under a subkey: the same for the same id whatever the
partitioning, order or retry, and unpredictable for whoever lacks the key. What draws of one id are for
is told apart by their subkeys (`derivation.subkey`, its purpose), or by `round` under one of them.
"""

from __future__ import annotations

from itertools import count

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.derivation import Secret
from transforms.kernels.cmac import cmac_many

ROUNDS = 2**16
_DRAW_BYTES = 16

# Begins a part that no id has, so an id with a round is never another id.
_ROUND_TAG = b"\xff"


class Draws:
    """Draws under one subkey of 16, 24 or 32 bytes.

    `ids` are what `identifiers.encode_ids` gives: binary, without nulls (ValueError). `round`
    (0 … 65,535) gives further, independent draws for the same id. Picklable only where its secret is.
    """

    __slots__ = ("_subkey",)

    def __init__(self, subkey: Secret) -> None:
        self._subkey = subkey

    def __repr__(self) -> str:
        return "Draws(hidden)"

    def bits(self, ids: pa.Array, round: int = 0) -> npt.NDArray[np.uint64]:
        """All 128 bits of each id's draw: uint64 (n, 2), the high word, then the low one."""
        return self._attempt(ids, round, 0)

    def uniform(self, ids: pa.Array, round: int = 0) -> npt.NDArray[np.float64]:
        """A number within (0, 1) for each id, never 0 nor 1: the middle of one of 2^52 equal steps."""
        steps = (self.bits(ids, round)[:, 0] >> np.uint64(12)).astype(np.float64)
        return (steps + 0.5) * 2.0**-52

    def below(
        self, ids: pa.Array, bound: int | npt.NDArray[np.int64], round: int = 0
    ) -> npt.NDArray[np.int64]:
        """A whole number from 0 to `bound` - 1 for each id, all exactly as likely (by rejection).

        `bound` is from 1 to 2^63 - 1: one for all, or an int64 array of one for each. ValueError
        otherwise.
        """
        bounds = np.asarray(bound, np.int64)
        if bounds.shape not in ((), (len(ids),)):
            raise ValueError("bounds of another length than the ids; allowed: one bound, or one for each id")
        if bounds.size and bounds.min() < 1:
            raise ValueError("a bound below 1; allowed: 1 to 2^63 - 1")
        limits = bounds.astype(np.uint64)
        words = self._attempt(ids, round, 0)[:, 0]
        # 2^64 mod bound: below it lie the words that would make the small numbers likelier.
        surplus = (np.uint64(2**64 - 1) - limits + np.uint64(1)) % limits
        again = np.flatnonzero(words < surplus)
        for attempt in count(1):
            if not len(again):
                break
            words[again] = self._attempt(ids.take(pa.array(again)), round, attempt)[:, 0]
            surplus_again = surplus if surplus.ndim == 0 else surplus[again]
            again = again[words[again] < surplus_again]
        return (words % limits).astype(np.int64)

    def chance(self, ids: pa.Array, count: int) -> list[bytes]:
        """`count` random bytes for each id: its draws of as many rounds as it takes, from the first on."""
        rounds = range(-(-count // _DRAW_BYTES))
        words = np.concatenate([self.bits(ids, one) for one in rounds], axis=1).astype(">u8")
        whole, size = words.tobytes(), len(rounds) * _DRAW_BYTES
        return [whole[place : place + count] for place in range(0, len(whole), size)]

    def _attempt(self, ids: pa.Array, round: int, attempt: int) -> npt.NDArray[np.uint64]:
        if not 0 <= round < ROUNDS:
            raise ValueError(f"round {round}; allowed: 0 to {ROUNDS - 1}")
        if ids.null_count:
            raise ValueError(f"{ids.null_count} null ids; allowed: none")
        if round or attempt:
            # Four bytes: an id of twelve, the shape of many, still is one block of the cipher.
            suffix = _ROUND_TAG + round.to_bytes(2, "big") + attempt.to_bytes(1, "big")
            ids = pc.binary_join_element_wise(ids, pa.scalar(suffix, pa.binary()), b"")
        macs = cmac_many(self._subkey.reveal(), ids)
        return macs.view(">u8").astype(np.uint64)
