"""The commands themselves: keys, reviewer, decide, status, publish, ledger processing; their exit codes."""

from __future__ import annotations

import json
import re
import unicodedata

import duckdb
import polars
import pytest
from deltalake import DeltaTable

from jobs import decide, keys_job, ledger_job, publish, reviewer, status
from jobs.difference import changes
from jobs.errors import Refused
from jobs.ledger import evidence_ledger
from jobs.names import folder_name
from jobs.runs import SourceVersion as Version
from jobs.runs import run_name


@pytest.fixture
def gamyeong(environment_file, capsys):
    """Runs a job; gives exit code, its JSON, its other output and what it says on stderr."""

    def run(job, *words: str):
        code = job.main([*words, "--environment", str(environment_file), "--json"])
        printed = capsys.readouterr()
        *text, last = printed.out.splitlines()
        return code, json.loads(last), "\n".join(text), printed.err

    return run


def test_from_a_reviewed_run_to_a_release_by_commands(make_run, gamyeong, tmp_path):
    case = make_run()
    run = case.folder.run
    code, said, _, _ = gamyeong(status)
    assert (code, said["runs"][0]["state"]) == (0, "waiting")
    assert said["runs"][0]["next"] == f"gamyeong decide {run} --show"
    code, _, text, _ = gamyeong(decide, run[:6], "--show")
    assert code == 0
    for told in ("2024-017", "지역경제연구원", case.record.tables[0].id, "report/index.html", "equal", "fit",
                 "this output has none yet"):  # fmt: skip
        assert told in text
    assert gamyeong(publish, run)[0] == 5
    for number, name in enumerate(case.keys):
        words = ["--reviewer", name, "--key", str(tmp_path / f"reviewer-{number}.pem"), "--conflicts", "none"]
        if number == 2:
            words += ["--outcome", "conditional", "--condition", "점검표"]
        code, said, _, _ = gamyeong(decide, run, *words, *(["--outcome", "approved"] if number < 2 else []))
        assert (code, said["reviewer"]) == (0, name)
    code, said, _, err = gamyeong(publish, run)
    assert code == 5
    assert "박검토 to close condition" in err
    assert gamyeong(decide, run, *words[:4], "--close", "점검표")[0] == 0
    assert gamyeong(status, run)[1]["runs"][0]["state"] == "ready"
    code, said, text, _ = gamyeong(publish)
    assert (code, said["verdict"], said["rows"]) == (0, "published", 5)
    assert said["tables"][0]["table"] == str(case.place())
    assert gamyeong(publish, run)[1]["verdict"] == "already published"
    assert gamyeong(status)[1]["runs"][0] | {"run": ""} == {
        "run": "", "state": "published", "plan": "retail-third-party", "output": "retail", "period": None,
        "rows": 5, "waits_for": "", "next": "",
    }  # fmt: skip
    code, said, text, _ = gamyeong(ledger_job, "processing")
    assert said["processing"][0]["application"] == "2024-017"
    assert "이용신청 접수번호: 2024-017" in text


def test_show_tells_the_difference_to_the_last_release(make_run, gamyeong):
    make_run().approve().publish()
    columns = {"serial": {"label": "고객번호"}, "age": {"label": "나이"}, "grade": {}}
    case = make_run(ages=(20,), version=2, tables=None, columns=columns)
    *_, text, _ = gamyeong(decide, case.folder.run, "--show")
    _, difference = text.split("difference to the last release")
    assert "plan.columns.age.label: 연령 → 나이" in difference
    assert "plan.columns.sex: {} → none" in difference
    assert "rows.retail: 5 → 1" in difference
    assert "source.retail: version 1, 10 rows → version 2, 10 rows" in difference
    assert "purpose" not in difference


def test_changes_are_told_by_their_paths():
    assert changes({"a": [1, {"b": 2}], "c": 3}, {"a": [1, {"b": 4}], "d": 5}) == [
        "a[1].b: 2 → 4", "c: 3 → none", "d: none → 5",
    ]  # fmt: skip


