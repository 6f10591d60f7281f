"""`gamyeong check`: fast, without Spark, exit 0, 2 or 3, every problem told."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from jobs import check
from jobs.check import main
from jobs.environment import Environment
from jobs.retail import schema

ROOT = Path(__file__).resolve().parents[2]
PLAN = str(ROOT / "conf/plans/retail-third-party.yaml")


@pytest.fixture(autouse=True)
def in_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day on which no packaged plan's use is over."""
    monkeypatch.setattr(check, "utc_now", lambda: datetime(2026, 6, 1, tzinfo=UTC))


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """The retail plan with one change, in a folder of its own."""
    text = Path(PLAN).read_text("utf-8")
    assert text.count(old) == 1
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    return path


def test_a_valid_plan(capsys: pytest.CaptureFixture[str], environment_file: Path) -> None:
    code, out, err = run(capsys, PLAN, "--environment", environment_file, "--json")
    said = json.loads(out.splitlines()[-1])
    assert (code, err) == (0, "")
    assert (said["plan"], said["exit"], len(said["fingerprint"])) == ("retail-third-party", 0, 64)


def test_what_should_be_known_of_a_valid_plan_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment_file: Path
) -> None:
    """The real-estate plan rounds rents without top coding: the highest may stay unique (guideline L2004-2012)."""
    amounts = [(f"{name}_amount", pa.int64()) for name in ("jeonse", "deposit", "rent")]
    texts = ["owner", "phone", "housing", "district_code", "sido", "sigungu", "eupmyeondong", "lot", "building"]
    schema = pa.schema([*((name, pa.string()) for name in texts), *amounts, ("exclusive_area", pa.float64()),
                        ("supply_area", pa.float64())])  # fmt: skip
    pq.write_table(schema.empty_table(), tmp_path / "leases.parquet")
    plan = str(ROOT / "conf/plans/real-estate.yaml")
    code, out, _ = run(
        capsys, plan, "--schema", tmp_path / "leases.parquet", "--environment", environment_file, "--json"
    )
    (warning,) = json.loads(out.splitlines()[-1])["warnings"]
    assert code == 0
    assert warning.startswith("leases, jeonse_amount … rent_amount (3 columns): rounding alone")
    assert f"warning: {warning}" in out


