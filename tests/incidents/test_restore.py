"""`gamyeong restore`: what reviewers sign about a quarantined output, and what comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from jobs import quarantine, restore
from jobs.additional import anything_left
from jobs.destruction import DESTROYED as DATA_DESTROYED
from jobs.errors import DataFailed, Refused, Waiting
from jobs.incidents import ending
from jobs.incidents.clearing import clear_destroyed
from jobs.incidents.deciding import decide_incident
from jobs.incidents.halted import DESTROYED, halts
from jobs.incidents.quarantining import incident_folder, quarantine_folder
from jobs.ledger import evidence_ledger
from tests.jobs.publishing.conftest import REVIEWERS, Case, MakeRun

from .conftest import Run
from .test_quarantine import OUTPUT, WHO, Killed, files, put_away

STEPS = ["move table", "move release.json", "ledger", "folder"]


@pytest.fixture
def away(make_run: MakeRun) -> Case:
    """A published run whose table is under quarantine."""
    case = make_run().approve()
    case.publish()
    put_away(case)
    return case


def vote(case: Case, reviewer: str, outcome: str = "approved") -> None:
    output, halt = ending.standing(case.environment, OUTPUT)
    decide_incident(
        case.environment, output, halt, reviewer, case.keys[reviewer], outcome, "확인함", clock=lambda: case.now
    )


def back(case: Case, hook: Callable[[str], None] | None = None) -> ending.Ended:
    more = {} if hook is None else {"hook": hook}
    return ending.restore(case.environment, OUTPUT, clock=lambda: case.now, **more)


def test_it_comes_back_as_it_was_once_all_have_signed(
    make_run: MakeRun, gamyeong: Run, tmp_path: Path
) -> None:
    case = make_run().approve()
    case.publish()
    zone = case.environment.zone("published").local
    before, rows = files(zone), case.published()
    gamyeong(quarantine, OUTPUT, *WHO)
    for number, name in enumerate(REVIEWERS):
        code, _, _, err = gamyeong(restore, OUTPUT)
        assert code == 5
        assert f"{3 - number} more quarantine-decision(s) of 3" in err
        signing = ["--reviewer", name, "--key", str(tmp_path / f"reviewer-{number}.pem"), "--reason", "오인"]
        assert gamyeong(restore, OUTPUT, *signing, "--outcome", "approved")[0] == 0
        assert files(zone) == {}, "a signature alone moves nothing"
    code, told, _, _ = gamyeong(restore, OUTPUT)
    assert (code, told["verdict"]) == (0, "restored")
    assert files(zone) == before
    assert case.published() == rows
    assert halts(case.environment) == {}
    assert case.publish().already, "the run is what it was"
    code, told, text, _ = gamyeong(restore, OUTPUT)
    assert (code, told["already"]) == (0, True)
    assert "restored already" in text
    code, _, _, err = gamyeong(restore, OUTPUT, "--destroy", "--person", "한운영")
    assert (code, "not under quarantine" in err) == (2, True)


def test_one_rejection_is_enough_against_it(away: Case) -> None:
    for name in REVIEWERS:
        vote(away, name)
    vote(away, "이검토", "rejected")
    with pytest.raises(DataFailed, match="이검토 rejected"):
        back(away)
    assert files(away.environment.zone("published").local) == {}


@pytest.mark.parametrize("name", ["조이용", "한운영", "nobody"])
def test_who_uses_or_ran_it_does_not_decide(away: Case, name: str) -> None:
    output, halt = ending.standing(away.environment, OUTPUT)
    with pytest.raises(Refused):
        decide_incident(away.environment, output, halt, name, away.keys["김검토"], "approved", "r")


def test_a_decision_without_a_reason_or_by_another_key_is_none(
    away: Case, gamyeong: Run, tmp_path: Path
) -> None:
    signing = ["--reviewer", "김검토", "--key", str(tmp_path / "reviewer-0.pem"), "--outcome", "approved"]
    assert gamyeong(restore, OUTPUT, *signing)[0] == 2
    assert gamyeong(restore, OUTPUT, "--reviewer", "김검토", "--reason", "r")[0] == 2
    signing[3] = str(tmp_path / "reviewer-1.pem")
    assert gamyeong(restore, OUTPUT, *signing, "--reason", "r")[0] == 3


def decisions(case: Case) -> list[Path]:
    (halt,) = halts(case.environment).values()
    return sorted((incident_folder(case.environment, halt.incident) / "decisions").local.glob("*.json"))


@pytest.mark.parametrize("deed", ["altered", "removed", "copied", "of another incident"])
def test_what_was_signed_otherwise_does_not_count(away: Case, deed: str) -> None:
    for name in REVIEWERS:
        vote(away, name)
    first = decisions(away)[0]
    if deed == "altered":
        body = json.loads(first.read_text())
        body["statement"]["reason"] = "another"
        first.write_text(json.dumps(body))
    elif deed == "removed":
        first.unlink()
    elif deed == "copied":
        first.with_name("copy.json").write_bytes(first.read_bytes())
    else:
        back(away)
        old = [(path.name, path.read_bytes()) for path in (first.parent).glob("*.json")]
        put_away(away)
        (halt,) = halts(away.environment).values()
        place = (incident_folder(away.environment, halt.incident) / "decisions").local
        place.mkdir()
        for name, content in old:
            (place / name).write_bytes(content)
    with pytest.raises(Refused, match="can't be ended"):
        back(away)
    assert files(away.environment.zone("published").local) == {}


def test_what_was_altered_in_quarantine_does_not_come_back(away: Case) -> None:
    for name in REVIEWERS:
        vote(away, name)
    (halt,) = halts(away.environment).values()
    table = quarantine_folder(away.environment, halt.incident) / "table"
    first = next(table.local.glob("part-*.parquet"))
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)
    with pytest.raises(Refused, match="is not what incident"):
        back(away)
    assert files(away.environment.zone("published").local) == {}


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_goes_on(away: Case, step: str) -> None:
    for name in REVIEWERS:
        vote(away, name)

    def hook(name: str) -> None:
        if name == step:
            raise Killed

    with pytest.raises(Killed):
        back(away, hook)
    lifted = step == "folder"
    assert (OUTPUT in halts(away.environment)) != lifted, "the flag goes when the table is back"
    if not lifted:
        back(away)
    assert halts(away.environment) == {}
    assert DeltaTable(str(away.place())).to_pyarrow_table().num_rows == 5
    assert away.place().with_name("retail.release.json").exists()
    kinds = [entry.type for entry in evidence_ledger(away.environment, write=False).entries()]
    assert kinds.count("quarantine-restored") == 1


def test_a_second_incident_of_the_same_table_has_a_number_of_its_own(away: Case) -> None:
    first = halts(away.environment)[OUTPUT].incident
    for name in REVIEWERS:
        vote(away, name)
    back(away)
    put_away(away)
    assert halts(away.environment)[OUTPUT].incident != first
    with pytest.raises(Waiting):
        back(away)


def test_after_a_rejection_it_is_destroyed_and_its_plan_barred(
    make_run: MakeRun, gamyeong: Run, tmp_path: Path
) -> None:
    kept = {"destroy": None, "keep": {"reason": "종단 연구", "until": "2098-12-31"}}
    case = make_run(ages=(20, 30, 30, 40, 97), additional_information=kept).approve()
    case.publish()
    planted = (case.place() / "_delta_log/00000000000000000000.json").read_bytes()
    waiting = make_run(version=2)  # the same plan on newer data
    assert all(anything_left(one.folder) for one in (case, waiting))
    assert waiting.folder.staging.exists()
    gamyeong(quarantine, OUTPUT, *WHO)
    assert gamyeong(restore, OUTPUT, "--destroy", "--person", "한운영")[0] == 5
    signing = ["--reviewer", "박검토", "--key", str(tmp_path / "reviewer-2.pem"), "--reason", "식별됨"]
    assert gamyeong(restore, OUTPUT, *signing, "--outcome", "rejected")[0] == 0
    assert gamyeong(restore, OUTPUT)[0] == 1
    assert gamyeong(restore, OUTPUT, "--destroy")[0] == 2
    assert gamyeong(restore, OUTPUT, "--destroy", "--person", "박검토")[0] == 3, "who rejected does not carry it out"
    code, told, _, _ = gamyeong(restore, OUTPUT, "--destroy", "--person", "한운영")
    assert (code, told["verdict"]) == (0, "destroyed")
    entries = {one.type: one.content() for one in evidence_ledger(case.environment, write=False).entries()}
    proof = entries[DESTROYED]["proof"]
    of_run = entries[DATA_DESTROYED]
    names = [of_run[role] for role in ("run", "requester", "performer", "confirmer", "reason")]
    assert names == [case.folder.run, WHO[3], "한운영", "박검토", WHO[1]]
    assert case.folder.read("release.json")["state"] == "destroyed"
    assert (proof["rows"], proof["left"], proof["copies"]) == (5, [], [])
    assert proof["files"] == told["files"] > 2
    zones = case.environment.zones.values()
    left = [path for zone in zones for path in zone.local.rglob("*") if path.is_file()]
    assert not [path for path in left if path.read_bytes() == planted], "not even its log"
    assert not [path for path in left if path.is_relative_to(case.environment.zone("quarantine").local)]
    for one in (case, waiting):
        with pytest.raises(Refused, match="destroyed"):
            one.publish()
    ended = [one.content() for one in evidence_ledger(case.environment, write=False).entries() if one.type == "destroy"]
    assert {one["run"]: one["reason"] for one in ended} == dict.fromkeys(
        (case.folder.run, waiting.folder.run),
        f"the release was destroyed after incident {entries[DESTROYED]['incident']}",
    ), "what was kept, and what waited, goes with the operator's next publish"
    for one in (case, waiting):
        assert not one.folder.staging.exists()
        assert not anything_left(one.folder)
        assert one.folder.read("release.json")["state"] == "destroyed"
    assert clear_destroyed(case.environment) == [], "once"
    changed = make_run(version=2, fingerprint="e" * 64).approve()
    assert not changed.publish().already, "a changed plan is free"


@pytest.mark.parametrize("step", ["destroy", "ledger"])
def test_a_destruction_that_was_killed_goes_on(away: Case, step: str) -> None:
    vote(away, "김검토", "rejected")
    (halt,) = halts(away.environment).values()
    files_before = len(files((quarantine_folder(away.environment, halt.incident) / "table").local))

    def hook(name: str) -> None:
        if name == step:
            raise Killed

    with pytest.raises(Killed):
        ending.destroy(away.environment, OUTPUT, "한운영", clock=lambda: away.now, hook=hook)
    assert OUTPUT in halts(away.environment)
    done = ending.destroy(away.environment, OUTPUT, "한운영", clock=lambda: away.now)
    assert (done.by, done.files) == (("김검토",), files_before)
    assert halts(away.environment) == {}
