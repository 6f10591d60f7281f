"""What a compiled plan is made of: printable, frozen, without keys or values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from transforms.class_facts import ClassFact
from transforms.errors import Site
from transforms.facts import Fact
from transforms.hierarchy import Hierarchy
from transforms.plan import ColumnRule, LargestOf, Plan, SumOf
from transforms.plan_outliers import LocalGeneralization, OutlierRule, ParentCategory
from transforms.plan_sample import Sample, SimpleSample, group_columns, with_copies
from transforms.run_keys import RunKeys
from transforms.technique import ColumnTechnique, RowTechnique

if TYPE_CHECKING:
    from transforms.aggregates import Aggregate


@dataclass(frozen=True)
class Step:
    """One technique at one site. `depth` is the facts pass that it waits for (0: none)."""

    technique: ColumnTechnique
    site: Site
    before: pa.DataType
    after: pa.DataType
    hierarchy: Hierarchy | None
    facts: Mapping[str, Fact]
    depth: int
    class_facts: Mapping[str, ClassFact] = field(default_factory=dict)


@dataclass(frozen=True)
class Chain:
    """A delivered column that comes from a source column. `domain` is its pseudonym domain.

    `treated` is its type behind the outlier rules, where that is another one than its steps give.
    """

    name: str
    source_type: pa.DataType
    steps: tuple[Step, ...]
    rule: ColumnRule
    captures: Mapping[str, str]
    domain: str
    stable_over: str | None = None
    treated: pa.DataType | None = None

    @property
    def type(self) -> pa.DataType:
        """The delivered type."""
        return self.treated or self.cell_type

    @property
    def cell_type(self) -> pa.DataType:
        """The type of the cells that its steps give, which outlier rules find."""
        return self.steps[-1].after if self.steps else self.source_type

    @property
    def ranked(self) -> bool:
        """Is it a serial number, known only behind the shuffle?"""
        return any(step.technique.name == "serial-number" for step in self.steps)

    @property
    def classed(self) -> bool:
        """Does its last step need all rows of a class together?"""
        return bool(self.steps) and self.steps[-1].technique.whole_classes

    @property
    def by_row(self) -> bool:
        """Do its cells come from single rows of the source?"""
        return not self.ranked and not self.classed


@dataclass(frozen=True)
class Derived:
    """A column made from final cells. `labels` are the values of `largest` by input."""

    name: str
    type: pa.DataType
    derive: SumOf | LargestOf
    inputs: tuple[str, ...]
    labels: tuple[str, ...]
    rule: ColumnRule
    captures: Mapping[str, str]
    site: Site


@dataclass(frozen=True)
class ClassGroup:
    """Chains whose last steps work on whole classes by the same columns."""

    by: tuple[str, ...]
    chains: tuple[Chain, ...]


@dataclass(frozen=True)
class RowRule:
    """A row technique at its site."""

    technique: RowTechnique
    site: Site


@dataclass(frozen=True)
class TablePipeline:
    """One table of a plan: from which source columns which delivered columns come.

    A further table with the same rows (transforms/further.py) is `of` the main one. `hidden` chains are computed,
    for outlier rules, and not delivered. `whole` is the table as it was before its columns were dealt out: what
    facts, sample and outlier rules are measured on (None: it is itself whole). Source values of the columns `against`
    may stand nowhere in the result; `allowed_kinds` are forms of identifiers that delivered columns may hold;
    `judged` are the columns whose utility the plan limits.
    """

    name: str
    source: str
    source_schema: pa.Schema
    row_key: tuple[str, ...] | None
    subject: str | None
    subject_domain: str | None
    register: str | None
    columns: tuple[Chain | Derived, ...]
    excluded: tuple[str, ...]
    row_rules: tuple[RowRule, ...]
    sample: Sample | None
    outliers: tuple[OutlierRule, ...]
    quasi_identifiers: tuple[str, ...]
    subject_type: pa.DataType | None = None
    subject_stable_over: str | None = None
    hierarchies: Mapping[str, Hierarchy] = field(default_factory=dict)
    hidden: tuple[Chain, ...] = ()
    of: str | None = None
    whole: TablePipeline | None = None
    unique_values: float | None = None
    against: tuple[str, ...] = ()
    allowed_kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    judged: tuple[str, ...] = ()

    def cell_types(self, upto: int = 0) -> dict[str, pa.DataType]:
        """The types of the chains' cells behind the first `upto` outlier rules."""
        types = {chain.name: chain.cell_type for chain in self.chains}
        for rule in self.outliers[:upto]:
            if isinstance(rule.treat.one, (ParentCategory, LocalGeneralization)):
                types |= {name: pa.string() for name in rule.treated if name in types}
        return types

    @property
    def home(self) -> str:
        """The name by which draws and sources know the rows: the main table's."""
        return self.of or self.name

    @cached_property
    def chains(self) -> tuple[Chain, ...]:
        """The delivered chains, then the hidden ones."""
        return (*(c for c in self.columns if isinstance(c, Chain)), *self.hidden)

    @cached_property
    def derived(self) -> tuple[Derived, ...]:
        return tuple(c for c in self.columns if isinstance(c, Derived))

    @cached_property
    def schema(self) -> pa.Schema:
        """Schema of the delivered table: made anew, with nothing of the source's metadata."""
        return pa.schema([pa.field(c.name, c.type) for c in self.columns])

    @property
    def one_row_per_subject(self) -> bool:
        """Is each row a person's only one? Not where a person may be drawn more than once."""
        return (self.subject is None or self.row_key == (self.subject,)) and not with_copies(self.sample)

    def apart(self, chain: Chain) -> bool:
        """Has each copy of a person a pseudonym of its own in this column?"""
        sample = self.sample
        return isinstance(sample, SimpleSample) and sample.copies == "apart" and chain.name == self.subject

    @property
    def has_serial(self) -> bool:
        return any(chain.ranked for chain in self.chains)

    @property
    def by_subject(self) -> bool:
        """Do rows stand in the order of their subjects? Only where a subject's pseudonym is delivered (and in no
        further table, where neighbours would tell whose rows belong together)."""
        if self.of is not None or self.subject is None:
            return False
        return any(isinstance(c, Chain) and c.name == self.subject for c in self.columns)

    def key_columns(self) -> set[str]:
        """Source columns that tell rows and subjects apart."""
        named = set(self.row_key or ())
        if self.subject is not None:
            named.add(self.subject)
        return named

    def condition_columns(self) -> set[str]:
        """Source columns that row rules read, and those by which the table's own sample is drawn."""
        own = group_columns(self.sample) if self.register is None else ()
        return {*own, *(name for rule in self.row_rules for name in rule.technique.columns())}

    def step_columns(self) -> set[str]:
        """Source columns that steps read besides their own."""
        return {name for chain in self.chains for step in chain.steps for name in step.technique.columns()}

    @cached_property
    def class_groups(self) -> tuple[ClassGroup, ...]:
        """The chains whose last steps need whole classes, by their class columns."""
        found: dict[tuple[str, ...], list[Chain]] = {}
        for chain in self.chains:
            if chain.classed:
                found.setdefault(chain.steps[-1].technique.by, []).append(chain)
        return tuple(ClassGroup(by, tuple(chains)) for by, chains in found.items())

    def fact_depth(self) -> int:
        """How many passes over the data the facts need."""
        return max((step.depth for chain in self.chains for step in chain.steps), default=0)


