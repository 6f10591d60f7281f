"""The verdict on one staged table: what the verifying pass found, against what the run claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pyarrow as pa

from transforms.class_facts import ClassTable
from transforms.distributions import Distribution, distribution, is_shown
from transforms.draws import Draws
from transforms.facts import Counts, Fact
from transforms.outlier_changes import Changes
from transforms.pipeline.class_measure import class_facts_of
from transforms.pipeline.class_pass import class_stage
from transforms.pipeline.class_verdict import place_of, wrong_class_facts, wrong_splits
from transforms.pipeline.compared import compared_of
from transforms.pipeline.engine import Engine
from transforms.pipeline.locate import Located, Sides, locate
from transforms.pipeline.members import Members
from transforms.pipeline.recompute import Sums, body_columns
from transforms.pipeline.run import stopped_draws
from transforms.pipeline.states import unpack
from transforms.pipeline.verify import (
    AFTER,
    BUCKET,
    SOURCE,
    STAGED,
    SUBJECT_BUCKETS,
    SUBJECTS,
    Bucket,
    FactKey,
    Seen,
    ToHashes,
    VerifyMap,
    VerifyReduce,
)
from transforms.pipeline.verify_outliers import wrong_rules
from transforms.pipeline.verify_sample import (
    Proof,
    claimed_membership,
    own_sample,
    sample_claimed,
    with_list,
    wrong_sample,
)
from transforms.pipeline.work import Work, make_work
from transforms.pipeline_model import Chain, TablePipeline
from transforms.predicate import Predicate
from transforms.run_facts import TableFacts
from transforms.run_keys import RunKeys
from transforms.utility import Side
from transforms.utility_figures import Utility, figures

# No bin of a distribution stands for fewer persons, nor for fewer than the plan's k.
FEWEST_PERSONS = 10
CLASS_BUCKETS = 8
SHOWN_ATTRIBUTES = 4
What = Literal["schema", "fact", "sample", "counts", "outliers", "rows", "order", "cells", "noise"]


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the plan says. `place` is a column, a site or a count's name, never a value.

    `rows` is how many rows are concerned (None where that was not counted).
    """

    what: What
    place: str
    rows: int | None = None

    def __str__(self) -> str:
        rows = "" if self.rows is None else f" ({self.rows} rows)"
        return f"{self.what}: {self.place}{rows}"


@dataclass(frozen=True)
class TableVerdict:
    """What verify found of one table. `rows` are counts by phase; no bin of `distributions` is below `least`."""

    table: str
    differences: tuple[Difference, ...]
    rows: Mapping[str, int] = field(default_factory=dict)
    columns: int = 0
    facts: int = 0
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    least: int = FEWEST_PERSONS
    located: Located = field(default_factory=Located)
    utility: Utility = field(default_factory=Utility)

    @property
    def equal(self) -> bool:
        return not self.differences


@dataclass(frozen=True)
class Claim:
    """A run's claims about one table, ready to be recomputed: pipeline, keyed draws, claimed facts.

    `register` are the facts of the register's table, whose sample this one follows.
    """

    work: Work
    facts: TableFacts
    register: TableFacts | None = None

    @classmethod
    def of(
        cls,
        table: TablePipeline,
        keys: RunKeys,
        facts: TableFacts,
        stopped: pa.Array | None = None,
        register: tuple[TableFacts, Members] | None = None,
    ) -> Claim:
        """`stopped` are ids of who asked to stop; `register` also holds who is in the register's sample."""
        work = make_work(table, keys)
        work = work.with_(
            stopped=stopped_draws(table, work, stopped) if stopped is not None else None,
            register=register[1] if register is not None else None,
            threshold=facts.threshold,
            facts=facts.concluded,
            changes=Changes(facts.rules) if facts.rules else None,
            buckets=facts.buckets,
            splits=facts.splits,
            class_buckets=max(CLASS_BUCKETS, facts.buckets),
        )
        work = claimed_membership(work, facts.sample)
        return cls(work, facts, register[0] if register is not None else None)

    def ready(self, engine: Engine) -> Claim:
        """The claim with the list of drawn persons, where the sample has one, which no facts hold."""
        return replace(self, work=with_list(self.work, engine, self.facts.sample))


@dataclass(frozen=True)
class Ways:
    """How verify reads: `source` alone, `both` with the staged units beside it (as `StagedUnit`).

    `both` has no window of its own: `window` is applied to units of the source alone.
    """

    source: Engine
    both: Engine
    seed: Draws
    staged_schema: pa.Schema
    window: Predicate | None = None


