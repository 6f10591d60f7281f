"""The receipt number (접수번호) that a party's packages name."""

from __future__ import annotations

from jobs.combination.packages import received
from jobs.combination.step import Call


def receipt_of(call: Call) -> str | None:
    """The number that the combining agency gave the round's application; None where it gave none."""
    agency = call.combination.roles.combining_agency
    found = received(call.environment, call.combination, round=call.round.name, kind="receipt", sender=agency)
    return found.manifest.receipt if found is not None else None
