"""Each person's chance of being drawn, counted over many runs with fixed keys: the design's, and nobody is favoured."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

ROUNDS = 150
MEMBERS = 30
CHANCES = {
    "{n: 9}": 0.3,
    "{technique: systematic, n: 7}": 7 / 30,
    "{technique: systematic, order_by: joined, n: 12}": 12 / 30,
    "{technique: stratified, by: [sex], allocation: {fixed: 4}}": "sex",
    "{technique: quota, by: [sex], quota: {F: 3, M: 8}}": {"F": 3, "M": 8},
    "{technique: cluster, cluster: family, n: 4}": "family",
    "{technique: simple, replacement: true, copies: apart, n: 60}": 2.0,
}


def expected_of(source: pa.Table, rule: Any) -> npt.NDArray[np.float64]:
    """How often a person is expected in one sample."""
    if isinstance(rule, float):
        return np.full(MEMBERS, rule)
    sexes = source["sex"].to_pylist()
    if rule == "family":
        return np.full(MEMBERS, 4 / len(set(source["family"].to_pylist())))
    numbers = rule if isinstance(rule, dict) else {"F": 4, "M": 4}
    return np.array([numbers[sex] / sexes.count(sex) for sex in sexes])


@pytest.mark.parametrize("sample", CHANCES)
def test_everybody_has_the_chance_that_the_technique_gives(desk: Any, members: Any, sample: str) -> None:
    """Within five standard deviations of the count over all runs."""
    source = members(MEMBERS)
    found = desk.often(sample, source, ROUNDS)
    expected = expected_of(source, CHANCES[sample])
    variance = expected if expected.max() > 1 else expected * (1 - expected)
    assert (np.abs(found - ROUNDS * expected) < 5 * np.sqrt(ROUNDS * variance)).all()
    assert len(set(found.tolist())) > 3  # chance, not a pattern

