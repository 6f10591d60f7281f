"""Who runs the passes: Spark on a cluster, or this process on a small table. Both run the same task functions."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from transforms.derivation import for_broadcast
from transforms.errors import CellsRefused, Site
from transforms.pipeline.feed import Damaged, StreamUnit, Unit, WindowedUnit
from transforms.pipeline.quiet import ArrowTask, quietly
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.transform import DuplicateRowKeys
from transforms.pipeline.work import StepFailed
from transforms.predicate import Predicate

STATE, FAILURE = 0, 9
Watch = Callable[[str], AbstractContextManager[None]]
MapTask = Callable[[Unit], Iterable[tuple[Any, ...]]]
ReduceTask = Callable[[int, Sequence[Any]], Iterable[Any]]


def no_watch(what: str) -> AbstractContextManager[None]:
    """Shows nothing of a pass."""
    return nullcontext()


@dataclass(frozen=True)
class Failure:
    """What a task reports instead of raising, where trying again would fail in the same way."""

    kind: str
    reason: str
    site: Site | None = None
    count: int = 0

    def __str__(self) -> str:
        text = f"{self.site}: {self.reason}" if self.site else self.reason
        return f"{text} (at least {self.count})" if self.kind in ("cells", "row-key") and self.count else text


class PassFailed(Exception):
    """Tasks reported failures: `failures` says what and where, never a value."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        counts: dict[Failure, int] = defaultdict(int)
        for failure in failures:
            counts[replace(failure, count=0)] += failure.count
        # Each task stops at its first bad batch, so there may be more.
        self.failures = [replace(failure, count=count) for failure, count in counts.items()]
        super().__init__("\n".join(str(failure) for failure in self.failures))

    @property
    def damaged(self) -> bool:
        return any(f.kind == "damaged" for f in self.failures)

    def within(self, place: str) -> PassFailed:
        """The same, where failures that have no site of their own are told of `place`."""
        return PassFailed([f if f.site else replace(f, reason=f"{place}: {f.reason}") for f in self.failures])


def failure_of(error: Exception) -> Failure:
    """What is reported of an error of the task functions."""
    match error:
        case StepFailed():
            return Failure("step", error.reason, error.site)
        case CellsRefused():
            return Failure("cells", error.reason, None, error.count)
        case DuplicateRowKeys():
            return Failure("row-key", str(error), None, error.count)
        case Damaged():
            return Failure("damaged", str(error))
    raise error


REPORTED = (StepFailed, CellsRefused, DuplicateRowKeys, Damaged)


@dataclass(frozen=True)
class Inner:
    """A shuffle before another one: map over the same units; what reduce yields, (bucket, kind, blob), joins the
    rows of the other map. Both have kinds."""

    map_: MapTask
    reduce_: ReduceTask
    buckets: int


class Engine(Protocol):
    """Runs task functions over all units."""

    def each(self, task: Callable[[Unit], Iterable[bytes]], what: str) -> list[bytes]:
        """What the task yields, unit by unit, in any order."""

    def shuffle(
        self,
        map_: MapTask,
        reduce_: ReduceTask,
        buckets: int,
        what: str,
        kinds: bool = False,
        inner: Inner | None = None,
    ) -> list[Any]:
        """Map yields (bucket, blob) or, with `kinds`, (bucket, kind, blob); reduce sees all blobs of a bucket.

        `inner` is a shuffle whose results reduce sees too (with `kinds` only).
        """


@dataclass(frozen=True)
class LocalEngine:
    """Without Spark, in this process: for `apply_table`."""

    units: Sequence[Unit]
    window: Predicate | None = None

    def each(self, task: Callable[[Unit], Iterable[bytes]], what: str) -> list[bytes]:
        return _raised(lambda: [blob for unit in self._units() for blob in task(unit)])

    def shuffle(
        self,
        map_: MapTask,
        reduce_: ReduceTask,
        buckets: int,
        what: str,
        kinds: bool = False,
        inner: Inner | None = None,
    ) -> list[Any]:
        def run() -> list[Any]:
            boxes: dict[int, list[Any]] = defaultdict(list)
            for unit in self._units():
                for bucket, *rest in map_(unit):
                    boxes[bucket].append(tuple(rest) if kinds else rest[0])
            if inner is not None:
                for out in self.shuffle(inner.map_, inner.reduce_, inner.buckets, what, kinds=True):
                    boxes[out[0]].append(tuple(out[1:]))
            return [out for bucket in sorted(boxes) for out in reduce_(bucket, boxes[bucket])]

        return _raised(run)

    def _units(self) -> Iterator[Unit]:
        for unit in self.units:
            yield unit if self.window is None else WindowedUnit(unit, self.window)


