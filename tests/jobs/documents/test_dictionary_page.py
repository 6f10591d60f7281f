"""The data dictionary: what each column means, and queries that run as they are printed."""

from __future__ import annotations

import html
import re
import runpy
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from jobs.runs import RunFolder, SourceVersion

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = pa.schema([("id", pa.int64()), ('나이 "대"', pa.int32()), ("금액.`월`", pa.int64()), ("memo", pa.string())])
COLUMNS: Mapping[str, Any] = {
    "id": {"label": "번호", "kind": "identifier", "apply": "serial-number"},
    '나이 "대"': {
        "label": "연령대", "kind": "quasi-identifier", "unit": "세", "coding": {"80": "80세 이상"},
        "apply": [{"rounding": {"unit": 10, "direction": "down"}}],
    },
    "금액.`월`": {
        "label": "지출액", "kind": "attribute", "unit": "만원", "coding": {"0": "없음"}, "secret": ["unit", "coding"],
        "apply": [{"rounding": {"unit": 1000, "direction": "half-up", "nulls": "error"}}],
    },
    "memo": {"kind": "attribute", "apply": {"suppression": {}}},
}  # fmt: skip


def code(page: str, engine: str) -> str:
    """A query as a reader copies it from the page."""
    found = re.search(rf'<pre class="{engine}">(.*?)</pre>', page, flags=re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def result(page: str, engine: str, folder: Path) -> Any:
    """Runs a query as a script of its own, and gives what it printed."""
    script = folder / f"{engine}_query.py"
    script.write_text(code(page, engine), "utf-8")
    return runpy.run_path(str(script))["result"]


def cells_of(page: str, column: str) -> list[str]:
    """The cells of a column's row: number, name, meaning, type, unit, coding, null, kind, method."""
    rows = [row for row in re.findall(r"<tr>.*?</tr>", page, flags=re.DOTALL) if f"<code>{column}</code>" in row]
    assert len(rows) == 1
    cells = re.findall(r"<td[^>]*>(.*?)</td>", rows[0], flags=re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]


@pytest.fixture
def published(small_run: Callable[..., Any]) -> dict[str, str]:
    """The pages of a small run whose table is published as the pages say."""
    run = small_run(COLUMNS, SCHEMA)
    place = Path(str(run.folder.published(run.record, "orders")))
    rows = {
        "id": [1, 2, 3, 4],
        '나이 "대"': [20, 30, 30, 30],
        "금액.`월`": [1000, 2000, 3000, 7000],
        "memo": [None] * 4,
    }
    place.parent.mkdir(parents=True)
    write_deltalake(str(place), pa.table(rows, schema=SCHEMA))
    pages: dict[str, str] = run.write()
    return pages


# of those in their twenties one row, of those in their thirties three, with a mean of (2000 + 3000 + 7000) / 3
ANSWER = [(20, 1, 1000.0), (30, 3, 4000.0)]


def test_the_duckdb_query_runs(published: dict[str, str], tmp_path: Path) -> None:
    assert result(published["dictionary.html"], "duckdb", tmp_path).fetchall() == ANSWER


def test_the_polars_query_runs(published: dict[str, str], tmp_path: Path) -> None:
    assert result(published["dictionary.en.html"], "polars", tmp_path).rows() == ANSWER


@pytest.mark.spark
def test_the_spark_query_runs(published: dict[str, str], spark: SparkSession) -> None:
    rows = spark.sql(code(published["dictionary.html"], "spark")).collect()
    assert [tuple(row) for row in rows] == ANSWER


def test_a_table_without_classes_or_numbers_is_asked_for_its_rows(
    small_run: Callable[..., Any], tmp_path: Path
) -> None:
    run = small_run({"id": COLUMNS["id"]}, pa.schema([("id", pa.int64())]))
    place = Path(str(run.folder.published(run.record, "orders")))
    place.parent.mkdir(parents=True)
    write_deltalake(str(place), pa.table({"id": [1, 2, 3]}))
    page = run.write()["dictionary.html"]
    assert result(page, "duckdb", tmp_path).fetchall() == [(3,)]
    assert result(page, "polars", tmp_path).rows() == [(3,)]


def test_columns_are_told_with_meaning_unit_coding_type_and_nulls(published: dict[str, str]) -> None:
    page = published["dictionary.html"]
    assert cells_of(page, "id")[2:] == [
        "번호",
        "BIGINT",
        "",
        "",
        "값 없음이 나오지 않음",
        "개인식별정보(ID)",
        "일련번호 대체",
    ]
    assert cells_of(page, "나이 &#34;대&#34;")[2:] == [
        "연령대", "INT", "세", "80 = 80세 이상", "원본에 값이 없음", "개인식별가능정보(QI)", "라운딩",
    ]  # fmt: skip
    assert cells_of(page, "memo")[6] == "모든 칸을 비움"


def test_what_the_plan_keeps_secret_is_not_published(published: dict[str, str]) -> None:
    page = published["dictionary.html"]
    assert cells_of(page, "금액.`월`")[4:7] == ["", "", "값 없음이 나오지 않음"]
    assert "만원" not in page
    assert "1,000 단위" not in page  # parameters stand on the reviewers' pages alone


def test_the_retail_dictionary_tells_sample_k_and_the_names_of_all_columns(run: Any) -> None:
    page = run.write()["dictionary.html"]
    assert "정보주체의 50%" in page
    assert "k ≥ 3 (age, address, sex)" in page
    assert "한 행이 한 사람" in page
    for column in run.pipeline.table().columns:
        assert re.search(rf"\b{column.name}\b", page), column.name
    assert cells_of(page, "address")[6] == "원본에 값이 없음 또는 특이정보 처리로 비움"
    assert cells_of(page, "total_{month}")[6] == "더하는 칸 중 하나라도 값이 없음"
    assert cells_of(page, "preferred_{month}")[6] == "비교하는 칸이 모두 0이거나 값이 없음"


def test_the_place_is_where_the_run_is_published_though_the_zone_is_not_handed(run: Any) -> None:
    place = str(run.folder.published(run.record, "retail"))
    handed = run.folder.environment.only(reads={"staging", "additional-information"}, writes={"evidence"})
    page = run.having(folder=RunFolder(handed, run.folder.run)).write()["dictionary.html"]
    assert f"<code>{place}</code>" in page
    assert f"delta.`{place}`" in page


def test_a_period_has_its_column(run: Any) -> None:
    page = run.having(record=replace(run.record, period="2026-10")).write()["dictionary.html"]
    assert cells_of(page, "period")[2] == "공개 기간"


def test_stop_request_tables_stay_on_the_reviewers_pages(run: Any) -> None:
    stops = {"": SourceVersion("retail/stops", "stop-id", 2, 12)}
    pages = run.having(record=replace(run.record, stops=stops)).write()
    assert "retail/stops 버전 2" in pages["index.html"]
    assert "retail/stops" not in pages["dictionary.html"]