@dataclass(frozen=True)
class Pipeline:
    """A plan bound to its source schemas: what `compile_plan` gives. It holds neither keys nor values.

    `tables` of records and `aggregates` are delivered; `wholes` are the plan's own tables before their columns were
    dealt out to further ones.
    """

    plan: Plan
    fingerprint: str
    tables: Mapping[str, TablePipeline] = field(default_factory=dict)
    wholes: Mapping[str, TablePipeline] = field(default_factory=dict)
    aggregates: Mapping[str, Aggregate] = field(default_factory=dict)

    def table(self, name: str | None = None) -> TablePipeline:
        """A table by its name; the only one (but for its further tables) where there is one."""
        if name is None:
            (table,) = [one for one in self.tables.values() if one.of is None]
            return table
        return self.tables[name]

    def explain(self) -> str:
        """Phases, steps, passes and shuffles in words; never a value or a key."""
        from transforms.explain import explain

        return explain(self)

    def apply(
        self, frame: Any, keys: RunKeys, table: str | None = None, stopped: pa.Array | None = None
    ) -> Any:
        """The delivered rows of any Spark DataFrame, as a lazy DataFrame (facts are measured at once).

        The frame must give the same rows each time it is computed. Rows stand in keyed order within partitions, serials
        are as in a job's run. `stopped` are ids of subjects who asked to stop. Errors: PassFailed, DataRefused.
        """
        from transforms.pipeline.apply import apply_frame

        return apply_frame(self.table(table), self.plan, frame, keys, stopped)

    def apply_table(
        self, source: pa.Table, keys: RunKeys, table: str | None = None, stopped: pa.Array | None = None
    ) -> pa.Table:
        """The delivered rows of an Arrow table, in keyed order, without Spark: for small data and tests."""
        from transforms.pipeline.apply import apply_table

        return apply_table(self.table(table), self.plan, source, keys, stopped)
