"""The sample proved: persons counted once more, by stratum, cluster or part of the order, and held against the plan.

Nothing here divides or draws as the run does: an allocation is proved by what largest remainder means, a systematic
sample by how many it must hold up to each place of the order, drawings by their ranks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.allocation import Stratum
from transforms.identifiers import encode_ids
from transforms.pipeline.measure import distinct
from transforms.pipeline.members import ByCluster, ByStratum, Listed, Words, at_most
from transforms.pipeline.sample_lines import CountStrata, StrataSums, add_strata, order_pairs, split_of, whole_lines
from transforms.pipeline.sample_ranks import DRAWN_AT_ONCE, listed_again
from transforms.pipeline.sample_strata import listed_strata, strata_members
from transforms.pipeline.sampling import cluster_members, fraction_threshold
from transforms.pipeline.work import Work
from transforms.pipeline_model import TablePipeline
from transforms.plan_sample import (
    ClusterSample,
    NeymanAllocation,
    QuotaSample,
    Sample,
    SimpleSample,
    StratifiedSample,
    SystematicSample,
    fixed_sizes,
)
from transforms.run_facts import TableFacts
from transforms.sample_facts import SampleFacts

Parts = npt.NDArray[np.int64]
# Square roots to so many binary digits behind the point.
ROOT_BITS = 128


@dataclass
class Proof:
    """What a pass counted: persons, different persons drawn, and by stratum or part of the order.

    `drawn` counts a person as often as she was drawn; `parts` are persons (row 0) and drawings (row 1).
    """

    subjects: int = 0
    persons: int = 0
    drawn: int = 0
    strata: StrataSums = field(default_factory=dict)
    clusters: int = 0
    clusters_drawn: int = 0
    parts: Parts | None = None

    def merge(self, other: Proof) -> None:
        """Takes up what was counted of other persons."""
        self.subjects += other.subjects
        self.persons += other.persons
        self.drawn += other.drawn
        add_strata(self.strata, other.strata)
        self.clusters += other.clusters
        self.clusters_drawn += other.clusters_drawn
        if other.parts is not None:
            self.parts = other.parts if self.parts is None else self.parts + other.parts


def own_sample(table: TablePipeline) -> Sample | None:
    """The sample that the table itself draws; None where it follows its register's."""
    return table.sample if table.register is None else None


def claimed_membership(work: Work, facts: SampleFacts | None) -> Work:
    """The work with the membership that its facts claim, where they hold all of it."""
    sample = own_sample(work.table)
    if facts is None or sample is None:
        return work
    if isinstance(sample, (StratifiedSample, QuotaSample)):
        return work.with_(membership=strata_members(work, facts.strata))
    if isinstance(sample, ClusterSample):
        return work.with_(membership=cluster_members(work, facts.cluster_threshold))
    return work


def with_list(work: Work, engine: Any, facts: SampleFacts | None) -> Work:
    """The work with the list of drawn persons, where the technique has one: drawn again from keys and source."""
    if facts is None or work.membership is not None or not _is_listed(own_sample(work.table)):
        return work
    return listed_again(work, engine, facts)


def _is_listed(sample: Sample | None) -> bool:
    return isinstance(sample, SystematicSample) or (isinstance(sample, SimpleSample) and sample.replacement)


def proof_of_subjects(work: Work, lines: Sequence[Words], facts: SampleFacts | None) -> Proof:
    """Counts over the whole subjects of a bucket."""
    found = whole_lines(work.table, lines)
    draws = found[:, :2]
    membership = work.membership
    if isinstance(membership, Listed):
        times = np.maximum(membership.members.times_of(draws), 0)
    elif isinstance(membership, (ByStratum, ByCluster)):
        times = membership.of(found[:, 2:4], draws)
    else:
        inside = at_most(draws, work.threshold) if work.threshold is not None else np.ones(len(draws), np.bool_)
        times = inside.astype(np.int64)
    proof = Proof(len(draws), int((times > 0).sum()), int(times.sum()))
    if isinstance(membership, ByStratum) and len(found):
        proof.strata = {stratum: [*sums, 0] for stratum, sums in CountStrata()(found).items()}
        if (times > 0).any():
            for stratum, sums in CountStrata()(found[times > 0][:, :4]).items():
                proof.strata[stratum][-1] = sums[0]
    if isinstance(membership, Listed) and facts is not None:
        splits = np.array(facts.splits, np.uint64).reshape(-1, 2)
        places = split_of(order_pairs(found), splits)
        counts = [np.bincount(places, weights, len(splits) + 1) for weights in (None, times)]
        proof.parts = np.stack(counts).astype(np.int64)
    return proof


