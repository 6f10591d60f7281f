"""`gamyeong quarantine OUTPUT --reason TEXT --person NAME`: stops everything about an output, moves it out of reach."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.errors import BadInput
from jobs.incidents.halted import halts
from jobs.incidents.outputs import find_output
from jobs.incidents.quarantining import moved_entry, quarantine, reason_of, recalled
from jobs.incidents.recall import lines
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.ledger import evidence_ledger


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("output", metavar="OUTPUT", help="APPLICATION/RECIPIENT/TABLE, its published path, or a run")
    parser.add_argument("--reason", metavar="TEXT", help="what happened; no names of those who were identified")
    parser.add_argument("--person", metavar="NAME", help="who reports it")
    parser.add_argument("--show", action="store_true", help="tell what is known of a quarantine, and do nothing")


def body(context: Context) -> Outcome:
    """Quarantines, or shows."""
    given, environment = context.arguments, context.environment
    if given.show:
        return _shown(context)
    if given.reason is None or given.person is None:
        raise BadInput("who reports what? allowed: --reason TEXT --person NAME, or --show alone")
    done = quarantine(environment, given.output, given.reason, given.person)
    moved = done.moved["contents"]["table"]
    state = "under quarantine already" if done.already else "under quarantine"
    output, incident = done.output.name, done.halt.incident
    head = f"{output}: {state}, incident {incident}; {moved['files']} files are out of reach"
    next_ = f"next: reviewers sign by `gamyeong restore {output} …`: approved, it comes back; rejected, it is destroyed"
    counts = {name: len(found) for name, found in done.recall.items()}
    return Outcome(
        {"incident": incident, "output": output, "verdict": state, "files": moved["files"], "recall": counts},
        text="\n".join([head, *lines(done.recall), next_]),
    )


def _shown(context: Context) -> Outcome:
    environment = context.environment
    output = find_output(environment, context.arguments.output)
    halt = halts(environment).get(output.name)
    if halt is None:
        return Outcome({"output": output.name, "verdict": "free"}, text=f"{output.name}: no quarantine")
    told = reason_of(halt)
    ledger = evidence_ledger(environment, write=False)
    found = recalled(environment, halt, moved_entry(ledger, halt))
    head = f"{output.name}: under quarantine since {halt.since}, incident {halt.incident}"
    summary = {"incident": halt.incident, "output": output.name, "verdict": "under quarantine", **told}
    return Outcome(
        {**summary, "recall": dict(found)},
        text="\n".join([head, f"reported by {told['person']}: {told['reason']}", *lines(found)]),
    )


def main(argv: Sequence[str]) -> int:
    """Exit 0 under quarantine, 2 for no such output."""
    return run_job(
        argv,
        name="quarantine",
        about="Stops all jobs on an output, moves its table out of reach, lists who must give it back.",
        body=body,
        arguments=arguments,
        writes=("published", "quarantine", "evidence"),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
