"""The expectations of the adequacy review. Their results hold counts and columns' names, never a cell or a fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from great_expectations.expectations.expectation import BatchExpectation

from transforms.expectations.handed import PARAMETER, Handed, find_handed
from transforms.expectations.providers import CELLS, CLASSES, SUBJECTS
from transforms.expectations.sampled import as_planned, delivered_persons, persons_countable
from transforms.measures.k_anonymity import Anonymity
from transforms.pipeline.review import Adequacy

Verdict = dict[str, Any]


def verdict(success: bool, **counts: Any) -> Verdict:
    """An expectation's result: counts by name."""
    return {"success": success, "result": counts}


class ReviewExpectation(BatchExpectation):
    """What all have: `reviewed` stands for what is handed in when the suite runs; the suite holds a parameter."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (CELLS,)
    success_keys: ClassVar[tuple[str, ...]] = (PARAMETER,)

    reviewed: str | dict[str, str]

    def handed(self) -> Handed:
        """The run's facts and files, by the parameter's name."""
        return find_handed(str(self.reviewed))

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        """The verdict from this expectation's metrics."""
        raise NotImplementedError

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Verdict:
        return self.judge(metrics)


class ColumnExpectation(ReviewExpectation):
    """About one delivered column: no cell of any record is outside of the plan."""

    success_keys: ClassVar[tuple[str, ...]] = (PARAMETER, "column")

    column: str

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        cells: Adequacy = metrics[CELLS]
        wrong = cells.misfits[self.column]
        return verdict(wrong == 0, cells=cells.rows, outside=wrong, stray_nulls=cells.stray_nulls[self.column])


class ExpectCellsInImageOfChain(ColumnExpectation):
    """Every cell lies in the image of its column's chain of steps, null included.

    Of a generalized column whose values may be many it tells how many are distinct and how many unique, too.
    """

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        told = super().judge(metrics)
        told["result"] |= unique_counts(metrics[CELLS], self.column)
        return told


def unique_counts(cells: Adequacy, column: str) -> dict[str, int]:
    """Filled cells, distinct values, unique ones; nothing where they need no count."""
    found = cells.unique.get(column)
    return {} if found is None else {"filled": found.cells, "distinct": found.distinct, "unique": found.unique}


class ExpectFewUniqueValues(ColumnExpectation):
    """Of a generalized column's filled cells at most a `share` hold a value that no other record holds."""

    success_keys: ClassVar[tuple[str, ...]] = (PARAMETER, "column", "share")

    share: float

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        found = metrics[CELLS].unique.get(self.column)
        few = found is None or found.unique <= self.share * found.cells
        return verdict(few, **unique_counts(metrics[CELLS], self.column))


class ExpectSerialNumbersWithoutGap(ColumnExpectation):
    """Serial numbers are 1 … n, once for each row, or (many rows of a subject) 1 … m without a gap."""


class ExpectDerivedCellsToAddUp(ColumnExpectation):
    """Every derived cell is what the delivered cells of its row give."""


class ExpectRowsAsCounted(ReviewExpectation):
    """As many rows as were counted after row rules and outlier rules."""

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        rows = metrics[CELLS].rows
        return verdict(rows == self.handed().facts.delivered, rows=rows)


class ExpectColumnsAsPlanned(ReviewExpectation):
    """Exactly the plan's columns, in its order and types, in the table and in each of its files."""

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        found = metrics[CELLS].schema
        named = sorted(found.missing | found.extra | found.other_type)
        wrong = bool(named or found.reordered or found.annotated)
        return verdict(
            not wrong,
            columns=named,
            missing=len(found.missing),
            extra=len(found.extra),
            other_type=len(found.other_type),
            reordered=found.reordered,
            annotated=found.annotated,
        )


class ExpectNoExcludedColumn(ReviewExpectation):
    """No column that the plan excludes is left, in the table or in any of its files."""

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        left = sorted(metrics[CELLS].schema.extra & set(self.handed().table.excluded))
        return verdict(not left, columns=left)


class ExpectNullsAsPlanned(ReviewExpectation):
    """No null where the plan lets none come out."""

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        stray = metrics[CELLS].stray_nulls
        return verdict(not any(stray.values()), columns=sorted(c for c, count in stray.items() if count),
                       stray_nulls=sum(stray.values()))  # fmt: skip


class ExpectSubjectsAsSampled(ReviewExpectation):
    """The sample has the size that its technique gives, by stratum too, and no more persons are delivered.

    All of them are, where no rule removed records. Copies of a person count once where they share a pseudonym.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = (CELLS,)

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        if not persons_countable(self.handed().table, None):
            return verdict(as_planned(self.handed().table, self.handed().facts), countable=False)
        return self.compare(int(metrics[CELLS].rows))

    def compare(self, delivered: int) -> Verdict:
        """The verdict where so many subjects are delivered."""
        table, facts = self.handed().table, self.handed().facts
        expected = delivered_persons(table, facts)
        whole = facts.delivered == facts.sampled_rows
        fits = expected is not None and (delivered == expected if whole else delivered <= expected)
        return verdict(as_planned(table, facts) and fits, subjects=delivered)


class ExpectManyRowSubjectsAsSampled(ExpectSubjectsAsSampled):
    """The same where a subject may have many rows: distinct delivered pseudonyms are counted."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (SUBJECTS,)
    success_keys: ClassVar[tuple[str, ...]] = (PARAMETER, "subject")

    subject: str

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        return self.compare(metrics[SUBJECTS])


class ExpectKAnonymity(ReviewExpectation):
    """Each combination of quasi-identifiers is shared by at least k persons (k-익명성); null is a value of its own.

    `subject` is the delivered pseudonym by which persons are counted where they may have many rows; without
    one they can't be counted, and the expectation fails. A table without rows singles nobody out. `sensitive` are the
    columns that the suite measures over the same classes: one pass then serves all.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = (CLASSES,)
    success_keys: ClassVar[tuple[str, ...]] = (PARAMETER, "k", "quasi_identifiers", "subject", "sensitive")

    k: int
    quasi_identifiers: Sequence[str]
    subject: str | None = None
    sensitive: Sequence[str] | None = None

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        found: Anonymity = metrics[CLASSES]
        if self.subject is None and not self.handed().table.one_row_per_subject:
            return verdict(False, countable=False)
        return verdict(found.below == 0, k=found.k, classes=found.classes, classes_below=found.below)
