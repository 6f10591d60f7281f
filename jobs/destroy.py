"""`gamyeong destroy OUTPUT`: published data go for good; somebody asks, a reviewer signs, another carries it out."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.asking import OUTCOMES
from jobs.clock import utc_now
from jobs.destruction.approving import (
    carried_out,
    decide_destruction,
    judge_destruction,
    request,
    standing,
)
from jobs.destruction.carrying import Destroyed, carry_out
from jobs.destruction.due import due_targets
from jobs.destruction.targets import Target, find_target, published_runs
from jobs.errors import BadInput, Refused, Waiting
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.ledger import evidence_ledger
from jobs.signing import load_key, passphrase_from

NEXT = "next: a reviewer signs (--reviewer NAME --key FILE --outcome approved); another carries it out (--approved)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("output", nargs="?", help="APPLICATION/RECIPIENT/TABLE, its published path, or a run")
    parser.add_argument("--due", action="store_true", help="all whose use has ended, in place of one output")
    parser.add_argument("--period", metavar="PERIOD", help="that period alone")
    parser.add_argument("--run", metavar="RUN", help="what that run published alone")
    parser.add_argument("--person", metavar="NAME", help="who asks, or with --approved who carries it out")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the destruction ledger")
    parser.add_argument("--reviewer", metavar="NAME", help="who signs")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the reviewer's private key")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="where the key is encrypted")
    parser.add_argument("--outcome", choices=OUTCOMES, help="what the reviewer says about the request")
    parser.add_argument("--approved", action="store_true", help="carries out what a reviewer has signed")
    parser.add_argument("--show", action="store_true", help="tell how things stand, and do nothing")


def body(context: Context) -> Outcome:
    """Tells, asks, signs, or destroys."""
    given, environment = context.arguments, context.environment
    if given.due:
        return _all_due(context)
    if given.output is None:
        raise BadInput("what? allowed: OUTPUT, or --due")
    target = find_target(environment, given.output, given.period, given.run)
    if given.show:
        return _shown(context, target)
    if given.reviewer is not None:
        if given.key is None or given.outcome is None or given.approved:
            raise BadInput("what is signed? allowed: --reviewer NAME --key FILE --outcome approved|rejected")
        key = load_key(given.key, passphrase_from(given.passphrase_file))
        made = decide_destruction(environment, target, given.reviewer, key, given.outcome, given.reason)
        told = {**target.key, "verdict": given.outcome, "decision": made.file}
        return Outcome(told, text=f"{target.name}: {given.outcome} by {made.field('reviewer')}\n{made.file}")
    if given.person is None:
        raise BadInput("who? allowed: --person NAME with --reason TEXT (asks) or --approved (carries out), or --show")
    if given.approved:
        if (number := carried_out(environment, target)) is not None:  # killed at its very end, it is started again
            told = {**target.key, "verdict": "destroyed", "already": True, "request": number}
            return Outcome(told, text=f"{target.name}: destroyed already (request {number})")
        return _done(carry_out(environment, target, given.person))
    return _asked(context, target)


def _asked(context: Context, target: Target) -> Outcome:
    given = context.arguments
    asked, new = request(context.environment, target, given.person, given.reason)
    state = "is asked for" if new else "was asked for already"
    told = {**target.key, "verdict": "requested", "request": asked.number, "runs": list(asked.runs)}
    text = f"the destruction of {target.name} {state}, request {asked.number}, {len(asked.runs)} runs\n{NEXT}"
    return Outcome(told, text=text)


def _all_due(context: Context) -> Outcome:
    """The same for all that is due; reviewers sign each by itself."""
    given, environment = context.arguments, context.environment
    if given.output is not None or given.period is not None or given.run is not None or given.reviewer is not None:
        raise BadInput("--due goes with --person or --show alone; a reviewer signs for each OUTPUT by itself")
    targets = due_targets(environment, utc_now().date())
    if given.show:
        return _together("state", [_shown(context, one) for one in targets])
    if given.person is None:
        raise BadInput("who? allowed: --person NAME with --reason TEXT (asks) or --approved (carries out), or --show")
    if given.approved:
        entries = evidence_ledger(environment, write=False).entries()
        asked = [one for one in targets if standing(entries, one) is not None]
        return _together("verdict", [_carried(context, one) for one in asked])
    return _together("verdict", [_asked(context, one) for one in targets])


def _carried(context: Context, target: Target) -> Outcome:
    """Carries one out, or says why not: what waits for a signature, or is refused, keeps none of the others."""
    try:
        return _done(carry_out(context.environment, target, context.arguments.person))
    except (Waiting, Refused) as error:
        waits = isinstance(error, Waiting)
        told = {"verdict": "waiting" if waits else "refused", "waits_for": error.message if waits else ""}
        return Outcome({**target.key, **told}, text=error.message, exit_code=error.exit_code)


def _together(name: str, parts: Sequence[Outcome]) -> Outcome:
    """One outcome of several; `name` is `waiting` where one of them waits, else what the first says."""
    told = [one.summary for one in parts]
    waits = "; ".join(str(one["waits_for"]) for one in told if one.get("waits_for"))
    states = [str(one[name]) for one in told] or ["nothing"]
    state = "waiting" if "waiting" in states else states[0]
    text = "\n".join(one.text for one in parts) or "nothing is due"
    return Outcome(
        {name: state, "waits_for": waits, "all": told},
        text=text,
        exit_code=max((one.exit_code for one in parts), default=0),
    )


def _shown(context: Context, target: Target) -> Outcome:
    environment = context.environment
    runs = sorted(published_runs(environment, target))
    asked = standing(evidence_ledger(environment, write=False).entries(), target)
    if asked is None:
        told = {**target.key, "state": "published" if runs else "nothing", "runs": runs, "waits_for": ""}
        return Outcome(told, text=f"{target.name}: {len(runs)} runs are published; no destruction is asked for")
    waits = "; ".join(judge_destruction(environment, target, asked).waiting)
    state = "waiting" if waits else "approved"
    told = {**target.key, "state": state, "runs": runs, "waits_for": waits, "request": asked.number}
    text = f"{target.name}: request {asked.number} by {asked.person} ({asked.reason}): {state}"
    return Outcome(told, text=f"{text} for {waits}" if waits else text)


def _done(done: Destroyed) -> Outcome:
    files, rows = sum(one.files for one in done.proofs), sum(one.rows for one in done.proofs)
    told = {
        **done.target.key,
        "verdict": "copies" if done.copies else "destroyed",
        "files": files,
        "rows": rows,
        "searched": max((one.searched for one in done.proofs), default=0),
        "copies": list(done.copies),
    }
    lines = [f"{done.target.name}: destroyed, {rows} rows in {files} files, as {done.confirmer} has confirmed"]
    lines += [f"the same bytes lie at {copy}: look at it, and remove it" for copy in done.copies]
    return Outcome(told, text="\n".join(lines), exit_code=1 if done.copies else 0)


def main(argv: Sequence[str]) -> int:
    """Exit 0 asked, signed or destroyed, 1 destroyed but copies lie elsewhere, 3 refused, 5 waits for a signature."""
    return run_job(
        argv,
        name="destroy",
        about="Destroys a published table, a period of it, or what a run published, once a reviewer has signed.",
        body=body,
        arguments=arguments,
        reads=("staging", "quarantine"),
        writes=("published", "evidence"),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
