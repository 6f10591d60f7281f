"""The passes for class facts: observed by class, shuffled by the class's keyed hash, concluded; and their audit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from transforms.class_facts import CLASS, MOST_CLASSES, ClassFact, ClassTable
from transforms.classes import Classes, words_of
from transforms.errors import CellsRefused, Site
from transforms.given import Given
from transforms.pipeline.engine import Engine, PassFailed, failure_of
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import Site as StepKey
from transforms.pipeline.measure import bucket_of, narrow_columns
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.work import Rows, StepFailed, Work, guarded, select
from transforms.pipeline_model import Chain, TablePipeline

FactKey = tuple[StepKey, str]
BUCKETS = 8
# Rows of observations that a unit holds before it puts them together.
HELD = 4_000_000
MOST_ROUNDS = 8
# A class of more rows than this is split into parts by the class pass.
MOST_ROWS = 4_000_000


def class_facts_of(table: TablePipeline, depth: int | None = None) -> dict[FactKey, ClassFact]:
    """The class facts that one pass can gather (all, where no depth is said)."""
    return {
        ((chain.name, number), name): fact
        for chain in table.chains
        for number, step in enumerate(chain.steps)
        if depth in (None, step.depth)
        for name, fact in step.class_facts.items()
    }


def split_by_class(rows: pa.Table, buckets: int) -> Iterator[tuple[int, pa.Table]]:
    """Rows by their class's bucket."""
    encoded = rows.column(CLASS).combine_chunks().dictionary_encode()
    own = bucket_of(words_of(encoded.dictionary)[:, 0], buckets)
    places = own[encoded.indices.to_numpy(zero_copy_only=False)]
    for bucket in np.unique(places):
        yield int(bucket), rows.filter(pa.array(places == bucket)).combine_chunks()


@dataclass(frozen=True)
class ClassFactsMap:
    """What a unit's rows tell of each class: (bucket, (fact, rows)). With `claims`, the audit's counts instead."""

    work: Work
    facts: Mapping[FactKey, ClassFact]
    claims: Mapping[FactKey, ClassTable] | None = None
    buckets: int = BUCKETS

    def columns(self) -> list[str]:
        table = self.work.table
        named = {
            column
            for chain in table.chains
            if any(site[0] == chain.name for site, _ in self.facts)
            for column in (chain.name, *(c for step in chain.steps for c in step.technique.columns()))
        }
        narrow = narrow_columns(table)
        if not self._needs_ids():
            narrow = [c for c in narrow if c in table.condition_columns()]
        return narrow + [c for c in table.source_schema.names if c in named and c not in narrow]

    def _needs_ids(self) -> bool:
        """Must rows or subjects be told apart, to choose or to draw?"""
        work = self.work
        if self.claims is not None or any(fact.draws for fact in self.facts.values()):
            return True
        if any(one is not None for one in (work.threshold, work.stopped, work.register, work.membership)):
            return True
        upto: dict[str, int] = {}
        for (column, number), _ in self.facts:
            upto[column] = max(number, upto.get(column, 0))
        # The step itself asks for the ids of "some rows" only where its fact draws; steps before it are run whole.
        return any(
            by in ("row", "subject") or (by is not None and place < upto[chain.name])
            for chain in work.table.chains
            if chain.name in upto
            for place, step in enumerate(chain.steps[: upto[chain.name] + 1])
            for by in (getattr(step.technique, "draws_by", None),)
        )

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        found: dict[FactKey, list[pa.Table]] = defaultdict(list)
        chains = {chain.name: chain for chain in self.work.table.chains}
        for batch in unit.batches(self.columns()):
            chosen = select(self.work, batch, order=False)
            if not len(chosen.rows):
                continue
            rows = Rows.of(self.work, batch, chosen)
            for key, fact in self.facts.items():
                (column, number), _ = key
                found[key].append(self._observed(rows, chains[column], number, key, fact))
                if sum(part.num_rows for part in found[key]) > HELD and len(found[key]) > 1:
                    found[key] = [self._merged(key, found[key])]
        for key, parts in found.items():
            merged = self._merged(key, parts)
            for bucket, part in split_by_class(merged, self.buckets):
                yield bucket, pack((key, part))

    def _observed(self, rows: Rows, chain: Chain, number: int, key: FactKey, fact: ClassFact) -> pa.Table:
        step = chain.steps[number]
        values = rows.run(chain, number)
        given = replace(rows.given(chain, number, step), classes=rows.classes(fact.by))
        if self.claims is None:
            return guarded(step.site, partial(fact.observe, values, given))
        return guarded(step.site, partial(fact.audit, values, given, self.claims[key]))

    def _merged(self, key: FactKey, parts: Sequence[pa.Table]) -> pa.Table:
        rows = pa.concat_tables(parts)
        fact = self.facts[key]
        return fact.merge(rows) if self.claims is None else added(rows, fact.audit_keys)


@dataclass(frozen=True)
class ClassFactsReduce:
    """Whole classes: their figures, or with `audited` their counts; refused where there are too many classes."""

    facts: Mapping[FactKey, ClassFact]
    sites: Mapping[FactKey, Site]
    audited: bool = False

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        found: dict[FactKey, list[pa.Table]] = defaultdict(list)
        for blob in blobs:
            key, part = unpack(blob)
            found[key].append(part)
        for key, parts in found.items():
            rows = pa.concat_tables(parts)
            if self.audited:
                yield pack((key, added(rows, self.facts[key].audit_keys)))
                continue
            fact = self.facts[key]
            figures = guarded(self.sites[key], partial(_figures, fact, rows))
            if figures.num_rows > MOST_CLASSES:
                raise _too_many(figures.num_rows)
            yield pack((key, figures))


