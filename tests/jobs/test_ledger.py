"""The ledger: a chain that two writers don't fork and that nobody alters unseen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from jobs import ledger_job
from jobs.errors import BadInput, Operational, Refused
from jobs.incidents.halted import halts
from jobs.ledger import GENESIS, Head, Ledger, chain_problems, evidence_ledger, source_ledger, trusted_entries
from jobs.signers import ledger_signer, pinned_signers
from jobs.signing import load_key, new_key
from jobs.storage import Location

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def ledger(environment):
    """A ledger with three entries."""
    made = evidence_ledger(environment, lambda: NOW)
    for number in range(3):
        made.append("note", {"number": number})
    return made


def problems(environment, against: str | None = None) -> list[str]:
    entries = evidence_ledger(environment, write=False).entries()
    return chain_problems(entries, pinned_signers(environment), Head.parse(against) if against else None)


def rewritten(environment, change) -> None:
    """Somebody replaces the whole table, as whoever may write the folder can."""
    place = str(evidence_ledger(environment, write=False).place)
    rows = change(sorted(DeltaTable(place).to_pyarrow_table().to_pylist(), key=lambda row: row["seq"]))
    schema = DeltaTable(place).to_pyarrow_table().schema
    write_deltalake(place + "-new", pa.Table.from_pylist(rows, schema=schema))
    shutil.rmtree(place)
    os.rename(place + "-new", place)


def test_entries_are_numbered_chained_and_signed(ledger, environment):
    first, second, third = ledger.entries()
    assert [e.seq for e in (first, second, third)] == [1, 2, 3]
    assert (first.previous, second.previous, third.previous) == (GENESIS, first.hash, second.hash)
    assert [e.content() for e in (first, second, third)] == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert first.at == "2026-12-01T09:30:00.000000Z"
    assert problems(environment) == []
    assert ledger.head() == Head(3, third.hash)
    assert Head.parse(str(ledger.head())) == ledger.head()


def test_an_empty_ledger_has_a_head_and_holds(environment):
    assert evidence_ledger(environment, write=False).head() == Head(0, GENESIS)
    assert problems(environment, f"0:{GENESIS}") == []


def test_once_gives_back_the_entry_that_is_there(ledger):
    made = ledger.append("publish", {"run": "a", "rows": 5}, once=("run",))
    again = ledger.append("publish", {"run": "a", "rows": 6}, once=("run",))
    assert again == made
    assert ledger.append("publish", {"run": "b", "rows": 5}, once=("run",)).seq == made.seq + 1
    assert ledger.append("destroy", {"run": "a"}, once=("run",)).seq == made.seq + 2


def test_an_entry_that_slips_in_between_reading_and_writing_does_not_fork_the_chain(environment):
    other = evidence_ledger(environment, lambda: NOW)
    slips = iter(("slipped in", "and once more"))

    def clock() -> datetime:
        # is asked after the chain was read and before the entry is committed
        text = next(slips, None)
        if text:
            other.append("note", {"text": text})
        return NOW

    evidence_ledger(environment, clock).append("note", {"text": "mine"})
    entries = other.entries()
    assert [entry.content()["text"] for entry in entries] == ["slipped in", "and once more", "mine"]
    assert problems(environment) == []


WRITER = """
import sys
from jobs.environment import load_environment
from jobs.ledger import evidence_ledger
ledger = evidence_ledger(load_environment(sys.argv[1]))
for number in range(int(sys.argv[3])):
    ledger.append("note", {"writer": sys.argv[2], "number": number})
"""


def test_two_processes_write_one_chain(environment, environment_file):
    root = str(Path(ledger_job.__file__).resolve().parents[1])
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(environment_file), name, "12"], cwd=root)
        for name in ("a", "b")
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    entries = evidence_ledger(environment, write=False).entries()
    assert [entry.seq for entry in entries] == list(range(1, 25))
    for name in ("a", "b"):
        mine = [entry.content()["number"] for entry in entries if entry.content()["writer"] == name]
        assert mine == list(range(12)), "none lost, none twice"
    assert problems(environment) == []
    place = evidence_ledger(environment, write=False).place.local
    assert len(list(place.glob("*.parquet"))) == 24, "attempts that lost left no file"


def test_an_altered_entry_shows(ledger, environment):
    rewritten(environment, lambda rows: [{**r, "body": r["body"].replace("1", "9")} for r in rows])
    assert problems(environment) == [
        "entry 2: its content does not have its hash: it was altered",
        f"entry 2: its signature is not that of key {ledger_signer(environment).key_id}",
    ]
    with pytest.raises(Refused, match="entry 2: its content does not have its hash"):
        trusted_entries(environment, ledger)


def test_a_removed_entry_shows(ledger, environment):
    rewritten(environment, lambda rows: [rows[0], rows[2]])
    assert "entry 3: follows entry 1; allowed: 2" in problems(environment)


def test_a_cut_off_end_shows_only_against_a_head_that_was_exported(ledger, environment):
    head = str(ledger.head())
    rewritten(environment, lambda rows: rows[:2])
    assert problems(environment) == []
    assert problems(environment, head) == [
        f"the ledger does not hold the head {head}: entries were replaced or are missing"
    ]


def heads(environment) -> Path:
    """Where the newest head is kept: beside the key, apart from the ledger."""
    return environment.reviewers.with_name("ledger-heads.json")


def test_a_cut_off_end_is_refused_by_the_head_that_is_kept(ledger, environment, environment_file, capsys):
    """Whoever may write the ledger's folder takes its last commit away; what is entered later does not cover it."""
    kept = str(ledger.head())
    rewritten(environment, lambda rows: rows[:2])
    with pytest.raises(Refused, match=f"does not hold the head {kept}"):
        trusted_entries(environment, ledger)
    with pytest.raises(Refused, match="from a backup"):
        halts(environment)
    assert job(environment_file, "verify") == 1
    assert "ledger-heads.json" in capsys.readouterr().err
    for number in range(3):
        evidence_ledger(environment).append("note", {"number": number})
    with pytest.raises(Refused, match=f"does not hold the head {kept}"):
        trusted_entries(environment, ledger)


