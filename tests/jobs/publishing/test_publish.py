"""Publishing: a reviewed run comes out whole, once, with its comments; its additional information goes."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs import additional
from jobs.environment import ZONES
from jobs.errors import DataFailed, Refused, Waiting
from jobs.keys import KeyGone
from jobs.ledger import chain_problems, evidence_ledger
from jobs.names import folder_name
from jobs.processing import FIELDS, as_text, processing_lines
from jobs.signers import pinned_signers


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def entries(case):
    return evidence_ledger(case.environment, write=False).entries()


def test_a_reviewed_run_is_published_in_one_commit_with_its_comments_and_properties(make_run):
    case = make_run(ages=(20, 30, 30, 40, 50)).approve()
    release = case.publish()
    assert [row["age"] for row in case.published()] == [20, 30, 30, 40, 50]
    table = DeltaTable(str(case.place()))
    assert {field.name: field.metadata["comment"] for field in table.schema().fields} == {
        "serial": "뜻: serial", "age": "뜻: age", "sex": "뜻: sex",
    }  # fmt: skip
    assert table.metadata().configuration["gamyeong.plan"] == "retail-third-party"
    assert table.metadata().partition_columns == []
    with_rows = [c for c in table.history() if c.get("gamyeong.run") == case.folder.run]
    assert len(with_rows) == 1, "one commit shows the release"
    assert with_rows[0]["gamyeong.manifest"] == json.loads(case.folder.manifest.local.read_text())["sha256"]
    assert not release.already
    # application number and recipient name the folder, so that the recipient is handed that one alone
    assert case.place().relative_to(case.environment.zone("published").local).parts == (
        "2024-017", folder_name("지역경제연구원"), "retail",
    )  # fmt: skip


def test_published_files_are_the_reviewed_bytes(make_run):
    case = make_run().approve()
    staged = sorted(path.read_bytes() for path in case.folder.staged("retail").local.glob("*.parquet"))
    case.publish()
    assert sorted(path.read_bytes() for path in case.place().glob("*.parquet")) == staged


def test_publishing_again_says_so_and_changes_nothing(make_run):
    case = make_run().approve()
    case.publish()
    warehouse = case.environment.zone("published").local.parent
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files_below(warehouse)}
    again = case.publish()
    assert again.already
    assert again.completed == ()
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files_below(warehouse)} == before


def test_destroy_approved_leaves_neither_run_secret_nor_facts_nor_staging(make_run):
    case = make_run().approve()
    assert case.folder.facts.exists()
    case.publish()
    assert not case.folder.staging.exists()
    assert not case.folder.additional.exists()
    with pytest.raises(KeyGone):
        additional.run_secrets(case.folder).load(case.folder.run)
    [destroyed] = [entry.content() for entry in entries(case) if entry.type == "destroy"]
    # the fields of the destruction ledger, L3295
    assert (destroyed["application"], destroyed["performer"]) == ("2024-017", "한운영")
    evidence = destroyed["evidence"]
    assert (evidence["canary_opened_before"], evidence["canary_opens"], evidence["provider"]) == (True, False, "gone")
    assert set(evidence["searched"]) | set(evidence["not_searched"]) == set(ZONES)
    assert set(evidence["searched"]) >= {"published", "evidence", "keys", "additional-information"}
    assert evidence["searched"]["published"]["passed_over"] > 0  # the table's data files
    assert evidence["copies"] == []


def test_a_copy_of_the_wrapped_secret_in_any_zone_is_told(make_run):
    """Whatever is newer than the secret is searched; a table's data files are compressed and left out."""
    case = make_run().approve()
    card = additional.run_secrets(case.folder).card(case.folder.run)
    zones = case.environment.zones
    places = [zones["published"] / "copy.bak", zones["evidence"] / "deep/er/copy", zones["source"] / "copy"]
    old = zones["published"] / "old"
    for place in (*places, old, zones["published"] / "data.parquet"):
        place.local.parent.mkdir(parents=True, exist_ok=True)
        place.local.write_bytes(b"x" * 100 + base64.b64encode(card.wrapped))
    os.utime(old.local, (1e9, 1e9))  # of 2001
    done = case.publish()
    [destroyed] = [entry.content() for entry in entries(case) if entry.type == "destroy"]
    assert sorted(destroyed["evidence"]["copies"]) == ["evidence/deep/er/copy", "published/copy.bak", "source/copy"]
    assert any("copies of the run's wrapped secret lie at" in one for one in done.completed)