def _figures(fact: ClassFact, rows: pa.Table) -> pa.Table:
    return fact.figures(fact.merge(rows))


def sites_of(table: TablePipeline, keys: Iterable[FactKey]) -> dict[FactKey, Site]:
    """Where each fact's step stands."""
    chains = {chain.name: chain for chain in table.chains}
    return {key: chains[key[0][0]].steps[key[0][1]].site for key in keys}


def added(rows: pa.Table, keys: tuple[str, ...] = (CLASS,)) -> pa.Table:
    """Counts of the same classes added up."""
    names = [name for name in rows.column_names if name not in keys]
    summed = rows.group_by(list(keys)).aggregate([(name, "sum") for name in names])
    return summed.select([*keys, *(f"{name}_sum" for name in names)]).rename_columns([*keys, *names])


def _too_many(count: int) -> CellsRefused:
    return CellsRefused(
        f"more classes than {MOST_CLASSES:,}, whose figures every task must hold; name fewer or coarser class "
        "columns under `by`",
        count,
    )


def measure_classes(work: Work, engine: Engine, depth: int, passes: list[str], buckets: int = BUCKETS) -> Work:
    """The work with the class facts of one depth concluded; the number of buckets changes nothing of them."""
    wanted = class_facts_of(work.table, depth)
    for round_ in range(MOST_ROUNDS):
        if not wanted:
            break
        what = f"class facts, pass {depth}" + (f", refined {round_}" if round_ else "")
        passes.append(what)
        figures = gathered(work, engine, wanted, what, buckets)
        known = {site: dict(named) for site, named in work.facts.items()}
        again: dict[FactKey, ClassFact] = {}
        for key, fact in wanted.items():
            site, name = key
            try:
                found = guarded(sites_of(work.table, [key])[key], partial(fact.conclude, figures[key]))
            except StepFailed as failed:
                raise PassFailed([failure_of(failed)]) from None
            if isinstance(found, ClassFact):
                again[key] = found
            else:
                known.setdefault(site, {})[name] = found
        work, wanted = work.with_(facts=known), again
    return work


def gathered(
    work: Work, engine: Engine, facts: Mapping[FactKey, ClassFact], what: str, buckets: int = BUCKETS
) -> dict[FactKey, pa.Table]:
    """The figures of all classes, by fact."""
    found: dict[FactKey, list[pa.Table]] = defaultdict(list)
    reduce_ = ClassFactsReduce(facts, sites_of(work.table, facts))
    for blob in engine.shuffle(ClassFactsMap(work, facts, buckets=buckets), reduce_, buckets, what):
        key, figures = unpack(blob)
        found[key].append(figures)
    return {
        key: pa.concat_tables(found[key]) if key in found else nothing(work, key, fact) for key, fact in facts.items()
    }


def nothing(work: Work, key: FactKey, fact: ClassFact) -> pa.Table:
    """The figures of no row at all."""
    given, values = of_no_row(work, key)
    return fact.figures(fact.merge(fact.observe(values, given)))


def of_no_row(work: Work, key: FactKey) -> tuple[Given, pa.Array]:
    """What a class fact observes where there is no row."""
    (column, number), _ = key
    (chain,) = [one for one in work.table.chains if one.name == column]
    step = chain.steps[number]
    names = step.technique.columns()
    columns = {name: pa.array([], work.table.source_schema.field(name).type) for name in names}
    none = Classes(np.empty(0, np.int64), pa.array([], pa.binary()))
    given = Given(step.site, draws=work.steps[(column, number)], columns=columns, classes=none)
    return given, pa.array([], step.before)


@dataclass(frozen=True)
class ClassSizes(ClassFact):
    """How many rows each class has."""

    by: tuple[str, ...]

    def observe(self, values: pa.Array, given: Given) -> pa.Table:
        assert given.classes is not None
        counts = np.bincount(given.classes.codes, minlength=given.classes.count)
        return pa.table({CLASS: given.classes.keys, "rows": counts})

    def merge(self, parts: pa.Table) -> pa.Table:
        return added(parts)

    def figures(self, merged: pa.Table) -> pa.Table:
        parts = -(-merged.column("rows").to_numpy() // MOST_ROWS)
        split = pa.table({CLASS: merged.column(CLASS), "parts": parts})
        return split.filter(pa.array(parts > 1))

    def audit(self, values: pa.Array, given: Given, claim: ClassTable) -> pa.Table:
        return self.observe(values, given)

    def accepts(self, counts: pa.Table, claim: ClassTable) -> bool:
        return ClassTable.of(self.figures(counts)) == claim


def splits_of(work: Work, engine: Engine, kept: int, passes: list[str]) -> dict[tuple[str, ...], ClassTable]:
    """The parts of each class that has too many of the `kept` rows for one place, by class columns."""
    if kept <= MOST_ROWS:
        return {}
    wanted: dict[FactKey, ClassFact] = {}
    for group in work.table.class_groups:
        chain = group.chains[0]
        wanted[((chain.name, len(chain.steps) - 1), "rows")] = ClassSizes(group.by)
    if not wanted:
        return {}
    what = "sizes of classes"
    passes.append(what)
    figures = gathered(work, engine, wanted, what)
    return {fact.by: ClassTable.of(figures[key]) for key, fact in wanted.items() if figures[key].num_rows}
