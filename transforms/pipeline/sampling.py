"""The sample of subjects (표본추출, P0): who is drawn, exactly, whatever the partitioning or the order of the rows.

Simple samples and clusters are thresholds on keyed draws; strata have a threshold each; where a person's rank or
number of draws counts, the drawn persons are listed. Thresholds and lists reach the tasks in their broadcast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

import numpy as np

from transforms.errors import DataRefused
from transforms.pipeline.engine import Engine
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import (
    SubjectDrawsTask,
    Subjects,
    SubjectsMap,
    SubjectsReduce,
    SubjectsTask,
    Window,
    bucket_of,
    distinct,
    expected_window,
    threshold_of,
)
from transforms.pipeline.members import ByCluster, Members, at_most
from transforms.pipeline.sample_lines import CountMembers, distinct_lines, line_columns, lines_of
from transforms.pipeline.sample_ranks import by_rank
from transforms.pipeline.sample_run import SHUFFLE_BUCKETS, Sampled, SampleRun
from transforms.pipeline.sample_strata import by_stratum
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.work import BINS, Work, stopped_mask, subject_ids
from transforms.plan_sample import (
    ClusterSample,
    QuotaSample,
    SimpleSample,
    StratifiedSample,
    SystematicSample,
)
from transforms.sample_facts import Draw, SampleFacts

TOP = (1 << 64) - 1


def draw_sample(work: Work, engine: Engine, rows: int, passes: list[str]) -> Sampled:
    """Draws the sample of the work's table; `rows` is a guess of its rows. Errors: PassFailed, DataRefused."""
    run = SampleRun(work, engine, max(1, rows), passes)
    match work.table.sample:
        case SimpleSample(replacement=True) | SystematicSample():
            return by_rank(run)
        case SimpleSample() as sample:
            return _simple(run, sample)
        case StratifiedSample() | QuotaSample() as sample:
            return by_stratum(run, sample)
        case ClusterSample() as sample:
            return _by_cluster(run, sample)
    raise AssertionError("a table without a sample")


def _simple(run: SampleRun, sample: SimpleSample) -> Sampled:
    if sample.stable_over is not None:
        threshold = fraction_threshold(sample.fraction)
        found = _subjects(run, _bin_of(threshold))
        drawn = _count_below(found, threshold)
        return Sampled(run.work.with_(threshold=threshold), found.count, drawn, SampleFacts(drawn))
    share = sample.fraction if sample.fraction is not None else (sample.n or 0) / run.rows
    window = expected_window(min(1.0, share), run.rows)
    found = _subjects(run, window)
    n = run.size(sample, found.count)
    if n == 0:
        return Sampled(run.work.with_(threshold=(0, 0)), found.count, 0, SampleFacts(0))
    place = threshold_of(found, n, window)
    if isinstance(place, Window):
        place = threshold_of(_subjects(run, place), n, place)
    return Sampled(run.work.with_(threshold=_settled(run, place)), found.count, n, SampleFacts(n))


def _settled(run: SampleRun, place: Draw | Window) -> Draw:
    if isinstance(place, Window):
        raise DataRefused(f"table {run.table.source}: the source changed between two passes")
    return place


def fraction_threshold(fraction: float | None) -> Draw:
    """The largest draw of a share of all draws: it does not depend on who else there is."""
    limit = max(1, int(Fraction(str(fraction)) * (1 << 128))) - 1
    return limit >> 64, limit & TOP


def _bin_of(threshold: Draw) -> Window:
    low = threshold[0] >> 48 << 48
    return Window(low, low | ((1 << 48) - 1))


def _count_below(found: Subjects, threshold: Draw) -> int:
    """Subjects whose draw is not above the threshold, in whose bin the state holds all draws."""
    before = int(found.histogram[: threshold[0] >> 48].sum())
    return before + int(at_most(distinct(found.window), threshold).sum())


