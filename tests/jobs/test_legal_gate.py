"""No unique identification number is processed unnoticed: pseudonymize refuses a column that is not marked (§24-2)."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs.assess import main as assess
from jobs.environment import Environment
from jobs.key_providers.file import FileProvider
from jobs.pseudonymize import main
from jobs.status import main as status
from jobs.tables import write_source
from tests.identity.numbers_by_hand import dashed, resident
from transforms.pipeline.feed import SourceFile, TableUnit, pack_units
from transforms.pipeline.number_search import NumberSearch, held, searched

RANDOM = random.Random(4)
NUMBERS = [resident(date(1970 + number, 1, 2), "2", RANDOM) for number in range(30)]
PLAN = """\
format: 1
plan: members
application: {number: 2026-001}
purpose: {kind: statistics, statement: 연령대별 상담 건수의 차이 통계, legal_basis: 개인정보 보호법 제28조의2}
use: {form: internal-other-department, recipient: 통계팀, place: closed, from: 2026-01-01, until: 2099-12-31}
source: {table: shop/members, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  "text_{part}": {kind: attribute, apply: keep}
  code: RULE
additional_information: {destroy: approved}
output: {table: members}
"""
KEPT, MARKED = (
    "{kind: attribute, apply: keep}",
    "{kind: identifier, legal: rrn, act: 의료법, article: 제21조, apply: suppression}",
)


def members(text: Sequence[str | None], code: pa.Array) -> pa.Table:
    """Thirty members."""
    return pa.table({"id": range(30), "text_1": ["없음"] * 30, "text_2": pa.array(text, pa.string()), "code": code})


def ran(environment: Environment, environment_file: Path, tmp_path: Path, table: pa.Table, rule: str) -> int:
    """The exit code of pseudonymize on this table."""
    FileProvider.init(environment.keys.path)
    write_source(table, environment.zone("source") / "shop/members")
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN.replace("RULE", rule), "utf-8")
    return main([str(plan), "--environment", str(environment_file), "--quiet"])


def staged(environment: Environment) -> list[str]:
    """Files below the staging and additional-information zones."""
    zones = (environment.zone("staging").local, environment.zone("additional-information").local)
    return [file.name for zone in zones if zone.exists() for file in zone.rglob("*") if file.is_file()]


@pytest.mark.spark
def test_one_number_within_one_text_is_enough(
    spark: SparkSession, environment: Environment, environment_file: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    text = [*["친절했어요"] * 29, f"본인 확인 {dashed(NUMBERS[0], 6, 7)}"]
    code = pa.array([None, *range(29)], pa.int64())
    assert ran(environment, environment_file, tmp_path, members(text, code), KEPT) == 3
    err = capsys.readouterr().err
    assert "line 9, columns.text_{part}: 주민등록번호 (resident registration number) in column text_2" in err
    assert "0 cells are one, 1 hold one within text" in err
    assert "`act` and `article`" in err
    assert NUMBERS[0][6:] not in err
    assert status(["--environment", str(environment_file)]) == 0
    told = capsys.readouterr().out
    assert "(plan members): pseudonymize began at" in told
    assert "with exit 3" in told
    assert NUMBERS[0][6:] not in told
    assert staged(environment) == []


@pytest.mark.spark
def test_a_column_of_numbers_needs_the_statute(
    spark: SparkSession, environment: Environment, environment_file: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    table = members([None] * 30, pa.array([int(one) for one in NUMBERS], pa.int64()))
    assert ran(environment, environment_file, tmp_path, table, KEPT) == 3
    assert "columns.code: 주민등록번호" in (refused := capsys.readouterr().err)
    plan = tmp_path / "plan.yaml"
    # the review before it says the same, by the same words, and leaves its report
    given = [str(plan), "--environment", str(environment_file)]
    for again in (False, True):
        assert assess([*given, "--json"]) == 3, f"the report stands there already: {again}"
        said, last = capsys.readouterr().out.rsplit("\n{", 1)
        (same,) = [line for line in said.splitlines() if line.startswith("pseudonymize will refuse: ")]
        assert same.removeprefix("pseudonymize will refuse: ") in refused
        told = json.loads("{" + last)
        assert (told["verdict"], told["refused"]) == ("refused", ["columns.code"])
    page = Path(told["report"]).read_text("utf-8")
    assert "‘code’에서 주민등록번호 30건 발견" in page
    assert not any(one in page for one in NUMBERS)
    plan.write_text(PLAN.replace("RULE", MARKED), "utf-8")
    assert assess(given) == 0
    assert main([*given, "--quiet"]) == 0
    assert staged(environment) != []


def search(path: Path, table: pa.Table, **options: object) -> dict[str, list[str]]:
    """What the search tells of a Parquet file of this table: kinds by column."""
    pq.write_table(table, path, **options)
    units = pack_units([SourceFile(str(path))], table.schema, 2)
    blobs = [blob for unit in units for blob in NumberSearch(searched(table.schema, units))(unit)]
    return {name: [one.kind.name for one in found] for name, found in held(blobs).items() if found}


@pytest.mark.parametrize("dictionary", [True, False])
def test_files_with_and_without_dictionaries(tmp_path: Path, dictionary: bool) -> None:
    texts = ["x", f"번호: {NUMBERS[1]}", None, "y"] * 200
    numbers = pa.array([5, int(NUMBERS[2]), None, 7] * 200)
    table = pa.table({"text": texts, "number": numbers, "small": pa.array([1, 2, 3, 4] * 200), "flag": [True] * 800})
    found = search(tmp_path / "f.parquet", table, use_dictionary=dictionary,
                   row_group_size=100)  # fmt: skip
    assert found == {"text": ["rrn"], "number": ["rrn"]}


def test_any_other_feed_gives_the_same() -> None:
    table = pa.table({"text": pa.chunked_array([["x"], [f"번호: {NUMBERS[1]}", None]])})
    (blob,) = NumberSearch(("text",))(TableUnit(0, table, table.schema))
    (found,) = held([blob])["text"]
    assert (found.kind.name, found.verdict, found.found.inside) == ("rrn", "contains", 1)


def test_which_columns_are_looked_at() -> None:
    """All texts; numbers only where some of the first rows are as large as an identification number."""
    table = pa.table({
        "text": ["x"], "large": pa.array([9001011234567]), "small": pa.array([10**6]),
        "short": pa.array([5], pa.int32()),
        "double": pa.array([9e12]), "whole": pa.array([Decimal(9 * 10**12)], pa.decimal128(13, 0)),
        "null": pa.array([None], pa.int64()), "day": pa.array([date(2024, 1, 1)]),
    })  # fmt: skip
    chosen = ("text", "large", "double", "whole")
    unit = FileLike(0, table, table.schema)
    assert searched(table.schema, [unit, unit]) == chosen
    assert set(searched(table.schema, [TableUnit(0, table, table.schema)])) == {*chosen, "small", "null"}


class FileLike(TableUnit):
    """A unit that shows its first rows, as files do."""

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        return next(self.batches(columns))
