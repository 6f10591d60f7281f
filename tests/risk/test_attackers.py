"""Prosecutor, journalist, marketer; distinction and separation of subsets: against ARX and by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from transforms.risk.attackers import journalist, marketer, prosecutor
from transforms.risk.combinations import Combinations
from transforms.risk.review import risk_figures


def test_risks_of_arx_after_two_anonymity() -> None:
    """ARX, TestRiskMetrics.java: seven records in three classes have the average risk 3/7, and the highest 1/2."""
    sizes = np.array([2, 2, 3])
    found = prosecutor(sizes, sizes, threshold=3)
    assert found.average == pytest.approx(0.42857142857142855)
    assert (found.highest, found.lowest) == (0.5, 1 / 3)
    assert found.at_risk == pytest.approx(4 / 7)  # 1/2 is above 1/3, 1/3 is not


def test_journalist_and_marketer_by_hand() -> None:
    """Classes of 1, 2, 2 records stand for 10, 4 and 2 persons: 3 / 16 from one side, (1/10 + 2/4 + 2/2) / 5 from the
    other; the journalist takes the larger, the marketer the second."""
    counts, people = np.array([1, 2, 2]), np.array([10.0, 4.0, 2.0])
    found = journalist(counts, people, threshold=3)
    assert found.average == pytest.approx(0.32)
    assert marketer(counts, people) == pytest.approx(0.32)
    assert (found.highest, found.lowest, found.at_risk) == (0.5, 0.1, 0.4)
    # More records than their share from the larger class: classes over persons is the larger one.
    assert journalist(np.array([999, 1]), np.array([1000.0, 500.0]), 3).average == pytest.approx(2 / 1500)
    assert marketer(np.array([999, 1]), np.array([1000.0, 500.0])) == pytest.approx((999 / 1000 + 1 / 500) / 1000)


def test_separation_and_distinction_of_arx() -> None:
    """ARX, TestRiskQuasiIdentifiers.java, calculated by hand there."""
    table = pa.table({
        "age": ["20", "30", "40", "20", "40"],
        "sex": ["Female", "Female", "Female", "Male", "Male"],
        "state": ["CA", "CA", "TX", "NY", "CA"],
    })
    found = risk_figures(Combinations.of(table, table.column_names), threshold=2)
    figures = {one.columns: (one.distinction, one.separation) for one in found.subsets}
    expected = {
        ("sex",): (0.4, 0.6),
        ("state",): (0.6, 0.7),
        ("age",): (0.6, 0.8),
        ("sex", "state"): (0.8, 0.9),
        ("age", "sex"): (1.0, 1.0),
        ("age", "state"): (1.0, 1.0),
        ("age", "sex", "state"): (1.0, 1.0),
    }
    assert set(figures) == set(expected)
    for columns, numbers in expected.items():
        assert figures[columns] == pytest.approx(numbers), columns


def test_no_record_no_risk() -> None:
    none = np.zeros(0, np.int64)
    assert prosecutor(none, none, 3).highest == 0
    assert journalist(none, none.astype(float), 3).average == 0
    assert marketer(none, none.astype(float)) == 0
