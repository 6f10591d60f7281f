"""Do the decisions allow this run to be published? Everything is verified again, by nobody's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jobs.clock import moment
from jobs.conflicts import answers
from jobs.decisions import OUTCOMES, Decision, bound, differences, load_all
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.ledger import Entry, Head, holds
from jobs.reviewers import Reviewer, load_reviewers
from jobs.runs import RunFolder, RunRecord
from jobs.signing import SigningKey, signed_by
from jobs.vouched import require_vouched
from transforms.derivation import canonical_json
from transforms.persons import person

CLOCK_SKEW = timedelta(minutes=5)
# What a statement says it is: a judgement, the closing of a condition of one, or that its signer may not decide.
Kinds = tuple[str, ...]
CONFLICT = "conflict"
DECISIONS: Kinds = ("decision", "close", CONFLICT)
BARRED = ("author", "operator", "processors", "users")


@dataclass(frozen=True)
class Judgement:
    """What valid decisions say. `waiting` tells who or what is missing; empty means: may be published."""

    decisions: tuple[Decision, ...]
    rejected_by: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def required(environment: Environment, plan: Mapping[str, Any]) -> int:
    """How many different people must approve: the environment's floor, or the plan's number if higher."""
    return max(environment.floor(plan["use"]["form"]).reviewers, plan["adequacy"].get("reviewers") or 0)


def required_external(environment: Environment, plan: Mapping[str, Any]) -> int:
    """How many of them must come from outside (외부전문가): floor or plan, whichever is higher."""
    return max(environment.floor(plan["use"]["form"]).external, plan["adequacy"].get("external") or 0)


def chair_of(plan: Mapping[str, Any]) -> str | None:
    """Who leads the review (위원장), if the plan names somebody."""
    return (plan.get("people") or {}).get("chair")


def barred(plan: Mapping[str, Any]) -> set[str]:
    """Persons who made, run or use the data: they don't decide (이해상충, L3245)."""
    people = plan.get("people") or {}
    names: list[str] = []
    for role in BARRED:
        value = people.get(role)
        names += [value] if isinstance(value, str) else list(value or ())
    return {person(name) for name in names}


def eligible(reviewers: Iterable[Reviewer], plan: Mapping[str, Any]) -> list[Reviewer]:
    """Who may decide about a plan: pinned, not revoked, not barred, named by the plan if it names any."""
    no, named = barred(plan), {person(name) for name in (plan.get("people") or {}).get("reviewers") or ()}
    return [
        one
        for one in reviewers
        if one.revoked is None and person(one.name) not in no and (not named or person(one.name) in named)
    ]


def admitted(environment: Environment, plan: Mapping[str, Any], name: str, key: SigningKey) -> Reviewer:
    """The reviewer of this name, who signs with this key.

    Refused, with the reason, if this person may not decide about the plan, or the key is not the pinned one.
    """
    pinned = load_reviewers(environment)
    reviewer = next((one for one in pinned if one.revoked is None and person(one.name) == person(name)), None)
    reason = _unfit(reviewer, name, pinned, plan)
    if reviewer is None or reason:
        raise Refused(reason)
    if reviewer.key_id != key.key_id:
        raise Refused(f"key {key.key_id} is not the one that is pinned for {reviewer.name} ({reviewer.key_id})")
    return reviewer


def judge(
    folder: RunFolder, record: RunRecord, plan: Mapping[str, Any], ledger: list[Entry], now: datetime
) -> Judgement:
    """Verifies every decision of a run; Refused, with all problems at once, if one of them can't count.

    An earlier decision about other content counts no more once the same reviewer has decided about what
    stands there now, nor does one by a key revoked since; a rejection always counts.
    """
    environment = folder.environment
    pinned = load_reviewers(environment)
    need, able = required(environment, plan), eligible(pinned, plan)
    if len(able) < need:
        names = ", ".join(one.name for one in able) or "nobody"
        raise Refused(
            f"run {folder.run} needs decisions of {need} reviewers; only {len(able)} may decide ({names}); "
            "allowed: pinned reviewers (`gamyeong reviewer new`) who are neither author, operator, processor "
            "nor user of the plan"
        )
    outside = required_external(environment, plan)
    if sum(one.kind == "external" for one in able) < outside:
        raise Refused(
            f"run {folder.run} needs decisions of {outside} external reviewer(s); too few are pinned; allowed: "
            "`gamyeong reviewer new NAME --key FILE --kind external`"
        )
    decisions, now_bound = load_all(folder), bound(folder, record)
    require_vouched(folder, ledger)
    problems = missing(decisions, ledger, folder.run)
    problems += replayed(decisions)
    current: list[Decision] = []
    stale: list[tuple[Decision, list[str]]] = []
    for one in decisions:
        wrong = invalid(one, pinned, plan, record.finished, ledger, now)
        problems += [f"{one.file}: {text}" for text in wrong]
        other = differences(one.statement.get("bound"), now_bound)
        if not wrong and ended(one, pinned):
            continue
        if not other:
            current.append(one)
        elif wrong:
            problems.append(_other_content(one, other))
        else:
            stale.append((one, other))
    anew = {person(one.field("reviewer")): one.field("at") for one in current}
    for one, other in stale:
        stays = one.field("outcome") == "rejected" or one.field("kind") == CONFLICT
        if stays and not _elsewhere(one, record):
            current.append(one)
        elif anew.get(person(one.field("reviewer")), "") <= one.field("at"):
            problems.append(_other_content(one, other))
    if problems:
        raise Refused("\n".join([f"run {folder.run} can't be published:", *problems]))
    return outcome(current, able, need, external=outside, chair=chair_of(plan))