def proof_of_clusters(work: Work, lines: Sequence[Words]) -> Proof:
    """Counts over the whole clusters of a bucket, from their draws."""
    draws = distinct(np.concatenate(lines))
    assert isinstance(work.membership, ByCluster)
    return Proof(clusters=len(draws), clusters_drawn=int(work.membership.of(draws, draws).sum()))


def sample_claimed(table: TablePipeline, facts: TableFacts) -> bool:
    """Do the facts hold all that the technique's membership needs?"""
    sample, claim = own_sample(table), facts.sample
    if sample is None:
        return facts.threshold is None
    by_threshold = isinstance(sample, SimpleSample) and not sample.replacement
    return claim is not None and (facts.threshold is not None) == by_threshold


def wrong_sample(work: Work, facts: TableFacts, proof: Proof) -> Iterator[str]:
    """What of a table's own sample is not as the plan says, by the name of the count."""
    sample, claim = own_sample(work.table), facts.sample
    if sample is None or claim is None:
        return
    if facts.subjects != proof.subjects:
        yield "number of subjects"
    if isinstance(sample, (StratifiedSample, QuotaSample)):
        yield from _wrong_strata(work, sample, facts, claim, proof)
    elif isinstance(sample, ClusterSample):
        yield from _wrong_clusters(sample, facts, claim, proof)
    elif isinstance(sample, SimpleSample) and sample.stable_over is not None:
        if facts.threshold != fraction_threshold(sample.fraction):
            yield "threshold of the fraction"
        if not facts.drawn == claim.persons == proof.drawn:
            yield "subjects within the threshold"
    else:
        n = _size(sample.fraction, sample.n, proof.subjects)
        if facts.drawn != n:
            yield "number of subjects to draw"
        if proof.drawn != n:
            yield "subjects within the threshold"
        if claim.persons != proof.persons:
            yield "number of different subjects drawn"
        if _is_listed(sample):
            yield from _wrong_parts(work, n, proof)


def _size(fraction: float | None, n: int | None, count: int) -> int:
    return n if n is not None else math.floor(Decimal(str(fraction)) * count)


def _wrong_clusters(sample: ClusterSample, facts: TableFacts, claim: SampleFacts, proof: Proof) -> Iterator[str]:
    if claim.clusters != (proof.clusters, proof.clusters_drawn):
        yield "clusters within the threshold"
    if sample.stable_over is not None:
        if claim.cluster_threshold != fraction_threshold(sample.fraction):
            yield "threshold of the fraction"
    elif proof.clusters_drawn != _size(sample.fraction, sample.n, proof.clusters):
        yield "number of clusters to draw"
    if not facts.drawn == claim.persons == proof.drawn:
        yield "subjects of the clusters drawn"


