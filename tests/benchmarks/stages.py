"""Spark's own record of what ran: for each stage its tasks, how long it took, and how long its tasks worked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Watch:
    """Made before a piece of work; `finished` are the stages that ran since."""

    def __init__(self, spark: SparkSession) -> None:
        self._context = spark.sparkContext
        self._before = {int(stage.stageId()) for stage in self._all()}

    def finished(self, begun: float) -> list[dict[str, Any]]:
        """Stages in the order of their start; seconds, `at` since `begun` (which counts from the epoch).

        `busy` is the share of all cores' time in which tasks ran: what is missing to 1 is waiting.
        """
        cores = self._context.defaultParallelism
        new = [one for one in self._all() if int(one.stageId()) not in self._before]
        stages = [_plain(stage, cores, begun) for stage in new if stage.completionTime().isDefined()]
        return sorted(stages, key=lambda one: one["at"])

    def _all(self) -> Any:
        virtual = self._context._jvm
        assert virtual is not None
        self._context._jsc.sc().listenerBus().waitUntilEmpty()
        none = virtual.java.util.ArrayList()
        numbers = self._context._gateway.new_array(virtual.double, 0)  # type: ignore[union-attr]
        stages = self._context._jsc.sc().statusStore().stageList(None, False, False, numbers, none)
        return [stages.apply(place) for place in range(stages.size())]


def _plain(stage: Any, cores: int, zero: float) -> dict[str, Any]:
    begun, ended = (moment.get().getTime() / 1000 for moment in (stage.submissionTime(), stage.completionTime()))
    ran = stage.executorRunTime() / 1000
    description = stage.description()
    return {
        "what": str(description.get()) if description.isDefined() else str(stage.name()),
        "tasks": int(stage.numTasks()),
        "at": round(begun - zero, 3),
        "seconds": round(ended - begun, 3),
        "task_seconds": round(ran, 3),
        "busy": round(ran / max(cores * (ended - begun), 0.001), 2),
        "jvm_gc_seconds": round(stage.jvmGcTime() / 1000, 3),
        "shuffled_bytes": int(stage.shuffleWriteBytes()),
    }


def covered(stages: list[dict[str, Any]]) -> float:
    """Seconds in which at least one stage ran."""
    total = told = 0.0
    for one in stages:
        end = one["at"] + one["seconds"]
        total += max(0.0, end - max(told, one["at"]))
        told = max(told, end)
    return total