def _raised(run: Callable[[], list[Any]]) -> list[Any]:
    try:
        return run()
    except REPORTED as error:
        raise PassFailed([failure_of(error)]) from None


@dataclass(frozen=True)
class SparkEngine:
    """On Spark: units of files, or any DataFrame (whose rows must be the same each time it is computed), or both."""

    spark: Any
    units: Sequence[Unit] = ()
    frame: Any = None
    schema: pa.Schema | None = None
    label: str = ""
    window: Predicate | None = None
    watch: Watch = no_watch

    def each(self, task: Callable[[Unit], Iterable[bytes]], what: str) -> list[bytes]:
        with self.watch(self._named(what)), self._broadcast((task, self.units), what) as handle:
            window = self.window

            def over(schema: pa.Schema | None) -> ArrowTask:
                def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
                    work, units = handle.value
                    for unit in _units_of(batches, units, schema, window):
                        try:
                            for blob in work(unit):
                                yield row(0, STATE, pa.py_buffer(blob))
                        except REPORTED as error:
                            yield row(0, FAILURE, pa.py_buffer(pack(failure_of(error))))

                return quietly(run)

            return [bytes(blob) for _, _, blob in _collected(self._mapped(over))]

    def shuffle(
        self,
        map_: MapTask,
        reduce_: ReduceTask,
        buckets: int,
        what: str,
        kinds: bool = False,
        inner: Inner | None = None,
    ) -> list[Any]:
        content = (map_, reduce_, self.units, inner)
        with self.watch(self._named(what)), self._broadcast(content, what) as handle:
            frame = self.shuffled(handle, buckets, kinds, inner.buckets if inner is not None else 0)
            found = _collected(frame)
            return [(kind, bytes(blob)) for _, kind, blob in found] if kinds else [bytes(b) for _, _, b in found]

    def shuffled(self, handle: Any, buckets: int, kinds: bool, inner: int = 0) -> Any:
        """The lazy DataFrame of reduced rows (bucket, kind, blob). The broadcast's content: map, reduce, units, and
        the shuffle before (of `inner` buckets; 0: none)."""
        rows = self._mapped(self._map_run(handle, lambda content: content[0], kinds))
        if inner:
            first = self._mapped(self._map_run(handle, lambda content: content[3].map_, True))
            first = first.repartitionById(inner, "bucket")
            rows = rows.unionAll(first.mapInArrow(_reduce_run(handle, lambda content: content[3].reduce_, 3), ROW_TYPE))
        rows = rows.repartitionById(buckets, "bucket")
        return rows.mapInArrow(_reduce_run(handle, lambda content: content[1], 2 if kinds else 1), ROW_TYPE)

    def _map_run(
        self, handle: Any, task: Callable[[Any], MapTask], kinds: bool
    ) -> Callable[[pa.Schema | None], ArrowTask]:
        window = self.window

        def over(schema: pa.Schema | None) -> ArrowTask:
            def map_run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
                content = handle.value
                for unit in _units_of(batches, content[2], schema, window):
                    try:
                        for bucket, *rest in task(content)(unit):
                            kind, blob = rest if kinds else (STATE, rest[0])
                            yield row(bucket, kind, _buffer(blob))
                    except REPORTED as error:
                        yield row(0, FAILURE, pa.py_buffer(pack(failure_of(error))))

            return quietly(map_run)

        return over

    def _mapped(self, over: Callable[[pa.Schema | None], ArrowTask]) -> Any:
        """What the task (`over` the frame's schema, None for units) makes of the frame and of the units."""
        found = [] if self.frame is None else [_by_place(self.frame, over(self.schema))]
        if self.units or not found:
            numbers = self.spark.range(0, len(self.units), 1, max(1, len(self.units)))
            found.append(numbers.mapInArrow(over(None), ROW_TYPE))
        return reduce(lambda left, right: left.unionAll(right), found)

    def _named(self, what: str) -> str:
        return f"{self.label}: {what}" if self.label else what

    def _broadcast(self, content: Any, what: str) -> _Handle:
        return _Handle(self.hold(content, what))

    def hold(self, content: Any, what: str) -> Any:
        """A broadcast of task functions with their subkeys; refused where Spark would write it in plain text."""
        context = self.spark.sparkContext
        if context.getConf().get("spark.io.encryption.enabled", "false") != "true":
            raise PermissionError(
                "spark.io.encryption.enabled is not true; allowed: true, for broadcast keys lie on disk otherwise"
            )
        context.setJobDescription(self._named(what))
        with for_broadcast():
            return context.broadcast(InBand(content))


