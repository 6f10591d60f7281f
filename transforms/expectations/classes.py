"""The expectations of the adequacy review. Their results hold counts and columns' names, never a cell or a fact."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

from great_expectations.expectations.expectation import BatchExpectation

from transforms.expectations.handed import PARAMETER, Handed, find_handed
from transforms.expectations.providers import CELLS, CLASSES, SUBJECTS
from transforms.measures.k_anonymity import Anonymity
from transforms.pipeline.review import Adequacy
from transforms.plan import Sample

Verdict = dict[str, Any]


def verdict(success: bool, **counts: Any) -> Verdict:
    """An expectation's result: counts by name."""
    return {"success": success, "result": counts}


def planned_size(sample: Sample, subjects: int) -> int:
    """n of N subjects as the plan says it: a number, or the share of N rounded down (the share as written)."""
    return sample.n if sample.n is not None else math.floor(Fraction(str(sample.fraction)) * subjects)


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
    """Every cell lies in the image of its column's chain of steps, null included."""


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
    """The sample holds exactly n subjects, and no more of them are delivered; all, where no rule removed records."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (CELLS,)

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        return self.compare(int(metrics[CELLS].rows))

    def compare(self, delivered: int) -> Verdict:
        """The verdict where so many subjects are delivered."""
        handed = self.handed()
        facts, sample = handed.facts, handed.table.sample
        exact = (
            sample is not None
            and facts.subjects is not None
            and facts.drawn == planned_size(sample, facts.subjects)
            and (not handed.table.one_row_per_subject or facts.sampled_rows == facts.drawn)
        )
        whole = facts.delivered == facts.sampled_rows
        fits = facts.drawn is not None and (delivered == facts.drawn if whole else delivered <= facts.drawn)
        return verdict(exact and fits, subjects=delivered)


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
    one they can't be counted, and the expectation fails. A table without rows singles nobody out.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = (CLASSES,)
    success_keys: ClassVar[tuple[str, ...]] = (PARAMETER, "k", "quasi_identifiers", "subject")

    k: int
    quasi_identifiers: Sequence[str]
    subject: str | None = None

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        found: Anonymity = metrics[CLASSES]
        if self.subject is None and not self.handed().table.one_row_per_subject:
            return verdict(False, countable=False)
        return verdict(found.below == 0, k=found.k, classes=found.classes, classes_below=found.below)
