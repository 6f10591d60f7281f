"""`gamyeong outliers TABLE|PLAN`: which outliers (특이정보) there are, for the author of a plan's rules."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.errors import BadInput
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.surveying import Question, Surveyed, surveyed, write_bounds
from transforms.pipeline.outlier_survey import MOST_COMBINED, ClassesFound, NumbersFound


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument(
        "what", metavar="TABLE|PLAN", help="a table of the source zone, a Delta folder, or a plan's file (YAML)"
    )
    parser.add_argument("--classes", metavar="A,B,…", help="columns to look at together (default: quasi-identifiers)")
    parser.add_argument("--within", metavar="A,B,…", help="look at numbers within the classes of these columns")
    parser.add_argument("--below", type=int, default=3, metavar="N", help="rare is fewer than N (default 3)")
    parser.add_argument("--subject", metavar="COLUMN", help="count distinct values of this column in place of rows")
    parser.add_argument("--bounds", metavar="FILE", help="write the measured bounds there: additional information")


def body(context: Context) -> Outcome:
    """Reads the table or each table of the plan once for each method; writes nothing but what --bounds names."""
    given = context.arguments
    if given.below < 2:
        raise BadInput(f"--below {given.below}; allowed: 2 or more")
    question = Question(_listed(given.classes), _listed(given.within) or (), given.below, given.subject)
    for option, names in (("--classes", question.classes or ()), ("--within", question.within)):
        if len(set(names)) < len(names) or len(names) > MOST_COMBINED:
            raise BadInput(f"{option}: {len(names)} columns; allowed: up to {MOST_COMBINED}, each once")
    found = surveyed(context.environment, given.what, question, context.progress)
    if given.bounds is not None:
        write_bounds(Path(given.bounds), found)
    summary = {"below": given.below, "tables": {name: _plain(one) for name, one in found.items()}}
    return Outcome(summary, text="\n".join(line for name, one in found.items() for line in _told(name, one)))


def _listed(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def _plain(table: Surveyed) -> dict[str, object]:
    return {
        "counted": table.counted,
        "numbers": [
            {"column": one.column, "method": one.method, "values": one.values, "below": one.below, "above": one.above}
            for one in table.found.numbers
        ],
        "classes": [
            {
                "columns": list(one.columns),
                "classes": one.classes,
                table.counted: one.counted,
                "rare": one.rare,
                f"rare_{table.counted}": one.rare_counted,
                "sizes": dict(one.sizes),
            }
            for one in table.found.classes
        ],
        "combinations": [
            {"columns": list(columns), "rare": number} for columns, number in table.found.combinations.items()
        ],
    }


def _told(name: str, table: Surveyed) -> list[str]:
    lines = [f"table {name}, {table.what}"]
    if table.found.numbers:
        lines.append("numbers (3 standard deviations; 1.5 interquartile ranges): cells below and above")
        lines += [_numbers(one) for one in table.found.numbers]
    lines.append(f"classes with fewer than {table.below} {table.counted}")
    lines += [_classes(one, table.counted) for one in table.found.classes]
    if table.found.combinations:
        lines.append(f"rare combinations of up to three columns, none in another (below {table.below} {table.counted})")
        found = table.found.combinations.items()
        lines += [f"  {', '.join(columns)}: {number:,}" for columns, number in found if number]
    return lines


def _numbers(one: NumbersFound) -> str:
    share = _share(one.below + one.above, one.values)
    return f"  {one.column}, {one.method}: {one.below:,} and {one.above:,} of {one.values:,} ({share})"


def _classes(one: ClassesFound, counted: str) -> str:
    names, share = ", ".join(one.columns), _share(one.rare_counted, one.counted)
    rare = f"{one.rare:,} of {one.classes:,} classes, {one.rare_counted:,} {counted} ({share})"
    return f"  {names}: {rare}; {one.sizes['1']:,} alone"


def _share(some: int, of: int) -> str:
    return f"{some / of:.3%}" if of else "–"


def main(argv: Sequence[str]) -> int:
    """Exit 0, whatever was found; 2 for a bad plan, table or argument, 4 where a file can't be read."""
    return run_job(
        argv,
        name="outliers",
        about="Counts outliers by the guideline's methods: 3 standard deviations, interquartile ranges, frequency "
        "tables, rare combinations. Of a plan: in the cells that its column steps give, before its outlier rules.",
        body=body,
        arguments=arguments,
        reads=["source"],
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
