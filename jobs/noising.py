"""The noise of differential privacy (잡음): drawn by OpenDP from the system's randomness, once in a run.

This is the one place where a result depends on chance that no key repeats: noise that could be computed again
would be no secret for who holds the key. So the noised numbers are written to the run's evidence as soon as they
are drawn (they may be seen: they are what the budget was spent for), before any table is made of them. Whatever
happens afterwards, the run takes them from there; a second draw, whose mean with the first would be nearer to
the truth, never happens. The exact numbers are kept nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jobs.errors import Operational, Refused
from jobs.runs import RunFolder
from transforms.aggregates import Aggregate, Measure

NOISED = "noised.json"
Numbers = Mapping[str, Mapping[str, list[int]]]


def noised(measure: Measure, numbers: list[int]) -> list[int]:
    """The numbers with discrete Laplace noise, so that the vector is epsilon-differentially private."""
    import opendp.prelude as dp

    dp.enable_features("contrib")  # OpenDP's name for what is peer reviewed, but not yet by its own proof committee
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    measurement: Any = dp.m.make_laplace(*space, scale=measure.noise_scale)
    if measurement.map(measure.sensitivity) > float(measure.epsilon):
        raise Operational(f"{measure.name}: OpenDP promises less privacy than the plan asks for")
    found: list[int] = measurement(numbers)
    return found


def noised_numbers(
    folder: RunFolder,
    aggregates: Mapping[str, Aggregate],
    exact: Callable[[Aggregate], Mapping[str, list[int]]],
    spend: Callable[[], object],
) -> Numbers:
    """The run's noised numbers by table and measure: those drawn before, or drawn now, after `spend`."""
    place = folder.evidence / NOISED
    if not place.exists():
        numbers = {name: exact(one) for name, one in aggregates.items()}
        spend()
        drawn = {
            name: {measure.name: noised(measure, numbers[name][measure.name]) for measure in one.measures}
            for name, one in aggregates.items()
        }
        place.write_json({"format": 1, "run": folder.run, "tables": drawn})
    return stored_numbers(folder, aggregates)


def stored_numbers(folder: RunFolder, aggregates: Mapping[str, Aggregate]) -> Numbers:
    """The noised numbers in the run's evidence; BadInput where there are none, Refused where they aren't the plan's."""
    raw = folder.read(NOISED)
    try:
        found: dict[str, dict[str, list[int]]] = raw["tables"]
        whole = raw["run"] == folder.run and all(
            len(found[name][measure.name]) == one.technique.groups * measure.width
            and all(type(number) is int for number in found[name][measure.name])
            for name, one in aggregates.items()
            for measure in one.measures
        )
    except (KeyError, TypeError):
        whole = False
    if not whole:
        raise Refused(f"{folder.evidence / NOISED} was altered: not the numbers of this run's queries")
    return found


__all__ = ["NOISED", "noised", "noised_numbers", "stored_numbers"]
