"""`destroy_place`: afterwards no file holds the rows, no version can be read, and other rows are as they were.

Values are planted in tables as another tool would write them: uncompressed, with minima and maxima in the log.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, Schema
from deltalake.transaction import AddAction, create_table_with_add_actions

from jobs.destroying import Doomed, destroy_place, doomed
from jobs.errors import Operational, Refused
from jobs.storage import Location

SPRING, AUTUMN = "1111222233334444", "aaaabbbbccccdddd"
PLANTED = {SPRING: "PLANTED-봄-7310", AUTUMN: "PLANTED-가을-9942"}
SCHEMA = pa.schema([pa.field("serial", pa.int64()), pa.field("note", pa.string()), pa.field("period", pa.string())])


def release(place: Path, run: str, period: str) -> None:
    """One period of a table, with its planted value in the file and in the log's statistics."""
    name = f"period={period}/part-00000-{run}.parquet"
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    rows = pa.table({"serial": [1, 2], "note": [PLANTED[run], "x"]})
    pq.write_table(rows, place / name, compression="none", use_dictionary=False)
    stats = {"numRecords": 2, "minValues": {"note": PLANTED[run]}, "maxValues": {"note": "x"}}
    action = AddAction(
        name, (place / name).stat().st_size, {"period": period}, 0, True, json.dumps(stats, ensure_ascii=False)
    )
    if DeltaTable.is_deltatable(str(place)):
        table = DeltaTable(str(place))
        table.create_write_transaction([action], "append", table.schema(), partition_by=["period"])
    else:
        create_table_with_add_actions(str(place), Schema.from_arrow(SCHEMA), [action], partition_by=["period"])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two periods, each of one run, and a checkpoint that tells of both."""
    place = tmp_path / "published" / "sales"
    release(place, SPRING, "2026-04")
    release(place, AUTUMN, "2026-10")
    DeltaTable(str(place)).create_checkpoint()
    return place


def holding(folder: Path, text: str) -> list[str]:
    """Every file whose bytes hold the text: as it is, as JSON escapes it, and within Parquet's compressed pages."""
    spelled = (text.encode(), json.dumps(text)[1:-1].encode())
    found = []
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            if file.suffix == ".parquet":
                content += str(pq.read_table(file, partitioning=None).to_pylist()).encode()
            if any(one in content for one in spelled):
                found.append(file.relative_to(folder).as_posix())
    return sorted(found)


def test_the_search_finds_what_is_planted_in_data_log_and_checkpoint(table: Path) -> None:
    found = holding(table, PLANTED[SPRING])
    assert f"period=2026-04/part-00000-{SPRING}.parquet" in found
    assert "_delta_log/00000000000000000000.json" in found
    assert "_delta_log/00000000000000000001.checkpoint.parquet" in found


def test_one_run_goes_and_the_other_stays(table: Path, tmp_path: Path) -> None:
    place = Location.of(table)
    what = doomed(place, {SPRING})
    assert (what.whole, what.rows, [one.path for one in what.files]) == (
        False, 2, [f"period=2026-04/part-00000-{SPRING}.parquet"]
    )  # fmt: skip
    proof = destroy_place(place, what, [Location.of(tmp_path)])

    assert holding(tmp_path, PLANTED[SPRING]) == []
    rows = DeltaTable(str(table)).to_pyarrow_table().to_pylist()
    assert [row["note"] for row in rows] == [PLANTED[AUTUMN], "x"]
    assert (proof.files, proof.rows, proof.versions, proof.copies, proof.left) == (1, 2, 2, (), ())


@pytest.mark.parametrize("version", [0, 1])
def test_time_travel_fails(table: Path, version: int) -> None:
    assert DeltaTable(str(table), version=version).to_pyarrow_table().num_rows == 2 * (version + 1)
    place = Location.of(table)
    destroy_place(place, doomed(place, {SPRING}))
    with pytest.raises((FileNotFoundError, OSError)):
        DeltaTable(str(table), version=version).to_pyarrow_table()


def test_the_log_without_statistics_of_others_files_stays_as_it_is(table: Path) -> None:
    commit = table / "_delta_log" / f"{1:020d}.json"
    before = commit.read_bytes()
    place = Location.of(table)
    destroy_place(place, doomed(place, {SPRING}))
    assert commit.read_bytes() == before
    first = (table / "_delta_log" / f"{0:020d}.json").read_text("utf-8").splitlines()
    added = next(action["add"] for action in map(json.loads, first) if "add" in action)
    assert json.loads(added["stats"]) == {"numRecords": 2}