def faults(
    folder: RunFolder,
    record: RunRecord,
    plan: Mapping[str, Any],
    ledger: list[Entry],
    now: datetime,
    now_bound: dict[str, Any],
) -> list[str]:
    """Decisions that can't count as they are: forged, altered, replayed, removed, or about other content."""
    pinned, decisions = load_reviewers(folder.environment), load_all(folder)
    problems = missing(decisions, ledger, folder.run) + replayed(decisions)
    for one in decisions:
        problems += [f"{one.file}: {text}" for text in invalid(one, pinned, plan, record.finished, ledger, now)]
        if other := differences(one.statement.get("bound"), now_bound):
            problems.append(_other_content(one, other))
    return problems


def _signer(decision: Decision, pinned: Iterable[Reviewer]) -> Reviewer | None:
    who, key = person(decision.field("reviewer")), decision.field("key_id")
    return next((one for one in pinned if person(one.name) == who and one.key_id == key), None)


def ended(decision: Decision, pinned: Iterable[Reviewer]) -> bool:
    """True if it was signed by a revoked key, so that it counts no more; what was rejected stays rejected."""
    signer = _signer(decision, pinned)
    stays = decision.field("outcome") == "rejected"
    return signer is not None and signer.revoked is not None and not stays


def _other_content(decision: Decision, other: list[str]) -> str:
    return f"{decision.file}: {decision.field('reviewer')} decided about other content: {', '.join(other)}"


def _elsewhere(decision: Decision, record: RunRecord) -> bool:
    signed = decision.statement.get("bound")
    return not isinstance(signed, dict) or signed.get("run") != record.run


def _unfit(
    reviewer: Reviewer | None, name: str, pinned: Iterable[Reviewer], plan: Mapping[str, Any]
) -> str:
    if reviewer is None:
        revoked = any(person(one.name) == person(name) for one in pinned)
        state = "has only a revoked key" if revoked else "is not among the pinned reviewers"
        return f"{name} {state}; allowed: who was pinned by `gamyeong reviewer new`"
    if person(reviewer.name) in barred(plan):
        return f"{reviewer.name} is author, operator, processor or user of this plan; allowed: none of these"
    if not eligible([reviewer], plan):
        return f"{reviewer.name} is none of the plan's reviewers; allowed: who stands in people.reviewers"
    return ""


def missing(decisions: list[Decision], ledger: list[Entry], run: str, kind: str = "decision") -> list[str]:
    """Decisions that the ledger knows and the folder doesn't hold any more, or holds in another form."""
    here = {one.sha256 for one in decisions}
    entered = [entry.content() for entry in ledger if entry.type == kind]
    return [
        f"{one['file']}: the ledger knows this {kind} of {one['reviewer']}, but it was removed or altered"
        for one in entered
        if one["run"] == run and one["sha256"] not in here
    ]


def replayed(decisions: list[Decision]) -> list[str]:
    """Copies of one signed statement."""
    counts = Counter(one.field("nonce") for one in decisions)
    return [
        f"{one.file}: a replayed decision (its nonce stands there more than once)"
        for one in decisions
        if counts[one.field("nonce")] > 1
    ]


