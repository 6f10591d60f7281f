"""A plan's run as far as it goes without people: pseudonymized, verified, reviewed, and good."""

from __future__ import annotations

from pathlib import Path

from jobs.adequacy import review
from jobs.combination import entries
from jobs.combination.step import Call
from jobs.errors import DataFailed, Refused
from jobs.ledger import trusted_entries
from jobs.pseudonymization import pseudonymize
from jobs.publishing import GOOD
from jobs.runs import RunFolder
from jobs.verification import verify
from jobs.vouched import require_vouched


def checked_run(call: Call, plan: Path, *, period: str | None = None, round_: str | None = None) -> RunFolder:
    """Runs a plan into staging, checks it there, and gives its folder; what stands there already is not made anew.

    DataFailed unless the result is equal and fit; Refused where the run is over (published, sent or rejected).
    """
    made = pseudonymize(call.environment, plan, call.progress, period=period, round_=round_)
    folder = RunFolder(call.environment, made.run)
    if folder.release.exists():
        raise Refused(
            f"run {folder.run} is {folder.read('release.json')['state']} already, and nothing has changed since: plan, "
            "source and stop requests are the same; allowed: changed data, or a changed plan"
        )
    if not _good(folder, "verify.json"):
        verify(folder, call.progress)
    problems = [] if _good(folder, "result.json") else review(folder, call.progress).problems
    bad = [f"{name} is not {good}" for name, good in GOOD.items() if not _good(folder, name)]
    if bad:
        raise DataFailed(
            "\n".join(
                [
                    f"run {folder.run}: {', '.join(bad)}; nothing goes on. What failed:",
                    *(problems or [f"`gamyeong verify {folder.run}` tells which columns differ"]),
                ]
            )
        )
    require_vouched(folder, trusted_entries(call.environment, entries.ledger(call.environment)))
    return folder


def _good(folder: RunFolder, name: str) -> bool:
    return (folder.evidence / name).exists() and folder.read(name).get("verdict") == GOOD[name]