def verify_table(claim: Claim, ways: Ways, k: int | None = None) -> TableVerdict:
    """Recomputes every cell of a table and compares; a second pass, only on a difference, names the columns.

    Errors: PassFailed where the source can't be recomputed.
    """
    table = claim.work.table
    differences = [*_schema_differences(table.schema, ways.staged_schema), *_incomplete(claim)]
    if differences:
        return TableVerdict(table.name, tuple(differences))
    claim = claim.ready(ways.source)
    for number in wrong_rules(claim.work, ways.source):
        differences.append(Difference("outliers", f"outliers[{number}]"))
    shown, compared = shown_columns(table), compared_of(table)
    differences += [Difference("fact", place) for place in wrong_class_facts(claim.work, ways.source)]
    sample = own_sample(table)
    found = _Found.of(
        ways.both.shuffle(
            VerifyMap(claim.work, ways.seed, shown, sample, ways.window, compared),
            VerifyReduce(claim.work, ways.seed, claim.facts.offsets, claim.facts.sample),
            max(claim.work.buckets, SUBJECT_BUCKETS),
            "every cell",
            kinds=True,
            inner=class_stage(claim.work, ToHashes(claim.work, ways.seed), ways.window, tallied=False),
        )
    )
    differences += [
        *_fact_differences(table, claim, found.seen),
        *(Difference("sample", name) for name in wrong_sample(claim.work, claim.facts, found.sample)),
        *_count_differences(claim, found),
        *(Difference("fact", place) for place in wrong_splits(claim.work, ways.source, found.seen.sampled)),
    ]
    cells, located = _cell_differences(claim, ways, found)
    least = max(k or 0, FEWEST_PERSONS)
    return TableVerdict(
        table.name,
        (*differences, *cells),
        {
            "source": found.seen.rows,
            "stopped": found.seen.stopped,
            "sampled": found.seen.sampled,
            "recomputed": found.seen.kept,
            "staged": found.staged.rows,
        },
        len(table.columns),
        sum(len(named) for named in claim.facts.concluded.values()),
        _shown(table, found.seen, least),
        least,
        located,
        figures(compared, found.seen.side, found.after, least),
    )


@dataclass
class _Found:
    seen: Seen = field(default_factory=Seen)
    expected: Sums = field(default_factory=Sums)
    staged: Sums = field(default_factory=Sums)
    buckets: dict[int, Bucket] = field(default_factory=dict)
    sample: Proof = field(default_factory=Proof)
    after: Side = field(default_factory=Side)

    @classmethod
    def of(cls, results: list[tuple[int, Any]]) -> _Found:
        found = cls()
        for kind, blob in results:
            state = unpack(blob)
            if kind == SOURCE:
                found.seen.merge(state)
            elif kind == STAGED:
                found.staged.merge(state)
            elif kind == AFTER:
                found.after.merge(state)
            elif kind == BUCKET:
                found.buckets[state.number] = state
                found.expected.merge(state.sums)
            elif kind == SUBJECTS:
                found.sample.merge(state)
        for name, value in found.seen.sums.columns.items():
            found.expected.add_column(name, value)
        return found


def _schema_differences(expected: pa.Schema, staged: pa.Schema) -> list[Difference]:
    wanted = {field.name: field.type for field in expected}
    there = {field.name: field.type for field in staged}
    wrong = [name for name in {**wanted, **there} if wanted.get(name) != there.get(name)]
    if not wrong and list(wanted) != list(there):
        return [Difference("schema", "order of the columns")]
    return [Difference("schema", name) for name in wrong]


def _wanted_facts(table: TablePipeline) -> dict[FactKey, tuple[Fact, Chain]]:
    return {
        ((chain.name, number), name): (fact, chain)
        for chain in table.chains
        for number, step in enumerate(chain.steps)
        for name, fact in step.facts.items()
    }


def _incomplete(claim: Claim) -> list[Difference]:
    """Claims without which nothing can be recomputed."""
    table, facts = claim.work.table, claim.facts
    missing = [
        Difference("fact", _site(chain, key))
        for key, (_, chain) in _wanted_facts(table).items()
        if key[1] not in facts.concluded.get(key[0], {})
    ]
    for site, name in class_facts_of(table):
        if not isinstance(facts.concluded.get(site, {}).get(name), ClassTable):
            missing.append(Difference("fact", place_of(table, (site, name))))
    if facts.buckets < 1 or len(facts.offsets) != facts.buckets:
        missing.append(Difference("counts", "offsets"))
    register = claim.register
    threshold_fits = (
        facts.threshold == register.threshold
        if register is not None
        else sample_claimed(table, facts)
    )
    if not threshold_fits:
        missing.append(Difference("sample", "threshold"))
    deliverable = {chain.name for chain in table.chains if not chain.ranked}
    for change in facts.rules:
        if not set(change.columns) <= deliverable or not change.even:
            missing.append(Difference("outliers", f"outliers[{change.rule}]"))
    return missing