def invalid(
    one: Decision,
    pinned: tuple[Reviewer, ...],
    plan: Mapping[str, Any],
    since: str,
    ledger: list[Entry],
    now: datetime,
    kinds: Kinds = DECISIONS,
) -> list[str]:
    """Why one signed statement can't count: its signer, signature, kind, time (`since`: when the run ended), head."""
    name, problems = one.field("reviewer"), []
    known = [reviewer for reviewer in pinned if person(reviewer.name) == person(name)]
    signer = _signer(one, pinned)
    if not known:
        problems.append(f"{name} is not among the pinned reviewers")
    elif signer is None:
        problems.append(f"signed with key {one.field('key_id')}, which is not pinned for {name}")
    elif not signed_by(signer.public, canonical_json(one.statement), one.signature):
        problems.append(f"the signature is not that of {name}: the file was altered")
    elif signer.revoked is None:
        problems.append(_unfit(signer, name, pinned, plan))
    if one.field("kind") not in kinds or (one.field("kind") == kinds[0] and one.field("outcome") not in OUTCOMES):
        problems.append(f"neither a {kinds[0]} nor the closing of a condition")
    if one.field("outcome") == "conditional" and not one.conditions:
        problems.append("conditional, but without a condition")
    if kinds == DECISIONS and one.field("kind") == kinds[0] and not _disinterested(one):
        problems.append("does not answer the questions on conflict of interest with no; allowed: to decide anew")
    try:
        at = moment(one.field("at"))
        if at > now + CLOCK_SKEW or at < moment(since) - CLOCK_SKEW:
            problems.append(f"made at {one.field('at')}: before the run's end or in the future")
    except ValueError:
        problems.append("without a time")
    try:
        if not holds(ledger, Head.parse(one.field("ledger_head"))):
            problems.append("names a head that the ledger doesn't hold: the ledger was replaced")
    except BadInput:
        problems.append("names no head of the ledger")
    return [text for text in problems if text]


def _by(others: Sequence[str], still: int) -> str:
    """Those who may still say something; where they are too few, who else must be found."""
    if len(others) >= still:
        return " or ".join(others)
    found = f"{' or '.join(others)}, who are too few" if others else "nobody left"
    return f"{found}; `gamyeong reviewer new` pins more (people.reviewers of the plan, where it names some, must too)"


def _disinterested(decision: Decision) -> bool:
    """Whether every question is answered with no; a rejection counts without answers."""
    said = decision.statement.get("conflicts")
    return decision.field("outcome") == "rejected" or said == answers(())


def outcome(
    current: list[Decision],
    able: list[Reviewer],
    need: int,
    kinds: Kinds = DECISIONS,
    *,
    external: int = 0,
    chair: str | None = None,
) -> Judgement:
    """What statements that count say together; `need` different persons of those who are `able` must approve.

    `external` of them must be external reviewers, one must be the `chair`. Who declared a conflict of interest counts
    no more, whatever was decided before or after.
    """
    out = {person(one.field("reviewer")) for one in current if one.field("kind") == CONFLICT}
    able = [one for one in able if person(one.name) not in out]
    current = [one for one in current if one.field("kind") == CONFLICT or person(one.field("reviewer")) not in out]
    judging = [one for one in current if one.field("kind") == kinds[0]]
    rejected = [one for one in judging if one.field("outcome") == "rejected"]
    approving = [one for one in judging if one.field("outcome") in ("approved", "conditional")]
    approved = {person(one.field("reviewer")): one.field("reviewer") for one in approving}
    closings = [one for one in current if one.field("kind") == kinds[1]]
    closed = {(person(one.field("reviewer")), one.field("condition")) for one in closings}
    waiting = []
    if len(approved) < need:
        others = [one.name for one in able if person(one.name) not in approved]
        still = need - len(approved)
        waiting.append(f"{still} more {kinds[0]}(s) of {need}, by {_by(others, still)}")
    outsiders = {person(one.name) for one in able if one.kind == "external"}
    if (lack := external - len(outsiders & approved.keys())) > 0:
        waiting.append(f"{lack} more {kinds[0]}(s) by external reviewers (of {external})")
    if chair is not None and person(chair) not in approved and not rejected:
        waiting.append(f"the {kinds[0]} of {chair}, who leads the review")
    waiting += [
        f"{one.field('reviewer')} to close condition {condition.get('id')} ({condition.get('text')})"
        for one in approving
        for condition in one.conditions
        if (person(one.field("reviewer")), condition.get("id")) not in closed
    ]
    return Judgement(
        decisions=tuple(current),
        rejected_by=tuple(one.field("reviewer") for one in rejected),
        approved_by=tuple(approved.values()),
        waiting=tuple(waiting),
        reasons=tuple(one.field("reason") for one in rejected if one.field("reason")),
    )
