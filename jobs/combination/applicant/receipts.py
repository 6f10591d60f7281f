"""The receipt number (접수번호) that a party's packages name."""

from __future__ import annotations

from jobs.combination.step import Call


def receipt_of(call: Call) -> str | None:
    """The number that the combining agency gave the round's application; None where it gave none."""
    agency = call.combination.roles.combining_agency
    found = call.received("receipt", agency)
    return found.manifest.receipt if found is not None else None
