"""`gamyeong quarantine`: everything about the output stops, its table is out of reach, who has it is listed."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from gamyeong_dags.outcomes import Ended
from jobs import decide, publish, quarantine, status
from jobs import verification as verifying
from jobs.adequacy import review
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.incidents import moving, quarantining
from jobs.incidents.halted import halts
from jobs.ledger import chain_problems, evidence_ledger
from jobs.names import folder_name
from jobs.plans import open_plan
from jobs.progress import Progress
from jobs.publishing import output_lock
from jobs.revealing import Asked, reveal
from jobs.signers import pinned_signers
from jobs.storage import Location, conf_path
from tests.jobs.publishing.conftest import Case, MakeRun
from transforms.errors import PlanError

from .conftest import Run

OUTPUT = f"2024-017/{folder_name('지역경제연구원')}/retail"
WHO = ("--reason", "분석 중 특정 개인이 식별됨", "--person", "조이용")
STEPS = ["flag", "move release.json", "move table", "recall list", "ledger"]


class Killed(BaseException):
    """Not an Exception: nothing of ours may catch it and clean up."""


def put_away(case: Case, hook: Any = None) -> quarantining.Quarantined:
    more = {} if hook is None else {"hook": hook}
    return quarantining.quarantine(case.environment, OUTPUT, "식별됨", "조이용", clock=lambda: case.now, **more)


def files(place: Path) -> dict[str, bytes]:
    return {one.relative_to(place).as_posix(): one.read_bytes() for one in place.rglob("*") if one.is_file()}


def test_the_table_leaves_published_whole(make_run: MakeRun, gamyeong: Run) -> None:
    case = make_run().approve()
    case.publish()
    before, manifest = files(case.place()), case.place().with_name("retail.release.json")
    assert manifest.exists()
    code, told, text, _ = gamyeong(quarantine, OUTPUT, *WHO)
    assert (code, told["verdict"], told["output"]) == (0, "under quarantine", OUTPUT)
    assert told["files"] == len(before)
    folder = case.environment.zone("quarantine").local / str(told["incident"])
    assert files(folder / "table") == before
    assert (folder / "release.json").exists()
    assert files(case.environment.zone("published").local) == {}
    assert os.stat(case.environment.zone("quarantine").local).st_mode & 0o077 == 0
    assert "recall from 지역경제연구원 (third-party, place closed, users: 조이용): 5 rows" in text


@pytest.mark.parametrize("word", ["run", "path", "as in the plan", "as folders are named"])
def test_people_name_it_as_they_know_it(make_run: MakeRun, gamyeong: Run, word: str) -> None:
    case = make_run().approve()
    case.publish()
    spelled = {
        "run": case.folder.run[:6],
        "path": str(case.place()),
        "as in the plan": "2024-017/지역경제연구원/retail",
        "as folders are named": OUTPUT,
    }[word]
    code, told, _, _ = gamyeong(quarantine, spelled, *WHO)
    assert (code, told["output"]) == (0, OUTPUT)
    assert not case.place().exists()


@pytest.mark.parametrize("text", ["2024-017", "2024-017/nobody/retail", "../evidence", "/", "", "retail"])
def test_nothing_else_is_moved(make_run: MakeRun, gamyeong: Run, text: str) -> None:
    case = make_run().approve()
    case.publish()
    before = files(case.environment.zone("published").local)
    code, told, _, err = gamyeong(quarantine, text, *WHO)
    assert code == 2, err
    assert files(case.environment.zone("published").local) == before
    assert halts(case.environment) == {}
    assert OUTPUT in told["error"], "the words that help: what there is"


@pytest.mark.parametrize("words", [(), ("--reason", "x"), ("--person", "x"), ("--reason", " ", "--person", "x")])
def test_who_says_what_is_needed(make_run: MakeRun, gamyeong: Run, words: tuple[str, ...]) -> None:
    case = make_run()
    assert gamyeong(quarantine, OUTPUT, *words)[0] == 2
    assert halts(case.environment) == {}


def test_every_job_on_it_stops(make_run: MakeRun, gamyeong: Run, tmp_path: Path) -> None:
    """A staged run of the output waits for its decisions; after the flag nothing works on it any more, and says why."""
    make_run().approve().publish()
    case = make_run(version=2)
    put_away(case)
    run, progress = case.folder.run, Progress(quiet=True)
    signing = ["--reviewer", "김검토", "--key", str(tmp_path / "reviewer-0.pem"), "--conflicts", "none"]
    for words in ((decide, run, *signing, "--outcome", "approved"), (publish, run)):
        code, told, _, err = gamyeong(*words)
        assert code == 3
        assert "under quarantine since 2026-01-05" in err
        assert Ended(code, told).what == "stop", "a DAG's task fails with these words, and is not tried again"
    asked = Asked("age", "한운영", "위험 고지", tmp_path / "found.csv")
    works = (
        lambda: verifying.verify(case.folder, progress),
        lambda: review(case.folder, progress),
        lambda: reveal(case.folder, asked),
    )
    for work in works:
        with pytest.raises(Refused, match="no job works on it"):
            work()
    code, told, _, _ = gamyeong(status, run)
    assert (code, told["runs"][0]["state"]) == (0, "under quarantine")
    assert told["runs"][0]["next"] == f"gamyeong quarantine {OUTPUT} --show"
    assert case.folder.staging.exists()


def test_a_plan_for_it_is_refused_where_it_is_read(environment: Environment) -> None:
    """assess, pseudonymize and a combination's process all open the plan: no source is read, no Spark starts."""
    plan = conf_path("plans/first.yaml")
    assert open_plan(plan, environment).plan.plan == "first"
    output = f"2026-001/{folder_name('지역경제연구원')}/first"
    evidence_ledger(environment).append(
        "quarantine", {"output": output, "reason": "r", "person": "p", "runs": []}
    )
    with pytest.raises(PlanError) as found:
        open_plan(plan, environment)
    assert found.value.refused
    assert f"output.table: {output} is under quarantine" in str(found.value)
    # another table of the same recipient goes on
    other = environment.file.parent / "other.yaml"
    other.write_text(plan.read_text("utf-8").replace("{table: first}", "{table: second}"), "utf-8")
    (other.parent / "region.csv").write_bytes(conf_path("hierarchies/region.csv").read_bytes())
    assert open_plan(other, environment).plan.output.table == "second"


