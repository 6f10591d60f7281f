"""The same rows whatever the partitioning, the order of the input, or the number of files."""

import random
from dataclasses import replace

import pyarrow as pa
import pytest

from transforms.derivation import Secret


@pytest.mark.parametrize(("units", "buckets"), [(1, 1), (7, 7), (200, 200), (13, 3)])
def test_same_rows_under_any_partitioning(case, units, buckets):
    one = case()
    _, expected, counts = one.run()
    prepared, rows, other_counts = one.run(units=units, buckets=buckets)
    assert prepared.work.buckets == buckets
    assert rows.equals(expected)
    assert other_counts == counts


def test_same_rows_from_another_input_order(case):
    one = case()
    _, expected, _ = one.run()
    turn = list(range(one.source.num_rows))
    random.Random(3).shuffle(turn)
    _, rows, _ = one.run(source=one.source.take(pa.array(turn)), units=5, buckets=4)
    assert rows.equals(expected)


def test_serials_are_dense_and_in_the_order_of_the_rows(case):
    prepared, rows, _ = case().run(units=3, buckets=5)
    assert rows.column("id").to_pylist() == list(range(1, prepared.rows + 1))


def test_other_keys_give_another_sample_and_order(case, keys):
    one = case()
    _, expected, _ = one.run()
    _, rows, _ = replace(one, keys=replace(keys, secret=Secret(b"x" * 32))).run()
    assert rows.num_rows != 0
    assert not rows.equals(expected)


def rank_correlation(left: list[int], right: list[int]) -> float:
    """Spearman's, for ranks without ties."""
    n = len(left)
    return 1 - 6 * sum((a - b) ** 2 for a, b in zip(left, right, strict=True)) / (n * (n * n - 1))


def test_two_releases_cannot_be_aligned_by_rank(case, keys, persons, plan_head):
    """Design, section 5: rank correlation of the common subjects of two recipients below 0.02."""
    text = """\
source: {table: people, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  name: {kind: attribute, apply: keep}
  age: {kind: attribute, apply: keep}
  region: {kind: attribute, apply: keep}
  "amount_*": {kind: attribute, apply: keep}
"""
    one = case(plan_head + text, persons(20_000))
    _, first, _ = one.run()
    _, second, _ = replace(one, keys=replace(keys, recipient="another")).run()
    place = dict(zip(second["name"].to_pylist(), second["id"].to_pylist(), strict=True))
    ranks = [place[name] for name in first["name"].to_pylist()]
    assert abs(rank_correlation(first["id"].to_pylist(), ranks)) < 0.02
    source = [int(name.split()[1]) + 1 for name in first["name"].to_pylist()]
    assert abs(rank_correlation(first["id"].to_pylist(), source)) < 0.02
