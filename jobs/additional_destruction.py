"""The end of a run's additional information (추가정보 파기), with what proves it.

Proof: before, the canary that was sealed when the secret was made opens with it; then the wrapped secret and all
files are overwritten and removed; afterwards the key provider has no secret of the run, the canary opens with
nothing, and a search of the zones' files finds the wrapped secret's bytes nowhere. Backups are beyond a program's
sight: what the environment declares of them is entered as declared.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jobs import additional
from jobs.byte_search import Searched, search_zones
from jobs.canaries import check_value, opens
from jobs.clock import moment
from jobs.environment import ZONES, Zone
from jobs.errors import JobError
from jobs.keys import KeyCard
from jobs.ledger import Ledger
from jobs.runs import RunFolder
from jobs.series import series_left

WHAT = "additional information"
CLOCKS = 86400.0  # seconds by which machines that share a zone may tell another time
DAMAGED = "the secret was damaged: its bytes are not known"
METHOD = "wrapped run secret removed (crypto-shredding), facts and maps removed"


@dataclass(frozen=True)
class Hands:
    """Who asked for a destruction, who carried it out, who confirmed it (파기 신청자, 수행자, 확인자)."""

    requester: str | None
    performer: str
    confirmer: str | None = None


def destroyed_already(folder: RunFolder, ledger: Ledger) -> bool:
    """True if nothing of a run's additional information is left, and the ledger says so."""
    entered = ledger.find("destroy", run=folder.run, what=WHAT)
    return entered is not None and not additional.anything_left(folder)


def destroy_entered(
    folder: RunFolder,
    ledger: Ledger,
    application: str,
    reason: str,
    hands: Hands,
    zones: Iterable[Zone] = (),
    before_entry: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Destroys, and enters the fields of the destruction ledger (추가정보 파기대장, L3295); gives back the evidence.

    `zones` are searched whole. Without any, all that this job was handed are, but for tables' data files (what is in
    them is compressed) and for what was written before the secret. May be repeated: what a killed attempt had destroyed
    already is entered as gone, without a search for bytes that nobody knows any more.
    """
    evidence = _destroyed(folder, ledger, tuple(zones))
    body = {
        "run": folder.run,
        "what": WHAT,
        "application": application,
        "reason": reason,
        "method": METHOD,
        **asdict(hands),
        "evidence": evidence,
    }
    before_entry()
    ledger.append("destroy", body)
    return evidence


def destroy_of_failed(folder: RunFolder, ledger: Ledger, application: str) -> None:
    """The same for a run that can only fail again: nobody will ask for its secret, and it has made no release."""
    if additional.anything_left(folder):
        hands = Hands(None, folder.environment.organisation)
        destroy_entered(folder, ledger, application, "the run failed; nothing was made with the secret", hands)


def _destroyed(folder: RunFolder, ledger: Ledger, zones: tuple[Zone, ...]) -> dict[str, Any]:
    card = _card(folder)
    damaged = card is None and additional.run_secrets(folder).exists(folder.run)
    before = _opens(folder, card)
    files = _count(folder)
    additional.destroy(folder)
    searched, left = ({}, {"all": DAMAGED}) if damaged else _search(folder, ledger, card, zones)
    return {
        **({"key_id": card.key_id, "check": card.check, "canary": card.canary} if card else {}),
        "check_at_creation": _at_creation(folder, ledger),
        "canary_opened_before": before,
        "canary_opens": _opens(folder, card),
        "provider": "there" if additional.run_secrets(folder).exists(folder.run) else "gone",
        "files": files,
        "series_left": series_left(folder),
        "searched": {
            place: {"files": one.files, "bytes": one.bytes, "passed_over": one.passed_over, "unread": one.unread}
            for place, one in searched.items()
        },
        "not_searched": left,
        "copies": [f"{place}/{path}" for place, one in searched.items() for path in one.found],
        "backups": folder.environment.backups,
    }


def doubts(evidence: dict[str, Any]) -> list[str]:
    """Why the evidence does not prove that nothing leads back any more, and what to do; empty where it does."""
    found = []
    if evidence["copies"]:
        found.append(
            f"copies of its wrapped secret lie at {', '.join(evidence['copies'])}; remove them: with the root key they "
            "open"
        )
    if evidence["not_searched"].get("all") == DAMAGED:
        found.append(
            "its secret was damaged, so no search for copies was possible; look through zones and backups by hand"
        )
    if "check" in evidence and evidence["check"] != evidence["check_at_creation"]:
        found.append(
            "the check value of what was destroyed is not the one in the ledger: somebody had put another secret in "
            "its place; look for the first one"
        )
    elif evidence["canary_opened_before"] is False:
        found.append(
            "its canary did not open before: the root key of this environment is another one, or secret or canary were "
            "altered; look for the secret with which the run was made"
        )
    if unread := sum(one["unread"] for one in evidence["searched"].values()):
        found.append(
            f"{unread} files or folders could not be read in the search, or lie behind a link; look at them by hand"
        )
    return found


def _card(folder: RunFolder) -> KeyCard | None:
    try:
        return additional.run_secrets(folder).card(folder.run)
    except JobError:  # gone already, or damaged: then it must go all the same
        return None


def _opens(folder: RunFolder, card: KeyCard | None) -> bool | None:
    """Does the run's secret open the canary, and has it the check value? None where there is no canary to try."""
    if card is None:
        return None
    context = {"kind": "run", "name": folder.run}
    try:
        secret = additional.run_secrets(folder).load(folder.run)
    except JobError:  # gone, or the root key is: nobody opens it here
        return False
    return opens(secret, context, card.canary) and check_value(secret, context) == card.check


def _count(folder: RunFolder) -> int:
    place = folder.additional
    if not place.is_local or not place.local.is_dir():
        return 0
    return sum(1 for path in place.local.rglob("*") if path.is_file())


def _at_creation(folder: RunFolder, ledger: Ledger) -> str | None:
    """The check value that the ledger took when the run was made."""
    entry = ledger.find("pseudonymize", run=folder.run)
    return (entry.content().get("secret") or {}).get("check") if entry else None


def _search(
    folder: RunFolder, ledger: Ledger, card: KeyCard | None, zones: tuple[Zone, ...]
) -> tuple[dict[str, Searched], dict[str, str]]:
    if card is None:
        return {}, {"all": "the secret was gone already: its bytes are not known"}
    needles = (card.wrapped, base64.b64encode(card.wrapped), card.wrapped.hex().encode())
    if zones:
        return search_zones(folder.environment, zones, needles)
    made = ledger.find("pseudonymize", run=folder.run)  # the secret's file may have come back from a backup since
    since = min([card.written, *([moment(made.at).timestamp()] if made else [])]) - CLOCKS

    def wanted(path: Path, stat: os.stat_result) -> bool:
        return stat.st_mtime >= since and path.suffix != ".parquet"

    handed = tuple(zone for zone in ZONES if zone in folder.environment.zones)
    done, left = search_zones(folder.environment, handed, needles, wanted)
    return done, {**left, **{zone: "not handed to this job" for zone in ZONES if zone not in handed}}
