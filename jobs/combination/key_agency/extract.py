"""`extract`: each party learns whom it need pseudonymize: its joined subjects and as many others (가명정보 추출)."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from jobs.combination.combining_agency.supplies import late_argument
from jobs.combination.key_agency.inputs import Inputs, gather, next_revision
from jobs.combination.key_agency.join_rates import rates_of, require_few_doubled, require_floor
from jobs.combination.key_agency.matcher import Matcher, digest_of
from jobs.combination.key_agency.sealed_tables import SealedTables, by_table
from jobs.combination.order import State
from jobs.combination.packages import Draft
from jobs.combination.step import Call, Step
from jobs.errors import BadInput, Refused, Waiting
from jobs.job import Outcome
from transforms.combination.combining import SERIAL
from transforms.combination.cover import HISTOGRAM, CountReduce, ListReduce, Search, merged
from transforms.combination.extraction import (
    LISTED,
    REFUSED,
    CoverNeeded,
    ExtractionFigures,
    ExtractionRefused,
    extraction_figures,
)
from transforms.combination.joins import needed
from transforms.combination.matching import KEYS_SCHEMA, Tally


def body(call: Call) -> Outcome:
    """Sends each party its list, or that there is none. Other keys than before make new lists, and void the linking.

    Waiting (exit 5) where a person has to set a party's cover: `--cover PARTY=NUMBER --reason TEXT`.
    """
    if call.combination.options.extraction is None:
        raise Refused("the combination file has no options.extraction; allowed: the optional steps that it names")
    before = call.round.done("extract")
    if before is not None and call.round.state == State.CLOSED:
        return _told(call, before, "sent already")
    inputs = gather(call)
    decided = _decided(call)
    if before is not None:
        if before["inputs"] == inputs.of_keys and decided["cover"] in ({}, before["decided"]["cover"]):
            return _told(call, before, "sent already")
        if before["inputs"] != inputs.of_keys:
            call.round.void("link", because="keys were sent again")
        call.round.void("extract", because="keys or cover of the extraction changed")
    matcher = Matcher.of(call, inputs)
    tally, _ = matcher.run(CountReduce(matcher.work), "count for extraction", serials=False)
    require_few_doubled(tally, inputs, call.combination)
    require_floor(rates_of(tally, inputs.parties, matcher.work.rules), call.combination)
    figures, refused = _figures(call, inputs, matcher, tally, decided["cover"])
    thresholds = _thresholds(matcher, figures)
    told: dict[str, Any] = {"inputs": inputs.of_keys, "left_out": dict(inputs.left_out), "decided": decided}
    told["parties"] = {
        party: {"verdict": LISTED, "total": one.total, "extracted": one.extracted, "left": one.left}
        for party, one in figures.items()
    }
    told["parties"] |= {party: {"verdict": REFUSED, "why": why} for party, why in refused.items()}
    drafts = {party: _draft(call, inputs, party, told["parties"][party]) for party in inputs.parties}
    try:
        reduce_ = ListReduce(matcher.work, thresholds, SealedTables.of(drafts))
        files = by_table(blob for _, blob in matcher.run(reduce_, "extraction lists", serials=True)[1])
        for party, package in drafts.items():
            rows = files.get(party, [])
            if party in figures and not rows:
                rows = [package.sealer.write(pa.schema([KEYS_SCHEMA.field(SERIAL)]).empty_table())]
            package.finish(rows, told["parties"][party])
    finally:
        for package in drafts.values():
            package.discard()
    call.round.record("extract", told, call.round.revision("extract") + 1)
    return _told(call, told, "sent")


def _figures(
    call: Call, inputs: Inputs, matcher: Matcher, tally: Tally, cover: Mapping[str, int]
) -> tuple[dict[str, ExtractionFigures], dict[str, str]]:
    """Each party's figures, and why some have none; Waiting with all parties whose cover a person must set."""
    option = call.combination.options.extraction
    assert option is not None
    joined = needed(matcher.work.rules)
    figures, refused, open_ = {}, {}, []
    for place, party in enumerate(inputs.parties):
        try:
            figures[party] = extraction_figures(
                tally.having(place), tally.having(place, joined), cover.get(party), option.rest_over
            )
        except ExtractionRefused as error:
            refused[party] = str(error)
        except CoverNeeded as error:
            open_.append(f"{party}: {error}")
        except ValueError as error:
            raise BadInput(f"--cover {party}: {error}") from None
    if open_:
        raise Waiting("\n".join(["extract waits for a person:", *open_, "allowed: --cover PARTY=NUMBER --reason TEXT"]))
    return figures, refused


def _thresholds(matcher: Matcher, figures: Mapping[str, ExtractionFigures]) -> dict[str, tuple[int, int] | None]:
    """The largest draw of each party's cover, found digit by digit: two passes, rarely three."""
    searches = {party: Search(one.cover) for party, one in figures.items() if one.cover}
    while any(not search.settled for search in searches.values()):
        open_ = {party: search for party, search in searches.items() if not search.settled}
        _, blobs = matcher.run(CountReduce(matcher.work, open_), "cover", serials=False)
        for party, histogram in merged([blob for kind, blob in blobs if kind == HISTOGRAM]).items():
            searches[party] = searches[party].narrowed(histogram)
    return {party: searches[party].threshold if party in searches else None for party in figures}


def _draft(call: Call, inputs: Inputs, party: str, figures: Mapping[str, Any]) -> Draft:
    made_from = {"keys": inputs.of_keys, "figures": dict(figures)}
    revision = next_revision(call, "extraction", party, digest_of(made_from))
    return call.draft("extraction", party, revision=revision, inputs=made_from)


def _decided(call: Call) -> dict[str, Any]:
    """What a person set: cover by party, and why."""
    cover: dict[str, int] = {}
    for text in call.arguments.cover:
        party, _, number = text.partition("=")
        if party not in call.combination.suppliers or not number.isdecimal():
            names = ", ".join(call.combination.suppliers)
            raise BadInput(f"--cover {text!r}; allowed: PARTY=NUMBER, a party of {names}, say A=1600")
        cover[party] = int(number)
    if cover and not call.arguments.reason:
        raise BadInput("--cover without --reason; allowed: who looked at the data, and why this number")
    return {"cover": cover, "reason": call.arguments.reason if cover else None}


def _told(call: Call, told: Mapping[str, Any], state: str) -> Outcome:
    lines = []
    for party, one in told["parties"].items():
        if one["verdict"] == LISTED:
            lines.append(
                f"round {call.round.name}, {party}: list of {one['extracted']} of {one['total']} serials {state} "
                f"({one['left']} are left out)"
            )
        else:
            lines.append(f"round {call.round.name}, {party}: no extraction ({state}): {one['why']}")
    lines += [f"without {party}: {why}" for party, why in told["left_out"].items()]
    return Outcome({"state": state, "parties": told["parties"]}, text="\n".join(lines))


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    late_argument(parser)
    parser.add_argument(
        "--cover", action="append", default=[], metavar="PARTY=N", help="cover serials of a party, set by a person"
    )
    parser.add_argument("--reason", metavar="TEXT", help="who set --cover, and why")


STEP = Step(
    "extract",
    "tells each party which of its subjects to pseudonymize: the joined and cover",
    "key agency",
    body,
    writes=("keys", "evidence"),
    arguments=arguments,
)
