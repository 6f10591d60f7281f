"""What stands in a run's evidence, held against the hashes that the jobs entered in the ledger.

The ledger is signed with a key that lies elsewhere; files in evidence are not. A file counts only if the job that
makes it entered this very content.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from jobs.environment import Environment
from jobs.errors import Refused
from jobs.ledger import Entry
from jobs.manifest import sha256_of
from jobs.runs import RunFolder
from jobs.storage import Location

# Which job makes which files.
MADE_BY: Mapping[str, tuple[str, ...]] = {
    "pseudonymize": ("run.json", "plan.yaml", "plan.json", "manifest.json"),
    "verify": ("verify.json",),
    "review": ("suite.json", "result.json"),
}
# The risk review comes before the run, and a run can be made without; what it left is vouched for and signed, too.
RISK_REPORT = "risk"
BEFORE: Mapping[str, tuple[str, ...]] = {"assess": ("risk.json",)}
# What a run is, and what its plan allows: nothing after the run changes these files.
RECORD = ("pseudonymize",)


def hashes(folder: RunFolder, job: str) -> dict[str, str]:
    """SHA-256 by name of the files of one job, as they stand now; a review's documents among them."""
    names = [name for name in {**MADE_BY, **BEFORE}[job] if (folder.evidence / name).exists()]
    if job == "review":
        names += documents(folder)
    if job in BEFORE:
        names += _below(folder, folder.evidence / RISK_REPORT)
    return {name: sha256_of(folder.evidence / name) for name in names}


def documents(folder: RunFolder) -> list[str]:
    """The report's files, by their place below the run's evidence."""
    return _below(folder, folder.report)


def _below(folder: RunFolder, place: Location) -> list[str]:
    files = [one for one in place.local.rglob("*") if one.is_file()]
    return sorted(one.relative_to(folder.evidence.local).as_posix() for one in files)


def unvouched(
    folder: RunFolder, entries: Iterable[Entry], jobs: Collection[str] = (*MADE_BY, *BEFORE)
) -> list[str]:
    """What none of the jobs entered as it stands now: altered, forged, or from another run."""
    entered: dict[str, list[Mapping[str, str]]] = {job: [] for job in jobs}
    for entry in entries:
        if entry.type in entered and (content := entry.content()).get("run") == folder.run:
            entered[entry.type].append(content.get("files", {}))
    problems = []
    for job, known in entered.items():
        now = hashes(folder, job)
        if not known:
            names = ", ".join(now)
            problems += [f"{names}: the ledger knows no {job} of this run"] if now else []
            continue
        # Repeated jobs enter their files anew; all files of a job must be of one and the same time.
        if now in known:
            continue
        last = known[-1]
        wrong = sorted(name for name in now.keys() | last.keys() if now.get(name) != last.get(name))
        problems.append(f"{', '.join(wrong)}: not as {job} entered it in the ledger")
    return problems


def require_vouched(folder: RunFolder, entries: Iterable[Entry]) -> None:
    """Refused, with every file that is not as its job left it."""
    problems = unvouched(folder, entries)
    if problems:
        remedy = "allowed: evidence as the jobs wrote it; `gamyeong verify` and `gamyeong review` make theirs anew"
        raise Refused("\n".join([f"run {folder.run}: evidence was altered:", *problems, remedy]))


def require_recorded(environment: Environment, entries: Collection[Entry], runs: Iterable[str]) -> None:
    """Refused unless record and plan of all these runs are those that were entered when they were made.

    For all that happens to data after their run: where they lie, whose they are, who may decide, until when they stay.
    """
    problems = [
        f"run {run}: {problem}"
        for run in sorted(set(runs))
        for problem in unvouched(RunFolder(environment, run), entries, RECORD)
    ]
    if problems:
        remedy = (
            "allowed: evidence as the jobs wrote it: restore these files from a backup (those of a run that is not "
            "published `gamyeong pseudonymize` makes anew), then start again"
        )
        raise Refused("\n".join(["evidence was altered or is missing:", *problems, remedy]))
