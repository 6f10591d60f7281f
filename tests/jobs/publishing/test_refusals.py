"""What publish refuses (exit 3): everything that is not exactly what enough proper reviewers signed."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.clock import stamp
from jobs.conflicts import answers
from jobs.decide import Vote, decide
from jobs.decisions import bound, save, statement
from jobs.errors import BadInput, Operational, Refused, Waiting
from jobs.ledger import evidence_ledger
from jobs.locks import exclusive
from jobs.reviewer import new_reviewer
from jobs.reviewers import load_reviewers, pin, revoke
from jobs.signing import load_key, new_key

DOCUMENTS = [
    "run.json", "plan.yaml", "plan.json", "manifest.json", "verify.json", "suite.json", "result.json",
    "report/index.html",
]  # fmt: skip


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file()) if folder.exists() else ()
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def refused(case, match: str) -> None:
    """Publish ends with exit 3, writes nothing to staging and published, and says so in the ledger."""
    zones = [case.environment.zone(name).local for name in ("staging", "published", "additional-information")]
    before = [tree(zone) for zone in zones]
    with pytest.raises(Refused, match=match) as caught:
        case.publish()
    assert caught.value.exit_code == 3
    assert [tree(zone) for zone in zones] == before
    assert list(case.environment.zone("published").local.glob("*")) == [], "no empty folder either"
    assert case.folder.environment.zone("keys").local.joinpath("runs", f"{case.folder.run}.json").exists()
    last = evidence_ledger(case.environment, write=False).entries()[-1]
    assert (last.type, last.content()["run"]) == ("publish-refused", case.folder.run)


def flip(path: Path, place: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[place % len(raw)] ^= 1
    path.write_bytes(bytes(raw))


def forge(case, reviewer: str, key=None, *, binding=None, **said):
    """A decision file written past `decide`, by whoever holds the key."""
    key = key or case.keys[reviewer]
    head, at = evidence_ledger(case.environment, write=False).head(), stamp(case.now)
    vote = {"kind": "decision", "outcome": "approved", "conditions": [], "reason": "", "conflicts": answers(()), **said}
    binding = binding or bound(case.folder, case.record)
    return save(case.folder.decisions, statement(reviewer, key, binding, head, vote.pop("at", at), vote), key)


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_flipped_byte_in_a_staged_file(make_run, place):
    case = make_run().approve()
    flip(sorted(case.folder.staged("retail").local.glob("*.parquet"))[1], place)
    refused(case, "altered after the review: part-1.parquet")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_flipped_byte_in_a_document(make_run, name):
    """Wherever in the document: in a bracket, a name of a field, a number, a name of a person."""
    case = make_run().approve()
    path = (case.folder.evidence / name).local
    raw = path.read_bytes()
    for place in range(0, len(raw), max(1, len(raw) // 6)):
        flip(path, place)
        refused(case, f"(?s){name}|damaged|needs decisions of")
        path.write_bytes(raw)


def test_a_document_that_was_added_or_removed(make_run):
    case = make_run().approve()
    extra = (case.folder.report / "other.html").local
    extra.write_text("<p>")
    refused(case, "evidence was altered:\nreport/other.html: not as review entered it in the ledger")
    case.enter()
    refused(case, "decided about other content: report/other.html")
    extra.rename(case.folder.report.local / "index.html")
    refused(case, "report/index.html, report/other.html: not as review entered it")


def test_a_staged_file_dropped_from_the_log_or_replaced_by_another_of_its_size(make_run):
    case = make_run().approve()
    log = case.folder.staged("retail").local / "_delta_log" / "00000000000000000001.json"
    lines = log.read_text().splitlines()
    log.write_text("\n".join(line for line in lines if "part-1.parquet" not in line) + "\n")
    refused(case, "not what was reviewed: other files")


def test_decisions_about_another_version_of_the_staged_table(make_run):
    case = make_run().approve()
    case.restage()
    case.enter()
    refused(case, "decided about other content: manifest, the staged table or its version, manifest.json")


def test_a_reviewer_who_decides_anew_about_what_changed_is_heard(make_run):
    case = make_run().approve()
    (case.folder.report / "index.html").local.write_text("<p>second edition</p>")
    case.enter()
    refused(case, "decided about other content: report/index.html")
    case.now = datetime(2026, 1, 5, 13, tzinfo=UTC)
    case.approve()
    case.publish()
    assert len(case.published()) == 5


def test_a_replayed_decision(make_run):
    case = make_run()
    case.vote("김검토")
    made = case.vote("이검토")
    folder = case.folder.decisions.local
    shutil.copy(folder / made.file, folder / "박검토-copy.json")
    refused(case, "replayed decision")


def test_a_decision_of_another_run(make_run):
    first = make_run(version=1).approve()
    second = make_run(version=2)
    second.vote("김검토")
    second.vote("이검토")
    [other] = [path for path in first.folder.decisions.local.iterdir() if path.name.startswith("박검토")]
    shutil.copy(other, second.folder.decisions.local / other.name)
    refused(second, "박검토 decided about other content: run, ")


def test_one_person_with_two_keys(make_run, tmp_path):
    case = make_run().approve()
    extra = new_key(tmp_path / "second.pem")
    with pytest.raises(Refused, match="has a key already"):
        pin(case.environment, " 김검토", extra.public, stamp(case.now))
    # pinned past the command, in another spelling of the same name
    path = case.environment.reviewers
    raw = json.loads(path.read_text())
    raw["reviewers"].append({"name": "김검토 ", "public": extra.public, "since": stamp(case.now)})
    path.write_text(json.dumps(raw))
    refused(case, "김검토 has two keys; allowed: one key for one person")


def test_two_persons_with_one_key(make_run):
    case = make_run().approve()
    path = case.environment.reviewers
    raw = json.loads(path.read_text())
    raw["reviewers"].append({**raw["reviewers"][0], "name": "오검토"})
    path.write_text(json.dumps(raw))
    refused(case, "stands twice")


def test_one_person_s_decisions_count_once(make_run):
    case = make_run()
    for _ in range(3):
        case.vote("김검토")
    with pytest.raises(Waiting, match="2 more decision"):
        case.publish()


def test_too_few_reviewers(make_run):
    case = make_run().approve()
    revoke(case.environment, "박검토", stamp(case.now))
    refused(case, "needs decisions of 3 reviewers; only 2 may decide")


def test_more_reviewers_than_the_floor_where_the_plan_asks_for_them(make_run):
    case = make_run(adequacy={"reviewers": 4}).approve()
    refused(case, "needs decisions of 4 reviewers; only 3 may decide")


@pytest.mark.parametrize("role", ["author", "operator", "users", "processors"])
def test_a_reviewer_who_made_runs_or_uses_the_data(make_run, tmp_path, environment, role):
    new_reviewer(environment, "겸직", tmp_path / "both.pem")
    key = load_key(tmp_path / "both.pem")
    name = "겸직" if role in ("author", "operator") else ["겸직"]
    case = make_run(people={role: name})
    case.vote("김검토")
    case.vote("이검토")
    with pytest.raises(Refused, match="겸직 is author, operator, processor or user of this plan"):
        decide(case.folder, "겸직", key, Vote("approved"), clock=lambda: case.now)
    assert len(list(case.folder.decisions.local.iterdir())) == 2, "nothing was written"
    forge(case, "겸직", key)
    refused(case, "겸직 is author, operator, processor or user of this plan")


def test_a_reviewer_whom_the_plan_does_not_name(make_run, tmp_path, environment):
    new_reviewer(environment, "오검토", tmp_path / "other.pem")
    people = {"reviewers": ["김검토", "이검토", "박검토"]}
    case = make_run(people=people).approve()
    forge(case, "오검토", load_key(tmp_path / "other.pem"))
    refused(case, "오검토 is none of the plan's reviewers")


def test_an_unknown_reviewer(make_run, tmp_path):
    case = make_run()
    case.vote("김검토")
    case.vote("이검토")
    key = new_key(tmp_path / "stranger.pem")
    with pytest.raises(Refused, match="나그네 is not among the pinned reviewers"):
        decide(case.folder, "나그네", key, Vote("approved"), clock=lambda: case.now)
    forge(case, "나그네", key)
    refused(case, "나그네 is not among the pinned reviewers")


def test_a_decision_in_another_s_name(make_run, tmp_path):
    case = make_run()
    case.vote("김검토")
    with pytest.raises(Refused, match="is not the one that is pinned for 이검토"):
        decide(case.folder, "이검토", case.keys["김검토"], Vote("approved"), clock=lambda: case.now)
    forge(case, "이검토", case.keys["김검토"])
    refused(case, "which is not pinned for 이검토")


def test_an_altered_decision(make_run):
    case = make_run()
    made = forge(case, "김검토", outcome="conditional", conditions=[{"id": "a", "text": "b"}])
    path = case.folder.decisions.local / made.file
    path.write_text(path.read_text().replace('"conditional"', '"approved"'))
    refused(case, "the signature is not that of 김검토: the file was altered")


def test_a_decision_that_was_removed_again(make_run):
    case = make_run().approve()
    made = case.vote("박검토", "rejected", reason="no")
    (case.folder.decisions.local / made.file).unlink()
    refused(case, "the ledger knows this decision of 박검토, but it was removed or altered")


@pytest.mark.parametrize("at", ["2027-01-01T00:00:00.000000Z", "2026-01-05T10:00:00.000000Z", "yesterday"])
def test_a_decision_out_of_its_time(make_run, at):
    case = make_run()
    forge(case, "김검토", at=at)
    refused(case, "before the run's end or in the future|without a time")


def test_a_revoked_key_counts_no_more_but_what_it_rejected_stays_rejected(make_run, tmp_path):
    case = make_run().approve()
    revoke(case.environment, "박검토", stamp(case.now))
    new_reviewer(case.environment, "박검토", tmp_path / "new.pem")
    with pytest.raises(Waiting, match=r"1 more decision.*by 박검토"):
        case.publish()
    case.keys["박검토"] = load_key(tmp_path / "new.pem")
    case.vote("박검토", "rejected", reason="no")
    revoke(case.environment, "박검토", stamp(case.now))
    new_reviewer(case.environment, "박검토", tmp_path / "third.pem")
    with pytest.raises(Exception, match="rejected by 박검토"):
        case.publish()


def test_a_replaced_ledger(make_run):
    case = make_run().approve()
    shutil.rmtree(case.environment.zone("evidence").local / "ledger")
    evidence_ledger(case.environment).append("note", {"new": "chain"})
    case.enter()
    refused(case, "does not hold the head")
    case.environment.reviewers.with_name("ledger-heads.json").unlink()  # the decisions tell of it, too
    refused(case, "names a head that the ledger doesn't hold: the ledger was replaced")


def test_use_after_until(make_run):
    case = make_run().approve()
    case.now = datetime(2098, 12, 31, 23, tzinfo=UTC)
    case.publish()
    late = make_run(version=2).approve()
    late.now = datetime(2099, 1, 1, tzinfo=UTC)
    with pytest.raises(Refused, match="ended on 2098-12-31"):
        late.publish()


def test_a_trial_run(make_run):
    case = make_run(limit=100).approve()
    refused(case, r"is a trial \(--limit 100\); it can never be published")


def test_a_staged_column_named_like_the_period(make_run):
    odd = pa.table({"serial": [1], "period": ["x"]})
    case = make_run(period="2026-10", tables={"retail": [odd]}).approve()
    refused(case, "allowed: another name for that column")


def test_one_job_at_a_time(make_run):
    case = make_run().approve()
    with exclusive(case.folder.lock, "the run"), pytest.raises(Operational, match="another job is at work"):
        case.publish()
    case.publish()


@pytest.mark.parametrize(
    ("vote", "match"),
    [
        (Vote(), "either --outcome or --close"),
        (Vote("approved", close="x"), "either --outcome or --close"),
        (Vote("conditional"), "belong together"),
        (Vote("approved", ("c",)), "belong together"),
        (Vote("rejected"), "--reason TEXT"),
    ],
)
def test_an_incomplete_decision_is_bad_input(make_run, vote, match):
    case = make_run()
    with pytest.raises(BadInput, match=match):
        decide(case.folder, "김검토", case.keys["김검토"], vote)


def test_a_key_file_that_others_may_read(reviewers, tmp_path):
    path = tmp_path / "reviewer-0.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(Refused, match="may be read by others"):
        load_key(path)


def test_an_encrypted_key_needs_its_passphrase(environment, tmp_path):
    path = tmp_path / "key.pem"
    made = new_reviewer(environment, "비밀", path, b"open sesame")
    assert load_key(path, b"open sesame").key_id == made.key_id
    with pytest.raises(BadInput, match="needs a passphrase"):
        load_key(path)
    with pytest.raises(BadInput, match="passphrase is wrong"):
        load_key(path, b"guess")
    with pytest.raises(BadInput, match="exists already"):
        new_reviewer(environment, "다른", path)
    assert [one.name for one in load_reviewers(environment)] == ["비밀"]


@pytest.mark.parametrize(("period", "below"), [(None, ""), ("2026-10", "period=2026-10")])
def test_copies_of_a_killed_attempt_are_gone_after_a_refusal(make_run, period, below):
    case = make_run(period=period).approve()
    (case.place() / below).mkdir(parents=True)
    pq.write_table(pa.table({"serial": [1]}), case.place() / below / f"part-00000-{case.folder.run}.parquet")
    (case.folder.report / "index.html").local.write_text("<p>other</p>")
    with pytest.raises(Refused):
        case.publish()
    assert list(case.environment.zone("published").local.glob("*")) == []


@pytest.mark.parametrize("first", ["one", "two"])
def test_one_table_never_stands_among_several(make_run, first):
    """A plan that gains or loses further tables takes another output: a table's folder holds no other tables."""
    rows = pa.table({"serial": [1, 2], "age": [20, 30]})
    forms = {"one": {"retail": [rows]}, "two": {"retail": [rows], "amounts": [rows]}}
    make_run(tables=forms.pop(first), fingerprint="a" * 64).approve().publish()
    case = make_run(tables=next(iter(forms.values())), fingerprint="b" * 64).approve()
    before = tree(case.environment.zone("published").local)
    with pytest.raises(Refused, match="allowed: another output name"):
        case.publish()
    assert tree(case.environment.zone("published").local) == before