def test_a_ledger_that_was_removed_is_missed(ledger, environment):
    shutil.rmtree(ledger.place.local)
    with pytest.raises(Refused, match="does not hold the head 3:"):
        halts(environment)


def test_killed_before_the_head_is_kept_the_older_one_is_still_held(ledger, environment, monkeypatch):
    before = heads(environment).read_text()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jobs.ledger_heads.KeptHead.write", killed)
    with pytest.raises(KeyboardInterrupt):
        evidence_ledger(environment).append("note", {"number": 3})
    monkeypatch.undo()
    assert heads(environment).read_text() == before
    draft = heads(environment).with_name(".ledger-heads.json.0123456789abcdef")
    draft.write_text("{")
    assert len(trusted_entries(environment, ledger)) == 4
    evidence_ledger(environment).append("note", {"number": 4})
    assert str(ledger.head()) in heads(environment).read_text()
    assert not draft.exists(), "what a kill left half-written does not stay"


def test_a_ledger_from_before_heads_were_kept_gets_one_at_its_next_entry(ledger, environment):
    heads(environment).unlink()
    assert len(trusted_entries(environment, ledger)) == 3
    evidence_ledger(environment).append("note", {"number": 3})
    assert str(ledger.head()) in heads(environment).read_text()
    heads(environment).write_text("[]")
    with pytest.raises(BadInput, match="from its backup"):
        trusted_entries(environment, ledger)


def test_each_ledger_of_a_place_of_work_has_a_head_of_its_own(ledger, environment, environment_file):
    source_ledger(environment).append("generate", {"table": "people"})
    for one in (ledger, source_ledger(environment)):
        assert trusted_entries(environment, one)
        assert str(one.head()) in heads(environment).read_text()
    assert changed(environment_file) == 0, "nor does another key begin another ledger"
    assert str(ledger.head()) in heads(environment).read_text()
    assert trusted_entries(environment, ledger)


def test_a_head_stays_held_while_the_ledger_grows(ledger, environment):
    head = str(ledger.head())
    ledger.append("note", {"number": 3})
    assert problems(environment, head) == []


def test_a_foreign_signer_shows(ledger, environment, tmp_path):
    stranger = new_key(tmp_path / "stranger.pem")
    Ledger(ledger.place, stranger, lambda: NOW).append("note", {"number": 3})
    assert problems(environment) == [f"entry 4: signed by key {stranger.key_id}, which is not pinned"]


def test_the_table_refuses_deletion_and_keeps_no_minima(ledger):
    table = DeltaTable(str(ledger.place))
    with pytest.raises(Exception, match=r"(?i)append"):
        table.delete("seq = 1")
    logs = "".join(path.read_text() for path in (ledger.place / "_delta_log").local.glob("*.json"))
    assert "minValues" not in logs


def test_the_key_of_the_ledger_is_for_its_owner_alone(ledger, environment):
    path = environment.reviewers.with_name("ledger-key.pem")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not path.is_relative_to(environment.zone("keys").local), "reviewers sign and never see that zone"


def test_a_reader_needs_no_key(ledger, environment):
    environment.reviewers.with_name("ledger-key.pem").unlink()
    assert len(evidence_ledger(environment, write=False).entries()) == 3
    assert not environment.reviewers.with_name("ledger-key.pem").exists()


def changed(environment_file) -> int:
    return job(environment_file, "new-key", "--person", "Choi Head", "--reason", "who kept it has left")


