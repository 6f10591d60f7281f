"""Running a suite on a staged table with Great Expectations: nothing is kept, printed or sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import great_expectations as gx
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.data_context.types.base import ProgressBarsConfig

from transforms.expectations.handed import Handed, handed_in

Count = int | bool | float | list[str]


class ReviewFailed(Exception):
    """The suite could not be run to its end; `errors` are what its metrics raised."""

    def __init__(self, errors: list[Exception]) -> None:
        super().__init__(", ".join(sorted({type(error).__name__ for error in errors})) or "unknown")
        self.errors = errors


@dataclass(frozen=True)
class Judged:
    """One expectation's result: its type, its column (None: about the table), counts and columns' names."""

    expectation: str
    column: str | None
    success: bool
    counts: Mapping[str, Count] = field(default_factory=dict)


def run_suite(suite: ExpectationSuite, frame: Any, handed: Handed) -> list[Judged]:
    """Every expectation of the suite on a Spark DataFrame of the staged version, in the suite's order.

    The frame is not cached, the context lives in memory alone. Errors: ReviewFailed.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_spark("staging", persist=False)
    batch = (
        source.add_dataframe_asset(handed.table.name)
        .add_batch_definition_whole_dataframe("version")
        .get_batch({"dataframe": frame})
    )
    with handed_in(handed) as parameters:
        # BASIC: with BOOLEAN_ONLY the counts would be left away; our expectations have nothing else to tell
        outcome = batch.validate(suite, result_format="BASIC", expectation_parameters=parameters)
    judged = {_key(one): one for one in outcome.results}
    if handed.failures or any(_raised(one) for one in outcome.results):
        raise ReviewFailed(handed.failures)
    found = [judged[key] for key in map(_key_of, suite.expectation_configurations)]
    return [Judged(*_key(one), bool(one.success), dict(one.result)) for one in found]


def _key(result: Any) -> tuple[str, str | None]:
    return _key_of(result.expectation_config)


def _key_of(configuration: Any) -> tuple[str, str | None]:
    return configuration.type, configuration.kwargs.get("column")


def _raised(result: Any) -> bool:
    info = result.exception_info or {}
    # one flat entry, or one for each metric that failed
    entries = [info] if "raised_exception" in info else list(info.values())
    return any(entry.get("raised_exception") for entry in entries)
