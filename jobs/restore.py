"""`gamyeong restore OUTPUT`: reviewers decide about a quarantined output; it comes back, or it is destroyed."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.asking import OUTCOMES
from jobs.errors import BadInput
from jobs.incidents.deciding import decide_incident
from jobs.incidents.ending import Ended, destroy, ended_before, restore, standing
from jobs.incidents.halted import DESTROYED, RESTORED
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.ledger import Entry
from jobs.signing import load_key, passphrase_from


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("output", metavar="OUTPUT", help="APPLICATION/RECIPIENT/TABLE, its published path, or a run")
    parser.add_argument("--reviewer", metavar="NAME", help="who decides; without, what was decided is carried out")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the reviewer's private key")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="where the key is encrypted")
    parser.add_argument("--outcome", choices=OUTCOMES, help="approved: it comes back; rejected: it is destroyed")
    parser.add_argument("--destroy", action="store_true", help="carries out a rejection")
    parser.add_argument("--person", metavar="NAME", help="with --destroy: who carries it out")
    parser.add_argument("--reason", default="", metavar="TEXT", help="for the record")


def body(context: Context) -> Outcome:
    """Signs a decision, or carries out what was decided."""
    given, environment = context.arguments, context.environment
    if given.destroy:
        if given.reviewer is not None:
            raise BadInput("--destroy carries out what is signed already; allowed: without --reviewer")
        if done := ended_before(environment, given.output, DESTROYED):
            return _again("destroyed", done)
        return _ended("destroyed", destroy(environment, given.output, given.person or ""))
    if given.reviewer is None:
        if done := ended_before(environment, given.output, RESTORED):
            return _again("restored", done)
        return _ended("restored", restore(environment, given.output))
    if given.key is None or given.outcome is None:
        raise BadInput("what is decided? allowed: --reviewer NAME --key FILE --outcome approved|rejected --reason TEXT")
    output, halt = standing(environment, given.output)
    key = load_key(given.key, passphrase_from(given.passphrase_file))
    made = decide_incident(environment, output, halt, given.reviewer, key, given.outcome, given.reason)
    return Outcome(
        {"incident": halt.incident, "output": output.name, "verdict": given.outcome, "decision": made.file},
        text=f"{output.name}: {given.outcome} by {made.field('reviewer')}\n{made.file}",
    )


def _again(what: str, done: Entry) -> Outcome:
    """Killed at its very end, it is started again: nothing is left to do."""
    body = done.content()
    told = {"incident": body["incident"], "output": body["output"], "verdict": what, "already": True}
    return Outcome(told, text=f"{body['output']}: {what} already (incident {body['incident']}, {done.at[:10]})")


def _ended(what: str, done: Ended) -> Outcome:
    output = done.halt.output
    told = {"incident": done.halt.incident, "output": output, "verdict": what, "files": done.files}
    return Outcome(told, text=f"{output}: {what}, {done.files} files, as {', '.join(done.by)} decided")


def main(argv: Sequence[str]) -> int:
    """Exit 0 signed or restored, 1 rejected, 2 not under quarantine, 3 refused, 5 waiting for decisions."""
    return run_job(
        argv,
        name="restore",
        about="Signs a decision about a quarantined output; without a reviewer, carries out what was decided.",
        body=body,
        arguments=arguments,
        writes=("published", "quarantine", "evidence"),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