def _wrong_parts(work: Work, n: int, proof: Proof) -> Iterator[str]:
    """Each part of the order must hold as many drawings as its ranks say."""
    if proof.parts is None:  # there is nobody
        return
    assert work.ranks is not None
    ends = [0, *(int(end) for end in np.cumsum(proof.parts[0]))]
    count = ends[-1]
    if not n:
        if proof.parts[1].any():
            yield "subjects drawn by their rank"
        return
    if isinstance(work.table.sample, SystematicSample):
        (start,) = work.ranks.below(encode_ids([pa.array(["start"])]), count).tolist()
        before = [((end - 1) * n + start) // count - (start - n) // count for end in ends]
        expected = np.diff(np.array(before))
    else:
        expected = np.zeros(len(ends) - 1, np.int64)
        for numbers in np.array_split(np.arange(n), -(-n // DRAWN_AT_ONCE)):
            ranks = work.ranks.below(encode_ids([pa.array(numbers)]), count)
            expected += np.bincount(np.searchsorted(ends[1:], ranks, side="right"), minlength=len(expected))
    if proof.parts[1].tolist() != expected.tolist():
        yield "subjects drawn by their rank"


def _wrong_strata(
    work: Work, sample: StratifiedSample | QuotaSample, facts: TableFacts, claim: SampleFacts, proof: Proof
) -> Iterator[str]:
    strata = {one.stratum: one for one in claim.strata}
    if {stratum: sums[0] for stratum, sums in proof.strata.items()} != {s: one.size for s, one in strata.items()}:
        yield "number of subjects by stratum"
        return
    if any(sums[-1] != strata[stratum].drawn for stratum, sums in proof.strata.items()):
        yield "subjects within the thresholds of strata"
    if not facts.drawn == claim.persons == sum(one.drawn for one in claim.strata):
        yield "number of subjects drawn"
    keys = list(strata)
    measured = [Stratum(*proof.strata[key][:4]) for key in keys]
    given = [strata[key].drawn for key in keys]
    fixed = fixed_sizes(sample)
    if fixed is not None:
        listed = listed_strata(work, fixed) if isinstance(fixed, dict) else dict.fromkeys(keys, fixed)
        asked = [listed.get(key, 0) for key in keys]
        fits = given == [min(number, one.size) for number, one in zip(asked, measured, strict=True)]
        short = sum(number > proof.strata.get(key, [0])[0] for key, number in listed.items())
        fits = fits and (claim.short, claim.unlisted) == (short, sum(key not in listed for key in keys))
    else:
        assert isinstance(sample, StratifiedSample)
        n = _size(sample.fraction, sample.n, proof.subjects)
        divided = isinstance(sample.allocation, NeymanAllocation)
        fits = sum(given) == n and (neyman_holds if divided else proportional_holds)(given, measured)
    if not fits:
        yield "allocation to strata"


def proportional_holds(given: Sequence[int], strata: Sequence[Stratum]) -> bool:
    """Is this n divided by N_h, by largest remainder?"""
    return _largest_remainder(given, [Fraction(one.size) for one in strata])


def neyman_holds(given: Sequence[int], strata: Sequence[Stratum]) -> bool:
    """Is this n divided by N_h x S_h, by largest remainder, with strata given whole where they should give more?"""
    weights = [Fraction(_root(one.variance) * one.size) for one in strata]
    whole: set[int] = set()
    while True:
        open_ = [place for place in range(len(strata)) if place not in whole]
        total = sum(weights[place] for place in open_)
        rest = sum(given) - sum(strata[place].size for place in whole)
        if not total:
            weights = [Fraction(one.size) for one in strata]
            break
        over = [place for place in open_ if rest * weights[place] / total > strata[place].size]
        if not over:
            break
        whole |= set(over)
    if any(given[place] != strata[place].size for place in whole):
        return False
    return _largest_remainder([given[place] for place in open_], [weights[place] for place in open_])


def _root(variance: Fraction) -> Fraction:
    """The square root, rounded down at `ROOT_BITS` binary digits."""
    return Fraction(math.isqrt((variance.numerator << 2 * ROOT_BITS) // variance.denominator), 1 << ROOT_BITS)


def _largest_remainder(given: Sequence[int], weights: Sequence[Fraction]) -> bool:
    """Is each number its share rounded down or up, and no share rounded up before one with a larger remainder?"""
    total = sum(weights)
    if not total:
        return not any(given)
    shares = [sum(given) * weight / total for weight in weights]
    lifted = [number - math.floor(share) for number, share in zip(given, shares, strict=True)]
    rest = [share - math.floor(share) for share in shares]
    up = [one for one, lift in zip(rest, lifted, strict=True) if lift == 1]
    down = [one for one, lift in zip(rest, lifted, strict=True) if lift == 0]
    # Roots are cut off: shares that should be equal may differ in their last digits.
    slack = Fraction(1, 1 << (ROOT_BITS // 2))
    return len(up) + len(down) == len(given) and (not up or not down or min(up) + slack >= max(down))
