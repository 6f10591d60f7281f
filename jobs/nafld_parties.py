"""The nafld cohort (survival::nafld1, nafld2, nafld3) as three parties of a combination, month by month.

The data know no calendar: `days` count from each patient's index date. Here all index dates are 1 July 2024, so
that the first year falls into twelve months. Kept: rows of that year. Lost: all earlier and later ones.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jobs.example_data import example, example_table

START, DAYS, MONTHS = np.datetime64("2024-07-01", "D"), 365, 12
TABLES: Mapping[str, str] = {"hospital": "nafld/patients", "laboratory": "nafld/labs", "registry": "nafld/events"}


def party_table(party: str) -> pa.Table:
    """What a party holds: patients month by month while they were followed up, lab values, diagnoses."""
    if party == "hospital":
        return _patients(example_table(example("survival::nafld1")))
    item, day = {"laboratory": ("nafld2", "taken_on"), "registry": ("nafld3", "found_on")}[party]
    return _dated(example_table(example(f"survival::{item}")), day)


def _patients(cohort: pa.Table) -> pa.Table:
    """One row for each patient and month on whose first day the follow-up had not ended."""
    first_days = START.astype("datetime64[M]") + np.arange(MONTHS)
    months = []
    for first in first_days.astype("datetime64[D]"):
        there = cohort.filter(pc.greater_equal(cohort["futime"], int((first - START).astype(int))))
        months.append(there.append_column("reference_on", pa.array(np.full(there.num_rows, first))))
    kept = ["reference_on", "age", "male", "weight", "height", "bmi"]
    return pa.concat_tables(months).rename_columns({"id": "patient"}).select(["patient", *kept])


def _dated(rows: pa.Table, day: str) -> pa.Table:
    """The first year's rows, with their day instead of the days since the index date."""
    days: npt.NDArray[np.int64] = rows["days"].to_numpy()
    inside = (days >= 0) & (days < DAYS)
    kept = rows.filter(pa.array(inside)).drop_columns("days")
    dated = kept.add_column(1, day, pa.array(START + days[inside]))
    return dated.rename_columns({"id": "patient"})
