"""Who may write evidence, and alters a run's record or plan there, changes nothing of what happens to its data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from jobs import additional_information, destroy, due, quarantine, restore
from jobs.ledger import Ledger
from jobs.storage import Location
from tests.jobs.publishing.conftest import Case, MakeRun

from .conftest import Run
from .test_quarantine import OUTPUT, WHO

LATE = ("--on", "2099-06-01")
ASKED = ("--person", "최책임", "--reason", "이용기간 종료")


def alter(place: Location, change: Callable[[dict[str, object]], object]) -> None:
    body = json.loads(place.local.read_text("utf-8"))
    change(body)
    place.write_json(body)


def longer(case: Case) -> None:
    """Its use never ends."""
    alter(case.folder.plan_json, lambda plan: plan["use"].update(until="9999-12-31"))  # type: ignore[attr-defined]


def nobody(case: Case) -> None:
    """Nobody is barred from deciding, and nobody is named who handles it."""
    alter(case.folder.plan_json, lambda plan: plan.update(people={}))


def elsewhere(case: Case) -> None:
    """What the run published is no output of this name any more."""
    alter(case.folder.record, lambda record: record.update(output="other"))


def lost(case: Case) -> None:
    """Nothing tells of the run."""
    case.folder.record.delete()


@pytest.mark.parametrize("altered", [longer, nobody, elsewhere, lost])
@pytest.mark.parametrize(
    ("job", "words"),
    [
        (due, LATE),
        (destroy, (OUTPUT, *ASKED)),
        (restore, (OUTPUT, "--reviewer", "김검토", "--key", "KEY", "--outcome", "approved", "--reason", "괜찮음")),
    ],
)
def test_no_step_after_publishing_believes_it(
    make_run: MakeRun, gamyeong: Run, tmp_path: Path, altered: Callable[[Case], None], job: ModuleType,
    words: tuple[str, ...],
) -> None:  # fmt: skip
    case = make_run().approve()
    case.publish()
    if job is restore:
        assert gamyeong(quarantine, OUTPUT, *WHO)[0] == 0
    altered(case)
    words = tuple(str(tmp_path / "reviewer-0.pem") if word == "KEY" else word for word in words)
    code, _, _, error = gamyeong(job, *words)
    assert code == 3
    assert f"run {case.folder.run}: " in error
    assert "not as pseudonymize entered it" in error


@pytest.mark.parametrize("altered", [nobody, elsewhere])
def test_additional_information_is_not_destroyed_by_an_altered_plan(
    make_run: MakeRun, gamyeong: Run, altered: Callable[[Case], None]
) -> None:
    keep = {"destroy": None, "keep": {"reason": "시계열 연구", "until": "2098-01-01"}}
    case = make_run(additional_information=keep).approve()
    case.publish()
    altered(case)
    words = ("destroy", case.folder.run, "--person", "누구나", "--reason", "x")
    assert gamyeong(additional_information, *words)[0] == 3
    assert case.folder.additional.exists()


def test_an_emergency_does_not_wait_for_evidence(make_run: MakeRun, gamyeong: Run) -> None:
    """The table leaves at once; who has it is told when the record is what it was."""
    case = make_run().approve()
    case.publish()
    place, record = case.place(), case.folder.record.local.read_bytes()
    elsewhere(case)
    code, _, _, error = gamyeong(quarantine, OUTPUT, *WHO)
    assert (code, place.exists()) == (3, False)
    assert "out of reach" in error
    case.folder.record.local.write_bytes(record)
    code, _, text, _ = gamyeong(quarantine, OUTPUT, *WHO)
    assert code == 0
    assert "recall from 지역경제연구원" in text


def test_a_run_that_no_job_made_decides_nothing(make_run: MakeRun, gamyeong: Run, tmp_path: Path) -> None:
    """A planted plan that names nobody would be the newest: its reviewers, its number of them."""
    case = make_run().approve()
    case.publish()
    gamyeong(quarantine, OUTPUT, *WHO)
    planted = case.folder.evidence.local.with_name("f" * 16)
    planted.mkdir()
    for name in ("run.json", "plan.json", "plan.yaml"):
        (planted / name).write_bytes((case.folder.evidence / name).local.read_bytes())
    alter(Location.of(planted / "run.json"), lambda record: record.update(run="f" * 16))
    alter(Location.of(planted / "plan.json"), lambda plan: plan.update(people={"reviewers": ["조이용"]}))
    signing = ("--reviewer", "김검토", "--key", str(tmp_path / "reviewer-0.pem"), "--outcome", "approved")
    assert gamyeong(restore, OUTPUT, *signing, "--reason", "괜찮음")[0] == 0


class Nobody:
    """Signs with a key that is none."""

    key_id = "f" * 16

    def sign(self, message: bytes) -> str:
        return "00" * 64


def test_nor_for_the_ledger(make_run: MakeRun, gamyeong: Run) -> None:
    """Who may write the ledger's folder, and has no key, neither keeps a table in reach nor ends what is due."""
    keep = {"destroy": None, "keep": {"reason": "시계열 연구", "until": "2026-02-01"}}
    case = make_run(additional_information=keep).approve()
    case.publish()
    place, ledger = case.place(), Ledger(case.environment.zone("evidence") / "ledger", Nobody())
    assert "additional information" in gamyeong(due, "--on", "2026-11-01")[2]
    ledger.append("destroy", {"run": case.folder.run, "what": "additional information"})
    assert gamyeong(due, "--on", "2026-11-01")[0] == 3
    code, _, _, error = gamyeong(quarantine, OUTPUT, *WHO)
    assert (code, place.exists()) == (3, False)
    assert "out of reach" in error
    assert "is not pinned" in error


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[]", b'{"application": 5}', b'{"sources": 5}', b""])
def test_a_damaged_record_of_another_run_stops_no_quarantine(make_run: MakeRun, gamyeong: Run, body: bytes) -> None:
    case = make_run().approve()
    case.publish()
    other = make_run(version=2)
    if b"application" in body:
        record = json.loads(other.folder.record.local.read_text("utf-8"))
        body = json.dumps(record | {"application": 5}).encode()
    other.folder.record.local.write_bytes(body)
    place = case.place()
    assert gamyeong(quarantine, OUTPUT, *WHO)[0] == 0
    assert not place.exists()


def test_a_run_that_is_made_anew_keeps_nobody_from_asking_what_is_due(make_run: MakeRun, gamyeong: Run) -> None:
    """Killed after it wrote its record a second time and before the entry; nothing of it is published."""
    make_run().approve().publish()
    elsewhere(make_run(version=2))
    code, told, _, _ = gamyeong(due, *LATE)
    assert (code, len(told["due"])) == (1, 1)
