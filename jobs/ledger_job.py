"""`gamyeong ledger [list|verify|export-head|processing|new-key]`: the chained record of every job."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict

from jobs.decisions import load_all
from jobs.destruction import DESTROYED
from jobs.destruction.targets import GONE
from jobs.environment import Environment
from jobs.handlers import require_reason
from jobs.job import BadInput, Context, DataFailed, Outcome, run_job
from jobs.leaving import leave
from jobs.ledger import Entry, Head, Ledger, chain_problems, entries_and_loss, evidence_ledger, holds, source_ledger
from jobs.processing import as_text, processing_lines
from jobs.runs import CANCELLED, RUN_CANCELLED, RUN_SENT, SENT, RunFolder, list_runs
from jobs.signers import changed_key, end, pinned_signers
from jobs.storage import write_atomically

NEW_KEY = "new-key"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    actions = ("list", "verify", "export-head", "processing", NEW_KEY)
    parser.add_argument("action", nargs="?", choices=actions, default="list")
    parser.add_argument("--source", action="store_true", help="the source zone's own ledger")
    parser.add_argument("--run", metavar="RUN", help="list: the entries of one run")
    parser.add_argument(
        "--against", metavar="HEAD", help="verify: a head that was exported once, or the file that holds it"
    )
    parser.add_argument("--to", type=Path, metavar="FILE", help="export-head: write it there too")
    parser.add_argument("--person", metavar="NAME", help="new-key: who changes the ledger's key")
    parser.add_argument("--reason", metavar="TEXT", help="new-key: why; goes into the ledger")


def body(context: Context) -> Outcome:
    """Reads one ledger; writes none, but where the key is changed."""
    given = context.arguments
    if given.action == NEW_KEY:
        return _new_key(context)
    ledger = (source_ledger if given.source else evidence_ledger)(context.environment, write=False)
    if given.action == "verify":
        return _verify(context, ledger)
    entries = ledger.entries()
    if given.action == "export-head":
        head = ledger.head()
        if given.to:
            write_atomically(given.to, f"{head}\n".encode())
        return Outcome({"head": str(head), "entries": head.seq}, text=str(head))
    if given.action == "processing":
        lines = processing_lines(entries)
        return Outcome({"processing": lines}, text=as_text(lines))
    chosen = [one for one in entries if not given.run or str(one.content().get("run")).startswith(given.run)]
    text = "\n".join(f"{one.seq:>5} {one.at} {one.type:<18} {one.content().get('run', '')}" for one in chosen)
    rows = [{**asdict(one), "body": one.content()} for one in chosen]
    return Outcome({"entries": rows}, text=text or "no entry yet")


def _new_key(context: Context) -> Outcome:
    """Another key signs from now on. What the old ones signed so far counts, and nothing that they sign later."""
    given, environment = context.arguments, context.environment
    if given.person is None or given.reason is None:
        raise BadInput("who changes the key, and why? needed: --person NAME --reason TEXT")
    require_reason(given.reason)
    with changed_key(environment) as (key, old):
        ledgers = [evidence_ledger(environment, write=False), source_ledger(environment, write=False)]
        heads = [one.head() for one in ledgers]
        end(environment, old, [str(head) for head in heads if head.seq])
    body = {"key_id": key.key_id, "ended": old, "person": given.person, "reason": given.reason}
    evidence_ledger(environment).append("ledger-key", body)
    ended = f"; ended: {', '.join(old)}" if old else ""
    text = f"the ledger's key is {key.key_id} now{ended}\nnext: a backup of ledger-key.pem and ledger-signers.json"
    return Outcome({"key_id": key.key_id, "ended": old}, text=text)


# The entry of each end that a run may come to.
ENDS = {"published": "publish", "rejected": "reject", GONE: DESTROYED, SENT: RUN_SENT, CANCELLED: RUN_CANCELLED}


def _verify(context: Context, ledger: Ledger) -> Outcome:
    entries, lost = entries_and_loss(context.environment, ledger)
    against = _head(context.arguments.against)
    problems = chain_problems(entries, pinned_signers(context.environment), against) + lost
    if not context.arguments.source:
        problems += unknown_to(context.environment, entries)
    if problems:
        raise DataFailed("\n".join([f"the ledger at {ledger.place} does not hold:", *problems]))
    head = ledger.head()
    held = f", and holds {against}" if against else ""
    text = f"{len(entries)} entries, the chain holds{held}; head {head}"
    return Outcome({"verdict": "holds", "entries": len(entries), "head": str(head)}, text=text)


def unknown_to(environment: Environment, entries: Sequence[Entry]) -> list[str]:
    """Runs, releases and heads that lie in evidence, and that this ledger does not hold: entries were lost."""
    entered = {(one.type, one.content().get("run")) for one in entries}
    problems = []
    for name in list_runs(environment):
        folder = RunFolder(environment, name)
        wanted = ["pseudonymize"] if folder.record.exists() else []
        if folder.release.exists():
            wanted.append(ENDS.get(str(folder.read("release.json").get("state")), "end"))
        problems += [f"run {name}: no entry of its {job}" for job in wanted if (job, name) not in entered]
        heads = {one.field("ledger_head") for one in load_all(folder)}
        lost = sum(not holds(list(entries), Head.parse(head)) for head in heads)
        problems += [f"run {name}: {lost} decisions name a head that the ledger does not hold"] if lost else []
    return problems


def _head(text: str | None) -> Head | None:
    if text is None:
        return None
    if os.path.isfile(text):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise BadInput(f"{text} can't be read; allowed: a file by `ledger export-head --to`") from None
    return Head.parse(text)


def main(argv: Sequence[str]) -> int:
    """Exit 0, 1 where verify finds the chain broken, 2 for no head."""
    source, changes = "--source" in argv, NEW_KEY in argv
    return run_job(
        argv,
        name="ledger",
        about="Lists or verifies the ledger, exports its head, prints the processing ledger, changes its key.",
        body=body,
        arguments=arguments,
        reads=("source",) if source or changes else ("evidence",),
        writes=("evidence",) if changes else (),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
