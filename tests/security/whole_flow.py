"""`python whole_flow.py ENVIRONMENT PLAN BAD_PLAN FOLDER`: the whole flow in one process that keeps what it leaves.

Under FOLDER: `codes.json` (exit codes), `secrets.json` (every key in hex that was used: outside of any zone,
for test_destroyed.py alone), `explained.txt` (plans of a lazy frame), `kept/` (hard links to every file
that Spark's local folders held at any time, jars aside).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

import transforms.run_keys
from jobs.cli import main
from jobs.environment import Environment, load_environment
from jobs.keys import FileProvider, RunSecrets
from transforms.derivation import Secret, subkey

SECRETS: set[str] = set()
JAR = re.compile(r"\.jar$|^fetchFileTemp")


def noted(secret: Secret, **info: Any) -> Secret:
    """`subkey`, with both keys written down."""
    made = subkey(secret, **info)
    SECRETS.update((secret.reveal().hex(), made.reveal().hex()))
    return made


class Keeper:
    """Links every file below `place` (no jars) into `kept`, so that it outlives its deletion."""

    def __init__(self, place: Path, kept: Path) -> None:
        self.place, self.kept, self.seen = place, kept, set[int]()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        kept.mkdir()
        self.thread.start()

    def run(self) -> None:
        while not self.over.wait(0.01):
            for folder, _, names in os.walk(self.place):
                for name in (one for one in names if not JAR.search(one)):
                    with contextlib.suppress(OSError):
                        path = Path(folder) / name
                        number = path.stat().st_ino
                        if number not in self.seen:
                            os.link(path, self.kept / f"{len(self.seen)}-{name}")
                            self.seen.add(number)

    def close(self) -> None:
        self.over.set()
        self.thread.join()


def explain(environment: Environment, plan: Path) -> str:
    """Spark's own words about a frame whose rows are still to be computed."""
    from pyspark.sql import SparkSession

    from transforms.compiler import compile_plan
    from transforms.plan_loader import load

    spark = SparkSession.getActiveSession()
    assert spark is not None
    frame = spark.read.format("delta").load(str(environment.zone("source") / "people"))
    loaded = load(plan)
    import pyarrow as pa

    schema = pa.schema([(f.name, pa.int64() if f.dataType.typeName() == "long" else pa.string()) for f in frame.schema])
    secret = Secret(os.urandom(32))
    keys = transforms.run_keys.RunKeys(secret, environment.organisation, "notebook", "분석팀")
    applied = compile_plan(loaded.plan, schema, loaded.hierarchies).apply(frame, keys)
    words = io.StringIO()
    with contextlib.redirect_stdout(words):
        applied.explain("extended")
        applied.explain("formatted")
        applied.explain("codegen")
    assert applied.count()
    return words.getvalue() + repr(applied) + repr(keys)


def flow(file: str, plan: str, bad: str, folder: Path) -> list[list[Any]]:
    codes: list[list[Any]] = []

    def take(*words: str) -> None:
        codes.append([words[0], main([*words, "--environment", file])])

    take("keys", "init")
    environment = load_environment(file)
    root = json.loads(Path(environment.keys.path).read_text())["key"]
    import base64

    SECRETS.add(base64.b64decode(root).hex())
    take("pseudonymize", bad)
    take("pseudonymize", plan)
    (run,) = [path.parent.name for path in (environment.zone("evidence").local / "runs").glob("*/run.json")]
    provider = FileProvider(environment.keys.path)
    SECRETS.add(RunSecrets(environment.zone("keys"), provider).load(run).reveal().hex())
    take("verify", run)
    take("review", run)
    (folder / "explained.txt").write_text(explain(environment, Path(plan)))
    for number, name in enumerate(("김검토", "이검토", "박검토")):
        key = str(folder / f"reviewer-{number}.pem")
        take("reviewer", "new", name, "--key", key)
        take("decide", run, "--reviewer", name, "--key", key, "--conflicts", "none", "--outcome", "approved")
    codes.append(["run", run])
    take("publish", run)
    take("status")
    return codes


if __name__ == "__main__":
    transforms.run_keys.subkey = noted
    file, plan, bad, folder = sys.argv[1:]
    place = load_environment(file).scratch / "spark"
    place.mkdir(parents=True)
    keeper = Keeper(place, Path(folder) / "kept")
    found = flow(file, plan, bad, Path(folder))
    keeper.close()
    (Path(folder) / "codes.json").write_text(json.dumps(found))
    (Path(folder) / "secrets.json").write_text(json.dumps(sorted(SECRETS)))
