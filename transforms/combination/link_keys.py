"""What the key agency derives from the link salt (L): nobody else can compute any of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.derivation import Secret, subkey
from transforms.draws import Draws
from transforms.pipeline.members import Words
from transforms.run_keys import ALGORITHM

WORD_BYTES = 16


@dataclass(frozen=True)
class LinkKeys:
    """Draws under subkeys of L; goes into broadcasts alone.

    `subjects`: of a join key, the same in all rounds; everything else is drawn of that. `order`: where a subject
    stands in this round's files, for else two rounds could be aligned by rank. `links`: repeat link ids
    (반복결합연결정보) by user, the same in all rounds. `cover`: a party's order of cover serials, the same in all
    rounds. `serials`: marks of equal serials.
    """

    subjects: Draws
    order: Draws
    serials: Draws
    links: Mapping[str, Draws]
    cover: Mapping[str, Draws]

    @classmethod
    def of(
        cls,
        secret: Secret,
        organisation: str,
        combination: str,
        round: str,
        parties: Sequence[str] = (),
        users: Sequence[str] = (),
    ) -> LinkKeys:
        """From L; `users` are those whose output has link ids."""

        def draws(purpose: str, domain: str, recipient: str | None = None) -> Draws:
            return Draws(
                subkey(
                    secret,
                    organisation=organisation,
                    run_or_series=f"combination/{combination}",
                    recipient=recipient,
                    algorithm=ALGORITHM,
                    domain=domain,
                    step=None,
                    purpose=purpose,
                )
            )

        return cls(
            draws("subject of join key", "all rounds"),
            draws("order of linking", round),
            draws("equal serials", round),
            {user: draws("link id", "all rounds", user) for user in users},
            {party: draws("cover", "all rounds", party) for party in parties},
        )


def ids_of(words: Words) -> pa.Array:
    """128-bit numbers as ids of further draws: their 16 bytes."""
    data = np.ascontiguousarray(words).astype(">u8")
    ends = np.arange(len(words) + 1, dtype=np.int32) * np.int32(WORD_BYTES)
    return pa.Array.from_buffers(pa.binary(), len(words), [None, pa.py_buffer(ends), pa.py_buffer(data)])


def as_binary(words: Words) -> pa.Array:
    """128-bit numbers as binary of 16 bytes."""
    data = np.ascontiguousarray(words).astype(">u8")
    return pa.Array.from_buffers(pa.binary(WORD_BYTES), len(words), [None, pa.py_buffer(data)])
