"""Expectations about utility (유용성) and new outliers: what verify measured on both sides, against the plan's limits.

The review knows no source; verify does, and its figures are handed in. A column that a limit names and that has no
figure (no numbers, too few persons) does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from transforms.expectations.classes import ReviewExpectation, Verdict, verdict
from transforms.expectations.handed import PARAMETER
from transforms.expectations.providers import CELLS
from transforms.pipeline_model import TablePipeline
from transforms.plan import Adequacy
from transforms.utility_figures import Utility


class UtilityExpectation(ReviewExpectation):
    """No column moves further than `limit`; `columns` are those judged (all that are measured, where not said)."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (CELLS,)
    success_keys: ClassVar[tuple[str, ...]] = (PARAMETER, "limit", "columns")

    limit: float
    columns: Sequence[str] | None = None

    def moved(self, utility: Utility) -> dict[str, float | None]:
        """By column, how far it moved (None: not measured)."""
        raise NotImplementedError

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        utility = self.handed().utility
        if utility is None:
            return verdict(False, countable=False)
        found = self.moved(utility)
        if self.columns is not None:
            found = {name: found.get(name) for name in self.columns}
            wrong = [name for name, moved in found.items() if moved is None or moved > self.limit]
        else:
            wrong = [name for name, moved in found.items() if moved is not None and moved > self.limit]
        return verdict(not wrong, columns=sorted(wrong), judged=len(found))


class ExpectMeansKept(UtilityExpectation):
    """Means stay within so many standard deviations of the source."""

    def moved(self, utility: Utility) -> dict[str, float | None]:
        return {one.column: one.mean_moved() for one in utility.numbers}


class ExpectQuantilesKept(UtilityExpectation):
    """Median and quartiles stay within so many standard deviations of the source."""

    def moved(self, utility: Utility) -> dict[str, float | None]:
        return {one.column: one.quantiles_moved() for one in utility.numbers}


class ExpectDistributionsKept(UtilityExpectation):
    """The earth mover's distance between source and delivered cells is within so many standard deviations."""

    def moved(self, utility: Utility) -> dict[str, float | None]:
        return {one.column: one.distance for one in utility.numbers}


class ExpectClassMeansKept(UtilityExpectation):
    """In every class that is large enough means stay within so many standard deviations of the source."""

    def moved(self, utility: Utility) -> dict[str, float | None]:
        return _largest((one.column, one.moved) for one in utility.classes)


class ExpectCorrelationsKept(UtilityExpectation):
    """No correlation coefficient between two columns changes by more than the limit."""

    def moved(self, utility: Utility) -> dict[str, float | None]:
        pairs = [(first, second, abs(after - before)) for first, second, before, after in utility.correlations]
        return _largest((name, moved) for first, second, moved in pairs for name in (first, second))


class ExpectFewNewOutliers(UtilityExpectation):
    """At most a share `limit` of a column's cells are outliers that the processing made (L708)."""

    def moved(self, utility: Utility) -> dict[str, float | None]:
        every = [(one.column, one.new, one.cells[1]) for one in utility.numbers]
        every += [(one.column, one.new, one.cells[1]) for one in utility.categories]
        return {column: new / cells if cells else 0.0 for column, new, cells in every}


def _largest(moved: Iterator[tuple[str, float | None]]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, one in moved:
        before = found.get(name)
        found[name] = one if before is None else before if one is None else max(before, one)
    return found


_LIMITED = {
    "mean": ExpectMeansKept,
    "class-means": ExpectClassMeansKept,
    "quantiles": ExpectQuantilesKept,
    "distance": ExpectDistributionsKept,
    "correlation": ExpectCorrelationsKept,
}


def needs_figures(adequacy: Adequacy) -> bool:
    """Does a plan limit what verify measures?"""
    return adequacy.utility is not None or adequacy.new_outliers is not None


def utility_expectations(
    table: TablePipeline, adequacy: Adequacy, reviewed: dict[str, str]
) -> Iterator[ReviewExpectation]:
    """Those that a plan asks for of one table."""
    if adequacy.new_outliers is not None:
        yield ExpectFewNewOutliers(reviewed=reviewed, limit=adequacy.new_outliers.share)
    if adequacy.utility is None:
        return
    columns = None if adequacy.utility.columns is None else list(table.judged)
    if columns == []:  # other tables have the columns that are named
        return
    for name, limit in adequacy.utility.limits():
        yield _LIMITED[name](reviewed=reviewed, limit=limit, columns=columns)
