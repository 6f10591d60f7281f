"""Values a second and core: techniques alone, in the tasks of a Spark job, and a library's own call for each value."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC

from benchmarks.stages import Watch
from benchmarks.timing import settle, timed
from jobs.frames import read
from jobs.tables import pinned
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.pipeline.engine import SparkEngine
from transforms.pipeline.feed import SourceFile, TableUnit, Unit, pack_units
from transforms.pipeline.work import Rows, Work, make_work
from transforms.plan import Plan
from transforms.run_keys import RunKeys

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COLUMN = "phone_0"
STEPS: dict[str, Any] = {
    "FF1, 11 digits": {"format-preserving-encryption": {}},
    "keyed tokens": "keyed-token",
    "AES-SIV, text": "two-way-encryption",
    "AES-SIV, bytes": {"two-way-encryption": {"output": "binary"}},
}
ASKED = {"in tasks, M/s and core": 8.0, "times the library's": 20.0}
ROUNDS = 5
KEY = bytes(range(64))
LOCAL_ROWS = 500_000


@dataclass(frozen=True)
class Apply:
    """A task that takes a unit's rows through the chains of a table: how many cells came out, and the techniques' time.

    The time is the processor's, in nanoseconds, without reading.
    """

    work: Work

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        cells = spent = 0
        for batch in unit.batches([chain.name for chain in self.work.table.chains]):
            rows = Rows(self.work, batch, None)
            begun = time.thread_time_ns()
            cells += sum(len(rows.run(chain)) for chain in self.work.table.chains)
            spent += time.thread_time_ns() - begun
        yield cells.to_bytes(8, "big") + spent.to_bytes(8, "big")


def work_of(step: Any, schema: pa.Schema) -> Work:
    """The step on the one column, with keys that are always the same."""
    plan = Plan.model_validate(
        {
            "format": 1,
            "plan": "values",
            "application": {"number": "1"},
            "purpose": {"kind": "statistics", "statement": "측정", "legal_basis": "제28조의2"},
            "use": {
                "form": "third-party",
                "recipient": "r",
                "place": "closed",
                "from": "2026-01-01",
                "until": "2099-01-01",
            },
            "source": {"table": "t", "row_key": [COLUMN]},
            "columns": {COLUMN: {"kind": "identifier", "apply": step}},
            "additional_information": {"destroy": "approved"},
            "output": {"table": "t"},
        }
    )
    return make_work(compile_plan(plan, schema).table(), RunKeys(Secret(KEY[:32]), "o", "run", "r"))


def alone(values: pa.Array) -> dict[str, float]:
    """Million values a second on one core, in this process; the best of several rounds."""
    table = pa.table({COLUMN: values})
    unit = TableUnit(0, table, table.schema)
    found = {}
    for name, step in STEPS.items():
        task = Apply(work_of(step, table.schema))
        seconds = min(timed(lambda task=task: list(task(unit)))[0] for _ in range(ROUNDS))  # type: ignore[misc]
        found[name] = len(values) / seconds / 1e6
    return found


@dataclass(frozen=True)
class Rate:
    """Million values a second and core: of the technique's own time in the tasks, and of the tasks' whole time."""

    technique: float
    task: float


def in_tasks(spark: SparkSession, source: Path) -> dict[str, Rate]:
    """Rates in the tasks of a Spark job that reads the column and changes it; the best round of each."""
    snapshot = pinned(str(source))
    schema = pa.schema([(COLUMN, pa.string())])
    units = pack_units([SourceFile(file.uri) for file in snapshot.files], schema, spark.sparkContext.defaultParallelism)
    found = {}
    for name, step in STEPS.items():
        task = Apply(work_of(step, schema))
        engine = SparkEngine(spark, units, label=f"values: {name}")

        def work(engine: SparkEngine = engine, task: Apply = task) -> tuple[int, float]:
            blobs = engine.each(task, "apply")
            counts = [(int.from_bytes(blob[:8], "big"), int.from_bytes(blob[8:], "big")) for blob in blobs]
            return sum(cells for cells, _ in counts), sum(spent for _, spent in counts) / 1e9

        found[name] = _best(spark, work)
    return found


def _best(spark: SparkSession, work: Callable[[], tuple[int, float]]) -> Rate:
    techniques, tasks = [], []
    for _ in range(ROUNDS):
        settle(spark)
        watch, begun = Watch(spark), time.time()
        cells, spent = work()
        ran = sum(stage["task_seconds"] for stage in watch.finished(begun))
        techniques.append(cells / max(spent, 0.001) / 1e6)
        tasks.append(cells / max(ran, 0.001) / 1e6)
    return Rate(max(techniques), max(tasks))


def by_library(spark: SparkSession, source: Path) -> dict[str, Rate]:
    """Texts and bytes of the same form by a pandas UDF that calls a library (`cryptography`) for each value."""
    from pyspark.sql.functions import pandas_udf

    frame = read(spark, str(source)).select(COLUMN)
    rows = frame.count()
    found = {}
    for name, call in LIBRARY.items():
        spent = spark.sparkContext.accumulator(0.0)
        udf = pandas_udf(_series(call, spent), "binary")

        def work(udf: Any = udf, spent: Any = spent) -> tuple[int, float]:
            before = spent.value
            frame.select(udf(COLUMN)).write.format("noop").mode("overwrite").save()
            return rows, spent.value - before

        found[name] = _best(spark, work)
    return found


def _series(call: Callable[[], Callable[[bytes], bytes]], spent: Any) -> Callable[..., Any]:
    def apply(values: pd.Series) -> pd.Series:
        one, begun = call(), time.thread_time()
        result = values.map(lambda value: one(value.encode()))
        spent.add(time.thread_time() - begun)
        return result

    return apply


def _siv_bytes() -> Callable[[bytes], bytes]:
    cipher = AESSIV(KEY)
    return lambda value: cipher.encrypt(value, [b"context"])


def _siv_text() -> Callable[[bytes], bytes]:
    seal = _siv_bytes()
    return lambda value: base64.urlsafe_b64encode(seal(value))


def _token() -> Callable[[bytes], bytes]:
    fresh = CMAC(algorithms.AES(KEY[:32]))

    def token(value: bytes) -> bytes:
        one = fresh.copy()
        one.update(b"\x01" + len(value).to_bytes(1, "big") + value)
        return base64.b32encode(one.finalize())[:26].lower()

    return token


def _ff1() -> Callable[[bytes], bytes]:
    """FF1 of digits, a value at a time, as libraries do it: Python's integers, the cipher's AES (no tweak)."""
    encryptor = Cipher(algorithms.AES(KEY[:32]), modes.ECB()).encryptor()

    def encrypt(value: bytes) -> bytes:
        length = len(value)
        half, rest = length // 2, length - length // 2
        size = -(-(10**rest - 1).bit_length() // 8)
        head = bytes([1, 2, 1, 0, 0, 10, 10, half]) + length.to_bytes(4, "big") + bytes(4)
        state = int.from_bytes(encryptor.update(head), "big")
        left, right = int(value[:half]), int(value[half:])
        for number in range(10):
            block = number << (8 * size) | right
            drawn = encryptor.update((state ^ block).to_bytes(16, "big"))
            left, right = right, (left + int.from_bytes(drawn[:8], "big")) % 10 ** (half if number % 2 == 0 else rest)
        return b"%0*d%0*d" % (half, left, rest, right)

    return encrypt


LIBRARY: Mapping[str, Callable[[], Callable[[bytes], bytes]]] = {
    "FF1, 11 digits": _ff1,
    "keyed tokens": _token,
    "AES-SIV, text": _siv_text,
    "AES-SIV, bytes": _siv_bytes,
}


def phones(count: int, first: int = 0) -> pa.Array:
    """Different texts of 11 digits."""
    numbers = (np.arange(first, first + count, dtype=np.int64) * 7_919 + 12_345_678) % 10**8
    return pa.array([f"010{number:08d}" for number in numbers.tolist()])
