"""`additional-information list` and `destroy`: who and why stand in the ledger, and the proof that it is gone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from jobs import additional_information
from jobs.additional import run_secrets
from jobs.additional_destruction import destroy_of_failed
from jobs.canaries import opens
from jobs.environment import ZONES, load_environment
from jobs.key_providers.file import FileProvider
from jobs.keys import RunSecrets
from jobs.ledger import evidence_ledger
from jobs.runs import RunFolder
from tests.searching import search_bytes

from .conftest import RUN, Released

CONTEXT = {"kind": "run", "name": RUN}
Printed = pytest.CaptureFixture[str]


def call(released: Released, action: str, *more: str, person: str = "이처리", reason: str = "보관기간 종료") -> int:
    given = ["--environment", str(released.environment_file), "--person", person, "--reason", reason, *more]
    return additional_information.main([action, *given])


def ended(released: Released, state: str = "published") -> Released:
    """Its release is done, as publish leaves it."""
    released.folder.release.write_json({"state": state, "run": RUN})
    evidence_ledger(released.folder.environment).append("publish" if state == "published" else "reject", {"run": RUN})
    return released


def entries(released: Released, kind: str) -> list[Any]:
    ledger = evidence_ledger(released.folder.environment, write=False)
    return [entry.content() for entry in ledger.entries() if entry.type == kind]


def all_files(released: Released) -> list[Path]:
    environment = released.folder.environment
    return [path for zone in ZONES for path in environment.zone(zone).local.rglob("*") if path.is_file()]


def test_the_list_tells_what_there_is_and_the_ledger_who_asked(released: Released, capsys: Printed) -> None:
    ended(released)
    strange = released.folder.environment.zone("additional-information").local / "fedcba9876543210"
    strange.mkdir()
    (strange / "facts.json").write_text("{}")
    assert call(released, "list", "--json") == 0
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    kept, left = line["runs"]
    assert {name: kept[name] for name in ("run", "output", "state", "until")} == {
        "run": RUN, "output": "2026-001/분석팀/clinic", "state": "published", "until": "2030-12-31"
    }  # fmt: skip
    assert kept["key_id"] == FileProvider(released.folder.environment.keys.path).check()  # type: ignore[union-attr]
    assert kept["files"] == sum(path.is_file() for path in released.folder.additional.local.rglob("*")) > 0
    assert (left["run"], left["state"], left["key_id"], left["files"], left["bytes"]) == (
        "fedcba9876543210", "no record", None, 1, 2
    )  # fmt: skip
    (entry,) = entries(released, "additional-information-list")
    assert entry == {"person": "이처리", "reason": "보관기간 종료", "runs": [RUN, "fedcba9876543210"]}


@pytest.mark.parametrize("person", ["조분석", "최검토", "남모르"])
def test_who_does_not_handle_it_learns_of_no_run(released: Released, person: str, capsys: Printed) -> None:
    """Users, reviewers, strangers: how many there are, and no more."""
    assert call(released, "list", "--json", person=person) == 0
    text, line = capsys.readouterr().out.rsplit("\n", 2)[:2]
    assert text == f"1 runs of plans that do not name {person} to handle it are not listed"
    assert (json.loads(line)["runs"], json.loads(line)["others"]) == ([], 1)
    assert entries(released, "additional-information-list")[0]["runs"] == []


def test_destroyed_it_leads_nowhere_and_the_entry_proves_it(released: Released, capsys: Printed) -> None:
    folder = ended(released).folder
    card, secret = run_secrets(folder).card(RUN), run_secrets(folder).load(RUN)
    assert opens(secret, CONTEXT, card.canary)
    kept = [path.read_bytes() for path in folder.additional.local.rglob("*") if path.is_file()]
    assert kept
    assert call(released, "destroy", RUN, "--confirmer", "박확인") == 0
    assert not folder.additional.exists()
    assert not run_secrets(folder).exists(RUN)
    # No file of any zone holds the wrapped secret, nor what was kept.
    assert search_bytes(all_files(released), [card.wrapped, *(one[:48] for one in kept)]) == set()
    (entry,) = entries(released, "destroy")
    evidence = entry.pop("evidence")
    assert entry == {
        "run": RUN,
        "what": "additional information",
        "application": "2026-001",
        "reason": "보관기간 종료",
        "method": "wrapped run secret removed (crypto-shredding), facts and maps removed",
        "requester": "김책임",
        "performer": "이처리",
        "confirmer": "박확인",
    }
    assert evidence["key_id"] == card.key_id
    assert re.fullmatch("[0-9a-f]{16}", evidence["check"])
    assert evidence["check"] == card.check
    assert (evidence["canary_opened_before"], evidence["canary_opens"], evidence["provider"]) == (True, False, "gone")
    assert (evidence["files"], evidence["copies"]) == (len(kept), [])
    assert set(evidence["searched"]) | set(evidence["not_searched"]) == set(ZONES)
    assert set(evidence["not_searched"].values()) <= {"not there"}
    assert evidence["searched"]["published"]["bytes"] > 0
    assert evidence["backups"] is None
    said = capsys.readouterr().out
    assert "nothing is declared" in said
    # The plan's names are stable over a series, whose secret turns them back still: told, and entered.
    assert evidence["series_left"] == ["panel"]
    assert "nobody can turn its own values back" in said
    assert "stable over panel is turned back by that series' secret" in said
    # The canary in the ledger is what a copy from a backup would still open.
    assert opens(secret, CONTEXT, evidence["canary"])
    assert released.call("id", released.home / "x.csv") == 3


def test_what_backups_the_environment_declares_is_entered_as_declared(released: Released, capsys: Printed) -> None:
    ended(released)
    declared = "keys zone: none; other zones: nightly, kept 35 days"
    with released.environment_file.open("a", encoding="utf-8") as file:
        file.write(f"\nbackups: '{declared}'\n")
    assert load_environment(released.environment_file).backups == declared
    assert call(released, "destroy") == 0
    assert entries(released, "destroy")[0]["evidence"]["backups"] == declared
    assert f"backups, as declared: {declared}" in capsys.readouterr().out


def test_a_copy_of_the_wrapped_secret_is_found_wherever_it_lies(released: Released, capsys: Printed) -> None:
    folder = ended(released).folder
    file = folder.environment.zone("keys").local / "runs" / f"{RUN}.json"
    quarantine = folder.environment.zone("quarantine").local
    quarantine.mkdir()
    shutil.copy(file, quarantine / "old.bak")
    wrapped = run_secrets(folder).card(RUN).wrapped
    (folder.environment.zone("published").local / "blob").write_bytes(b"x" * 5000 + wrapped + b"y" * 5000)
    assert call(released, "destroy") == 1
    error = capsys.readouterr().err
    assert "published/blob" in error
    assert "quarantine/old.bak" in error
    assert entries(released, "destroy")[0]["evidence"]["copies"] == ["published/blob", "quarantine/old.bak"]


def test_it_is_done_once(released: Released, capsys: Printed) -> None:
    ended(released)
    for _ in range(2):
        assert call(released, "destroy") == 0
    assert "destroyed already" in capsys.readouterr().out
    assert len(entries(released, "destroy")) == 1


def test_killed_before_the_entry_it_is_entered_the_next_time(released: Released, monkeypatch: Any) -> None:
    ended(released)
    with monkeypatch.context() as patched:
        patched.setattr("jobs.ledger.Ledger.append", lambda *_, **__: pytest.fail("killed"))
        assert call(released, "destroy") == 4
    assert not run_secrets(released.folder).exists(RUN)
    assert entries(released, "destroy") == []
    assert call(released, "destroy") == 0
    evidence = entries(released, "destroy")[0]["evidence"]
    assert (evidence["provider"], evidence["canary_opens"]) == ("gone", None)
    assert evidence["not_searched"] == {"all": "the secret was gone already: its bytes are not known"}


def test_a_damaged_secret_is_destroyed_all_the_same(released: Released, capsys: Printed) -> None:
    ended(released)
    file = released.folder.environment.zone("keys").local / "runs" / f"{RUN}.json"
    file.write_text("{}")
    assert call(released, "destroy") == 1
    assert not file.exists()
    assert "no search for copies was possible" in capsys.readouterr().err
    assert call(released, "destroy") == 0, "done, and entered with its doubt"


@pytest.mark.parametrize(
    ("person", "code"), [("김책임", 0), ("이처리", 0), ("최검토", 3), ("조 분석", 3), ("남모르", 3)]
)
def test_only_who_handles_it_may_destroy(released: Released, person: str, code: int) -> None:
    ended(released)
    assert call(released, "destroy", person=person) == code
    assert run_secrets(released.folder).exists(RUN) == bool(code)


def test_a_run_under_way_needs_it(released: Released, capsys: Printed) -> None:
    assert call(released, "destroy") == 3
    assert "under way" in capsys.readouterr().err
    assert run_secrets(released.folder).exists(RUN)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["destroy", "--person", "이처리"], "--reason"),
        (["list", "--reason", "감사"], "--person"),
        (["list", "--reason", " ", "--person", "이처리"], "--reason of 1 characters"),
        (["destroy", "--reason", "왜", "--person", "이처리", "--confirmer", "이 처리"], "another person"),
        (["shred"], "allowed: list, reveal, destroy"),
        ([], "allowed: list, reveal, destroy"),
    ],
)
def test_arguments_that_are_wrong(released: Released, argv: list[str], told: str, capsys: Printed) -> None:
    ended(released)
    file = [] if not argv or argv == ["shred"] else ["--environment", str(released.environment_file)]
    assert additional_information.main([*argv, *file]) == 2
    assert told in capsys.readouterr().err
    assert run_secrets(released.folder).exists(RUN)


def test_each_action_has_its_own_zones() -> None:
    """Reading back needs neither source nor staging; only who destroys searches all zones, and writes none of them."""
    zones = {name: (set(one.reads), set(one.writes)) for name, one in additional_information.ACTIONS.items()}
    assert zones["list"] == ({"keys", "additional-information"}, {"evidence"})
    assert zones["reveal"] == ({"published", "keys", "additional-information"}, {"evidence"})
    assert zones["destroy"][1] == {"keys", "additional-information", "evidence"}


def test_the_canary_is_of_this_secret_alone(released: Released, capsys: Printed) -> None:
    """A swapped canary would prove the end of another secret: it is told, and entered."""
    folder = ended(released).folder
    zone = folder.environment.zone("keys")
    other = RunSecrets(zone, FileProvider(folder.environment.keys.path))  # type: ignore[union-attr]
    other.create("other")
    file, strange = (zone.local / "runs" / f"{name}.json" for name in (RUN, "other"))
    body = json.loads(file.read_text())
    file.write_text(json.dumps({**body, "canary": json.loads(strange.read_text())["canary"]}))
    assert call(released, "destroy") == 1
    assert "its canary did not open before" in capsys.readouterr().err
    assert entries(released, "destroy")[0]["evidence"]["canary_opened_before"] is False
    assert RunFolder(folder.environment, "other").run in other.names()


def test_another_secret_in_its_place_proves_nothing(released: Released, capsys: Printed) -> None:
    """Whole, of this run's name and under the same root key: only the ledger knows that it is another one."""
    folder = ended(released).folder
    file = folder.environment.zone("keys").local / "runs" / f"{RUN}.json"
    file.rename(released.home / "kept-by-somebody.json")
    run_secrets(folder).create(RUN)
    assert call(released, "destroy") == 1
    assert "the check value of what was destroyed is not the one in the ledger" in capsys.readouterr().err
    evidence = entries(released, "destroy")[0]["evidence"]
    assert evidence["canary_opened_before"] is True
    assert evidence["check"] != evidence["check_at_creation"]


