"""The adequacy suite of a table, made from its plan, in Great Expectations' own JSON.

An engineer runs it with Great Expectations and this package: `load_suite(text)`, then, within
`handed_in(handed) as parameters`, `batch.validate(suite, expectation_parameters=parameters)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from great_expectations.core.expectation_suite import ExpectationSuite, expectationSuiteSchema

from transforms.expectations import classes
from transforms.expectations.handed import PARAMETER
from transforms.expectations.leftovers import leftover_expectations
from transforms.expectations.measured import ClassExpectation, measure_expectations
from transforms.expectations.utility import utility_expectations
from transforms.measure_checks import quasi_identifiers
from transforms.pipeline_model import Derived, TablePipeline
from transforms.plan import Adequacy, KAnonymity
from transforms.uniqueness import generalizes

REVIEWED = {"$PARAMETER": PARAMETER}


def make_suite(
    table: TablePipeline, k: KAnonymity | None, fingerprint: str, adequacy: Adequacy | None = None
) -> ExpectationSuite:
    """One expectation for each delivered column, then those about the table. It holds no fact and no value.

    `adequacy` is what the plan asks for beside k.
    """
    suite = ExpectationSuite(name=f"{table.name}-{fingerprint[:16]}")
    measured = [] if adequacy is None else measure_expectations(table, adequacy, delivered_subject(table))
    kept = [] if adequacy is None else utility_expectations(table, adequacy, REVIEWED)
    suite.expectations = [*_columns(table), *_table(table), *_k_anonymity(table, k, measured), *measured, *kept]
    return suite


def _columns(table: TablePipeline) -> Iterator[classes.ReviewExpectation]:
    for column in table.columns:
        if isinstance(column, Derived):
            yield classes.ExpectDerivedCellsToAddUp(reviewed=REVIEWED, column=column.name)
        elif column.ranked:
            yield classes.ExpectSerialNumbersWithoutGap(reviewed=REVIEWED, column=column.name)
        else:
            yield classes.ExpectCellsInImageOfChain(reviewed=REVIEWED, column=column.name)
            if table.unique_values is not None and generalizes(column):
                share = table.unique_values
                yield classes.ExpectFewUniqueValues(reviewed=REVIEWED, column=column.name, share=share)


def _table(table: TablePipeline) -> Iterator[classes.ReviewExpectation]:
    yield classes.ExpectRowsAsCounted(reviewed=REVIEWED)
    yield classes.ExpectColumnsAsPlanned(reviewed=REVIEWED)
    yield classes.ExpectNoExcludedColumn(reviewed=REVIEWED)
    yield classes.ExpectNullsAsPlanned(reviewed=REVIEWED)
    yield from leftover_expectations(REVIEWED)
    if table.sample is not None and table.register is None and table.of is None:
        pseudonym = delivered_subject(table)
        if pseudonym is None:
            yield classes.ExpectSubjectsAsSampled(reviewed=REVIEWED)
        else:
            yield classes.ExpectManyRowSubjectsAsSampled(reviewed=REVIEWED, subject=pseudonym)


def _k_anonymity(
    table: TablePipeline, k: KAnonymity | None, measured: Sequence[ClassExpectation]
) -> Iterator[classes.ReviewExpectation]:
    named = quasi_identifiers(table, k)
    if k is not None and named:
        shared = next((list(one.sensitive or ()) for one in measured if list(one.quasi_identifiers) == named), None)
        yield classes.ExpectKAnonymity(
            reviewed=REVIEWED, k=k.k, quasi_identifiers=named, subject=delivered_subject(table), sensitive=shared
        )


def delivered_subject(table: TablePipeline) -> str | None:
    """The column by which persons with many rows are told apart; None where each row is a person's only one."""
    if table.one_row_per_subject or table.subject is None:
        return None
    return table.subject if any(chain.name == table.subject for chain in table.chains) else None


def suite_json(suite: ExpectationSuite) -> dict[str, Any]:
    """The suite as Great Expectations writes it."""
    plain: dict[str, Any] = json.loads(json.dumps(suite.to_json_dict()))
    return plain


def load_suite(text: str) -> ExpectationSuite:
    """The suite from its JSON. (Great Expectations finds our classes because this module imports them.)"""
    return ExpectationSuite(**expectationSuiteSchema.load(json.loads(text)))
