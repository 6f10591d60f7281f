"""Measures combination: `python tests/benchmarks/combination.py --subjects 10000000 --rounds 2`.

Two parties combine what they hold of so many persons each: all roles' steps from `apply` to `combine`, in one session,
in turn with Spark's plain shuffle join of the same two raw tables by phone and birthday, written as Delta.
Applicants also verify and review what they send; that is told apart, for no join does it. Nothing is asserted about
time; a combined table of other rows than the join's ends it.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[up]) for up in (2, 1)]

import pyarrow.parquet as pq
from deltalake import DeltaTable

from benchmarks import machine, report, spark_copy
from benchmarks.arguments import command
from benchmarks.stages import Watch, covered
from benchmarks.timing import settle, timed
from jobs import combination_job, generate
from jobs.combination.layout import environment_file, make_roles
from jobs.combination.rehearsal import Turn, papers_of, turns
from jobs.environment import Environment
from jobs.frames import read
from jobs.leaving import leave
from jobs.storage import conf_path, private_folder, unique_name
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ASKED = 1.0
MOST_GROWTH = 1.05
MOST_SKEW = 2.0
PARTIES = {"A": "fuel/members", "B": "housing/residents"}
CHECKS = ("verify ", "review ")
FILE = conf_path("combinations/generated.yaml")


class Place:
    """Where the parties' tables of one size stay, and where rounds are taken, each in zones of its own."""

    def __init__(self, folder: Path, subjects: int, skew: float) -> None:
        self.sources = folder / f"{subjects}{f'-skew-{skew}' if skew else ''}"
        self.rounds = folder / "rounds"
        self.subjects, self.skew = subjects, skew

    def make(self) -> None:
        """Both parties' tables, once."""
        for party in PARTIES:
            if self.raw(party).exists():
                continue
            words = ["combination", "generated", "--party", party, "--subjects", str(self.subjects), "--quiet"]
            words += ["--skew", str(self.skew)] if self.skew else []
            home = private_folder(self.rounds / unique_name())
            try:
                make_roles(home, [party])
                if generate.main([*words, "--environment", str(environment_file(home, party))]):
                    raise SystemExit(f"the tables of {party} were not made")
                shutil.copytree(home / party / "source", self.sources / party)
            finally:
                shutil.rmtree(home)

    def raw(self, party: str) -> Path:
        """A party's raw table."""
        return self.sources / party / PARTIES[party]

    @contextmanager
    def round(self, combination: Combination) -> Iterator[dict[str, Environment]]:
        """New environments of all roles; a party's source zone holds its raw table (hard links)."""
        home = private_folder(self.rounds / unique_name())
        names = (*combination.parties, combination.roles.key_agency, combination.roles.combining_agency)
        try:
            environments = make_roles(home, names)
            for party in PARTIES:
                zone = environments[party].zone("source").local
                shutil.rmtree(zone, ignore_errors=True)
                shutil.copytree(self.sources / party, zone, copy_function=os.link)
            yield environments
        finally:
            shutil.rmtree(home)


def procedure(spark: SparkSession, place: Place, combination: Combination) -> dict[str, Any]:
    """All steps once: seconds of each, those of the applicants' checks within, and rows combined."""
    papers = papers_of(FILE, combination, {}, {}, {})
    seconds: dict[str, float] = {}
    checks = 0.0
    with place.round(combination) as environments:
        for turn in turns(combination, papers):
            watch, begun = Watch(spark), time.time()
            taken, code = timed(lambda turn=turn: _step(turn, environments))  # type: ignore[misc]
            if code:
                raise SystemExit(f"{turn.step} of {turn.role} ended with {code}")
            name = f"{turn.step} {turn.role}"
            seconds[name] = round(taken, 3)
            ran = watch.finished(begun)
            checks += covered([one for one in ran if one["what"].startswith(CHECKS)])
        (user,) = combination.users
        zone = environments[combination.roles.combining_agency].zone("source").local
        rows = rows_of(zone / "combinations" / combination.combination / user)
    return {"seconds": seconds, "checks": round(checks, 3), "all": round(sum(seconds.values()), 3), "rows": rows}


def _step(turn: Turn, environments: dict[str, Environment]) -> int:
    words = [turn.step, str(FILE), "--round", "once", *turn.words, "--quiet"]
    return combination_job.main([*words, "--environment", str(environments[turn.role].file)])


def join(spark: SparkSession, place: Place) -> dict[str, Any]:
    """Spark's shuffle join of the raw tables, written as Delta; what the two write otherwise is made alike."""
    from pyspark.sql import functions

    target = place.rounds / unique_name()

    def work() -> int:
        left, right = (read(spark, str(place.raw(party))) for party in PARTIES)
        same = [
            functions.translate(left["hp"], "-", "") == right["mobile"],
            functions.date_format(left["birth_dt"], "yyyyMMdd") == right["birthday"],
        ]
        columns = [left[name].alias(f"A_{name}") for name in left.columns]
        columns += [right[name].alias(f"B_{name}") for name in right.columns]
        spark_copy.save(spark, left.join(right, same[0] & same[1]).select(columns), target)
        return rows_of(target)

    before = spark.conf.get("spark.sql.autoBroadcastJoinThreshold")
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    try:
        taken, rows = timed(work)
    finally:
        spark.conf.set("spark.sql.autoBroadcastJoinThreshold", str(before))
        shutil.rmtree(target, ignore_errors=True)
    return {"all": round(taken, 3), "rows": rows}


