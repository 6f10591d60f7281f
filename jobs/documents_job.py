"""`gamyeong documents [RUN]`, `documents verify [RUN]`: the guideline's forms, filled in from a run.

`documents apply` and `documents apply-export` fill in the papers that a party of a combination hands in.
"""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.forms.papers import APPLY, EXPORT, apply_paper, export_paper
from jobs.forms.papers import arguments as papers_arguments
from jobs.forms.writing import problems, write_forms
from jobs.job import Context, DataFailed, Outcome, run_job
from jobs.leaving import leave
from jobs.runs import find_run

VERIFY = "verify"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="name of the run, or the beginning of it")


def body(context: Context) -> Outcome:
    """Writes the forms."""
    folder = find_run(context.environment, context.arguments.run)
    written = write_forms(folder)
    page = written.folder / "index.html"
    lines = [f"{name}  {title}" for name, title in written.titles.items()]
    return Outcome(
        {"run": folder.run, "folder": str(written.folder), "documents": len(written.titles)},
        text="\n".join([f"run {folder.run}: {len(lines)} documents, HTML and DOCX; {page} lists them", *lines]),
    )


def verified(context: Context) -> Outcome:
    """Holds the forms against the ledger and the run's facts."""
    folder = find_run(context.environment, context.arguments.run)
    found = problems(folder)
    if found:
        remedy = f"`gamyeong documents {folder.run}` makes them anew; foreign files are yours to remove"
        raise DataFailed("\n".join([f"run {folder.run}: documents that are not as they should be:", *found, remedy]))
    return Outcome({"run": folder.run, "verdict": "belong"}, text=f"run {folder.run}: all documents belong to it")


def main(argv: Sequence[str]) -> int:
    """Exit 0 written or all belong, 1 where verify finds another, 2 no such run, 3 evidence was altered."""
    if argv[:1] in ([APPLY], [EXPORT]):
        return run_job(
            argv[1:],
            name=f"documents {argv[0]}",
            about="Fills in a party's application for a combination, or for export, to be signed.",
            body=apply_paper if argv[0] == APPLY else export_paper,
            arguments=papers_arguments,
            reads=("evidence",),
        )
    if argv[:1] == [VERIFY]:
        return run_job(
            argv[1:],
            name=f"documents {VERIFY}",
            about="Proves that a run's documents are its own: none changed, missing, foreign or outdated.",
            body=verified,
            arguments=arguments,
            reads=("evidence",),
        )
    return run_job(
        argv,
        name="documents",
        about="Fills in the guideline's forms from a run's facts (`documents verify` proves that they belong to it).",
        body=body,
        arguments=arguments,
        reads=("evidence",),
        writes=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