def _subjects(run: SampleRun, window: Window) -> Subjects:
    what = run.named("subjects")
    if run.table.one_row_per_subject:
        blobs = run.engine.each(SubjectsTask(run.work, window), what)
    else:
        map_, reduce_ = SubjectsMap(run.work, SHUFFLE_BUCKETS), SubjectsReduce(run.work, window)
        blobs = run.engine.shuffle(map_, reduce_, SHUFFLE_BUCKETS, what)
    return _together(blobs)


def _together(blobs: Sequence[bytes]) -> Subjects:
    empty = Subjects(0, 0, np.zeros(BINS, np.int64), np.empty((0, 2), np.uint64))
    return reduce(Subjects.merge, (unpack(blob) for blob in blobs), empty)


@dataclass(frozen=True)
class _ClustersMap:
    """Distinct draws of a unit's clusters, split by their top bits."""

    work: Work

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        seen = [lines_of(self.work, batch)[:, 2:4] for batch in unit.batches(line_columns(self.work.table))]
        draws = distinct(np.concatenate(seen)) if seen else np.empty((0, 2), np.uint64)
        places = bucket_of(draws[:, 0], SHUFFLE_BUCKETS)
        for bucket in np.unique(places):
            yield int(bucket), pack((draws[places == bucket], 0, 0))


def _clusters(run: SampleRun, window: Window) -> Subjects:
    reduce_ = SubjectsReduce(run.work, window)
    return _together(run.engine.shuffle(_ClustersMap(run.work), reduce_, SHUFFLE_BUCKETS, run.named("clusters")))


def _by_cluster(run: SampleRun, sample: ClusterSample) -> Sampled:
    threshold: Draw | None
    if sample.stable_over is not None:
        threshold = fraction_threshold(sample.fraction)
        found = _clusters(run, _bin_of(threshold))
        m = _count_below(found, threshold)
    else:
        window = _bin_of((0, 0))
        found = _clusters(run, window)
        m = run.size(sample, found.count, "clusters")
        place = threshold_of(found, m, window) if m else (0, 0)
        if isinstance(place, Window):
            place = threshold_of(_clusters(run, place), m, place)
        threshold = _settled(run, place) if m else None
    work = run.work.with_(membership=cluster_members(run.work, threshold))
    assert isinstance(work.membership, ByCluster)
    counts = run.gather(CountMembers(work.membership), "subjects")
    subjects, drawn = sum(one[0] for one in counts), sum(one[1] for one in counts)
    return Sampled(work, subjects, drawn, SampleFacts(drawn, clusters=(found.count, m), cluster_threshold=threshold))


def cluster_members(work: Work, threshold: Draw | None) -> ByCluster:
    """Membership by cluster, from its threshold."""
    sample = work.table.sample
    assert isinstance(sample, ClusterSample)
    assert work.groups is not None
    return ByCluster(work.groups, sample.cluster, threshold)


@dataclass(frozen=True)
class _MembersTask:
    """The distinct draws of a unit's subjects, and how often each was drawn."""

    work: Work

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        assert self.work.membership is not None
        for batch in unit.batches(line_columns(self.work.table)):
            draws = self.work.select.bits(subject_ids(self.work.table, batch))
            times = self.work.membership.times(batch, draws).astype(np.uint64)
            lines = np.concatenate([draws, times[:, None]], axis=1)
            yield pack(distinct_lines(lines[~stopped_mask(self.work, draws)]))


def register_draws(work: Work, engine: Engine) -> Members:
    """Who is in a register, for the other tables of the same subject.

    Those within the sample's threshold, where it has one for all; else everybody, with how often they were drawn.
    """
    what = "the register's subjects"
    if work.membership is None:
        blobs = engine.each(SubjectDrawsTask(work), what)
        draws = distinct(np.concatenate([unpack(blob) for blob in blobs])) if blobs else np.empty((0, 2), np.uint64)
        return Members(draws[at_most(draws, work.threshold or (TOP, TOP))])
    parts = [unpack(blob) for blob in engine.each(_MembersTask(work), what)]
    lines = distinct_lines(np.concatenate(parts)) if parts else np.empty((0, 3), np.uint64)
    return Members(lines[:, :2], lines[:, 2].astype(np.uint16))
