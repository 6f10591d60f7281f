"""Serials of a round (일련번호): the same in a party's join keys and in its attributes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.identifiers import encode_ids
from transforms.plan import Plan
from transforms.run_keys import RunKeys
from transforms.techniques.pseudonyms import LONGEST, base32


def round_series(name: str) -> str:
    """The name under which a run knows the secret of its round of a combination."""
    return f"combination/{name}"


def serial_draws(secret: Secret, organisation: str, plan: Plan) -> Draws:
    """The draws of a party's serials under the secret of the round; for a plan with `combination:`.

    No run takes part: whoever holds the secret and the plan makes the same serials, in `keys` and in `attributes`.
    """
    contribution = plan.combination
    assert contribution is not None
    series = round_series(contribution.name)
    keys = RunKeys(secret, organisation, "", plan.use.recipient, {series: secret})
    return keys.draws("pseudonym", contribution.subject, 0, series)


def serials(ids: pa.Array, draws: Draws) -> pa.StringArray:
    """The subjects' serials: text of 26 letters, 128 bits; equal ids, equal serials.

    In: ids as the register holds them (its own type: integers, text …). Null stays null.
    """
    made = base32(draws.bits(encode_ids([ids])), LONGEST)
    if ids.null_count == 0:
        return made
    return pc.if_else(ids.is_valid(), made, pa.scalar(None, pa.string()))
