"""`rate`: the join rate (결합률) of each party, before anybody pseudonymizes anything (guideline L1445)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.combination.combining_agency.supplies import late_argument
from jobs.combination.key_agency.inputs import gather, next_revision
from jobs.combination.key_agency.join_rates import Rate, causes, rates_of, require_few_doubled
from jobs.combination.key_agency.matcher import Matcher, digest_of
from jobs.combination.order import State
from jobs.combination.step import Call, Step
from jobs.errors import Refused
from jobs.job import Outcome
from transforms.combination.cover import CountReduce


def body(call: Call) -> Outcome:
    """Each party learns its own counts. A round has as many askings as the file allows; the same keys again are none.

    The answers to two askings with a few other keys would tell whether those few are the other party's subjects.
    """
    option = call.combination.options.join_rate
    if option is None:
        raise Refused("the combination file has no options.join_rate; allowed: the optional steps that it names")
    before = call.round.done("rate")
    if before is not None and call.round.state == State.CLOSED:
        return _told(call, before, "told already")
    inputs = gather(call)
    if before is not None and before["inputs"] == inputs.of_keys:
        return _told(call, before, "told already")
    asked = call.round.revision("rate")
    if asked >= option.asks:
        raise Refused(
            f"rate: round {call.round.name} was asked for {asked} time(s); allowed: {option.asks} (options.join_rate."
            "asks), for the differences of answers tell who is whose subject; `link` checks the floor all the same"
        )
    matcher = Matcher.of(call, inputs)
    tally, _ = matcher.run(CountReduce(matcher.work), "join rate", serials=False)
    require_few_doubled(tally, inputs, call.combination)
    told: dict[str, Any] = {"inputs": inputs.of_keys, "left_out": dict(inputs.left_out), "floor": option.floor}
    told["rates"] = {
        party: {"total": rate.total, "matched": rate.matched}
        for party, rate in rates_of(tally, inputs.parties, matcher.work.rules).items()
    }
    for party, counts in told["rates"].items():
        rate = Rate(**counts)
        # A party learns what concerns its own keys; of the others' not even which revision they had.
        made_from = {"keys": inputs.of_keys[party], "asked": asked + 1, **counts}
        revision = next_revision(call, "rate", party, digest_of(made_from))
        package = call.draft("rate", party, revision=revision, inputs=made_from)
        verdict = "below-floor" if rate.share < option.floor else "enough"
        package.finish(content={**counts, "rate": round(rate.share, 6), "floor": option.floor, "verdict": verdict})
    call.round.record("rate", told, asked + 1)
    return _told(call, told, "told")


def _told(call: Call, told: Mapping[str, Any], state: str) -> Outcome:
    rates = {party: Rate(**counts) for party, counts in told["rates"].items()}
    low = [party for party, rate in rates.items() if rate.share < told["floor"]]
    lines = [f"round {call.round.name}: join rate {state}: {party} {rate}" for party, rate in rates.items()]
    lines += [f"without {party}: {why}" for party, why in told["left_out"].items()]
    if low:
        lines += [f"below the floor of {told['floor']:.2%}: {', '.join(low)}", causes(call.combination)]
    summary = {"state": state, "rates": told["rates"], "below_floor": low}
    return Outcome(summary, text="\n".join(lines), exit_code=1 if low else 0)


STEP = Step(
    "rate",
    "measures the join rate and tells each party its own",
    "key agency",
    body,
    writes=("keys", "evidence"),
    arguments=late_argument,
)
