"""The passes that draw a sample, one after another, over all subjects of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from transforms.allocation import planned_size
from transforms.errors import DataRefused
from transforms.pipeline.engine import Engine
from transforms.pipeline.sample_lines import LinesMap, LinesReduce, LinesTask, Summary
from transforms.pipeline.states import unpack
from transforms.pipeline.work import Work
from transforms.pipeline_model import TablePipeline
from transforms.sample_facts import SampleFacts

SHUFFLE_BUCKETS = 8


@dataclass(frozen=True)
class Sampled:
    """The work with its sample; N and n in persons (with replacement, n counts every copy)."""

    work: Work
    subjects: int
    drawn: int
    facts: SampleFacts


@dataclass(frozen=True)
class SampleRun:
    """The passes of one sample."""

    work: Work
    engine: Engine
    rows: int
    passes: list[str]

    @property
    def table(self) -> TablePipeline:
        return self.work.table

    def named(self, what: str) -> str:
        name = f"{what}, pass {sum(one.startswith(what) for one in self.passes) + 1}"
        self.passes.append(name)
        return name

    def gather(self, summary: Summary, what: str) -> list[Any]:
        """A summary's parts over all subjects, each subject once."""
        name = self.named(what)
        if self.table.one_row_per_subject:
            blobs = self.engine.each(LinesTask(self.work, summary), name)
        else:
            map_, reduce_ = LinesMap(self.work, SHUFFLE_BUCKETS), LinesReduce(self.work, summary)
            blobs = self.engine.shuffle(map_, reduce_, SHUFFLE_BUCKETS, name)
        return [unpack(blob) for blob in blobs]

    def size(self, sample: Any, count: int, what: str = "subjects") -> int:
        """n of N. Errors: DataRefused where there are not as many."""
        n = planned_size(sample.fraction, sample.n, count)
        if n > count:
            raise DataRefused(f"table {self.table.source}: a sample of {n} {what} is asked for, there are {count}")
        return n