def rows_of(table: Path) -> int:
    """Rows of a Delta table, by its files' footers."""
    return sum(pq.read_metadata(file.removeprefix("file://")).num_rows for file in DeltaTable(str(table)).file_uris())


def measure(spark: SparkSession, place: Place, combination: Combination, rounds: int) -> dict[str, Any]:
    """Both arms in turn, after a first round of each."""
    place.make()
    arms: dict[str, Callable[[], dict[str, Any]]] = {
        "procedure": lambda: procedure(spark, place, combination),
        "join": lambda: join(spark, place),
    }
    found: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
    for number in range(rounds + 1):
        for arm in list(arms) if number % 2 == 0 else list(arms)[::-1]:
            settle(spark)
            found[arm].append(arms[arm]())
            say = f"{place.subjects:,} {'first' if number == 0 else f'round {number}'}: {arm}"
            print(f"{say} {found[arm][-1]['all']:.1f} s", file=sys.stderr, flush=True)
    if len({one["rows"] for taken in found.values() for one in taken}) > 1:
        raise SystemExit("the combined table has other rows than Spark's join")
    medians = {arm: statistics.median(one["all"] for one in taken[1:]) for arm, taken in found.items()}
    bare = statistics.median(one["all"] - one["checks"] for one in found["procedure"][1:])
    keys = [one["seconds"][f"keys {party}"] for one in found["procedure"][1:] for party in PARTIES]
    return {
        "subjects": place.subjects,
        "skew": place.skew,
        "rounds": found,
        "ratio": round(bare / medians["join"], 3),
        "ratio with checks": round(medians["procedure"] / medians["join"], 3),
        "keys a second": round(place.subjects / statistics.median(keys)),
        "procedure": round(bare, 3),
    }


def text_of(body: dict[str, Any]) -> str:
    """Tables of the result."""
    main_ = body["measured"][0]
    last = main_["rounds"]["procedure"][-1]
    steps = [[name, f"{taken:.2f}"] for name, taken in last["seconds"].items()]
    steps.append(["of these, the applicants' checks", f"{last['checks']:.2f}"])
    lines = []
    for one in body["measured"]:
        seconds = [" ".join(f"{r['all']:.1f}" for r in one["rounds"][arm][1:]) for arm in ("procedure", "join")]
        named = f"{one['subjects']:,}{' skewed' if one['skew'] else ''}"
        ratios = [f"{one['ratio']:.2f}", f"{one['ratio with checks']:.2f}", f"{one['keys a second'] / 1e6:.2f}"]
        lines.append([named, *seconds, *ratios])
    head = [
        "subjects a party",
        "all roles, s",
        "join, s",
        f"without checks / join (≤ {ASKED})",
        "all / join",
        "keys M/s",
    ]
    tail = [f"{name} {value:.3f}; asked: ≤ {most}" for name, value, most in body["compared"]]
    return "\n\n".join([report.table(["step, last round", "s"], steps), report.table(head, lines), *tail])


def arguments() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = command("combination.py", "Measures combination.", rounds=2)
    parser.add_argument("--subjects", type=int, default=10_000_000, metavar="N", help="of each party")
    parser.add_argument("--smaller", type=int, metavar="N", help="also with so many, for the growth exponent")
    parser.add_argument("--skew", type=float, default=0.0, metavar="SHARE", help="also with keys that many share")
    return parser


def main(argv: Sequence[str]) -> int:
    """Makes the tables, measures in turn, prints and saves."""
    given = arguments().parse_args(list(argv))
    if given.subjects < 1000 or given.rounds < 1:
        arguments().error("allowed: --subjects 1000 or more, --rounds 1 or more")
    load = os.getloadavg()[0]
    folder = given.folder.absolute() / "combination"
    combination = load_combination(FILE)
    from jobs.session import spark_session

    home = private_folder(folder / "session")
    spark = spark_session(make_roles(home, ["A"])["A"], "benchmark")
    sizes = [(given.subjects, 0.0)] + ([(given.smaller, 0.0)] if given.smaller else [])
    sizes += [(given.subjects, given.skew)] if given.skew else []
    measured = [measure(spark, Place(folder, *size), combination, given.rounds) for size in sizes]
    compared = []
    if given.smaller:
        grown = measured[0]["procedure"] / measured[1]["procedure"]
        compared.append(["growth exponent", math.log(grown) / math.log(given.subjects / given.smaller), MOST_GROWTH])
    if given.skew:
        compared.append(["skewed / even", measured[-1]["procedure"] / measured[0]["procedure"], MOST_SKEW])
    body = {
        "what": "combination",
        "machine": machine.facts(spark, load),
        "measured": measured,
        "compared": compared,
        "asked": ASKED,
    }
    report.save(given.results, "combination", body)
    print(text_of(body), flush=True)
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
