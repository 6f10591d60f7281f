"""Facts are exact whatever the batches, and an audit proves or refutes a claimed fact."""

import math
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import CellsRefused, TechniqueError
from transforms.facts import (
    MeanBeyond,
    NeedsAnotherPass,
    Quantile,
    TailCut,
    conclusion_from_json,
    conclusion_to_json,
)


def gathered(fact, batches):
    """What the measuring passes do: observe, merge, conclude, once more where that is needed."""
    while True:
        state = None
        for batch in batches:
            found = fact.observe(batch)
            state = found if state is None else fact.merge(found, state)
        try:
            return fact.conclude(state)
        except NeedsAnotherPass as again:
            fact = again.fact


def audited(fact, batches, claim):
    counts = {}
    for batch in batches:
        for name, count in fact.audit(batch, claim).items():
            counts[name] = counts.get(name, 0) + count
    return fact.accepts(counts, claim)


def plain_quantile(values, q):
    """The design's words: the smallest non-null value whose cumulative share is at least q."""
    present = sorted(v for v in values if v is not None)
    rank = max(1, math.ceil(Decimal(q) * len(present)))
    return present[rank - 1]


NUMBERS = st.lists(st.none() | st.integers(-(2**62), 2**62), min_size=1, max_size=300)
SHARES = st.sampled_from(["0.001", "0.01", "0.25", "0.5", "0.9", "0.99", "0.999", "1"])


@given(NUMBERS, SHARES, st.sampled_from(["upper", "lower"]), st.integers(1, 50))
def test_quantile_is_exact_in_any_batches(values, q, side, size):
    if all(v is None for v in values):
        return
    array = pa.array(values, pa.int64())
    batches = [array.slice(first, size) for first in range(0, len(array), size)]
    fact = Quantile(Decimal(q), side)
    found = gathered(fact, batches)
    expected = plain_quantile(values, q)
    beyond = [v for v in values if v is not None and (v > expected if side == "upper" else v < expected)]
    assert found == TailCut(expected, len(beyond), sum(beyond))
    assert audited(fact, batches, found)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=200), SHARES)
def test_quantile_of_floats(values, q):
    found = gathered(Quantile(Decimal(q)), [pa.array(values, pa.float64())])
    assert found.cut == plain_quantile(values, q)


def test_uneven_units_need_another_pass_and_stay_exact():
    """All large values lie in one unit, so its tail is longer than the unit kept."""
    units = [pa.array(range(100_000, 101_000)), *[pa.array(range(1000)) for _ in range(20)]]
    fact = Quantile(Decimal("0.985"))
    state = None
    for unit in units:
        found = fact.observe(unit)
        state = found if state is None else fact.merge(state, found)
    with pytest.raises(NeedsAnotherPass):
        fact.conclude(state)
    everything = [v for unit in units for v in unit.to_pylist()]
    assert gathered(fact, units).cut == plain_quantile(everything, "0.985")


def test_decimals_dates_and_zeros():
    amounts = pa.array([Decimal("1.10"), Decimal("2.20"), Decimal("3.30"), None], pa.decimal128(12, 2))
    found = gathered(Quantile(Decimal("0.5")), [amounts])
    assert found.cut == Decimal("2.20")
    assert found.mean_beyond == Decimal("3.30")
    zeros = pa.array([0] * 99 + [5, 7])
    assert gathered(Quantile(Decimal("0.5")), [zeros]).cut == 0
    assert gathered(Quantile(Decimal("0.5"), over="positive"), [zeros]).cut == 5


def test_no_value_at_all():
    fact = Quantile(Decimal("0.99"))
    empty = pa.array([None, None], pa.int64())
    assert gathered(fact, [empty]) == TailCut(None)
    assert audited(fact, [empty], TailCut(None))


@pytest.mark.parametrize("claim", [TailCut(98, 1, 99), TailCut(99, 1, 100), TailCut(97, 2, 197), TailCut(98, 0, 0)])
def test_audit_refutes_a_wrong_claim(claim):
    values = [pa.array(range(100))]
    fact = Quantile(Decimal("0.99"))
    right = gathered(fact, values)
    assert right == TailCut(98, 1, 99)
    assert audited(fact, values, claim) is (claim == right)


def test_mean_beyond_a_declared_bound():
    values = [pa.array([1, 5, 10, None, 20], pa.int64()), pa.array([30], pa.int64())]
    fact = MeanBeyond(9, "upper")
    found = gathered(fact, values)
    assert found.mean_beyond == 20
    assert audited(fact, values, found)
    assert not audited(fact, values, TailCut(9, 3, 61))


def test_refused_values():
    with pytest.raises(CellsRefused, match="NaN"):
        Quantile(Decimal("0.99")).observe(pa.array([1.0, float("nan")]))
    with pytest.raises(TechniqueError):
        Quantile(Decimal("0.99")).observe(pa.array(["a"]))


@pytest.mark.parametrize("value", [TailCut(5, 2, 11), TailCut(None), TailCut(Decimal("1.5"), 1, 2), 0.1])
def test_json_keeps_the_type(value):
    assert conclusion_from_json(conclusion_to_json(value)) == value
