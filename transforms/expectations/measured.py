"""Expectations about sensitive columns within classes: l, t and their kin, all from one pass over the table.

They need a Spark DataFrame and nothing of a run, so they stand in an engineer's own suite as well:
`ExpectLDiversity(column="disease", quasi_identifiers=["age", "region"], l=3)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from great_expectations.compatibility import pydantic
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.expectations.expectation import BatchExpectation

from transforms.expectations.classes import Verdict, verdict
from transforms.expectations.providers import CLASS_TABLE
from transforms.measure_checks import class_columns, sensitive_columns
from transforms.measures.class_table import ClassTable
from transforms.measures.closeness import bounded_gains, disclosures, gains
from transforms.measures.disclosure import distances, least, most, smallest_class
from transforms.measures.diversity import entropies, largest_shares, lengths, recursions, starts_of
from transforms.pipeline_model import TablePipeline
from transforms.plan import Adequacy
from transforms.plan_measures import (
    AlphaKAnonymity,
    BetaLikeness,
    DeltaDisclosure,
    LDiversity,
    Measure,
    TCloseness,
    measures_of,
)

DIGITS = 6
# exp(ln 2) is no whole 2: shares of the same size may differ by so much.
ROUNDING = 1e-9


class ClassExpectation(BatchExpectation):
    """About one sensitive column within the classes of equal quasi-identifiers; null is a value of its own.

    `subject` counts distinct persons instead of rows. `sensitive` are all columns that the suite measures over the same
    classes, so that one pass serves all (the column alone where not said). A table without rows discloses nothing.
    Results are counts of classes and the figure of the worst one (left out where it is infinite), never a value.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = (CLASS_TABLE,)
    success_keys: ClassVar[tuple[str, ...]] = ("column", "quasi_identifiers", "subject", "sensitive")

    column: str
    quasi_identifiers: Sequence[str]
    subject: str | None = None
    sensitive: Sequence[str] | None = None

    @pydantic.validator("sensitive", always=True)
    def _own(cls, given: Sequence[str] | None, values: Mapping[str, Any]) -> Sequence[str] | None:  # noqa: N805
        return given if given or "column" not in values else [values["column"]]

    def judge(self, table: ClassTable) -> Verdict:
        """The verdict from the table's classes."""
        raise NotImplementedError

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Verdict:
        return self.judge(metrics[CLASS_TABLE])


class ExpectLDiversity(ClassExpectation):
    """Each class has at least l values of the column (l-다양성): distinct ones, by entropy, or recursively with c."""

    success_keys: ClassVar[tuple[str, ...]] = (*ClassExpectation.success_keys, "l", "kind", "c")

    l: float  # noqa: E741 - as the measure is called everywhere
    kind: Literal["distinct", "entropy", "recursive"] = "distinct"
    c: float | None = None

    def judge(self, table: ClassTable) -> Verdict:
        values = table.sensitive[self.column]
        if self.kind == "entropy":
            found = entropies(values)
            return told(table, found < self.l - ROUNDING, entropy_l=least(found))
        number = lengths(values)
        if self.kind == "distinct":
            return told(table, number < self.l, l=int(least(number)))
        needed = recursions(values, int(self.l))
        # r1 < c (r_l + …), strictly
        return told(table, ~(needed < (self.c or 0.0)), l=int(least(number)), c=most(needed))


class ExpectTCloseness(ClassExpectation):
    """No class's distribution of the column is further than t from the table's (t-근접성)."""

    success_keys: ClassVar[tuple[str, ...]] = (*ClassExpectation.success_keys, "t", "ordered")

    t: float
    ordered: Sequence[str] | None = None

    def judge(self, table: ClassTable) -> Verdict:
        found = distances(table, self.column, self.ordered)
        return told(table, found > self.t + ROUNDING, t=most(found))


