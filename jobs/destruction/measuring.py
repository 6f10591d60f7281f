"""What is to go, measured before the first file goes: a start that goes on destroys this, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from jobs.errors import Refused
from jobs.ledger import Ledger
from jobs.storage import Location
from transforms.derivation import canonical_json

MEASURED = "destruction-measured"


def measured(ledger: Ledger, about: Mapping[str, Any], place: Location, measure: Callable[[], Any]) -> Any:
    """What `measure` gives (plain JSON), kept at `place`; its SHA-256 is entered before anything follows from it.

    Entered already, it is what was measured then. A file that nobody entered counts for nothing; Refused where the
    entered one is gone or was altered: evidence is open to people who must not choose what is destroyed.
    """
    entry = ledger.find(MEASURED, **about)
    if entry is None:
        found = measure()
        place.write_json(found)
        ledger.append(MEASURED, {**about, "sha256": _digest(found)}, once=tuple(about))
        return found
    try:
        kept = place.read_json()
    except (FileNotFoundError, ValueError):
        kept = None
    if _digest(kept) != entry.content()["sha256"]:
        raise Refused(f"{place} is not what was measured and entered; allowed: the file as it was, from a backup")
    return kept


def _digest(found: Any) -> str:
    return hashlib.sha256(canonical_json(found)).hexdigest()
