"""Limits of a plan on utility and new outliers: what verify measured on both sides decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .checkups import CHECKUPS
from .conftest import Made, made
from .local_review import results, verified

LIMITS = (
    "utility: {mean: 0.5, quantiles: 0.5, distance: 0.5, correlation: 0.3, class-means: 0.6}, new_outliers: {share: 0}"
)
MEANS, CLASSES = "expect_means_kept", "expect_class_means_kept"
QUANTILES, DISTANCE = "expect_quantiles_kept", "expect_distributions_kept"
CORRELATIONS, OUTLIERS = "expect_correlations_kept", "expect_few_new_outliers"


def judged(plan: str, folder: Path, where: Path) -> tuple[Made, dict[str, Any]]:
    """The run of a plan, and its results about utility by type."""
    run = made(plan, folder)
    told = results(run, [run.table], where, utility=verified(run, [run.table]).utility)
    return run, {kind: one for (kind, _), one in told.items() if kind in (
        MEANS, CLASSES, QUANTILES, DISTANCE, CORRELATIONS, OUTLIERS)}  # fmt: skip


def limited(limits: str, plan: str = CHECKUPS) -> str:
    return plan.replace("leftovers: {", f"{limits}, leftovers: {{")


def test_a_plan_without_limits_is_not_judged_by_them(plans_folder: Path, tmp_path: Path) -> None:
    assert judged(CHECKUPS, plans_folder, tmp_path)[1] == {}


def test_limits_that_rounding_keeps(plans_folder: Path, tmp_path: Path) -> None:
    _, told = judged(limited(LIMITS), plans_folder, tmp_path)
    assert set(told) == {MEANS, CLASSES, QUANTILES, DISTANCE, CORRELATIONS, OUTLIERS}
    assert {kind for kind, one in told.items() if not one["success"]} == set()
    assert told[MEANS]["judged"] == len(["age", "years", "weight", "balance", "visits", "spend_drugs", "spend_tests"])


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        # everybody weighs 100 to the nearest hundred, or nothing
        pytest.param("weight: {kind: attribute, apply: {rounding: {unit: 100, direction: half-up}}}",
                     {MEANS, QUANTILES, DISTANCE, CLASSES}, id="too coarse a unit"),
        pytest.param("weight: {kind: attribute, apply: permutation}", {CORRELATIONS}, id="permutation over all"),
    ],
)  # fmt: skip
def test_limits_that_a_plan_breaks(plans_folder: Path, tmp_path: Path, rule: str, broken: set[str]) -> None:
    own = "weight: {kind: attribute, apply: {rounding: {unit: 5, direction: half-up, nulls: error}}}"
    plan = limited(LIMITS.replace("correlation: 0.3", "correlation: 0.05"))
    assert own in plan
    run, told = judged(plan.replace(own, rule), plans_folder, tmp_path)
    assert verified(run, [run.table]).equal  # the run did as the plan says: the plan is what costs so much
    failed = {kind for kind, one in told.items() if not one["success"] and "weight" in one["columns"]}
    assert broken <= failed


def test_a_limited_column_that_has_no_figure_does_not_hold(plans_folder: Path, tmp_path: Path) -> None:
    limits = "utility: {mean: 5, columns: [age, memo]}"
    _, told = judged(limited(limits), plans_folder, tmp_path)
    assert (told[MEANS]["success"], told[MEANS]["columns"], told[MEANS]["judged"]) == (False, ["memo"], 2)


def test_without_the_figures_nothing_holds(plans_folder: Path, tmp_path: Path) -> None:
    run = made(limited(LIMITS), plans_folder)
    told = results(run, [run.table], tmp_path)
    assert told[MEANS, None] == {"success": False, "countable": False}


def test_new_outliers_that_noise_makes(plans_folder: Path, tmp_path: Path) -> None:
    """Visits of 0 to 8 with noise of some thousands: far beyond what any visitor had."""
    noisy = "visits: {kind: attribute, apply: {noise: {distribution: normal, scale: 3000}}}"
    plan = limited("new_outliers: {share: 0.01}").replace("visits: {kind: attribute, apply: keep}", noisy)
    _, told = judged(plan, plans_folder, tmp_path)
    assert (told[OUTLIERS]["success"], told[OUTLIERS]["columns"]) == (False, ["visits"])
