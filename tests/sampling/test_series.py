"""A growing table keeps its earlier members (`stable_over`); in exchange the size is not exact."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest

from transforms.pipeline.sampling import fraction_threshold

PERSONS = "{fraction: 0.3, stable_over: panel}"
FAMILIES = "{technique: cluster, cluster: family, fraction: 0.3, stable_over: panel}"


@pytest.mark.parametrize("sample", [PERSONS, FAMILIES])
def test_who_was_drawn_stays_drawn_when_the_table_grows(
    desk: Any, members: Any, sample: str, secret_keys: Any
) -> None:
    """In another run, with other keys: only the series' secret counts."""
    first = desk.run(sample, members(400)).numbers
    later = desk.run(sample, members(900), keys=secret_keys(b"l" * 32), units=5).numbers
    assert [number for number in later if number < first[-1]] == first[:-1]
    assert len(later) > len(first)


def test_members_and_size_follow_chance(desk: Any, members: Any) -> None:
    found = desk.run(PERSONS, members(900))
    assert abs(found.prepared.drawn - 270) < 5 * math.sqrt(900 * 0.3 * 0.7)
    assert found.prepared.drawn != 270  # not exact, and with these keys it isn't
    assert found.prepared.drawn == len(found.numbers) == found.prepared.facts.sample.persons


def test_a_larger_share_of_the_same_series_keeps_the_smaller_one(desk: Any, members: Any) -> None:
    small = desk.run(PERSONS, members(900)).numbers
    large = desk.run(PERSONS.replace("0.3", "0.5"), members(900)).numbers
    assert set(small) < set(large)


def test_a_run_of_its_own_draws_others_than_the_series(desk: Any, members: Any) -> None:
    assert desk.run("{fraction: 0.3}", members(900)).numbers != desk.run(PERSONS, members(900)).numbers


def test_the_threshold_is_the_share_of_all_draws() -> None:
    high, low = fraction_threshold(0.5)
    assert (high << 64) + low + 1 == 1 << 127
    assert fraction_threshold(1) == ((1 << 64) - 1, (1 << 64) - 1)
    high, low = fraction_threshold(0.1)
    assert ((high << 64) + low + 1) * 10 // (1 << 128) in (0, 1)
    assert abs(((high << 64) + low) / 2**128 - 0.1) < 1e-15


def test_verify_knows_the_share(desk: Any, everybody: pa.Table) -> None:
    high, low = fraction_threshold(0.300001)
    found = desk.run(PERSONS, everybody)
    assert "threshold of the fraction" in found.wrong(threshold=(high, low))
