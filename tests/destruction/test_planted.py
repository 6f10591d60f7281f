"""What somebody puts in evidence, or a killed publish leaves out of it, changes nothing of what is destroyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import destroy, due, publish, quarantine, restore, status
from jobs.destruction import approving
from jobs.destruction.targets import GONE
from jobs.errors import Refused
from jobs.incidents.quarantining import incident_folder, quarantine_folder
from tests.incidents.conftest import Run
from tests.jobs.publishing.conftest import REVIEWERS, Case, MakeRun

from .test_destroy import ASKED, OUTPUT, PLANTED, ask, carry, entries, holding, published, sign, target

WHO = ("--reason", "식별됨", "--person", "조이용")


def signed(case: Case, period: str | None = None) -> approving.Request:
    what = target(case, period)
    asked = ask(case, what)
    sign(case, what)
    return asked


@pytest.mark.parametrize("planted", ["nothing", "another folder"])
def test_a_planted_list_is_measured_anew(make_run: MakeRun, tmp_path: Path, planted: str) -> None:
    """Nobody entered it, so it neither saves the rows nor dooms the source."""
    case = published(make_run, ages=[PLANTED, 20], period="2026-10")
    published(make_run, ages=[40], period="2026-11", version=2)
    source = case.environment.zone("source").local / "people"
    source.mkdir(parents=True)
    (source / "part.parquet").write_bytes(b"rows")
    foreign = {"place": str(source), "whole": True, "rows": 0, "files": []}
    place = approving.folder_of(case.environment, signed(case, "2026-10")) / "files.json"
    place.write_json([] if planted == "nothing" else [foreign])
    carry(case, target(case, "2026-10"))
    assert holding(tmp_path, PLANTED) == []
    assert (source / "part.parquet").read_bytes() == b"rows"


@pytest.mark.parametrize("change", ["emptied", "removed"])
def test_a_list_that_was_altered_since_is_refused(make_run: MakeRun, change: str) -> None:
    case = published(make_run, ages=[PLANTED])
    place = approving.folder_of(case.environment, signed(case)) / "files.json"

    def stop(name: str) -> None:
        if name == "destroy":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry(case, target(case), hook=stop)
    kept = place.local.read_bytes()
    place.write_json([]) if change == "emptied" else place.delete()
    with pytest.raises(Refused, match="not what was measured"):
        carry(case, target(case))
    place.local.write_bytes(kept)
    assert carry(case, target(case)).proofs[0].rows == 1


def test_what_lies_in_quarantine_is_measured_anew_too(make_run: MakeRun, gamyeong: Run, tmp_path: Path) -> None:
    case = published(make_run, ages=[PLANTED])
    incident = gamyeong(quarantine, OUTPUT, *WHO)[1]["incident"]
    signing = ("--reviewer", REVIEWERS[0], "--key", str(tmp_path / "reviewer-0.pem"), "--outcome", "rejected")
    gamyeong(restore, OUTPUT, *signing, "--reason", "식별됨")
    table = quarantine_folder(case.environment, incident) / "table"
    nothing = {"runs": [], "table": {"place": str(table), "whole": False, "rows": 0, "files": []}}
    (incident_folder(case.environment, incident) / "doomed.json").write_json(nothing)
    assert gamyeong(restore, OUTPUT, "--destroy", "--person", "한운영")[0] == 0
    assert holding(tmp_path, PLANTED) == []
    assert [body["run"] for body in entries(case, "destroy-data")] == [case.folder.run]
    assert gamyeong(status, case.folder.run)[1]["runs"][0]["state"] == GONE


@pytest.fixture(params=["tidy", "release manifest", "ledger", "release"])
def killed(make_run: MakeRun, request: pytest.FixtureRequest) -> Case:
    """Published by a job that was killed after its commit: everybody reads the rows, and not all papers tell."""
    use = {"form": "third-party", "recipient": "지역경제연구원", "place": "closed", "from": "2026-01-01"}
    case = make_run(ages=[PLANTED, 20, 30], use={**use, "until": "2026-06-30"}).approve()

    def stop(step: str) -> None:
        if step == request.param:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.publish(stop)
    assert len(case.published()) == 3
    return case


def test_what_a_killed_publish_made_readable_is_due_and_destroyed(killed: Case, gamyeong: Run) -> None:
    (told,) = gamyeong(due, "--on", "2026-07-01")[1]["due"]
    assert (told["what"], told["run"]) == ("published data", killed.folder.run)
    signed(killed)
    code, summary, _, error = gamyeong(destroy, OUTPUT, "--person", "한운영", "--approved")
    assert (code, summary["verdict"]) == (1, "copies"), error  # its staging is there still
    assert killed.published() == []
    assert gamyeong(status, killed.folder.run)[1]["runs"][0]["state"] == GONE
    assert [body["run"] for body in entries(killed, "destroy-data")] == [killed.folder.run]
    assert gamyeong(due, "--on", "2026-07-01")[1]["due"] == []
    assert gamyeong(publish, killed.folder.run)[0] == 3


def test_it_is_recalled_and_destroyed_after_an_incident(killed: Case, gamyeong: Run, tmp_path: Path) -> None:
    _, told, text, _ = gamyeong(quarantine, OUTPUT, *WHO)
    assert told["recall"]["releases"] == 1
    assert f"3 rows of run {killed.folder.run}" in text
    signing = ("--reviewer", REVIEWERS[0], "--key", str(tmp_path / "reviewer-0.pem"), "--outcome", "rejected")
    gamyeong(restore, OUTPUT, *signing, "--reason", "식별됨")
    assert gamyeong(restore, OUTPUT, "--destroy", "--person", "한운영")[0] == 0
    assert [body["run"] for body in entries(killed, "destroy-data")] == [killed.folder.run]


def test_of_all_that_is_due_what_is_signed_for_goes_though_another_waits(
    make_run: MakeRun, gamyeong: Run, tmp_path: Path
) -> None:
    """The first of them has no signature yet."""
    use = {"form": "third-party", "recipient": "지역경제연구원", "place": "closed", "from": "2026-01-01"}
    late = {"use": {**use, "until": "2026-01-31"}}  # `--due` goes by today's real date
    cases = [published(make_run, period=f"2026-{n}", version=n, **late) for n in (10, 11)]
    gamyeong(destroy, "--due", *ASKED)
    signing = ["--reviewer", REVIEWERS[0], "--key", str(tmp_path / "reviewer-0.pem"), "--outcome", "approved"]
    gamyeong(destroy, OUTPUT, "--period", "2026-11", *signing)
    code, told, _, _ = gamyeong(destroy, "--due", "--person", "한운영", "--approved")
    assert (code, told["verdict"], [one["verdict"] for one in told["all"]]) == (5, "waiting", ["waiting", "destroyed"])
    assert "2026-10" in told["waits_for"]
    assert {row["period"] for row in cases[0].published()} == {"2026-10"}