def test_keys_are_made_once_and_checked(gamyeong, environment):
    assert gamyeong(keys_job, "check")[0] == 2
    code, said, _, _ = gamyeong(keys_job, "init")
    assert (code, len(said["key_id"])) == (0, 16)
    code, _, _, err = gamyeong(keys_job, "init")
    assert (code, "root.json is there already" in err, "nothing to do" in err) == (2, True, True)
    assert gamyeong(keys_job, "check")[1]["key_id"] == said["key_id"]


def test_reviewers_are_made_listed_and_revoked(gamyeong, tmp_path):
    key = tmp_path / "kim.pem"
    code, made, _, _ = gamyeong(reviewer, "new", "김검토", "--key", str(key))
    assert (code, made["name"]) == (0, "김검토")
    second = tmp_path / "second.pem"
    code, _, _, err = gamyeong(reviewer, "new", "김검토", "--key", str(second))
    assert code == 3
    assert "one key for one person" in err
    assert not second.exists()
    assert gamyeong(reviewer, "revoke", "김검토")[0] == 0
    assert gamyeong(reviewer, "revoke", "김검토")[0] == 2
    assert gamyeong(reviewer, "new", "김검토", "--key", str(second))[0] == 0
    listed = gamyeong(reviewer, "list")[1]["reviewers"]
    assert [bool(one["revoked"]) for one in listed] == [True, False]


@pytest.mark.parametrize(
    "words", [("new",), ("new", "김"), ("revoke",), ("revoke", "아무개"), ("forget", "김")]
)
def test_incomplete_reviewer_commands_are_exit_2(gamyeong_code, words):
    assert gamyeong_code(reviewer, *words) == 2


@pytest.fixture
def gamyeong_code(environment_file):
    return lambda job, *words: job.main([*words, "--environment", str(environment_file)])


def test_an_unknown_run_is_exit_2_and_the_runs_are_named(make_run, gamyeong):
    code, _, _, err = gamyeong(publish)
    assert code == 2
    assert "no run yet" in err
    first, second = make_run().folder.run, make_run(version=2).folder.run
    code, _, _, err = gamyeong(publish)
    assert code == 2
    assert first in err
    assert second in err


def test_an_empty_name_is_no_run_though_there_is_one_alone(make_run, gamyeong):
    make_run()
    code, _, _, error = gamyeong(publish, "")
    assert code == 2
    assert "the run's name is empty" in error


def test_status_tells_each_state(make_run, gamyeong):
    trial, unfit = make_run(limit=5), make_run(version=2, verdicts=("equal", "unfit"))
    rejected, early = make_run(version=3), make_run(version=4)
    rejected.vote("김검토", "rejected", reason="no")
    early.folder.verify.delete()
    damaged = make_run(version=5)
    damaged.folder.record.local.write_text("{")
    states = {one["run"]: one for one in gamyeong(status)[1]["runs"]}
    assert states[trial.folder.run]["state"] == "trial"
    assert states[unfit.folder.run]["state"] == "unfit"
    assert (states[rejected.folder.run]["state"], states[rejected.folder.run]["next"]) == (
        "rejected", f"gamyeong publish {rejected.folder.run}",
    )  # fmt: skip
    assert states[early.folder.run]["next"] == f"gamyeong verify {early.folder.run}"
    assert states[damaged.folder.run]["state"] == "damaged"


def test_readers_find_rows_and_periods(make_run):
    """DuckDB and Polars; Spark SQL reads a release in the whole-flow test."""
    make_run(ages=(10, 20), period="2026-09").approve().publish()
    case = make_run(ages=(30,), period="2026-10").approve()
    case.publish()
    expected = [("2026-09", 10), ("2026-09", 20), ("2026-10", 30)]
    released = DeltaTable(str(case.place())).to_pyarrow_dataset()
    found = duckdb.sql("select period, age from released order by all").fetchall()
    assert found == expected
    assert released.schema.names == ["serial", "age", "sex", "period"]
    frame = polars.scan_delta(str(case.place())).select("period", "age").collect()
    assert sorted(frame.rows()) == expected


