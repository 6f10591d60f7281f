"""A task's unforeseen error reaches Spark, its logs and its event log, without its text: that may quote a cell."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.pipeline.engine import SparkEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.quiet import TaskFailed, quietly, told

CELL = "900101-1234567"


def broken(_: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield pa.record_batch({"x": [1]})
    pa.array([CELL]).cast(pa.int64())


def test_the_type_and_the_place_are_told_and_no_text() -> None:
    batches = quietly(broken)(iter(()))
    assert next(batches).num_rows == 1, "what came before the error is passed on"
    with pytest.raises(TaskFailed) as caught:
        next(batches)
    assert str(caught.value).startswith("ArrowInvalid at ")
    whole = "".join(traceback.format_exception(caught.value))
    assert "ArrowInvalid" in whole
    assert CELL not in whole
    assert "direct cause" not in whole


def test_of_a_system_error_what_the_system_says() -> None:
    with pytest.raises(OSError, match="No such file") as caught:
        Path(f"/nowhere/{CELL}").read_bytes()
    assert told(caught.value).startswith("FileNotFoundError (No such file or directory) at ")
    assert CELL not in told(caught.value)


TASKS = f'''
class Failing:
    """A task function that fails."""

    def __call__(self, *_):
        raise ValueError("could not convert {CELL}")


class Quiet:
    """A task function that does its work."""

    def __call__(self, *_):
        yield 0, b"done"
'''


@pytest.fixture
def tasks(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The task functions in a module that Spark's workers can import, as they can import ours."""
    (tmp_path / "task_functions.py").write_text(TASKS)
    spark.sparkContext.addPyFile(str(tmp_path / "task_functions.py"))
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("task_functions")


@pytest.mark.spark
def test_every_pass_of_the_engine_is_quiet(spark: Any, tasks: Any) -> None:
    table = pa.table({"id": ["a"]})
    engines = [
        SparkEngine(spark, units=[TableUnit(0, table, table.schema)]),
        SparkEngine(spark, frame=spark.createDataFrame([("a",)], "id string"), schema=table.schema),
    ]
    passes = [
        call
        for engine in engines
        for call in (
            lambda e=engine: e.each(tasks.Failing(), "each"),
            lambda e=engine: e.shuffle(tasks.Failing(), tasks.Quiet(), 1, "map"),
            lambda e=engine: e.shuffle(tasks.Quiet(), tasks.Failing(), 1, "reduce"),
        )
    ]
    for number, call in enumerate(passes):
        with pytest.raises(Exception, match="TaskFailed: ValueError at ") as caught:
            call()
        assert CELL not in str(caught.value), number