def test_keep_leaves_the_facts_encrypted_under_the_run_s_key(make_run):
    keep = {"reason": "종단 연구의 다음 차수", "until": "2027-12-31"}
    case = make_run(additional_information={"destroy": None, "keep": keep}).approve()
    plain = case.folder.facts.local.read_bytes()
    case.publish()
    [kept] = files_below(case.folder.additional.local)
    assert kept.name == "facts.json.sealed"
    assert plain not in kept.read_bytes()
    assert b"cut" not in kept.read_bytes()
    pieces: list[bytes] = []
    additional.unseal(case.folder, case.record, "facts.json", pieces.append)
    assert b"".join(pieces) == plain
    assert [entry.content()["until"] for entry in entries(case) if entry.type == "keep"] == ["2027-12-31"]
    kept.write_bytes(kept.read_bytes()[:-1] + bytes([kept.read_bytes()[-1] ^ 1]))
    with pytest.raises(additional.Operational, match="altered"):
        additional.unseal(case.folder, case.record, "facts.json", pieces.append)


def test_the_processing_ledger_has_the_form_s_fields(make_run):
    case = make_run().approve()
    case.publish()
    [line] = processing_lines(entries(case))
    assert line["application"] == "2024-017"
    assert line["purpose"] == "과학적 연구: 코로나19 전후 지역·연령대별 소비 변화 연구"
    assert line["items"] == ["고객번호", "연령", "sex"]
    assert line["responsible"] == "최책임"
    assert line["handlers"] == ["한운영"]
    assert line["manner"] == "외부제공"
    assert line["recipient"] == "지역경제연구원"
    assert line["files"] == [str(case.place())]
    assert line["period_of_use"] == "2026-01-01 ~ 2098-12-31"
    assert line["checker"] == "김검토, 박검토, 이검토"
    text = as_text([line])
    assert all(label in text for label in FIELDS.values())


def test_the_ledger_of_a_release_is_one_unbroken_chain(make_run):
    case = make_run().approve()
    case.publish()
    found = entries(case)
    assert chain_problems(found, pinned_signers(case.environment)) == []
    assert [entry.type for entry in found] == [
        "reviewer-new", "reviewer-new", "reviewer-new", "pseudonymize", "verify", "review",
        "decision", "decision", "decision", "publish", "destroy",
    ]  # fmt: skip


def test_missing_decisions_are_waited_for_by_name(make_run):
    case = make_run()
    case.vote("김검토")
    with pytest.raises(Waiting) as waiting:
        case.publish()
    assert waiting.value.exit_code == 5
    assert "2 more decision(s) of 3, by 이검토 or 박검토" in waiting.value.message
    assert files_below(case.environment.zone("published").local) == []


def test_missing_review_or_verify_is_waited_for(make_run):
    case = make_run()
    case.folder.result.delete()
    with pytest.raises(Waiting, match=r"waits for review \(result.json missing\)"):
        case.publish()


def test_a_conditional_decision_publishes_once_its_reviewer_closed_the_condition(make_run):
    case = make_run()
    case.vote("김검토")
    case.vote("이검토")
    given = case.vote("박검토", "conditional", conditions=["이용 장소 점검표 제출"])
    [condition] = given.conditions
    with pytest.raises(Waiting, match=f"박검토 to close condition {condition['id']}"):
        case.publish()
    with pytest.raises(Exception, match="김검토 has no open condition"):
        case.close("김검토", condition["id"])
    case.close("박검토", condition["id"])
    case.publish()
    assert len(case.published()) == 5


def test_any_rejection_ends_the_run_and_removes_staging_and_additional_information(make_run):
    case = make_run().approve()
    case.vote("박검토", "rejected", reason="연령 단위가 좁다")
    with pytest.raises(DataFailed) as rejected:
        case.publish()
    assert rejected.value.exit_code == 1
    assert "박검토 (연령 단위가 좁다)" in rejected.value.message
    assert not case.folder.staging.exists()
    assert not case.folder.additional.exists()
    assert not additional.run_secrets(case.folder).exists(case.folder.run)
    assert files_below(case.environment.zone("published").local) == []
    with pytest.raises(DataFailed, match="was rejected"):
        case.publish()
    with pytest.raises(Refused, match="is rejected already"):
        case.vote("김검토")


