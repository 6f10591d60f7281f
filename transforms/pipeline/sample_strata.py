"""Stratified and quota samples (층화, 할당): persons counted by stratum, n divided, a threshold for each stratum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.allocation import Stratum, neyman, proportional
from transforms.errors import DataRefused
from transforms.identifiers import encode_ids
from transforms.pipeline.measure import Window
from transforms.pipeline.members import ByStratum
from transforms.pipeline.sample_lines import MOST_STRATA, CountStrata, StrataSums, StrataWindows, add_strata
from transforms.pipeline.sample_run import Sampled, SampleRun
from transforms.pipeline.work import Work
from transforms.plan_sample import NeymanAllocation, QuotaSample, StratifiedSample, fixed_sizes, size_cells
from transforms.sample_facts import Draw, SampleFacts, StratumFacts

LARGEST_ROUNDS = 4
TOP = (1 << 64) - 1


def strata_members(work: Work, strata: Sequence[StratumFacts]) -> ByStratum:
    """Membership by stratum, from the thresholds."""
    sample = work.table.sample
    assert isinstance(sample, (StratifiedSample, QuotaSample))
    assert work.groups is not None
    keys = np.array([one.stratum for one in strata], np.uint64).reshape(-1, 2)
    thresholds = np.array([one.threshold or (0, 0) for one in strata], np.uint64).reshape(-1, 2)
    gives = np.array([one.threshold is not None for one in strata], np.bool_)
    return ByStratum(work.groups, sample.by, keys, thresholds, gives)


def listed_strata(work: Work, sizes: Mapping[str, Any]) -> dict[Draw, int]:
    """The strata that a plan names, by their draws, with their numbers."""
    sample = work.table.sample
    assert isinstance(sample, (StratifiedSample, QuotaSample))
    assert work.groups is not None
    cells = list(size_cells(sizes))
    schema = work.table.source_schema
    columns = [
        pa.array([path[place] for path, _ in cells], pa.string()).cast(schema.field(name).type)
        for place, name in enumerate(sample.by)
    ]
    draws = work.groups.bits(encode_ids(columns))
    return {(int(high), int(low)): n for (high, low), (_, n) in zip(draws, cells, strict=True)}


@dataclass(frozen=True)
class _Allocated:
    """Persons to draw by stratum, strata that give fewer than they should, strata that the plan does not name."""

    numbers: list[int]
    short: int = 0
    unlisted: int = 0


def _allocated(run: SampleRun, sample: StratifiedSample | QuotaSample, sums: StrataSums) -> _Allocated:
    sizes = [one[0] for one in sums.values()]
    fixed = fixed_sizes(sample)
    if isinstance(fixed, int):
        return _at_most_all([fixed] * len(sizes), sizes)
    if fixed is not None:
        listed = listed_strata(run.work, fixed)
        found = _at_most_all([listed.get(stratum, 0) for stratum in sums], sizes)
        absent = sum(stratum not in sums for stratum in listed)
        unlisted = sum(stratum not in listed for stratum in sums)
        return _Allocated(found.numbers, found.short + absent, unlisted)
    assert isinstance(sample, StratifiedSample)
    n = run.size(sample, sum(sizes))
    if isinstance(sample.allocation, NeymanAllocation):
        return _Allocated(*neyman(n, [Stratum(*one) for one in sums.values()]))
    return _Allocated(proportional(n, sizes))


def _at_most_all(numbers: Sequence[int], sizes: Sequence[int]) -> _Allocated:
    given = [min(number, size) for number, size in zip(numbers, sizes, strict=True)]
    return _Allocated(given, sum(number > size for number, size in zip(numbers, sizes, strict=True)))


def by_stratum(run: SampleRun, sample: StratifiedSample | QuotaSample) -> Sampled:
    """Draws a stratified or quota sample. Errors: DataRefused."""
    total: StrataSums = {}
    for part in run.gather(CountStrata(), "strata"):
        add_strata(total, part)
    if len(total) > MOST_STRATA:
        raise DataRefused(f"table {run.table.source}: more than {MOST_STRATA:,} strata; coarsen the columns of `by`")
    # In the order of their keyed draws: of equal remainders, chance decides.
    sums = dict(sorted(total.items()))
    allocated = _allocated(run, sample, sums)
    for count, answer, what in (
        (allocated.short, sample.short, "have fewer persons than they should give (`short`)"),
        (allocated.unlisted, sample.unlisted, "are not named (`unlisted`)"),
    ):
        if count and answer == "refuse":
            raise DataRefused(f"table {run.table.source}: {count} strata of {', '.join(sample.by)} {what}")
    sizes = [one[0] for one in sums.values()]
    thresholds = _thresholds(run, list(sums), sizes, allocated.numbers)
    strata = tuple(map(StratumFacts, sums, sizes, allocated.numbers, thresholds))
    drawn = sum(allocated.numbers)
    facts = SampleFacts(drawn, strata, allocated.short, allocated.unlisted)
    return Sampled(run.work.with_(membership=strata_members(run.work, strata)), sum(sizes), drawn, facts)


def _thresholds(
    run: SampleRun, strata: Sequence[Draw], sizes: Sequence[int], numbers: Sequence[int]
) -> list[Draw | None]:
    """The n-th smallest draw of each stratum, by a window around where it must lie but for ten deviations."""
    found: list[Draw | None] = [None] * len(strata)
    open_ = [place for place, number in enumerate(numbers) if number]
    for round_ in range(LARGEST_ROUNDS):
        if not open_:
            break
        windows = [stratum_window(numbers[place] / sizes[place], sizes[place], 8**round_) for place in open_]
        summary = StrataWindows(
            np.array([strata[place] for place in open_], np.uint64).reshape(-1, 2),
            np.array([window.low for window in windows], np.uint64),
            np.array([window.high for window in windows], np.uint64),
        )
        parts = run.gather(summary, "thresholds of strata")
        below = sum((part[0] for part in parts), np.zeros(len(open_), np.int64))
        places = np.concatenate([part[1] for part in parts])
        draws = np.concatenate([part[2] for part in parts])
        draws = draws[np.lexsort((draws[:, 1], draws[:, 0], places))]
        ends = np.cumsum(np.bincount(places, minlength=len(open_)))
        missing = []
        for number, place in enumerate(open_):
            first = int(ends[number - 1]) if number else 0
            rank = first + numbers[place] - int(below[number]) - 1
            if first <= rank < ends[number]:
                found[place] = (int(draws[rank, 0]), int(draws[rank, 1]))
            else:
                missing.append(place)
        open_ = missing
    if open_:
        raise DataRefused(f"table {run.table.source}: the source changed between two passes")
    return found


def stratum_window(share: float, size: int, wider: int = 1) -> Window:
    """Where the threshold for this share of a stratum's draws lies; the last draw, where all are taken."""
    spread = wider * (10 * (share * (1 - share) / size) ** 0.5 + 64 / size)
    low, high = max(0.0, share - spread), min(1.0, share + spread)
    return Window(min(TOP, int(low * TOP)), min(TOP, int(high * TOP)) if high < 1 else TOP)
