"""`gamyeong assess PLAN`: step 2, how easily the plan's data identify people, before anything is done to them."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Iterator, Sequence

from jobs.assessing.assessment import Assessed, assess
from jobs.errors import Refused
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.plan_arguments import run_arguments
from jobs.vouched import RISK_REPORT
from transforms.assess.found import Assessment, TableRisk


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    run_arguments(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="for the trial run of this number of subjects")
    parser.add_argument("--again", action="store_true", help="measure anew what stands there already")


def body(context: Context) -> Outcome:
    """Measures and writes the report; what `pseudonymize` will refuse is exit 3, a limit of the plan exceeded 1."""
    asked = context.arguments
    done = assess(
        context.environment,
        Path(asked.plan),
        context.progress,
        period=asked.period,
        round_=asked.round,
        limit=asked.limit,
        again=asked.again,
    )
    found = done.found
    if found is None:
        run = done.folder.run
        text = f"run {run} was decided without a risk review; nothing is written, for decisions bind all reports"
        return Outcome({"run": run, "verdict": "decided without"}, text=text)
    return Outcome(
        {
            "run": found.run,
            "verdict": "refused" if done.refused else "above limits" if found.exceeded else "within limits",
            "records": sum(one.records for one in found.tables),
            "stopped": sum(one.stopped for one in found.tables),
            "unanswered": list(found.unanswered),
            "measures": len(found.measures),
            "exceeded": [one.limit for one in found.exceeded],
            "refused": [one.path for one in done.refused],
            "report": str(done.folder.evidence / RISK_REPORT / "report.html"),
        },
        text="\n".join(_lines(done, found)),
        exit_code=Refused.exit_code if done.refused else 1 if found.exceeded else 0,
    )


def _lines(done: Assessed, found: Assessment) -> Iterator[str]:
    yield f"run {found.run}: assessed{' already' if done.before else ''}"
    for table in found.tables:
        yield _line(table)
    risky = [one.question for one in found.checklist if one.answer == ("no" if one.question == 13 else "yes")]
    yield f"checklist: at risk by questions {_listed(risky)}; unanswered {_listed(found.unanswered)}"
    if found.unanswered:
        yield "  answer them in the plan: risk: {checklist: {3: {answer: no, note: …}}}"
    for one in found.exceeded:
        yield f"{one.table}: {one.limit} is {one.found:.3%}; allowed by risk.limits: {one.allowed:.3%}"
    for problem in done.refused:
        yield f"pseudonymize will refuse: {problem}"
    yield f"report: {done.folder.evidence / RISK_REPORT / 'report.html'}"


def _line(table: TableRisk) -> str:
    head = f"{table.table}: {table.records:,} records"
    if table.stopped:
        head += f" ({table.stopped:,} of people who asked to stop are left out)"
    figures = table.figures
    if not table.records:
        return f"{head}; there is nothing to look at"
    if figures is None:
        return f"{head}; no quasi-identifiers, so no combinations to look at"
    names = ", ".join(figures.quasi_identifiers)
    return f"{head}; {names}: k = {figures.classes.k}, {figures.classes.unique:,} unique"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def main(argv: Sequence[str]) -> int:
    """Exit 0 assessed, 1 above a limit of the plan, 2 bad plan or table, 3 refused by rule, 4 operational.

    The report is written with 1, and with 3 where the data hold unmarked numbers of the law.
    """
    return run_job(
        argv,
        name="assess",
        about="Measures how easily a plan's source data identify people, and writes the identification-risk report.",
        body=body,
        arguments=arguments,
        reads=("source", "published"),
        writes=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