def _site(chain: Chain, key: FactKey) -> str:
    (_, number), name = key
    return f"{chain.steps[number].site}: {name}"


def _fact_differences(table: TablePipeline, claim: Claim, seen: Seen) -> list[Difference]:
    wrong = []
    for key, (fact, chain) in _wanted_facts(table).items():
        site, name = key
        stated = claim.facts.concluded[site][name]
        nothing: Counts = fact.audit(pa.array([], chain.steps[site[1]].before), stated)
        if not fact.accepts(seen.facts.get(key, nothing), stated):
            wrong.append(Difference("fact", _site(chain, key)))
    return wrong


def _count_differences(claim: Claim, found: _Found) -> list[Difference]:
    facts, seen = claim.facts, found.seen
    checks = {
        "rows seen": facts.seen == seen.rows,
        "rows of stopped subjects": facts.stopped_rows == seen.stopped,
        "rows sampled": facts.sampled_rows == seen.sampled,
        "rows delivered": facts.delivered == seen.kept == found.expected.rows,
        "offsets": facts.offsets == _offsets(facts.buckets, found.buckets),
    }
    return [Difference("counts", name) for name, holds in checks.items() if not holds]


def _offsets(count: int, buckets: Mapping[int, Bucket]) -> tuple[int, ...]:
    before, found = 0, []
    for number in range(count):
        found.append(before)
        before += buckets[number].serials if number in buckets else 0
    return tuple(found)


def _cell_differences(claim: Claim, ways: Ways, found: _Found) -> tuple[list[Difference], Located]:
    table = claim.work.table
    expected, staged = found.expected, found.staged
    columns = [c.name for c in table.columns if expected.columns.get(c.name, 0) != staged.columns.get(c.name, 0)]
    same_rows = (expected.rows, expected.wholes) == (staged.rows, staged.wholes)
    if same_rows and not columns:
        in_order = _in_order(expected, staged)
        return ([] if in_order else [Difference("order", "rows within their files")]), Located()
    bodies_same = (expected.rows, expected.bodies) == (staged.rows, staged.bodies)
    sides = Sides(claim.work, ways.seed, ways.window, claim.facts.offsets)
    located = locate(sides, ways.both, serials_alone=bodies_same and not set(columns) & set(body_columns(table)))
    found_rows = {"missing in staging": located.missing, "too many in staging": located.extra}
    differences = [Difference("rows", name, rows) for name, rows in found_rows.items() if rows]
    if located.columns:
        differences += [Difference("cells", name, rows) for name, rows in located.columns.items()]
    elif not sides.by_serial:
        # Without a serial to join by, the sums alone name columns.
        differences += [Difference("cells", name) for name in columns]
    return differences or [Difference("rows", "cells moved between rows")], located


def _in_order(expected: Sums, staged: Sums) -> bool:
    """Do rows stand in their keyed order? Told where each order bucket is a file of its own."""
    if len(expected.ordered) != len(staged.ordered):
        return True
    return sorted(expected.ordered.values()) == sorted(staged.ordered.values())


def shown_columns(table: TablePipeline) -> tuple[str, ...]:
    """Columns with distributions: numeric quasi-identifiers, and a few numeric attributes, top-coded ones first.

    Only where each row is a person: elsewhere a bin's rows would not tell how many persons it stands for.
    """
    if not table.one_row_per_subject:
        return ()
    numeric = [
        c
        for c in table.columns
        if isinstance(c, Chain)
        and c.by_row
        and is_shown(c.source_type)
        and is_shown(c.type)
        and c.rule.kind != "identifier"
    ]
    quasi = [c.name for c in numeric if c.rule.kind == "quasi-identifier"]
    others = [c for c in numeric if c.rule.kind != "quasi-identifier"]
    others.sort(key=lambda c: not any(step.technique.name == "top-coding" for step in c.steps))
    return (*quasi, *(c.name for c in others[:SHOWN_ATTRIBUTES]))


def _shown(table: TablePipeline, seen: Seen, least: int) -> dict[str, Distribution]:
    found = {}
    for chain in table.chains:
        if chain.name in seen.before and chain.name in seen.after:
            whole = pa.types.is_integer(chain.source_type)
            bins = distribution(seen.before[chain.name], seen.after[chain.name], whole, least)
            if bins is not None:
                found[chain.name] = bins
    return found
