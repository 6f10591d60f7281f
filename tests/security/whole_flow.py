"""`python whole_flow.py FOLDER`: all acts in one process that keeps what it leaves, and what it left for a moment.

Under FOLDER: `told.json` (commands and exit codes), `secrets.json` (every key in hex that was used: outside of any
zone, for tests alone), `explained.txt` (plans of lazy frames), `kept/` (hard links to every file that lay in Spark's
local folders, in a zone, an inbox or the folder for temporary files at any time; `kept.json`: where). No jars.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import re
import stat
import sys
import threading
from pathlib import Path

import pyarrow as pa

import jobs.combination.salts
from jobs.environment import Environment, load_environment
from tests.security import acts
from transforms.combination.key_spec import KeySpec
from transforms.derivation import Secret

CODE = re.compile(r"\.(jar|so)$|^fetchFileTemp")
# Spark's files come and go in milliseconds; those of zones stay from one step to the next.
OFTEN, SELDOM = 0.01, 0.2
SECRETS: set[str] = set()
SALTS: set[str] = set()


def note_secrets() -> None:
    """From now on every key that this process holds is written down, and every join salt."""
    whole, lengthened = Secret.__init__, jobs.combination.salts.lengthened

    def noted(self: Secret, value: bytes) -> None:
        whole(self, value)
        SECRETS.add(self.reveal().hex())

    def salt(secret: Secret, environment: Environment, name: str, spec: KeySpec) -> Secret:
        made = lengthened(secret, environment, name, spec)
        SALTS.add(made.reveal().hex())
        return made

    Secret.__init__ = noted  # type: ignore[method-assign]
    jobs.combination.salts.lengthened = salt


class Keeper:
    """Links every file below some places (no jars) into `kept`, so that it outlives its deletion."""

    def __init__(self, kept: Path, pause: float, places: list[Path], without: tuple[str, ...] = ()) -> None:
        self.kept, self.pause, self.places, self.without = kept, pause, places, without
        self.seen: dict[int, str] = {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        kept.mkdir()
        self.thread.start()

    def run(self) -> None:
        while not self.over.wait(self.pause):
            self.look()

    def look(self) -> None:
        for place in self.places:
            for folder, inside, names in os.walk(place):
                inside[:] = [one for one in inside if not any(word in one for word in self.without)]
                for name in (one for one in names if not CODE.search(one)):
                    with contextlib.suppress(OSError):
                        path = Path(folder) / name
                        state = path.lstat()
                        number = state.st_ino
                        if stat.S_ISREG(state.st_mode) and number not in self.seen:
                            os.link(path, self.kept / str(number))
                            self.seen[number] = str(path)

    def close(self) -> dict[str, str]:
        """Where each of them lay, by its name in `kept`."""
        self.over.set()
        self.thread.join()
        self.look()
        return {str(self.kept / str(number)): place for number, place in self.seen.items()}


def explain(stage: acts.Stage, plan: str, table: str) -> None:
    """Spark's own words about a frame whose rows are still to be computed, appended to `explained.txt`."""
    from pyspark.sql import SparkSession

    from transforms.compiler import compile_plan
    from transforms.plan_loader import load
    from transforms.run_keys import RunKeys

    spark = SparkSession.getActiveSession()
    assert spark is not None
    frame = spark.read.format("delta").load(str(stage.source(table)))
    loaded = load(Path(plan))
    types = {"long": pa.int64(), "integer": pa.int32()}
    schema = pa.schema([(f.name, types.get(f.dataType.typeName(), pa.string())) for f in frame.schema])
    keys = RunKeys(Secret(os.urandom(32)), stage.environment.organisation, "notebook", "분석팀")
    applied = compile_plan(loaded.plan, schema, loaded.hierarchies).apply(frame, keys)
    words = io.StringIO()
    with contextlib.redirect_stdout(words):
        for mode in ("extended", "formatted", "codegen"):
            applied.explain(mode)
    assert applied.count()
    with (stage.folder / "explained.txt").open("a") as file:
        file.write(words.getvalue() + repr(applied) + repr(keys))


def play(folder: Path) -> None:
    """All acts, in order."""
    stage = acts.Stage(folder)
    atexit.register(lambda: (folder / "told.json").write_text(json.dumps(stage.told)))
    for name in ("out", "in"):
        (folder / name).mkdir()
    local = load_environment(stage.file).scratch / "spark"
    local.mkdir(parents=True)
    places = [folder / "warehouse", folder / "roles", folder / "tmp"]
    keepers = [
        Keeper(folder / "kept-spark", OFTEN, [local]),
        # a role's zones are out of sight under another name while it is another's turn
        Keeper(folder / "kept", SELDOM, places, ("source", "spark")),
    ]
    acts.beginning(stage)
    acts.people(stage, lambda plan, table: explain(stage, plan, table))
    acts.whole_retail(stage, lambda plan, table: explain(stage, plan, table))
    acts.endings(stage)
    acts.combined(stage)
    acts.checkpoints(stage)
    kept = {name: place for keeper in keepers for name, place in keeper.close().items()}
    (folder / "kept.json").write_text(json.dumps(kept))
    (folder / "secrets.json").write_text(json.dumps({"secrets": sorted(SECRETS), "salts": sorted(SALTS)}))


if __name__ == "__main__":
    note_secrets()
    play(Path(sys.argv[1]))