@pytest.mark.parametrize("runs", [None, {SPRING, AUTUMN}], ids=["the place", "all of its runs"])
def test_a_whole_table_goes_with_its_log(table: Path, tmp_path: Path, runs: set[str] | None) -> None:
    place = Location.of(table)
    (table / "period=2026-04" / "leftover.tmp").write_text(PLANTED[SPRING])
    what = doomed(place, runs)
    proof = destroy_place(place, what, [Location.of(tmp_path)])
    assert not table.exists()
    assert not DeltaTable.is_deltatable(str(table))
    assert [holding(tmp_path, text) for text in PLANTED.values()] == [[], []]
    assert (proof.rows, proof.versions, proof.files) == (4, 2, len(what.files))


def test_a_copy_elsewhere_is_told_and_not_touched(table: Path, tmp_path: Path) -> None:
    copy = tmp_path / "staging" / "left-behind.bin"
    copy.parent.mkdir()
    copy.write_bytes((table / f"period=2026-04/part-00000-{SPRING}.parquet").read_bytes())
    place = Location.of(table)
    proof = destroy_place(place, doomed(place, {SPRING}), [Location.of(tmp_path)])
    assert proof.copies == (str(tmp_path / "staging/left-behind.bin"),)
    assert copy.exists()


def test_stopped_half_way_the_same_call_completes_it(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Location.of(table)
    what = Doomed.of(json.loads(json.dumps(doomed(place, {SPRING}).plain())))

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("jobs.destroying._remove", stopped)
        with pytest.raises(KeyboardInterrupt):
            destroy_place(place, what)
    assert holding(table, PLANTED[SPRING])  # committed, but the bytes are there still
    assert DeltaTable(str(table)).to_pyarrow_table().num_rows == 2
    proof = destroy_place(place, what)
    assert holding(table, PLANTED[SPRING]) == []
    assert proof.files == 1


def test_what_was_written_since_stays(table: Path) -> None:
    place = Location.of(table)
    what = doomed(place)
    late = "9999888877776666"
    PLANTED[late] = "later"
    release(table, late, "2026-11")
    with pytest.raises(Operational, match="and stay"):
        destroy_place(place, what)
    assert DeltaTable(str(table)).to_pyarrow_table().num_rows == 6


def test_a_file_that_cannot_be_removed_is_no_destruction(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Location.of(table)
    what = doomed(place)
    monkeypatch.setattr("jobs.destroying._remove", lambda *_: None)
    monkeypatch.setattr(Location, "delete", lambda _: None)
    with pytest.raises(Operational, match="opens still"):
        destroy_place(place, what)


def rewritten(place: Path, period: str) -> None:
    """One period's file anew, as another tool does it: under a name that tells no run, in a commit that tells none."""
    table = DeltaTable(str(place))
    table.optimize.compact(partition_filters=[("period", "=", period)])
    release(place, "1212121212121212", period)
    DeltaTable(str(place)).optimize.compact(partition_filters=[("period", "=", period)])


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As `table`, with the commits of `publish`: each tells its run, period and rows."""
    monkeypatch.setitem(PLANTED, "1212121212121212", PLANTED[SPRING])
    place = tmp_path / "published" / "sales"
    for version, (run, period) in enumerate(((SPRING, "2026-04"), (AUTUMN, "2026-10"))):
        release(place, run, period)
        commit = place / "_delta_log" / f"{version:020d}.json"
        lines = [json.loads(line) for line in commit.read_text("utf-8").splitlines()]
        for line in lines:
            line.get("commitInfo", {}).update({"gamyeong.run": run, "gamyeong.period": period, "gamyeong.rows": "2"})
        commit.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return place


def test_a_file_that_another_tool_wrote_anew_is_its_periods(told: Path, tmp_path: Path) -> None:
    rewritten(told, "2026-04")
    names = [Path(one).name for one in DeltaTable(str(told)).file_uris()]
    assert not any(SPRING in name for name in names)
    place = Location.of(told)
    what = doomed(place, {SPRING})
    assert (what.whole, len(what.files), what.rows) == (False, 1, 4)
    destroy_place(place, what)
    assert holding(tmp_path, PLANTED[SPRING]) == []
    assert [row["note"] for row in DeltaTable(str(told)).to_pyarrow_table().to_pylist()] == [PLANTED[AUTUMN], "x"]


def test_what_was_written_anew_since_it_was_measured_is_not_called_destroyed(told: Path) -> None:
    place = Location.of(told)
    what = doomed(place, {SPRING})
    rewritten(told, "2026-04")
    with pytest.raises(Operational, match="wrote files anew meanwhile"):
        destroy_place(place, what)
    again = doomed(place, {SPRING})
    destroy_place(place, again)
    assert destroy_place(place, again).left == ()


def test_refused_where_nothing_tells_whose_rows_they_are(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLANTED, "1212121212121212", "more")
    rewritten(table, "2026-04")
    with pytest.raises(Refused, match="1 of its files, and nothing tells whose rows; allowed: destroy the whole"):
        doomed(Location.of(table), {SPRING})


def test_refused_where_published_rows_are_in_no_file(told: Path) -> None:
    DeltaTable(str(told)).delete("period = '2026-04'")
    with pytest.raises(Refused, match=f"{SPRING} published rows, and no file holds any of them now"):
        doomed(Location.of(told), {SPRING})


@pytest.mark.parametrize(
    "name",
    [
        f"{0:020d}.crc",
        f".{0:020d}.json.crc",
        f"{0:020d}.{1:020d}.compacted.json",
        "_sidecars/one.json",
        "_commit_0b1c.json.tmp",
        f"{1:020d}.checkpoint.{1:010d}.{2:010d}.parquet",
    ],
)
def test_what_repeats_the_log_goes_whatever_its_name(table: Path, name: str) -> None:
    log = table / "_delta_log"
    (log / name).parent.mkdir(exist_ok=True)
    (log / name).write_bytes((log / f"{0:020d}.json").read_bytes())
    place = Location.of(table)
    what = doomed(place, {SPRING})
    if name.endswith(".parquet"):
        (log / name).write_bytes((log / f"{1:020d}.checkpoint.parquet").read_bytes())
    destroy_place(place, what)
    assert holding(table, PLANTED[SPRING]) == []
    left = {one.name for one in log.iterdir()}
    newest = DeltaTable(str(table)).version()
    commits = {f"{version:020d}.json" for version in range(newest + 1)}
    assert left == commits | {f"{newest:020d}.checkpoint.parquet", "_last_checkpoint"}
    assert DeltaTable(str(table)).to_pyarrow_table().num_rows == 2


def test_predicates_and_statistics_of_replaced_files_leave_the_log(told: Path) -> None:
    DeltaTable(str(told)).delete(f"note = '{PLANTED[SPRING]}'")
    assert len(holding(told / "_delta_log", PLANTED[SPRING])) == 2
    place = Location.of(told)
    destroy_place(place, doomed(place, {SPRING}))
    assert holding(told, PLANTED[SPRING]) == []
    history = {one.get("gamyeong.run"): one for one in DeltaTable(str(told)).history()}
    assert history[AUTUMN]["gamyeong.rows"] == "2"


def test_replaced_files_are_overwritten_and_no_empty_folder_stays(table: Path) -> None:
    old = table / "period=2026-04" / "part-00009-old.parquet"
    old.write_text(PLANTED[SPRING])
    place = Location.of(table)
    with old.open("rb") as held:
        destroy_place(place, doomed(place, {SPRING}))
        assert set(held.read()) == {0}
    assert sorted(one.name for one in table.iterdir()) == ["_delta_log", "period=2026-10"]


@pytest.mark.parametrize("runs", [None, {SPRING}], ids=["whole", "part"])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_links_go_and_what_they_lead_to_stays(table: Path, tmp_path: Path, kind: str, runs: set[str] | None) -> None:
    foreign = tmp_path / "elsewhere" / "kept"
    foreign.parent.mkdir()
    foreign.write_bytes(b"KEPT" * 9)
    link = table / "link"
    link.symlink_to(foreign if kind == "file" else foreign.parent)
    place = Location.of(table)
    destroy_place(place, doomed(place, runs))
    assert not link.is_symlink()
    assert foreign.read_bytes() == b"KEPT" * 9


@pytest.mark.parametrize("name", ["period=2026-04", f"period=2026-04/part-00000-{SPRING}.parquet", "."])
def test_refused_where_the_rows_lie_behind_a_link(table: Path, tmp_path: Path, name: str) -> None:
    inside = table / name
    moved = inside.rename(tmp_path / "moved")
    inside.symlink_to(moved)
    with pytest.raises(Refused, match="behind a link"):
        doomed(Location.of(table))


def test_rows_of_all_tables_of_a_place_are_counted(tmp_path: Path) -> None:
    for name in ("people", "visits"):
        release(tmp_path / "out" / name, SPRING, "2026-04")
    place = Location.of(tmp_path / "out")
    assert destroy_place(place, doomed(place)).rows == 4
