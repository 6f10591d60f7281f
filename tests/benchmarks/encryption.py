"""What the encryption of spill and shuffle files costs: `python tests/benchmarks/encryption.py --customers 2000000`.

Spark reads the setting when its session starts, so each arm of each round is a process of its own, the two in turn:
one run to warm the session, then one that is measured. The arm without encryption is the only place where our jobs
are let run without it, by a conf that says otherwise: elsewhere they refuse (exit 3).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[up]) for up in (2, 1)]

from pyspark import SparkContext

from benchmarks import machine, report
from benchmarks.arguments import command
from benchmarks.chain import run_chain
from benchmarks.places import Place
from jobs.environment import Environment
from jobs.leaving import leave
from jobs.session import spark_session

SETTING = "spark.io.encryption.enabled"
ARMS = {"encrypted": "true", "plain": "false"}
ASKED = 1.05


def _with(environment: Environment, arm: str) -> Environment:
    return replace(environment, spark={**environment.spark, SETTING: ARMS[arm]})


def measure(folder: Path, customers: int, arm: str, load: float) -> None:
    """Prints one arm's seconds of pseudonymize as JSON; the table must be there."""
    place = Place(folder, customers)
    with place.round() as at:
        spark = spark_session(_with(at.environment, arm), "benchmark: encryption")
        conf = spark.sparkContext.getConf()
    assert conf.get(SETTING) == ARMS[arm]
    with patch.object(SparkContext, "getConf", return_value=conf.set(SETTING, "true")):
        first, warm = (run_chain(spark, place, ("pseudonymize",)).seconds["pseudonymize"] for _ in range(2))
        print(json.dumps({"first": first, "warm": warm, "machine": machine.facts(spark, load)}))


def main(argv: Sequence[str]) -> int:
    """Measures both arms in turn and keeps the quotient of their medians."""
    parser = command("encryption.py", "Measures what encrypted spill and shuffle files cost.")
    parser.add_argument("--customers", type=int, default=2_000_000, metavar="N", help="rows (default: 2000000)")
    parser.add_argument("--arm", choices=ARMS, help="measure one arm in this process, and print it")
    given = parser.parse_args(list(argv))
    load = os.getloadavg()[0]
    folder = given.folder.absolute()
    if given.arm:
        measure(folder, given.customers, given.arm, load)
        return 0
    Place(folder, given.customers).generate()
    found: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    facts: object = None
    for number in range(given.rounds):
        for arm in list(ARMS)[:: 1 if number % 2 == 0 else -1]:
            words = ["--folder", str(folder), "--customers", str(given.customers), "--arm", arm]
            done = subprocess.run([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True)
            one = json.loads(done.stdout.splitlines()[-1])
            facts = facts or one.pop("machine")
            found[arm].append(one)
            told = f"{arm}: {one['first']:.2f} s in a fresh session, then {one['warm']:.2f} s"
            print(told, file=sys.stderr, flush=True)
    warm = {arm: [round(one["warm"], 3) for one in each] for arm, each in found.items()}
    pairs = [ours / plain for ours, plain in zip(*warm.values(), strict=True)]
    ratio = statistics.median(warm["encrypted"]) / statistics.median(warm["plain"])
    body = {
        "what": "encryption", "customers": given.customers, "machine": facts, "seconds": warm, "asked": ASKED,
        "first": {arm: [round(one["first"], 3) for one in each] for arm, each in found.items()},
        "encrypted / plain": {"value": round(ratio, 4), "least": round(min(pairs), 4), "most": round(max(pairs), 4)},
    }  # fmt: skip
    report.save(given.results, "encryption", body)
    print(json.dumps(body["encrypted / plain"]))
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