@pytest.mark.parametrize("verdicts", [("different", "fit"), ("equal", "unfit")])
def test_data_that_failed_their_checks_can_only_be_rejected(make_run, verdicts):
    case = make_run(verdicts=verdicts)
    with pytest.raises(Refused, match="allowed: --outcome rejected"):
        case.vote("김검토")
    with pytest.raises(DataFailed, match="failed its checks"):
        case.publish()
    case.vote("김검토", "rejected", reason="verify")
    with pytest.raises(DataFailed, match="rejected by 김검토"):
        case.publish()


def test_a_period_is_appended_and_replaces_only_its_own_period(make_run):
    september = make_run(ages=(10, 20), period="2026-09").approve()
    september.publish()
    october = make_run(ages=(30, 40), period="2026-10").approve()
    october.publish()
    assert [(row["period"], row["age"]) for row in october.published()] == [
        ("2026-09", 10), ("2026-09", 20), ("2026-10", 30), ("2026-10", 40),
    ]  # fmt: skip
    old = {path.name for path in october.place().rglob(f"*-{october.folder.run}.parquet")}
    assert old
    again = make_run(ages=(70,), period="2026-10", version=2, tables={"retail": [rows_of(70)]}).approve()
    again.publish()
    assert [(row["period"], row["age"]) for row in again.published()] == [
        ("2026-09", 10), ("2026-09", 20), ("2026-10", 70),
    ]  # fmt: skip
    left = [path.name for path in again.place().rglob("*.parquet")]
    assert not old & set(left), "what was replaced is physically gone"
    assert {september.folder.run, again.folder.run} == {name.split("-")[2].split(".")[0] for name in left}
    manifest = json.loads((again.place().parent / "retail.release.json").read_text())
    assert {period: one["run"] for period, one in manifest["releases"].items()} == {
        "2026-09": september.folder.run, "2026-10": again.folder.run,
    }  # fmt: skip


def rows_of(*ages: int) -> pa.Table:
    return pa.table(
        {"serial": pa.array(range(1, len(ages) + 1), pa.int64()), "age": pa.array(ages, pa.int64()),
         "sex": pa.array(["F"] * len(ages))}
    )  # fmt: skip


def test_a_period_with_other_columns_is_refused(make_run):
    make_run(period="2026-09").approve().publish()
    wider = rows_of(20).append_column("extra", pa.array(["x"]))
    case = make_run(period="2026-10", tables={"retail": [wider]}).approve()
    with pytest.raises(Refused, match="earlier periods have other columns"):
        case.publish()
    assert {row["period"] for row in case.published()} == {"2026-09"}


def test_a_run_without_period_does_not_join_periods(make_run):
    make_run(period="2026-09").approve().publish()
    case = make_run(version=2).approve()
    with pytest.raises(Refused, match="another output name"):
        case.publish()


def test_a_new_release_without_periods_replaces_the_old_one_with_its_columns_and_comments(make_run):
    make_run(ages=(20, 30)).approve().publish()
    wider = rows_of(60).append_column("grade", pa.array(["1"]))
    case = make_run(version=2, tables={"retail": [wider]}).approve()
    case.publish()
    assert case.published() == [{"serial": 1, "age": 60, "sex": "F", "grade": "1"}]
    table = DeltaTable(str(case.place()))
    assert table.schema().fields[3].metadata == {"comment": "뜻: grade"}
    assert table.metadata().configuration["gamyeong.fingerprint"] == case.folder.run
    assert len(list(case.place().glob("*.parquet"))) == 1


def test_several_tables_stand_in_one_folder_and_the_release_manifest_names_them_all(make_run):
    case = make_run(tables={"members": [rows_of(20, 30)], "visits": [rows_of(40)]}).approve()
    release = case.publish()
    assert [Path(one.place).name for one in release.tables] == ["members", "visits"]
    assert DeltaTable(str(case.place("visits"))).to_pyarrow_table().column("age").to_pylist() == [40]
    manifest = json.loads((case.place("members").parent.parent / "retail.release.json").read_text())
    tables = manifest["releases"][""]["tables"]
    assert {name: one["rows"] for name, one in tables.items()} == {"members": 2, "visits": 1}


def test_published_files_hold_no_statistics_in_the_log(make_run):
    case = make_run().approve()
    case.publish()
    logs = "".join(path.read_text() for path in (case.place() / "_delta_log").glob("*.json"))
    assert "numRecords" in logs
    assert "minValues" not in logs
    [one, *_] = case.place().glob("*.parquet")
    assert pq.read_schema(one).metadata is None