def test_what_the_search_can_not_read_is_told(released: Released, capsys: Printed) -> None:
    ended(released)
    published = released.folder.environment.zone("published").local
    (published / "elsewhere").symlink_to(released.home, target_is_directory=True)
    assert call(released, "destroy") == 1
    assert "1 files or folders could not be read in the search" in capsys.readouterr().err


def test_a_copy_behind_a_link_is_found(released: Released, capsys: Printed) -> None:
    folder = ended(released).folder
    kept = released.home / "kept.bin"
    kept.write_bytes(run_secrets(folder).card(RUN).wrapped)
    (folder.environment.zone("published").local / "innocent").symlink_to(kept)
    assert call(released, "destroy") == 1
    assert "copies of its wrapped secret lie at published/innocent" in capsys.readouterr().err


def test_of_a_run_that_can_only_fail_again(released: Released) -> None:
    """Nobody asks for it: the job that failed destroys its secret, once, in the organisation's name."""
    folder = released.folder
    for _ in range(2):
        destroy_of_failed(folder, evidence_ledger(folder.environment), "2026-001")
    assert not run_secrets(folder).exists(RUN)
    assert not folder.additional.exists()
    (entry,) = entries(released, "destroy")
    assert (entry["requester"], entry["performer"]) == (None, folder.environment.organisation)
    assert entry["reason"] == "the run failed; nothing was made with the secret"
    assert entry["evidence"]["provider"] == "gone"