def test_other_outputs_go_on(make_run: MakeRun) -> None:
    case = make_run().approve()
    application = {"number": "2024-018", "applicant": "소비자연구소", "stage": "new"}
    other = make_run(version=3, application=application)
    record = other.folder.load_record()
    other.folder.record.delete()
    other.folder.save_record(replace(record, application="2024-018"))
    other.enter().approve()
    put_away(case)
    assert not other.publish().already
    with pytest.raises(Refused, match="under quarantine"):
        case.publish()


def test_what_is_not_published_yet_is_stopped_all_the_same(make_run: MakeRun, gamyeong: Run) -> None:
    case = make_run().approve()
    code, told, text, _ = gamyeong(quarantine, case.folder.run, *WHO)
    assert (code, told["files"]) == (0, 0)
    assert "nothing to recall" in text
    assert gamyeong(publish, case.folder.run)[0] == 3


def test_all_tables_of_a_release_leave_in_one_step(make_run: MakeRun) -> None:
    def one(*ages: int) -> pa.Table:
        n = len(ages)
        return pa.table({"serial": pa.array(range(1, n + 1), pa.int64()), "age": list(ages), "sex": ["F"] * n})

    case = make_run(tables={"members": [one(20, 30)], "visits": [one(1, 2, 3)]}).approve()
    case.publish()
    put_away(case)
    assert files(case.environment.zone("published").local) == {}
    folder = case.environment.zone("quarantine").local / str(halts(case.environment)[OUTPUT].incident) / "table"
    assert [DeltaTable(str(folder / name)).to_pyarrow_table().num_rows for name in ("members", "visits")] == [2, 3]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_is_never_free_and_goes_on(make_run: MakeRun, step: str) -> None:
    case = make_run().approve()
    case.publish()
    before = files(case.place())

    def hook(name: str) -> None:
        if name == step:
            raise Killed

    with pytest.raises(Killed):
        put_away(case, hook)
    assert (OUTPUT in halts(case.environment)) == (step != "flag")
    # Never without the release manifest's word, and never half a table.
    assert files(case.place()) in (before, {})
    done = put_away(case)
    assert files(case.environment.zone("published").local) == {}
    assert done.moved["contents"]["table"]["files"] == len(before)
    assert put_away(case).already
    kinds = [entry.type for entry in evidence_ledger(case.environment, write=False).entries()]
    assert [one for one in kinds if one.startswith("quarantine")] == ["quarantine", "quarantine-moved"]


def test_these_are_the_steps(make_run: MakeRun) -> None:
    seen: list[str] = []
    case = make_run().approve()
    case.publish()
    put_away(case, seen.append)
    assert seen == STEPS


