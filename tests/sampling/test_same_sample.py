"""The same persons whatever the partitioning, the order of the input or a guess of its size; and verify agrees."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import DataRefused

SAMPLES = {
    "simple": "{fraction: 0.3}",
    "with replacement, linked": "{technique: simple, replacement: true, copies: linked, fraction: 0.6}",
    "with replacement, apart": "{technique: simple, replacement: true, copies: apart, n: 1000}",
    "stable": "{fraction: 0.3, stable_over: panel}",
    "systematic": "{technique: systematic, n: 333}",
    "systematic by a date": "{technique: systematic, order_by: joined, fraction: 0.21}",
    "systematic by numbers with nulls": "{technique: systematic, order_by: paid, n: 100}",
    "stratified": "{technique: stratified, by: [town], fraction: 0.25}",
    "stratified by two columns": "{technique: stratified, by: [town, sex], n: 200}",
    "neyman": "{technique: stratified, by: [town], allocation: {neyman: {of: paid}}, n: 300, short: report}",
    "fixed": "{technique: stratified, by: [town], allocation: {fixed: 40}, short: report}",
    "fixed, named": "{technique: stratified, by: [sex], allocation: {fixed: {F: 40, M: 7}}}",
    "cluster": "{technique: cluster, cluster: family, n: 50}",
    "cluster, share": "{technique: cluster, cluster: family, fraction: 0.2}",
    "cluster, stable": "{technique: cluster, cluster: family, fraction: 0.2, stable_over: panel}",
    "quota": "{technique: quota, by: [town, sex], quota: {서울: {F: 30, M: 10}, 제주: {F: 90}}, short: report}",
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("units", "buckets"), [(7, 3), (200, 7)])
def test_same_rows_under_any_partitioning(desk: Any, everybody: pa.Table, name: str, units: int, buckets: int) -> None:
    expected = desk.run(SAMPLES[name], everybody)
    found = desk.run(SAMPLES[name], everybody, units=units, buckets=buckets, rows_hint=10**7)
    assert found.rows.equals(expected.rows)
    assert found.rows.num_rows > 0
    claims = [one.prepared.facts for one in (expected, found)]
    assert (claims[0].subjects, claims[0].drawn, claims[0].threshold) == (
        claims[1].subjects, claims[1].drawn, claims[1].threshold,
    )  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_same_rows_from_another_input_order(desk: Any, everybody: pa.Table, name: str) -> None:
    turn = list(range(everybody.num_rows))
    random.Random(1).shuffle(turn)
    expected = desk.run(SAMPLES[name], everybody)
    assert desk.run(SAMPLES[name], everybody.take(pa.array(turn)), units=5).rows.equals(expected.rows)


@pytest.mark.parametrize("name", SAMPLES)
def test_verify_proves_an_honest_sample(desk: Any, everybody: pa.Table, name: str) -> None:
    found = desk.run(SAMPLES[name], everybody, units=3, buckets=2)
    assert found.verified().differences == ()


@pytest.mark.parametrize("name", SAMPLES)
def test_other_keys_draw_others(desk: Any, everybody: pa.Table, name: str, secret_keys: Any) -> None:
    """But for a series: its draws are the series' own, whatever the run."""
    first = desk.run(SAMPLES[name], everybody).numbers
    second = desk.run(SAMPLES[name], everybody, keys=secret_keys(b"x" * 32)).numbers
    assert (first == second) == ("stable" in name)


@pytest.mark.parametrize("name", SAMPLES)
def test_who_asked_to_stop_is_never_drawn_and_changes_nothing(desk: Any, everybody: pa.Table, name: str) -> None:
    stopped = everybody["id"].slice(0, 300).combine_chunks()
    found = desk.run(SAMPLES[name], everybody, stopped=stopped, units=3)
    assert found.rows.equals(desk.run(SAMPLES[name], everybody.slice(300)).rows)
    assert found.prepared.subjects == 600
    assert found.verified().differences == ()


@pytest.mark.parametrize("name", SAMPLES)
def test_an_empty_source(desk: Any, everybody: pa.Table, name: str) -> None:
    if " n:" in SAMPLES[name] or name == "fixed, named":
        with pytest.raises(DataRefused):
            desk.run(SAMPLES[name], everybody.slice(0, 0))
        return
    found = desk.run(SAMPLES[name], everybody.slice(0, 0))
    assert (found.prepared.subjects, found.rows.num_rows) == (0, 0)
    assert found.verified().differences == ()