def test_another_key_goes_on_where_the_old_one_ended(ledger, environment, environment_file, tmp_path):
    file = environment.reviewers.with_name("ledger-key.pem")
    (old,) = pinned_signers(environment)
    kept = tmp_path / "copied.pem"
    kept.write_bytes(file.read_bytes())
    kept.chmod(0o600)
    assert changed(environment_file) == 0
    entry = ledger.entries()[-1]
    assert (entry.type, entry.content()["ended"], entry.content()["person"]) == ("ledger-key", [old], "Choi Head")
    assert entry.key_id != old
    assert entry.key_id == ledger_signer(environment).key_id
    assert problems(environment) == [], "what the old key signed before still counts"
    assert changed(environment_file) == 0
    assert problems(environment) == []
    # who has a copy of the old key signs on, be it at the end or in another end of their own
    rewritten(environment, lambda rows: rows[:3])
    Ledger(ledger.place, load_key(kept), lambda: NOW).append("note", {"number": 9})
    assert problems(environment) == [f"entry 4: signed by key {old}, which was ended before"]
    rewritten(environment, lambda rows: rows[:2])
    Ledger(ledger.place, load_key(kept), lambda: NOW).append("note", {"number": 9})
    assert len(problems(environment)) == 3, "an altered past holds no head of the key, so none of its entries counts"


def test_a_job_that_began_under_the_old_key_enters_nothing(ledger, environment, environment_file):
    assert changed(environment_file) == 0
    with pytest.raises(Operational, match="start it again"):
        ledger.append("note", {"number": 3})
    assert len(ledger.entries()) == 4
    evidence_ledger(environment).append("note", {"number": 3})
    assert problems(environment) == []


def test_a_change_that_was_killed_is_done_by_the_next(ledger, environment, environment_file, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger_job, "end", killed)
    assert changed(environment_file) == 4
    monkeypatch.undo()
    evidence_ledger(environment).append("note", {"number": 3})
    assert problems(environment) == []
    assert changed(environment_file) == 0
    assert problems(environment) == []
    assert [pin.ended is None for pin in pinned_signers(environment).values()] == [False, False, True]


def test_who_changes_the_key_says_why(ledger, environment_file, capsys):
    assert job(environment_file, "new-key", "--person", "Choi Head") == 2
    assert "--reason" in capsys.readouterr().err
    assert job(environment_file, "new-key", "--person", "Choi Head", "--reason", " ") == 2


def test_a_lost_key_is_replaced_and_a_lost_list_is_not(ledger, environment):
    """The list tells whose the entries are: without it jobs stop, before they make the ledger a mixed one."""
    environment.reviewers.with_name("ledger-key.pem").unlink()
    evidence_ledger(environment).append("note", {"number": 3})
    assert problems(environment) == []
    pins = environment.reviewers.with_name("ledger-signers.json")
    saved = pins.read_bytes()
    pins.unlink()
    environment.reviewers.with_name("ledger-key.pem").unlink()
    with pytest.raises(Refused, match=r"restore ledger-signers\.json from its backup"):
        evidence_ledger(environment).append("note", {"number": 4})
    with pytest.raises(Refused, match="is not pinned"):
        trusted_entries(environment, ledger)
    pins.write_bytes(saved)
    evidence_ledger(environment).append("note", {"number": 4})
    assert problems(environment) == []
    assert len(ledger.entries()) == 5


@pytest.mark.parametrize("text", ["", "3", "3:abc", "x:" + "0" * 64, "3:" + "g" * 64])
def test_what_is_no_head_is_bad_input(text):
    with pytest.raises(BadInput, match="export-head"):
        Head.parse(text)


def job(environment_file, *words: str) -> int:
    return ledger_job.main([*words, "--environment", str(environment_file), "--json"])


def test_the_job_lists_exports_and_verifies(ledger, environment, environment_file, tmp_path, capsys):
    assert job(environment_file) == 0
    assert [e["body"] for e in last_line(capsys)["entries"]] == [{"number": n} for n in range(3)]
    head = tmp_path / "head.txt"
    assert job(environment_file, "export-head", "--to", str(head)) == 0
    assert last_line(capsys)["head"] == str(ledger.head()) == head.read_text().strip()
    ledger.append("note", {"number": 3})
    assert job(environment_file, "verify", "--against", str(head)) == 0
    assert last_line(capsys)["verdict"] == "holds"
    rewritten(environment, lambda rows: rows[:2])
    heads(environment).unlink()
    assert job(environment_file, "verify") == 0
    assert job(environment_file, "verify", "--against", str(head)) == 1
    assert "does not hold the head 3:" in capsys.readouterr().err
    assert job(environment_file, "verify", "--against", "nonsense") == 2


def last_line(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_every_entry_is_a_file_of_its_own_without_the_writer_s_schema(ledger):
    for path in ledger.place.local.glob("*.parquet"):
        assert pq.read_metadata(path).num_rows == 1
        assert b"ARROW:schema" not in (pq.read_metadata(path).metadata or {})


def test_a_place_that_is_no_ledger_yet_is_made_by_whoever_comes_first(environment, tmp_path):
    place = Location.of(tmp_path / "another")
    signer = ledger_signer(environment)
    first, second = Ledger(place, signer), Ledger(place, signer)
    first.append("note", {"n": 1})
    assert second.append("note", {"n": 2}).seq == 2
