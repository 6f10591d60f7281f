"""Times without a zone are a reader feature of Delta tables: one with such is published, and destroyed, like others."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from deltalake import DeltaTable

from jobs.destroying import destroy_place, doomed

from .conftest import MakeRun, rows

AT = [datetime(2026, 1, 1, hour) for hour in (3, 4, 5)]  # noqa: DTZ001 - that is what it is about


def test_a_table_with_times_is_published_by_period_and_a_period_goes_again(make_run: MakeRun) -> None:
    table = rows([20, 30, 40]).append_column("at", pa.array(AT, pa.timestamp("us")))
    for version, period in enumerate(("2026-01", "2026-02"), 1):
        case = make_run(tables={"retail": [table]}, period=period, version=version).approve()
        assert "timestampNtz" in (DeltaTable(str(case.folder.staged("retail"))).protocol().reader_features or ())
        case.publish()
    assert [row["at"] for row in case.published()] == AT * 2
    place = case.folder.published(case.record, "retail")
    what = doomed(place, {case.folder.run})
    assert not what.whole
    assert destroy_place(place, what).rows == 3
    assert [(row["period"], row["at"]) for row in case.published()] == [("2026-01", at) for at in AT]