@pytest.mark.parametrize(("day", "over"), [("2027-12-31", False), ("2028-01-01", True)])
def test_a_use_that_has_ended_is_a_warning(
    day: str, over: bool,
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment_file: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The last day counts. The plan is still valid, so the exit code is 0."""
    monkeypatch.setattr(check, "utc_now", lambda: datetime.fromisoformat(f"{day}T23:59:59+00:00"))
    plan = changed(tmp_path, "until: 2028-12-31", "until: 2027-12-31")
    code, out, err = run(capsys, plan, "--environment", environment_file, "--json")
    warnings = json.loads(out.splitlines()[-1])["warnings"]
    assert (code, err, len(warnings)) == (0, "", int(over))
    assert ("\nwarning: use.until: the use ended on 2027-12-31; pseudonymize and publish refuse" in out) is over


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("unit: 10,", "unit: 0,", 2, "apply[1].rounding.unit: 0; allowed: a number above 0"),
        ("apply: serial-number", "apply: keep", 3, "columns.customer_id.apply: an identifier that is kept"),
        ("{k: 3}", "{k: 2}", 3, "adequacy.k-anonymity: k = 2; allowed: k of 3 or more: the environment's floor"),
        ("{k-anonymity: {k: 3}, on_failure: stop}", "{reviewers: 3}", 3, "adequacy.k-anonymity: no k-anonymity"),
    ],
)
def test_exit_codes(
    old: str, new: str, code: int, told: str,
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment_file: Path,
) -> None:  # fmt: skip
    found, out, err = run(capsys, changed(tmp_path, old, new), "--environment", environment_file)
    assert (found, out) == (code, "")
    assert told in err
    assert "line " in err
    assert "Traceback" not in err


def test_fewer_named_reviewers_than_the_environments_floor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment_file: Path
) -> None:
    """Told before anything runs, and not when a release waits for somebody who may not decide."""
    old = environment_file.read_text()
    environment_file.write_text(old.replace("third-party: {k: 3, reviewers: 3}", "third-party: {k: 3, reviewers: 4}"))
    named = changed(tmp_path, "\npeople:\n", "\npeople:\n  reviewers: [김검토, 이검토, 박검토]\n")
    code, _, err = run(capsys, named, "--environment", environment_file)
    assert code == 3
    assert "people.reviewers: 3 reviewers; allowed: 4 or more, or none named: the environment's floor" in err


def test_against_a_parquet_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], environment_file: Path) -> None:
    place = tmp_path / "sample.parquet"
    pq.write_table(schema().empty_table(), place)
    code, out, _ = run(capsys, PLAN, "--schema", place, "--environment", environment_file)
    assert code == 0
    assert "fits its table" in out


def test_names_and_types_that_do_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment_file: Path
) -> None:
    wrong = schema()
    wrong = wrong.set(wrong.get_field_index("age"), pa.field("age", pa.bool_()))
    wrong = wrong.set(wrong.get_field_index("sex"), pa.field("gender", pa.string()))
    pq.write_table(wrong.empty_table(), tmp_path / "wrong.parquet")
    code, _, err = run(capsys, PLAN, "--schema", tmp_path / "wrong.parquet", "--environment", environment_file)
    assert code == 2
    assert "column 'gender' of table retail/customers has no rule" in err
    assert "columns.sex: 'sex', but no column" in err


def test_a_type_that_a_technique_cannot_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment_file: Path
) -> None:
    wrong = schema()
    wrong = wrong.set(wrong.get_field_index("amount_etc_202112"), pa.field("amount_etc_202112", pa.string()))
    pq.write_table(wrong.empty_table(), tmp_path / "wrong.parquet")
    code, _, err = run(capsys, PLAN, "--schema", tmp_path / "wrong.parquet", "--environment", environment_file)
    assert code == 2
    assert "columns.amount_{category}_{month}.apply[0]" in err
    assert "string" in err


def test_against_the_plans_own_table_in_the_source_zone(
    environment: Environment, capsys: pytest.CaptureFixture[str], environment_file: Path
) -> None:
    place = (environment.zone("source") / "retail/customers").local
    write_deltalake(str(place), schema().empty_table())
    code, out, _ = run(capsys, PLAN, "--explain", "--environment", environment_file)
    assert code == 0
    assert "pass 1 of 1" in out


def test_of_many_columns_that_are_not_delivered_the_first_are_told_and_json_has_all(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, environment_file: Path
) -> None:
    pq.write_table(schema().empty_table(), tmp_path / "customers.parquet")
    words = ["--schema", tmp_path / "customers.parquet", "--explain", "--environment", environment_file, "--json"]
    code, out, _ = run(capsys, ROOT / "conf/plans/first.yaml", *words)
    assert code == 0
    *lines, last = out.splitlines()
    excluded = [name for name in schema().names if name.startswith(("amount_", "preferred_")) or name == "grade_2019"]
    (told,) = [line.strip() for line in lines if "not delivered" in line]
    assert told == f"not delivered: {len(excluded)} columns: {', '.join(excluded[:5])} … {excluded[-1]}"
    assert max(map(len, lines)) < 200, "no line that nobody reads"
    assert json.loads(last)["not_delivered"] == {"first": excluded}


@pytest.mark.parametrize("place", ["retail/none", "other=x.parquet", __file__])
def test_places_that_are_no_tables(place: str, capsys: pytest.CaptureFixture[str], environment_file: Path) -> None:
    code, _, err = run(capsys, PLAN, "--schema", place, "--environment", environment_file)
    assert code == 2
    assert "Traceback" not in err


def test_it_imports_neither_spark_nor_pandas() -> None:
    # Spark's import alone takes longer than the second that a check may take.
    script = (
        f"import sys; from jobs.check import main; code = main([{PLAN!r}, '--quiet']); "
        "print(code, sorted({'pyspark', 'pandas', 'great_expectations'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 []"
