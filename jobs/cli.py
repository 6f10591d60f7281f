"""`gamyeong JOB …`: finds the job and hands it the rest of the arguments."""

from __future__ import annotations

import difflib
import importlib
import json
import sys
from collections.abc import Sequence
from typing import NoReturn

from jobs.leaving import leave
from jobs.showing import show

JOBS: dict[str, tuple[str, str]] = {
    "run": ("run", "all steps of one plan, in order"),
    "generate": ("generate", "data to try with into the source zone: the guideline's retail case, R's data sets"),
    "ingest": ("ingest", "CSV, Parquet or JSON lines into the source zone"),
    "check": ("check", "is the plan valid? (no Spark)"),
    "profile": ("profile", "proposes a kind for each column of a table, and a draft plan"),
    "propose": ("propose", "how coarse must quasi-identifiers be? the levels of least loss, as a draft plan"),
    "assess": ("assess", "step 2: how easily the plan's data identify people; the identification-risk report"),
    "outliers": ("outliers", "counts outliers in a table or behind a plan's steps, by the guideline's methods"),
    "pseudonymize": ("pseudonymize", "step 3: source to staging"),
    "verify": ("verify", "recomputes every record and compares"),
    "review": ("review", "step 4: checks every record of the result, makes the documents"),
    "decide": ("decide", "signs and records a reviewer's decision"),
    "publish": ("publish", "staging to published, once the decisions are there"),
    "documents": ("documents_job", "the guideline's forms from a run, and `documents verify`: do they belong to it?"),
    "synthesize": ("synthesize", "synthetic data from a published table into the source zone, with figures"),
    "combination": ("combination_job", "one role's step in a combination of several organisations' data"),
    "quarantine": ("quarantine", "an incident: stops all jobs on an output, moves its table out of reach"),
    "restore": ("restore", "reviewers decide about a quarantined output: it comes back, or it is destroyed"),
    "due": ("due", "what has passed the end of its use"),
    "destroy": ("destroy", "published data go for good: asked for, signed, carried out, proven"),
    "status": ("status", "runs, what they wait for, what to do next"),
    "additional-information": ("additional_information", "list, reveal, destroy: what leads back to people"),
    "ledger": ("ledger_job", "the chained record of every job: list, verify, export-head"),
    "keys": ("keys_job", "makes the root key, and key pairs for encrypted sums"),
    "pseudonyms": ("pseudonyms", "one recipient's polymorphic pseudonyms become another's, unseen"),
    "decrypt-sums": ("decrypt_sums", "the key holder reads sums of encrypted columns"),
    "reviewer": ("reviewer", "makes or revokes a reviewer's key pair"),
    "demo": ("demo", "the guideline's retail case, end to end (infra/run)"),
    "where": ("where", "prints the path of a job file, for spark-submit"),
}


def usage() -> str:
    """The list of jobs."""
    width = max(map(len, JOBS)) + 2
    lines = [f"  {name:<{width}}{about}" for name, (_, about) in JOBS.items()]
    return "\n".join(
        ["usage: gamyeong JOB [--environment FILE] [--json] [--quiet] …", "", *lines, "",
         "gamyeong JOB --help tells a job's own arguments.",
         "exit codes: 0 done, 1 the data failed its checks, 2 bad plan, environment or arguments,",
         "            3 refused by rule, 4 operational (try again), 5 waiting for decisions"]
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `gamyeong JOB …` and returns the job's exit code; an unknown job is exit 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        show(usage())
        return 0 if words else 2
    name, rest = words[0], words[1:]
    if name not in JOBS:
        close = difflib.get_close_matches(name, JOBS, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        error = f"no job {name!r}; allowed: {', '.join(JOBS)}{hint}"
        show(f"gamyeong: {error}", sys.stderr)
        if "--json" in words:
            show(json.dumps({"job": name, "exit": 2, "error": error, "seconds": 0.0}, ensure_ascii=False))
        return 2
    code: int = importlib.import_module(f"jobs.{JOBS[name][0]}").main(rest)
    return code


def entry() -> NoReturn:
    """The `gamyeong` command."""
    leave(main())


if __name__ == "__main__":
    entry()
