"""`gamyeong demo` (infra/run): the guideline's retail case from a raw Delta table to a published one."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import shutil
from collections.abc import Callable, Sequence

from ruamel.yaml import YAML

from jobs.conflicts import NO_CONFLICT
from jobs.decisions import load_all
from jobs.environment import ZONES, Environment, load_environment
from jobs.job import BadInput, Context, DataFailed, Outcome, Refused, Waiting, run_job
from jobs.key_providers import root_is_missing
from jobs.leaving import leave
from jobs.reviewers import load_reviewers
from jobs.runs import RunFolder
from jobs.showing import show
from jobs.steps import Step, take
from jobs.storage import conf_path, private_folder
from jobs.worked_example import find, side_by_side

PLAN, TABLE = "plans/retail-third-party.yaml", "retail/customers"
REVIEWERS = ("시연 검토위원 1", "시연 검토위원 2", "시연 검토위원 3")
MARK = "# made by `gamyeong demo`: "
Take = Callable[..., Step]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("--customers", default="82000", metavar="N", help="rows (default: 82000)")
    parser.add_argument("--fresh", action="store_true", help="remove the demonstration's warehouse first")
    parser.add_argument("--warehouse", default="warehouse", metavar="DIR", help="default: ./warehouse")


def body(context: Context) -> Outcome:
    """Generate, run, decide, publish, show; what an earlier start did is not done again."""
    given = context.arguments
    if given.environment:
        raise BadInput("the demonstration has an environment of its own; allowed instead: --warehouse DIR")
    warehouse = Path(given.warehouse).absolute()
    if given.fresh:
        _remove(warehouse)
    file = _environment_file(warehouse)
    environment = load_environment(file)

    def step(job: str, *argv: str) -> Step:
        return take(job, argv, environment=str(file), quiet=given.quiet)

    if root_is_missing(environment):
        last = step("keys", "init")
        if last.code:
            return _ended(last)
    last = step("generate", "retail", "--customers", given.customers, "--table", TABLE)
    if last.code == BadInput.exit_code:
        raise BadInput("the retail table was not made (above: why); --fresh starts the demonstration over")
    if last.code == 0:
        last = step("run", str(conf_path(PLAN)))
    if last.code == Waiting.exit_code:
        last = _decide(environment, last.summary["run"], step)
    return _ended(last) if last.code else _shown(environment, last, file)


def _ended(last: Step) -> Outcome:
    return Outcome({"step": last.job}, exit_code=last.code)


def _environment_file(warehouse: Path) -> Path:
    """The packaged environment with every place under `warehouse`; written once."""
    file = warehouse / "environment.yaml"
    if file.exists():
        return file
    yaml = YAML()
    raw = yaml.load(conf_path("environments/local.yaml"))
    raw["zones"] = {zone: str(warehouse / zone) for zone in ZONES}
    raw["scratch"], raw["reviewers"] = str(warehouse / "scratch"), str(warehouse / "reviewers.json")
    raw["keys"]["path"] = str(warehouse / "keys" / "root.json")
    private_folder(warehouse)
    with file.open("w", encoding="utf-8") as text:
        text.write(f"{MARK}the default environment, with every place under {warehouse}\n")
        yaml.dump(raw, text)
    return file


def _remove(warehouse: Path) -> None:
    """Starts over; Refused where anything lies there that the demonstration did not make."""
    if not warehouse.exists() or not any(warehouse.iterdir()):
        return
    file = warehouse / "environment.yaml"
    if not file.is_file() or not file.read_text("utf-8").startswith(MARK):
        raise Refused(f"{warehouse} was not made by the demonstration; allowed: another --warehouse DIR")
    source = warehouse / "source"
    tables = [log.parent.relative_to(source).as_posix() for log in source.rglob("_delta_log")]
    runs = [log.parent for log in (warehouse / "evidence" / "runs").glob("*/run.json")]
    environment = load_environment(file).only(reads=["evidence"])
    others = [name for name in tables if name != TABLE and not name.startswith("_")]
    plans = {run.name: RunFolder(environment, run.name).load_record().plan for run in runs}
    others += [f"run {name} of {plan}" for name, plan in plans.items() if plan != Path(PLAN).stem]
    if others:
        raise Refused(
            f"{warehouse} also holds {', '.join(sorted(others))}, which the demonstration did not make; "
            "allowed: --warehouse with another folder, or remove it by hand"
        )
    shutil.rmtree(warehouse)


def _decide(environment: Environment, run: str, step: Take) -> Step:
    """The three demonstration reviewers approve, each with a key that is made here; then it is published."""
    folder = RunFolder(environment.only(reads=["evidence"]), run)
    keys = private_folder(environment.reviewers.parent / "demonstration-keys")
    show(
        f"Three demonstration reviewers approve; their keys are made here, in {keys}.\n"
        "In real use each reviewer reads the report and signs with a key that nobody else has."
    )
    pinned = {one.name for one in load_reviewers(environment) if one.revoked is None}
    decided = {one.field("reviewer") for one in load_all(folder)}
    for number, name in enumerate(REVIEWERS, 1):
        key = keys / f"reviewer-{number}.pem"
        if name not in pinned:
            key.unlink(missing_ok=True)  # of a start that was killed before it was pinned
            made = step("reviewer", "new", name, "--key", str(key))
            if made.code:
                return made
        if name not in decided:
            made = step("decide", run, "--reviewer", name, "--key", str(key), *NO_CONFLICT, "--outcome", "approved")
            if made.code:
                return made
    return step("publish", run)


def _shown(environment: Environment, last: Step, file: Path) -> Outcome:
    """What came out: the worked customer before and after, the verdict, and where everything lies."""
    zones = environment.only(reads=["source", "published", "evidence"])
    folder = RunFolder(zones, last.summary["run"])
    record = folder.load_record()
    published = folder.published(record, record.tables[0].name)
    found = find(zones.zone("source") / TABLE, published)
    if not found.source or not found.published:
        raise DataFailed(
            f"{len(found.source)} source rows have the guideline's worked values and {len(found.published)} "
            "published rows its result; allowed: at least one of each"
        )
    report = folder.report / "index.html"
    verify, review = folder.read("verify.json")["verdict"], folder.read("result.json")["verdict"]
    lines = f"""
The guideline's worked customer (appendix 2), found by its values:
{side_by_side(found)}
  {len(found.source)} source rows have these values; in the sampled half, {len(found.published)} rows equal
  the guideline's result. Which of them was which customer, nobody can tell.

verdict      verify: {verify}, review: {review}; {last.summary["verdict"]}
source       {zones.zone("source") / TABLE}
published    {published}
report       {report}
evidence     {zones.zone("evidence")} (ledger, runs, documents)
environment  {file}
next         gamyeong status --environment {file}"""
    summary = {
        "run": folder.run,
        "verdict": last.summary["verdict"],
        "source_rows": len(found.source),
        "golden_rows": len(found.published),
        "table": str(published),
        "report": str(report),
    }
    return Outcome(summary, text=lines)


def main(argv: Sequence[str]) -> int:
    """Started again, it says "already published" and changes nothing. Exit codes are those of the steps."""
    return run_job(
        argv,
        name="demo",
        about="The guideline's retail case, end to end, with demonstration reviewers.",
        body=body,
        arguments=arguments,
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