def test_another_file_system_gets_whole_files(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step is still a rename, to a closed folder of the same zone; stopped in the copy, it goes on there."""
    case = make_run().approve()
    case.publish()
    before, zone = files(case.place()), case.environment.zone("published").local
    real = moving.os.rename

    def rename(source: Path, target: Path) -> None:
        if Path(target).is_relative_to(zone) != Path(source).is_relative_to(zone):
            raise OSError(moving.errno.EXDEV, "another device")
        real(source, target)

    monkeypatch.setattr(moving.os, "rename", rename)
    copied: list[str] = []
    sha256_of = moving.sha256_of

    def stopped(place: Any) -> str:
        copied.append(str(place))
        if len(copied) == 3:
            # out of reach already, for everybody but the owner
            (closed,) = zone.glob(".quarantine-*")
            assert closed.stat().st_mode & 0o077 == 0
            assert not case.place().exists()
            raise Killed
        return sha256_of(place)

    monkeypatch.setattr(moving, "sha256_of", stopped)
    with pytest.raises(Killed):
        put_away(case)
    monkeypatch.setattr(moving, "sha256_of", sha256_of)
    put_away(case)
    folder = case.environment.zone("quarantine").local / str(halts(case.environment)[OUTPUT].incident)
    assert files(folder / "table") == before
    assert "_delta_log" in copied[1], "the log goes before the rows"
    assert files(zone) == {}
    assert list(zone.glob(".quarantine-*")) == []


def test_the_flag_can_not_be_taken_off_by_hand(make_run: MakeRun) -> None:
    """An entry that nobody signed ends no quarantine: the damaged ledger is refused."""
    case = make_run().approve()
    put_away(case)
    ledger = evidence_ledger(case.environment)
    halt = halts(case.environment)[OUTPUT]
    place = ledger.place.local
    entry = ledger.append("quarantine-restored", {"incident": halt.incident, "output": OUTPUT})
    assert halts(case.environment) == {}
    (file,) = [one for one in place.glob("*.parquet") if one.name.startswith(f"{entry.seq:08d}")]
    (row,) = pq.read_table(file).to_pylist()
    forged = row | {"signature": "00" * 64}
    pq.write_table(pa.Table.from_pylist([forged], pq.read_schema(file)), file)
    assert chain_problems(evidence_ledger(case.environment, write=False).entries(), pinned_signers(case.environment))
    with pytest.raises(Refused, match="damaged"):
        halts(case.environment)


def test_show_tells_what_happened(make_run: MakeRun, gamyeong: Run) -> None:
    case = make_run().approve()
    case.publish()
    assert gamyeong(quarantine, OUTPUT, "--show")[1]["verdict"] == "free"
    gamyeong(quarantine, OUTPUT, *WHO)
    code, told, text, _ = gamyeong(quarantine, OUTPUT, "--show")
    assert (code, told["reason"], told["person"]) == (0, WHO[1], WHO[3])
    assert f"reported by {WHO[3]}: {WHO[1]}" in text
    (release,) = told["recall"]["releases"]
    assert (release["recipient"], release["rows"], release["until"]) == ("지역경제연구원", 5, "2098-12-31")


def test_the_recall_list_is_the_one_that_was_entered(make_run: MakeRun, gamyeong: Run) -> None:
    case = make_run().approve()
    case.publish()
    incident = put_away(case).halt.incident
    place = quarantining.incident_folder(case.environment, incident) / "recall.json"
    altered = json.loads(place.local.read_text()) | {"releases": []}
    place.write_json(altered)
    code, _, _, err = gamyeong(quarantine, OUTPUT, "--show")
    assert code == 2
    assert "restore the evidence" in err
    with pytest.raises(BadInput):
        put_away(case)


def test_on_another_disk_everybody_keeps_the_rights_they_had(tmp_path: Path) -> None:
    """Carried there and back file by file: folders and files come back with their modes."""
    home, away = Location.of(tmp_path / "published/table"), Location.of(tmp_path / "quarantine/table")
    (home.local / "_delta_log").mkdir(parents=True)
    modes = {"": 0o750, "_delta_log": 0o751, "_delta_log/0.json": 0o640, "part.parquet": 0o604}
    for name, mode in modes.items():
        path = home.local / name
        if path.suffix:
            path.write_text(name)
        path.chmod(mode)
    moving._carried(home, away)
    assert not home.local.exists()
    moving._carried(away, home)
    assert {name: (home.local / name).stat().st_mode & 0o777 for name in modes} == modes


def test_the_lock_of_an_output_is_one_by_whatever_link_it_is_named(environment: Environment) -> None:
    zone = environment.zone("published").local
    zone.mkdir(parents=True)
    (zone.parent / "link").symlink_to(zone)
    linked = Location.of(zone.parent / "link" / "a/b/c")
    assert output_lock(environment, linked) == output_lock(environment, Location.of(zone / "a/b/c"))


def test_two_at_once_are_one_incident(make_run: MakeRun) -> None:
    """Both found no flag; the second waits for the first, and tells that it is done."""
    case = make_run().approve()
    case.publish()
    second: list[quarantining.Quarantined] = []

    def other() -> None:
        second.append(quarantining.quarantine(case.environment, OUTPUT, "two", "조이용", clock=lambda: case.now))

    thread = threading.Thread(target=other)

    def meanwhile(step: str) -> None:
        if step == "flag":
            thread.start()
            time.sleep(0.3)

    first = quarantining.quarantine(case.environment, OUTPUT, "one", "조이용", clock=lambda: case.now, hook=meanwhile)
    thread.join()
    assert not first.already
    assert second[0].already
    assert second[0].halt == first.halt
    assert len([one for one in evidence_ledger(case.environment).entries() if one.type == "quarantine"]) == 1
