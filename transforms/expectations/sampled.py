"""Is a run's sample as the plan says? Told by its facts alone: the review knows neither source nor keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from transforms.allocation import Stratum
from transforms.pipeline.verify_sample import proportional_holds
from transforms.pipeline_model import TablePipeline
from transforms.plan_sample import (
    ClusterSample,
    NeymanAllocation,
    QuotaSample,
    SimpleSample,
    SizedSample,
    StratifiedSample,
    fixed_sizes,
    size_cells,
    stable_series,
    with_copies,
)
from transforms.run_facts import TableFacts
from transforms.sample_facts import SampleFacts

# A size that chance decides lies within so many standard deviations, and a few persons.
DEVIATIONS = 10
FEW = 64


def planned_size(sample: SizedSample | StratifiedSample, count: int) -> int:
    """n of `count` as the plan says it: a number, or the share rounded down (the share as written)."""
    return sample.n if sample.n is not None else math.floor(Fraction(str(sample.fraction)) * count)


def as_planned(table: TablePipeline, facts: TableFacts) -> bool:
    """Do persons, draws, strata and clusters have the numbers that the plan's sample gives?"""
    sample, claim = table.sample, facts.sample
    if sample is None or claim is None or facts.subjects is None or facts.drawn is None:
        return False
    if _is_row(table) and facts.sampled_rows != facts.drawn:
        return False
    if isinstance(sample, (StratifiedSample, QuotaSample)):
        return _strata_as_planned(sample, facts.subjects, facts.drawn, claim)
    if isinstance(sample, ClusterSample):
        return _clusters_as_planned(sample, facts.subjects, facts.drawn, claim)
    if stable_series(sample) is not None:
        return claim.persons == facts.drawn and _likely(sample, facts.drawn, facts.subjects)
    once = not with_copies(sample)
    if not 0 <= claim.persons <= min(facts.drawn, facts.subjects) or (once and claim.persons != facts.drawn):
        return False
    return facts.drawn == planned_size(sample, facts.subjects)


def delivered_persons(table: TablePipeline, facts: TableFacts) -> int | None:
    """How many persons the delivered data show if no record was removed: copies that stand apart each count."""
    if facts.sample is None:
        return None
    sample = table.sample
    if not isinstance(sample, SimpleSample) or not sample.replacement:
        return facts.sample.persons
    own = next((chain for chain in table.chains if chain.name == table.subject), None)
    apart = own is None or own.ranked or sample.copies == "apart"
    return facts.drawn if apart else facts.sample.persons


def persons_countable(table: TablePipeline, pseudonym: str | None) -> bool:
    """Can persons be counted in the delivered data: by their rows, or by their pseudonym?"""
    return pseudonym is not None or _is_row(table)


def _is_row(table: TablePipeline) -> bool:
    return table.subject is None or table.row_key == (table.subject,)


def _likely(sample: SizedSample, drawn: int, count: int) -> bool:
    share = float(sample.fraction or 0)
    return abs(drawn - share * count) <= DEVIATIONS * math.sqrt(share * (1 - share) * count) + FEW


def _clusters_as_planned(sample: ClusterSample, subjects: int, drawn: int, claim: SampleFacts) -> bool:
    if claim.clusters is None or claim.persons != drawn or drawn > subjects:
        return False
    there, chosen = claim.clusters
    if chosen > there or there > subjects or chosen > drawn:
        return False
    return _likely(sample, chosen, there) if stable_series(sample) else chosen == planned_size(sample, there)


def _strata_as_planned(
    sample: StratifiedSample | QuotaSample, subjects: int, drawn: int, claim: SampleFacts
) -> bool:
    given, sizes = [one.drawn for one in claim.strata], [one.size for one in claim.strata]
    whole = (sum(sizes), sum(given), claim.persons) == (subjects, drawn, drawn)
    within = all(0 <= number <= size for number, size in zip(given, sizes, strict=True))
    refused = (claim.short and sample.short == "refuse") or (claim.unlisted and sample.unlisted == "refuse")
    if not whole or not within or refused:
        return False
    fixed = fixed_sizes(sample)
    if isinstance(fixed, int):
        return given == [min(fixed, size) for size in sizes]
    if fixed is not None:
        return _named(given, [number for _, number in size_cells(fixed)], claim.short)
    assert isinstance(sample, StratifiedSample)
    if drawn != planned_size(sample, subjects):
        return False
    # The spread of the strata is no fact of the run: verify proves Neyman allocation.
    return isinstance(sample.allocation, NeymanAllocation) or proportional_holds(given, list(map(Stratum, sizes)))


def _named(given: Sequence[int], asked: Sequence[int], short: int) -> bool:
    """Numbers of named strata, in any order: which is which only keys and source can tell."""
    found = sorted(number for number in given if number)
    if not short:
        return found == sorted(asked)
    return len(found) <= len(asked) and sum(found) < sum(asked) and max(found, default=0) <= max(asked)
