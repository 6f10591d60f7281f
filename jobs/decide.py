"""`gamyeong decide [RUN]`: shows what is up for decision, signs and records a reviewer's decision."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobs.clock import Clock, stamp, utc_now
from jobs.conflicts import NONE, SECRECY, answers, parse_conflicts, questions_text
from jobs.decisions import OUTCOMES, Decision, bound, conditions, load_all, save, statement
from jobs.difference import shown
from jobs.incidents.halted import require_run_going
from jobs.job import BadInput, Context, Outcome, Refused, run_job
from jobs.judging import CONFLICT, admitted
from jobs.leaving import leave
from jobs.ledger import evidence_ledger, trusted_entries
from jobs.locks import exclusive
from jobs.runs import RunFolder, find_run
from jobs.signing import SigningKey, load_key, passphrase_from
from jobs.sub_results import SUB_RESULTS, sub_results
from jobs.vouched import require_vouched
from transforms.persons import person


@dataclass(frozen=True)
class Vote:
    """What a reviewer says: an outcome with its conditions and reason, or the condition that is closed.

    `conflicts` are the numbers of the questions on conflict of interest answered with yes: where there is one, this is
    all that is said. `insufficient` are the names of sub-results that are not fit.
    """

    outcome: str | None = None
    conditions: tuple[str, ...] = ()
    reason: str = ""
    close: str | None = None
    conflicts: tuple[int, ...] = ()
    insufficient: tuple[str, ...] = ()


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="name of the run, or the beginning of it")
    parser.add_argument("--show", action="store_true", help="print what would be signed, and sign nothing")
    parser.add_argument("--questions", action="store_true", help="print the questions on conflict of interest")
    parser.add_argument("--reviewer", metavar="NAME", help="who decides")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the reviewer's private key")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="where the key is encrypted")
    parser.add_argument("--outcome", choices=OUTCOMES, help="the decision")
    parser.add_argument(
        "--condition", action="append", default=[], metavar="TEXT", help="for conditional; may be repeated"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="for the record; needed for rejected")
    parser.add_argument(
        "--conflicts", metavar="none|1,3", help="numbers of the questions on conflict of interest answered with yes"
    )
    parser.add_argument(
        "--insufficient", action="append", default=[], metavar="NAME",
        help=f"a sub-result that is not fit; may be repeated: {', '.join(SUB_RESULTS)}",
    )  # fmt: skip
    parser.add_argument("--close", metavar="CONDITION", help="id or text of one's own condition that is met")


def body(context: Context) -> Outcome:
    """Shows, or signs and records."""
    given = context.arguments
    if given.questions:
        return Outcome({}, text=questions_text())
    folder = find_run(context.environment, given.run)
    if given.show:
        return Outcome({"run": folder.run}, text=shown(folder))
    if not given.reviewer or not given.key:
        raise BadInput("who decides? allowed: --reviewer NAME --key FILE, or --show alone")
    if given.conflicts is None and given.close is None:
        raise BadInput(
            "the questions on conflict of interest are not answered; allowed: --conflicts none, or the numbers of "
            "those whose answer is yes; `gamyeong decide --questions` prints them"
        )
    yes = parse_conflicts(NONE if given.conflicts is None else given.conflicts)
    vote = Vote(given.outcome, tuple(given.condition), given.reason, given.close, yes, tuple(given.insufficient))
    key = load_key(given.key, passphrase_from(given.passphrase_file))
    made = decide(folder, given.reviewer, key, vote)
    if made.field("kind") == CONFLICT:
        name = made.field("reviewer")
        text = f"run {folder.run}: {name} has a conflict of interest and does not decide; recorded as {made.file}"
        told = {"run": folder.run, "verdict": CONFLICT, "reviewer": name, "decision": made.file}
        return Outcome(told, text=text, exit_code=3)
    what = given.outcome or f"condition {made.field('condition')} closed"
    terms = [f"condition {one['id']}: {one['text']}" for one in made.conditions]
    return Outcome(
        {"run": folder.run, "verdict": what, "reviewer": made.field("reviewer"), "decision": made.file},
        text="\n".join([f"run {folder.run}: {what} by {made.field('reviewer')}", *terms, made.file]),
    )


def decide(
    folder: RunFolder, reviewer: str, key: SigningKey, vote: Vote, clock: Clock = utc_now
) -> Decision:
    """Signs a vote about what stands in evidence now, writes it there and enters it in the ledger.

    Refused for who may not decide, for another key than the pinned one, for a run that is over, and for
    anything but a rejection where the checks failed. Waiting while verify or review has not run.
    """
    _complete(vote)
    with exclusive(folder.lock, f"run {folder.run}"):
        record, plan = folder.load_record(), folder.load_plan()
        require_run_going(folder.environment, record)
        if folder.release.exists():
            raise Refused(f"run {folder.run} is {folder.read('release.json').get('state', 'over')} already")
        who = admitted(folder.environment, plan, reviewer, key)
        binding = bound(folder, record)
        ledger = evidence_ledger(folder.environment, clock)
        require_vouched(folder, trusted_entries(folder.environment, ledger))
        verdicts = folder.read("verify.json").get("verdict"), folder.read("result.json").get("verdict")
        if vote.outcome in ("approved", "conditional") and verdicts != ("equal", "fit"):
            raise Refused(f"run {folder.run} failed its checks {verdicts}; allowed: --outcome rejected")
        at = stamp(clock())
        if vote.conflicts:
            said: dict[str, Any] = {"kind": CONFLICT, "conflicts": answers(vote.conflicts)}
        elif vote.close is None:
            _require_no_conflict(folder, who.name)
            terms = conditions(vote.conditions, at)
            graded = sub_results(vote.insufficient, vote.outcome)
            said = {"kind": "decision", "outcome": vote.outcome, "conditions": terms, "sub_results": graded}
            said |= {"conflicts": answers(()), "pledge": SECRECY[0]}
        else:
            said = {"kind": "close", "condition": own_condition(load_all(folder), who.name, vote.close)}
        signed = statement(who.name, key, binding, ledger.head(), at, {**said, "reason": vote.reason})
        made = save(folder.decisions, signed, key)
        ledger.append("decision", made.entry(folder.run), once=("run", "sha256"))
    return made


def _require_no_conflict(folder: RunFolder, name: str) -> None:
    declared = [one for one in load_all(folder) if one.field("kind") == CONFLICT]
    if any(person(one.field("reviewer")) == person(name) for one in declared):
        raise Refused(f"{name} declared a conflict of interest about run {folder.run}; allowed: another reviewer")


def _complete(vote: Vote) -> None:
    if vote.conflicts:
        if vote.outcome is not None or vote.close is not None:
            raise BadInput("who has a conflict of interest does not decide; leave --outcome and --close away")
        return
    sub_results(vote.insufficient, vote.outcome)
    if (vote.outcome is None) == (vote.close is None):
        raise BadInput("what is decided? allowed: either --outcome or --close CONDITION")
    if (vote.outcome == "conditional") != bool(vote.conditions):
        raise BadInput("--condition TEXT and --outcome conditional belong together; allowed: both, or neither")
    if vote.outcome == "rejected" and not vote.reason:
        raise BadInput("a rejection without a reason; allowed: --reason TEXT")


def own_condition(decisions: Sequence[Decision], name: str, text: str) -> str:
    """The id of a person's own open condition, by its id or text; BadInput where there is none."""
    mine = [one for one in decisions if person(one.field("reviewer")) == person(name)]
    terms = {term["id"]: term["text"] for one in mine for term in one.conditions}
    closed = {one.field("condition") for one in mine if one.field("kind") == "close"}
    is_open = {key: said for key, said in terms.items() if key not in closed}
    for key, said in is_open.items():
        if text in (key, said):
            return key
    listed = ", ".join(f"{key} ({said})" for key, said in is_open.items()) or "none"
    raise BadInput(f"{name} has no open condition {text!r}; open ones: {listed}")


def main(argv: Sequence[str]) -> int:
    """Exit 0 recorded, 2 incomplete, 3 refused (a conflict of interest among them), 5 not reviewed yet."""
    return run_job(
        argv,
        name="decide",
        about="Signs and records a reviewer's decision about a run.",
        body=body,
        arguments=arguments,
        reads=("evidence",),
        writes=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
