"""Data, sources and machines that don't allow a run: exit 1, 3 or 4, and nothing half is left."""

from __future__ import annotations

import datetime
import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs import pseudonymization

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]
STOPS = ("subject: id}", "subject: id, stop_requests: {table: stops, key: person, at: asked, max_age: 1d}}")


def test_unlisted_category(desk: Any) -> None:
    """Half of the persons have a grade that no category lists: which one, the text must not say."""
    desk.change("sample: {fraction: 0.5}\n", "")
    desk.replace(grade=pa.array(["gold-zz", "platinum-zz"] * 20))
    desk.fails(1, ("columns.grade.apply", "column people.grade", "no category covers", "`unmatched`", "20 cells"))


def test_duplicate_row_key(desk: Any) -> None:
    desk.change("sample: {fraction: 0.5}\n", "")
    desk.write(mode="append")
    told = ("table people: rows that have the row key (id) of another row", "another `row_key`", "(at least 40)")
    desk.fails(1, told)


def test_null_in_the_row_key(desk: Any) -> None:
    desk.replace(id=pa.array([None] + [f"EC-9000{number}" for number in range(39)]))
    desk.fails(1, ("table people", "null", "column id"))


def test_more_subjects_asked_for_than_there_are(desk: Any) -> None:
    desk.fails(1, ("table people", "a sample of 41 subjects is asked for, there are 40"), "--limit", "41")


def stops(desk: Any, hours: int) -> None:
    """A stop-request table whose last commit was so many hours ago."""
    now = datetime.datetime.now(datetime.UTC)
    desk.write(pa.table({"person": ["EC-900003"], "asked": [now]}), "stops")
    log = desk.source.parent / "stops" / "_delta_log" / f"{0:020}.json"
    then = (now - datetime.timedelta(hours=hours)).timestamp()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "commitInfo" in line:
            line["commitInfo"]["timestamp"] = int(then * 1000)
    log.write_text("\n".join(map(json.dumps, lines)))
    os.utime(log, (then, then))


def test_stale_stop_requests(desk: Any) -> None:
    """Who asked to stop since then would be processed against the law (§37)."""
    desk.change(*STOPS)
    stops(desk, hours=30)
    desk.fails(3, ("source.stop_requests", "stops", "30 hours ago", "1d", "record the requests"))
    shutil.rmtree(desk.source.parent / "stops")
    stops(desk, hours=20)
    assert desk.run() == 0, desk.err


def test_stop_requests_without_their_key(desk: Any) -> None:
    desk.change(STOPS[0], STOPS[1].replace("person", "persons"))
    stops(desk, hours=0)
    desk.fails(2, ("source.stop_requests", "persons", "it has person, asked"))


def test_requests_of_another_scope_are_counted_and_told(desk: Any) -> None:
    """One that is spelled wrongly would else be passed over in silence."""
    desk.change(STOPS[0], STOPS[1].replace("at: asked, max_age: 1d", "scope: scope"))
    rows = {"person": ["EC-900003", "EC-900004", "EC-900005"], "scope": [None, "all", "statistic"]}
    desk.write(pa.table(rows), "stops")
    assert desk.run() == 0, desk.err
    assert "people: 2 requests to stop, 2 rows left out for them; 1 requests name another scope" in desk.out


def test_a_damaged_file(desk: Any) -> None:
    with desk.data_file.open("r+b") as file:
        file.seek(20)
        file.write(b"\xff" * 300)
    desk.fails(4, (desk.data_file.name, "can't be read"))


def test_a_file_cut_off(desk: Any) -> None:
    os.truncate(desk.data_file, 100)
    desk.fails(4, (desk.data_file.name, "can't be read"))


def test_a_damaged_log(desk: Any) -> None:
    (desk.source / "_delta_log" / f"{0:020}.json").write_text('{"protocol": {"minRea')
    desk.fails(4, ("the Delta log at", "can't be read"))


def test_a_file_that_is_lost_in_the_middle_of_the_job(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured from the whole source must not be transformed from a part of it."""
    lost = desk.data_file
    finish = pseudonymization.finish

    def finish_without_it(*given: Any) -> Any:
        lost.rename(desk.folder / "lost.parquet")
        return finish(*given)

    monkeypatch.setattr(pseudonymization, "finish", finish_without_it)
    before = desk.zones()
    assert desk.run() == 4
    assert f"file {lost.name} can't be read" in desk.err
    (desk.folder / "lost.parquet").rename(lost)
    assert desk.zones() == before


def test_rows_that_appear_in_the_middle_of_the_job(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run reads the version that it pinned: what is committed meanwhile is in none of its passes."""
    finish = pseudonymization.finish

    def finish_with_more(*given: Any) -> Any:
        desk.write(pa.table({"id": ["EC-9999"], "paid": [1]}), mode="append", schema_mode="merge")
        return finish(*given)

    monkeypatch.setattr(pseudonymization, "finish", finish_with_more)
    assert desk.run() == 0, desk.err
    assert (desk.summary["rows_in"], desk.summary["rows"]) == (40, 20)


def test_a_source_version_that_is_gone_when_verify_needs_it(desk: Any) -> None:
    assert desk.run() == 0, desk.err
    run, lost = desk.summary["run"], desk.data_file.name
    desk.write(mode="overwrite")
    DeltaTable(str(desk.source)).vacuum(0, dry_run=False, enforce_retention_duration=False)
    desk.fails(4, (lost, "no longer whole", "run the plan anew"), job="verify", target=run)


def test_another_table_in_place_of_the_source(desk: Any) -> None:
    assert desk.run() == 0, desk.err
    shutil.rmtree(desk.source)
    desk.write()
    desk.fails(4, ("another table lies at", "run the plan anew"), job="verify", target=desk.summary["run"])


@pytest.fixture
def small_disk(desk: Any) -> Iterator[Path]:
    """The staging zone on a file system of 96 KB; only who may mount can try it."""
    place = desk.environment.zone("staging").local
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_under_the_tasks(desk: Any, small_disk: Path) -> None:
    """The result is 160 KB at least: 40,000 numbers of 32 bits without a pattern."""
    numbers = pa.array([number * 2_654_435_761 % 2**32 for number in range(40_000)])
    ids = [f"EC-9{number:07}" for number in range(40_000)]
    desk.write(pa.table({"id": ids, "amount": numbers}), mode="overwrite", schema_mode="overwrite")
    text = desk.plan.read_text("utf-8")
    rules = "columns:\n  id: {kind: identifier, apply: serial-number}\n  amount: {kind: attribute, apply: keep}\n"
    desk.plan.write_text(text[: text.index("excluded")] + rules + text[text.index("additional") :], "utf-8")
    desk.fails(4, ("the disk is full", "make room and start it again"))


@pytest.mark.parametrize("step", ["commit_staged", "save_plan"])
def test_a_full_disk_under_the_driver(desk: Any, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Evidence may lie on another disk than staging: what is staged already goes again."""

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pseudonymization, step, full)
    desk.fails(4, ("the disk is full", "make room and start it again"))