class ExpectAlphaKAnonymity(ClassExpectation):
    """No value of the column has a larger share of a class than alpha, and each class has k persons."""

    success_keys: ClassVar[tuple[str, ...]] = (*ClassExpectation.success_keys, "alpha", "k")

    alpha: float
    k: int

    def judge(self, table: ClassTable) -> Verdict:
        values = table.sensitive[self.column]
        found = largest_shares(values, table.sizes)
        wrong = table.sizes < self.k
        wrong[values.classes[starts_of(values)]] |= found > self.alpha + ROUNDING
        return told(table, wrong, alpha=most(found), k=smallest_class(table))


class ExpectBetaLikeness(ClassExpectation):
    """No value's share in a class gains more than beta of its share in the table; enhanced: nor more than -ln p."""

    success_keys: ClassVar[tuple[str, ...]] = (*ClassExpectation.success_keys, "beta", "kind")

    beta: float
    kind: Literal["basic", "enhanced"] = "basic"

    def judge(self, table: ClassTable) -> Verdict:
        values = table.sensitive[self.column]
        found = gains(values) if self.kind == "basic" else bounded_gains(values)
        return told(table, found > self.beta + ROUNDING, beta=most(found))


class ExpectDeltaDisclosure(ClassExpectation):
    """|ln(q / p)| is below delta for each value that a class has: q its share there, p its share in the table."""

    success_keys: ClassVar[tuple[str, ...]] = (*ClassExpectation.success_keys, "delta")

    delta: float

    def judge(self, table: ClassTable) -> Verdict:
        found = disclosures(table.sensitive[self.column])
        return told(table, found >= self.delta, delta=most(found))


def told(table: ClassTable, wrong: Any, **figures: float) -> Verdict:
    """Classes, how many of them are not as asked, and the worst one's figures as far as they are finite."""
    below = int(np.count_nonzero(wrong))
    shown = {
        name: figure if isinstance(figure, int) else round(figure, DIGITS)
        for name, figure in figures.items()
        if np.isfinite(figure)
    }
    return verdict(below == 0, classes=len(table), classes_below=below, **shown)


def measure_expectations(table: TablePipeline, adequacy: Adequacy, subject: str | None) -> list[ClassExpectation]:
    """Those that a plan asks for of one table, one for each measure and column. `subject` as for k-anonymity."""
    asked = [
        (measure, column, class_columns(table, measure, adequacy.k_anonymity))
        for _, measure in measures_of(adequacy)
        for column in sensitive_columns(table, measure)
    ]
    found = []
    for measure, column, columns in asked:
        together = sorted({other for _, other, same in asked if same == columns})
        common = {"column": column, "quasi_identifiers": columns, "sensitive": together, "subject": subject}
        found.append(_expectation(measure, common))
    return found


def asked_measures(suite: ExpectationSuite) -> list[dict[str, Any]]:
    """What a suite asks of sensitive columns: the expectation's type, its column, quasi-identifiers and limits."""
    keys = ClassExpectation.success_keys
    return [
        {
            "type": one.expectation_type,
            "column": one.column,
            "columns": list(one.quasi_identifiers),
            "asked": {name: getattr(one, name) for name in one.success_keys if name not in (*keys, "ordered")},
        }
        for one in suite.expectations
        if isinstance(one, ClassExpectation)
    ]


def _expectation(measure: Measure, common: dict[str, Any]) -> ClassExpectation:
    match measure:
        case LDiversity():
            return ExpectLDiversity(**common, l=measure.l, kind=measure.kind, c=measure.c)
        case TCloseness():
            return ExpectTCloseness(**common, t=measure.t, ordered=measure.ordered)
        case AlphaKAnonymity():
            return ExpectAlphaKAnonymity(**common, alpha=measure.alpha, k=measure.k)
        case BetaLikeness():
            return ExpectBetaLikeness(**common, beta=measure.beta, kind=measure.kind)
        case DeltaDisclosure():
            return ExpectDeltaDisclosure(**common, delta=measure.delta)