def test_a_run_is_named_by_what_went_into_it():
    base = {"customers": Version("retail/customers", "id-1", 3, 100)}
    name = run_name("f" * 64, base)
    assert len(name) == 16
    assert set(name) <= set("0123456789abcdef")
    assert name == run_name("f" * 64, {"customers": Version("retail/customers", "id-1", 3, None)})
    others = {
        run_name("e" * 64, base),
        run_name("f" * 64, {"customers": Version("retail/customers", "id-1", 4)}),
        run_name("f" * 64, {"customers": Version("retail/customers", "id-2", 3)}),
        run_name("f" * 64, base, stops={"customers": Version("retail/stops", "s", 1)}),
        run_name("f" * 64, base, period="2026-10"),
        run_name("f" * 64, base, limit=10),
    }
    assert len(others | {name}) == 7


@pytest.mark.parametrize("text", ["2024-017", "retail", "v1.2", "third_party"])
def test_plain_names_of_folders_stay_as_they_are(text):
    assert folder_name(text) == text


def test_korean_names_are_romanized_and_told_apart():
    """Polars opens no path outside of ASCII: deltalake hands it percent-encoded ones."""
    institute, spaced, other = (folder_name(t) for t in ("지역경제연구원", "지역경제 연구원", "분석 1팀"))
    assert institute.startswith("jiyeokgyeongjeyeonguwon-")
    assert other.startswith("bunseok-1tim-")
    assert institute.split("-")[-1] != spaced.split("-")[-1]
    assert folder_name(unicodedata.normalize("NFD", "지역경제연구원")) == institute


def test_no_text_takes_the_folder_of_another():
    institute = folder_name("지역경제연구원")
    assert folder_name(institute) != institute
    assert folder_name("a-00000000") != "a-00000000"
    assert folder_name("a-2026-10") == "a-2026-10"


@pytest.mark.parametrize("text", ["../retail", "a/b", ".hidden", "_log", "a\n", "c:x", "가/../나"])
def test_no_name_leaves_its_folder(text):
    assert re.fullmatch(r"[A-Za-z0-9-]+-[0-9a-f]{8}", folder_name(text))


@pytest.mark.parametrize("text", ["", "..", "/", " "])
def test_what_names_nothing_is_refused(text):
    with pytest.raises(Refused, match="can't name a folder"):
        folder_name(text)


def test_questions_on_conflict_of_interest_are_answered_before_anybody_decides(make_run, gamyeong, tmp_path):
    case = make_run()
    run, words = case.folder.run, ["--reviewer", "김검토", "--key", str(tmp_path / "reviewer-0.pem")]
    code, _, _, err = gamyeong(decide, run, *words, "--outcome", "approved")
    assert code == 2
    assert "--conflicts none" in err
    for wrong in ("", "0", "7", "1;2", "no"):
        code, _, _, err = gamyeong(decide, run, *words, "--conflicts", wrong, "--outcome", "approved")
        assert (code, "`gamyeong decide --questions` prints them" in err) == (2, True), wrong
    assert list(case.folder.decisions.local.glob("*")) == []
    code, _, text, _ = gamyeong(decide, "--questions")
    assert code == 0
    assert "6. 그 밖에 적정성 검토 대상 가명정보" in text
    code, said, _, _ = gamyeong(decide, run, *words, "--conflicts", "2, 5")
    assert (code, said["verdict"]) == (3, "conflict")
    (made,) = case.folder.decisions.local.glob("*")
    assert evidence_ledger(case.environment, write=False).entries()[-1].content()["file"] == made.name