@dataclass(frozen=True)
class InBand:
    """Pickles as one string of bytes, and is its content again when read.

    Large arrays pickle as buffers beside the stream, which Spark's encrypted broadcast stream can't take.
    """

    content: Any

    def __reduce__(self) -> Any:
        return pickle.loads, (pickle.dumps(self.content),)


@dataclass(frozen=True)
class _Handle:
    """A broadcast that is destroyed when its pass is over."""

    broadcast: Any

    def __enter__(self) -> Any:
        return self.broadcast

    def __exit__(self, *_: object) -> None:
        self.broadcast.destroy()


ROW_TYPE = "bucket int, kind int, blob binary"
_ROW_SCHEMA = pa.schema([("bucket", pa.int32()), ("kind", pa.int32()), ("blob", pa.binary())])


def row(bucket: int, kind: int, blob: pa.Buffer) -> pa.RecordBatch:
    """One row as a record batch, without copying the blob."""
    ends = pa.py_buffer(np.array([0, blob.size], np.int32))
    binary = pa.Array.from_buffers(pa.binary(), 1, [None, ends, blob])
    arrays = [pa.array([bucket], pa.int32()), pa.array([kind], pa.int32()), binary]
    return pa.RecordBatch.from_arrays(arrays, schema=_ROW_SCHEMA)


def _by_place(frame: Any, task: ArrowTask) -> Any:
    """A frame through a task. PySpark asks for each column by its name there, and takes `a.b` for a field of `a`."""
    names = list(frame.columns)

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return task(batch.rename_columns(names) for batch in batches)

    return frame.toDF(*(f"c{place}" for place in range(len(names)))).mapInArrow(run, ROW_TYPE)


def _buffer(blob: Any) -> pa.Buffer:
    return blob if isinstance(blob, pa.Buffer) else pa.py_buffer(blob)


def _reduce_run(handle: Any, task: Callable[[Any], ReduceTask], parts: int) -> ArrowTask:
    """Reduce on whole buckets. `parts` of what it yields: the blob alone (1), its kind and it (2), its next bucket
    too (3)."""

    def reduce_run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        work = task(handle.value)
        boxes: dict[int, list[tuple[int, pa.Buffer]]] = defaultdict(list)
        for batch in batches:
            buckets_of = batch.column(0).to_pylist()
            kinds_of = batch.column(1).to_pylist()
            for place, (bucket, kind) in enumerate(zip(buckets_of, kinds_of, strict=True)):
                boxes[bucket].append((kind, batch.column(2)[place].as_buffer()))
        for bucket in sorted(boxes):
            box = boxes.pop(bucket)
            failed = [blob for kind, blob in box if kind == FAILURE]
            if failed:
                yield from (row(bucket if parts < 3 else 0, FAILURE, blob) for blob in failed)
                continue
            try:
                for out in work(bucket, box if parts > 1 else [blob.to_pybytes() for _, blob in box]):
                    to = out[0] if parts == 3 else bucket
                    kind, blob = out[-2:] if parts > 1 else (STATE, out)
                    yield row(to, kind, _buffer(blob))
            except REPORTED as error:
                yield row(bucket if parts < 3 else 0, FAILURE, pa.py_buffer(pack(failure_of(error))))

    return quietly(reduce_run)


def _units_of(
    batches: Iterator[pa.RecordBatch],
    units: Sequence[Unit],
    schema: pa.Schema | None,
    window: Predicate | None,
) -> Iterator[Unit]:
    found: Iterable[Unit]
    if schema is not None:
        from pyspark import TaskContext

        context = TaskContext.get()
        found = [StreamUnit(context.partitionId() if context is not None else 0, batches, schema)]
    else:
        found = (units[place] for batch in batches for place in batch.column(0).to_pylist())
    for unit in found:
        yield unit if window is None else WindowedUnit(unit, window)


def _collected(frame: Any) -> list[tuple[int, int, Any]]:
    table = frame.toArrow()
    rows = list(zip(table["bucket"].to_pylist(), table["kind"].to_pylist(), table["blob"].to_pylist(), strict=True))
    failures = [unpack(blob) for _, kind, blob in rows if kind == FAILURE]
    if failures:
        raise PassFailed(failures)
    return rows
