"""What the agencies' notices (통지) say of rounds: cancelled, closed, the series over. Each step hears them first."""

from __future__ import annotations

from dataclasses import replace

from jobs.combination import entries
from jobs.combination.notices import KIND, manifests
from jobs.combination.packages import SENT, newest_in_inbox
from jobs.combination.parcels import Manifest
from jobs.combination.rounds import Heard, Round
from jobs.combination.secret_store import enter_end

CANCELLED, CLOSED, ENDED = "cancelled", "closed", "series-ended"


def heard(round_: Round) -> Heard:
    """What both agencies have told this role of the round, and of its series in any round.

    Errors are those of taking in a package: DataFailed where a notice was tampered with.
    """
    found = Heard()
    agency = round_.combination.roles.key_agency
    for manifest in _told_by(round_, agency):
        if manifest.content.get("about") == CANCELLED and not _went_out(round_):
            found = replace(found, cancelled=_text(manifest, "cancelled the round"))
    for manifest in _told_by(round_, round_.combination.roles.combining_agency):
        if manifest.content.get("about") == CLOSED:
            outcome = manifest.content.get("outcome")
            found = replace(found, closed=_text(manifest, "closed the round"))
            if outcome == CANCELLED and not _went_out(round_):
                found = replace(found, cancelled=_text(manifest, "closed the round without a result"))
    for name in round_.combination.rounds():  # the end stands in the last round that the key agency began
        for manifest in _told_by(Round(round_.environment, round_.combination, name), agency):
            if manifest.content.get("about") == ENDED:
                found = replace(found, ended=_text(manifest, "ended the series"))
    return found


def learn(round_: Round) -> None:
    """Enters in this role's ledger what it has heard, so that it holds even where the notice is gone."""
    known = heard(round_)
    if known.cancelled is not None:
        round_.cancel(known.cancelled)
    if known.closed is not None:
        round_.close_elsewhere(known.closed)
    if known.ended is not None:
        enter_end(round_.environment, round_.combination, known.ended)


def _told_by(round_: Round, agency: str) -> list[Manifest]:
    environment, combination = round_.environment, round_.combination
    if agency == environment.exchange.name:
        return []
    there = newest_in_inbox(environment, combination, round_.name, KIND, agency)
    return list(manifests(round_, agency)) if there else []


def _went_out(round_: Round) -> bool:
    """True if the round was exported by this role, or to it: that can't be undone."""
    environment, combination = round_.environment, round_.combination
    named = {"combination": combination.combination, "round": round_.name, "kind": "export"}
    agency = combination.roles.combining_agency
    to_us = newest_in_inbox(environment, combination, round_.name, "export", agency) > 0
    return to_us or bool(entries.entered(environment, SENT, **named))


def _text(manifest: Manifest, what: str) -> str:
    because = manifest.content.get("because")
    return f"{manifest.address.sender} {what}, notice of {manifest.created[:10]}" + (f": {because}" if because else "")
