"""Systematic samples, and samples with replacement (계통, 복원): by the ranks of persons in an order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.allocation import planned_size
from transforms.draws import ROUNDS
from transforms.errors import DataRefused
from transforms.identifiers import encode_ids
from transforms.pipeline.engine import Engine
from transforms.pipeline.measure import distinct
from transforms.pipeline.members import Copies, Listed, Members, Words
from transforms.pipeline.sample_lines import Chooser, CountSplits, RanksMap, RanksReduce, SketchTask
from transforms.pipeline.sample_run import SHUFFLE_BUCKETS, Sampled, SampleRun
from transforms.pipeline.states import unpack
from transforms.pipeline.work import Work
from transforms.plan_sample import SimpleSample, SystematicSample, measured_column
from transforms.sample_facts import SampleFacts

# A part of the order of persons is sorted in one task.
PART_PERSONS = 4_000_000
DRAWN_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Systematic:
    """Ranks r with (r n + start) mod N < n: exactly n of N, each with the same chance over all starts."""

    n: int
    count: int
    start: int

    def times(self, first: int, count: int) -> Copies:
        # From the first rank's place on, so that no product leaves 64 bits.
        begin = (first * self.n + self.start) % self.count
        places = (begin + np.arange(count, dtype=np.int64) * self.n) % self.count
        return (places < self.n).astype(np.int64)


@dataclass(frozen=True)
class Redrawn:
    """Ranks that were drawn, sorted, and how often."""

    ranks: npt.NDArray[np.int64]
    often: npt.NDArray[np.int64]

    def times(self, first: int, count: int) -> Copies:
        found = np.zeros(count, np.int64)
        low, high = np.searchsorted(self.ranks, [first, first + count])
        found[self.ranks[low:high] - first] = self.often[low:high]
        return found


def chooser(work: Work, n: int, count: int) -> Chooser:
    """Which ranks are drawn, from the run's keys: a start, or n draws of one rank each. `count` is above 0."""
    assert work.ranks is not None
    if isinstance(work.table.sample, SystematicSample):
        start = work.ranks.below(encode_ids([pa.array(["start"])]), count)
        return Systematic(n, count, int(start[0]))
    parts = [np.arange(first, min(first + DRAWN_AT_ONCE, n)) for first in range(0, n, DRAWN_AT_ONCE)]
    drawn = [work.ranks.below(encode_ids([pa.array(part)]), count) for part in parts]
    return Redrawn(*np.unique(np.concatenate(drawn), return_counts=True))


def by_rank(run: SampleRun) -> Sampled:
    """Systematic samples, and samples with replacement."""
    sample = run.table.sample
    assert isinstance(sample, (SimpleSample, SystematicSample))
    splits = _splits(run)
    counts = sum(run.gather(CountSplits(splits), "subjects in order"), np.zeros(len(splits) + 1, np.int64))
    subjects = int(counts.sum())
    again = isinstance(sample, SimpleSample) and subjects
    n = planned_size(sample.fraction, sample.n, subjects) if again else run.size(sample, subjects)
    members, drawn = _listed(run, splits, counts, n) if n else (_nobody(), 0)
    facts = SampleFacts(len(members.draws), splits=tuple((int(high), int(low)) for high, low in splits))
    return Sampled(run.work.with_(membership=Listed(members)), subjects, drawn, facts)


def _nobody() -> Members:
    return Members(np.empty((0, 2), np.uint64), np.empty(0, np.uint16))


def _splits(run: SampleRun) -> Words:
    """Sorted places that cut the order of persons into parts: they change nothing but the size of the parts."""
    parts = max(SHUFFLE_BUCKETS, run.rows // PART_PERSONS)
    if measured_column(run.table.sample) is None:
        return np.array([(part * (1 << 64) // parts, 0) for part in range(1, parts)], np.uint64)
    blobs = run.engine.each(SketchTask(run.work), run.named("order of subjects"))
    if not blobs:
        return np.empty((0, 2), np.uint64)
    pairs = np.concatenate([unpack(blob) for blob in blobs])
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    chosen = np.linspace(0, len(pairs) - 1, min(parts, len(pairs)) + 1).astype(np.int64)[1:-1]
    return distinct(pairs[chosen])


def _listed(run: SampleRun, splits: Words, counts: npt.NDArray[np.int64], n: int) -> tuple[Members, int]:
    offsets = (0, *accumulate(int(count) for count in counts))
    reduce_ = RanksReduce(run.work, offsets, chooser(run.work, n, offsets[-1]))
    what = run.named("subjects drawn in order")
    found = [unpack(blob) for blob in run.engine.shuffle(RanksMap(run.work, splits), reduce_, len(offsets) - 1, what)]
    draws = np.concatenate([one[0] for one in found])
    times = np.concatenate([one[1] for one in found])
    if int(times.sum()) != n:
        raise DataRefused(f"table {run.table.source}: the source changed between two passes")
    if int(times.max()) >= ROUNDS:
        raise DataRefused(f"table {run.table.source}: a person is drawn {ROUNDS} times or more; ask for fewer draws")
    turn = np.lexsort((draws[:, 1], draws[:, 0]))
    return Members(draws[turn], times[turn].astype(np.uint16)), n


def listed_again(work: Work, engine: Engine, facts: SampleFacts) -> Work:
    """The work with the list of drawn persons, which the facts do not hold: drawn once more, in the same parts."""
    run = SampleRun(work, engine, 1, [])
    splits = np.array(facts.splits, np.uint64).reshape(-1, 2)
    counts = sum(run.gather(CountSplits(splits), "subjects in order"), np.zeros(len(splits) + 1, np.int64))
    sample = work.table.sample
    assert isinstance(sample, (SimpleSample, SystematicSample))
    n = planned_size(sample.fraction, sample.n, int(counts.sum()))
    return work.with_(membership=Listed(_listed(run, splits, counts, n)[0] if n else _nobody()))
