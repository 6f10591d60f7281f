"""`gamyeong propose PLAN`: how coarse each quasi-identifier must be, with the least loss, as a draft plan."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.environment import Environment
from jobs.errors import BadInput
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.plans import open_plan
from jobs.proposing import Proposal, Question, draft, proposed
from transforms.hierarchy import Hierarchy, parse_hierarchy
from transforms.levels.lattice import Asked


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("plan", metavar="PLAN", help="plan file; its levels are the finest that are looked at")
    parser.add_argument("--k", type=int, metavar="K", help="persons in each class (default: of the plan, or floor)")
    parser.add_argument("--suppression", type=float, default=0.0, metavar="SHARE",
                        help="largest share of rows that may be removed (default 0)")  # fmt: skip
    parser.add_argument("--l", type=int, metavar="L", help="different values of sensitive columns in each class")
    parser.add_argument("--t", type=float, metavar="T", help="largest distance of a class's values from the table's")
    parser.add_argument("--sensitive", metavar="A,B,…", help="for --l and --t (default: the plan's of that kind)")
    parser.add_argument("--units", action="append", default=[], metavar="COLUMN=5,10,50",
                        help="units to which a number may be rounded; may be repeated")  # fmt: skip
    parser.add_argument("--hierarchy", action="append", default=[], metavar="COLUMN=FILE",
                        help="levels of a text column, a file beside the plan; may be repeated")  # fmt: skip
    parser.add_argument("--table", metavar="NAME", help="of a plan with several tables")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write a draft plan there (a new file beside the plan)")


def body(context: Context) -> Outcome:
    """Searches, tells, and writes what --to names."""
    given = context.arguments
    plan = Path(given.plan)
    if given.to is not None and (given.to.exists() or given.to.resolve().parent != plan.resolve().parent):
        raise BadInput(f"--to {given.to}; allowed: a new file in the plan's folder, which the draft extends")
    k = given.k if given.k is not None else _least_k(context.environment, plan)
    asked = Asked(k, given.suppression, given.l, given.t)
    _check(asked)
    units = {name: _numbers(name, text) for name, text in _pairs("--units", given.units).items()}
    hierarchies = {name: _hierarchy(plan, text) for name, text in _pairs("--hierarchy", given.hierarchy).items()}
    sensitive = tuple(given.sensitive.split(",")) if given.sensitive else None
    question = Question(asked, given.table, sensitive, units, hierarchies)
    found = proposed(context.environment, plan, question, context.progress)
    if found.found is None:
        text = f"{plan.name}: no levels meet k = {k} with {given.suppression:.2%} of the rows removed"
        return Outcome(_plain(found), text=text, exit_code=1)
    if given.to is not None:
        given.to.write_text(draft(found, given.to), "utf-8")
    return Outcome(_plain(found), text="\n".join(_told(found, given.to)))


def _least_k(environment: Environment, plan: Path) -> int:
    loaded = open_plan(plan, environment).plan
    asked = loaded.adequacy.k_anonymity
    form = loaded.use.form
    found = asked.k if asked is not None else environment.floor(form).k
    if found is None:
        raise BadInput("which k? neither the plan nor the environment's floor has one; allowed: --k 2 or more")
    return found


def _check(asked: Asked) -> None:
    wrong = [
        text
        for text, is_wrong in (
            (f"--k {asked.k}; allowed: 2 or more", asked.k < 2),
            (f"--suppression {asked.suppressed}; allowed: 0 to 1", not 0 <= asked.suppressed <= 1),
            (f"--l {asked.l}; allowed: 2 or more", asked.l is not None and asked.l < 2),
            (f"--t {asked.t}; allowed: 0 to 1", asked.t is not None and not 0 <= asked.t <= 1),
        )
        if is_wrong
    ]
    if wrong:
        raise BadInput("\n".join(wrong))


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if bad := [name for name, equals, value in pairs if not (name and equals and value)]:
        raise BadInput(f"{option} {', '.join(bad)}; allowed: COLUMN=…")
    return {name: value for name, _, value in pairs}


def _numbers(name: str, text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise BadInput(f"--units {name}={text}; allowed: whole numbers with commas: 5,10,50")
    return tuple(map(int, words))


def _hierarchy(plan: Path, name: str) -> Hierarchy:
    file = plan.parent / name
    if Path(name).name != name or not file.is_file():
        raise BadInput(f"--hierarchy {name}; allowed: a CSV file in the plan's folder")
    return parse_hierarchy(file.read_text("utf-8"), name)


def _plain(found: Proposal) -> dict[str, object]:
    best = found.found
    return {
        "rows": found.rows,
        "combinations": found.combinations,
        "nodes": found.nodes,
        "evaluated": found.evaluated,
        "levels": None if best is None else {name: list(rung.steps) for name, rung in found.chosen().items()},
        "loss": None if best is None else round(best.loss, 6),
        "removed": None if best is None else round(best.suppressed, 6),
        "k": None if best is None else best.smallest,
    }


def _told(found: Proposal, to: Path | None) -> list[str]:
    best = found.found
    assert best is not None
    lines = [f"{found.table.name}: {found.rows:,} rows, {found.combinations:,} combinations of quasi-identifiers"]
    for (name, rung), rungs in zip(found.chosen().items(), found.ladders, strict=True):
        same = " (as planned)" if rung is rungs[0] else ""
        lines.append(f"  {name}: {rung.wording('en')}{same}; {rung.groups:,} of {rungs[0].groups:,} values left")
    lines += [
        f"smallest class {best.smallest:,} persons of {best.classes:,} classes; {best.suppressed:.3%} of the rows go",
        f"loss {best.loss:.3f} of these columns' information, the least of {found.nodes:,} combinations of levels",
    ]
    return [*lines, f"draft: {to}"] if to is not None else lines


def main(argv: Sequence[str]) -> int:
    """Exit 0, 1 where no levels meet what is asked, 2 for a bad plan or argument, 4 where a file can't be read."""
    return run_job(
        argv,
        name="propose",
        about="Searches the levels of quasi-identifiers that meet k (l, t) with the least loss of information.",
        body=body,
        arguments=arguments,
        reads=["source"],
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
