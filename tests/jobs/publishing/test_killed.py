"""A publish that is killed at any step: published holds nothing or the whole release; the next one completes."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs.additional import run_secrets
from jobs.errors import DataFailed
from jobs.ledger import chain_problems, evidence_ledger
from jobs.runs import release_manifest
from jobs.signers import pinned_signers
from jobs.status import state_of
from jobs.vouched import MADE_BY

STEPS = [
    "gate", "copy retail", "commit retail", "tidy", "release manifest", "ledger", "release",
    "additional information", "additional information, ledger", "staging",
]  # fmt: skip
REJECT_STEPS = ["gate", "reject", "reject, staging", "additional information, ledger"]
TWO_STEPS = ["gate", "copy members", "copy visits", "commit members", "commit visits", *STEPS[3:]]


class Killed(BaseException):
    """Not an Exception: nothing of ours may catch it and clean up."""


def killing(step: str):
    def hook(name: str) -> None:
        if name == step:
            raise Killed(name)

    return hook


def one(*ages: int) -> pa.Table:
    n = len(ages)
    return pa.table({"serial": pa.array(range(1, n + 1), pa.int64()), "age": list(ages), "sex": ["F"] * n})


def types(case) -> list[str]:
    entries = evidence_ledger(case.environment, write=False).entries()
    assert chain_problems(entries, pinned_signers(case.environment)) == []
    mine = [entry for entry in entries if entry.content().get("run") == case.folder.run]
    before = {"decision", *MADE_BY}
    return [entry.type for entry in mine if entry.type not in before]


def complete(case) -> None:
    """Nothing is left to do: everything is where it belongs, once."""
    assert not case.folder.staging.exists()
    assert not case.folder.additional.exists()
    assert not run_secrets(case.folder).exists(case.folder.run)
    assert types(case) == ["publish", "destroy"]
    state = json.loads(case.folder.release.local.read_text())
    assert (state["state"], state["run"]) == ("published", case.folder.run)
    for table in case.record.tables:
        place = case.place(table.name)
        listed = DeltaTable(str(place)).file_uris()
        assert len(listed) == len(list(place.rglob("*.parquet"))), "no orphan"
        properties = DeltaTable(str(place)).metadata().configuration
        assert properties["gamyeong.fingerprint"] == case.folder.run
    assert state_of(case.folder).next == ""


def test_these_are_the_steps(make_run):
    """So that no step is left out below: this list is what publish itself goes through."""
    seen: list[str] = []
    make_run().approve().publish(hook=seen.append)
    assert seen == STEPS
    seen.clear()
    case = make_run(version=2)
    case.vote("김검토", "rejected", reason="no")
    with pytest.raises(DataFailed):
        case.publish(hook=seen.append)
    assert seen == REJECT_STEPS


@pytest.mark.parametrize("step", STEPS)
def test_killed_before_a_step(make_run, step):
    case = make_run(ages=(20, 30, 40)).approve()
    with pytest.raises(Killed):
        case.publish(hook=killing(step))
    ages = [row["age"] for row in case.published()]
    assert ages == ([20, 30, 40] if STEPS.index(step) > STEPS.index("commit retail") else [])
    case.publish()
    assert [row["age"] for row in case.published()] == [20, 30, 40]
    complete(case)
    assert case.publish().completed == ()


@pytest.mark.parametrize("step", STEPS)
def test_killed_while_a_release_replaces_another(make_run, step):
    make_run(ages=(1, 2)).approve().publish()
    case = make_run(ages=(20, 30, 40), version=2).approve()
    with pytest.raises(Killed):
        case.publish(hook=killing(step))
    assert [row["age"] for row in case.published()] in ([1, 2], [20, 30, 40]), "the old or the new, whole"
    case.publish()
    assert [row["age"] for row in case.published()] == [20, 30, 40]
    complete(case)


@pytest.mark.parametrize("step", STEPS)
def test_killed_while_a_period_is_replaced(make_run, step):
    make_run(ages=(10,), period="2026-09").approve().publish()
    make_run(ages=(1, 2), period="2026-10").approve().publish()
    case = make_run(ages=(20, 30, 40), version=2, period="2026-10").approve()
    with pytest.raises(Killed):
        case.publish(hook=killing(step))
    assert [row["age"] for row in case.published()] in ([10, 1, 2], [10, 20, 30, 40])
    case.publish()
    assert [row["age"] for row in case.published()] == [10, 20, 30, 40]
    complete(case)


@pytest.mark.parametrize("step", TWO_STEPS)
def test_killed_in_a_release_of_two_tables(make_run, step):
    case = make_run(tables={"members": [one(20, 30)], "visits": [one(40)]}).approve()
    with pytest.raises(Killed):
        case.publish(hook=killing(step))
    manifest = release_manifest(case.environment, case.record)
    whole = all(DeltaTable.is_deltatable(str(case.place(name))) for name in ("members", "visits"))
    assert whole or not manifest.exists(), "no release manifest before all tables stand"
    case.publish()
    for name, ages in (("members", [20, 30]), ("visits", [40])):
        assert DeltaTable(str(case.place(name))).to_pyarrow_table().column("age").to_pylist() == ages
    assert set(manifest.read_json()["releases"][""]["tables"]) == {"members", "visits"}
    complete(case)


@pytest.mark.parametrize("step", STEPS[7:])
def test_killed_while_kept_information_is_encrypted(make_run, step):
    keep = {"destroy": None, "keep": {"reason": "panel", "until": "2027-12-31"}}
    case = make_run(additional_information=keep).approve()
    with pytest.raises(Killed):
        case.publish(hook=killing(step))
    case.publish()
    assert [path.name for path in case.folder.additional.local.iterdir()] == ["facts.json.sealed"]
    assert types(case) == ["publish", "keep"]
    assert not case.folder.staging.exists()


@pytest.mark.parametrize("step", REJECT_STEPS)
def test_killed_while_a_rejection_is_carried_out(make_run, step):
    case = make_run()
    case.vote("김검토", "rejected", reason="no")
    with pytest.raises(Killed):
        case.publish(hook=killing(step))
    with pytest.raises(DataFailed):
        case.publish()
    assert not case.folder.staging.exists()
    assert not case.folder.additional.exists()
    assert types(case) == ["reject", "destroy"]


def test_a_half_copied_file_is_replaced(make_run):
    case = make_run(ages=(20, 30, 40)).approve()
    case.place().mkdir(parents=True)
    (case.place() / f"part-00000-{case.folder.run}.parquet").write_bytes(b"PAR1 half of a file")
    case.publish()
    assert [row["age"] for row in case.published()] == [20, 30, 40]
    complete(case)


def test_a_late_completion_does_not_undo_a_newer_release(make_run):
    """Killed after its commit, and another run was published to the same place before anybody came back."""
    late = make_run(ages=(1, 2)).approve()
    with pytest.raises(Killed):
        late.publish(hook=killing("tidy"))
    newer = make_run(ages=(20,), version=2).approve()
    newer.publish()
    late.publish()
    assert [row["age"] for row in newer.published()] == [20]
    assert DeltaTable(str(newer.place())).metadata().configuration["gamyeong.fingerprint"] == newer.folder.run
    assert release_manifest(late.environment, late.record).read_json()["releases"][""]["run"] == newer.folder.run
    assert types(late) == ["publish", "destroy"]
    complete(newer)


def test_copies_of_a_killed_publish_do_not_outlive_a_rejection(make_run):
    case = make_run().approve()
    with pytest.raises(Killed):
        case.publish(hook=killing("commit retail"))
    assert list(case.place().glob("*.parquet"))
    case.vote("김검토", "rejected", reason="second thoughts")
    with pytest.raises(DataFailed):
        case.publish()
    assert list(case.environment.zone("published").local.glob("*")) == []
