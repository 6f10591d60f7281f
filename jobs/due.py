"""`gamyeong due`: what has passed the end of its use and must be destroyed."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence
from datetime import date

from jobs.clock import utc_now
from jobs.destruction.due import due
from jobs.errors import BadInput
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("--on", metavar="YYYY-MM-DD", help="what will be due on that day (default: today)")


def body(context: Context) -> Outcome:
    """Lists; destroys nothing."""
    found = due(context.environment, _day(context.arguments.on))
    lines = [
        f"{one.what} of {one.output}{f', period {one.period}' if one.period else ''} (run {one.run}): its use ended on "
        f"{one.until}, {one.days} days ago\n  next: {one.next}"
        for one in found
    ]
    text = "\n".join(lines) or "nothing is due"
    return Outcome({"due": [one.plain() for one in found]}, text=text, exit_code=1 if found else 0)


def _day(text: str | None) -> date:
    if text is None:
        return utc_now().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"--on {text!r}; allowed: a day as YYYY-MM-DD") from None


def main(argv: Sequence[str]) -> int:
    """Exit 0 nothing is due, 1 something is."""
    return run_job(
        argv,
        name="due",
        about="Lists published data and additional information whose use has ended.",
        body=body,
        arguments=arguments,
        reads=("published", "evidence"),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
