"""The review job: what it reads, what it writes, how it ends."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, TableFeatures

from jobs import review_result
from jobs.ledger import evidence_ledger
from transforms.errors import PlanError
from transforms.run_facts import RunFacts

pytestmark = pytest.mark.spark


def test_it_needs_neither_source_nor_keys(clinic: Any) -> None:
    assert clinic.stage().review().code == 0
    for zone in ("source", "keys", "published", "quarantine"):
        assert not clinic.environment.zone(zone).local.exists()


def test_nothing_measured_is_written(clinic: Any) -> None:
    clinic.stage().review()
    facts = json.loads(clinic.folder.facts.local.read_text())["tables"]["patients"]
    measured = RunFacts.from_json({"tables": {"patients": facts}}).tables["patients"].concluded
    cuts = [fact["cut"].cut for fact in measured.values()]
    assert len(cuts) == 2  # the two spending columns
    assert all(cut > 10_000 for cut in cuts)  # long enough not to be met by chance
    written = clinic.folder.suite.local.read_text() + clinic.folder.result.local.read_text()
    assert '"expect_cells_in_image_of_chain"' in written
    for secret in (*map(str, cuts), "서울", "수도권", "010-", clinic.table["phone"][0].as_py()):
        assert secret not in written


def test_the_result_holds_counts_and_names_alone(clinic: Any) -> None:
    done = clinic.stage().review()
    names = set(clinic.table.column_names)
    for one in done.result["expectations"]:
        assert set(one) == {"table", "type", "column", "success", "counts"}
        assert one["column"] is None or one["column"] in names
        assert all(type(v) is int or v == [] for v in one["counts"].values())
    assert done.result["tables"][0]["rows"] == len(clinic.table)


def test_a_foreign_field_does_not_pass_the_allow_list() -> None:
    from transforms.expectations.validation import Judged

    told = Judged("expect_x", "age", False, {"cells": 3, "partial_unexpected_list": ["서울"], "cells_found": "9"})
    record = type("Record", (), {"run": "r", "fingerprint": "f", "tables": ()})()
    body = review_result.result_body(record, {}, {"patients": [told]})
    assert body["expectations"][0]["counts"] == {"cells": 3}
    assert body["verdict"] == "unfit"
    assert "서울" not in " ".join(review_result.failures({"patients": [told]}))


def test_no_expectation_at_all_is_not_fit() -> None:
    assert review_result.verdict_of({}) == "unfit"


def test_reviewed_again_it_says_the_same_once(clinic: Any) -> None:
    clinic.stage().review()
    first = clinic.folder.suite.local.read_bytes(), clinic.folder.result.local.read_bytes()
    clinic.review()
    assert (clinic.folder.suite.local.read_bytes(), clinic.folder.result.local.read_bytes()) == first
    entries = [one for one in evidence_ledger(clinic.environment, write=False).entries() if one.type == "review"]
    assert [entry.content()["verdict"] for entry in entries] == ["fit"]


def test_an_unfit_verdict_stands_in_the_ledger(clinic: Any) -> None:
    clinic.stage(clinic.table.slice(1)).review()
    (entry,) = evidence_ledger(clinic.environment, write=False).entries()
    assert (entry.type, entry.content()["verdict"]) == ("review", "unfit")


def test_without_facts_there_is_nothing_to_review(clinic: Any, capsys: pytest.CaptureFixture[str]) -> None:
    clinic.stage().folder.facts.delete()
    done = clinic.review()
    assert (done.code, done.result) == (2, {})
    assert "published or rejected already" in capsys.readouterr().err


def test_another_table_in_its_place_is_refused(clinic: Any, capsys: pytest.CaptureFixture[str]) -> None:
    clinic.stage()
    record = clinic.folder.load_record()
    clinic.folder.save_record(replace(record, tables=(replace(record.tables[0], id="other"),)))
    assert clinic.review().code == 3
    assert "another table id" in capsys.readouterr().err


def test_rows_hidden_by_the_log_are_refused(clinic: Any) -> None:
    # A deletion vector hides rows from readers of the log; the published copy of the file would hold them.
    clinic.stage()
    place = clinic.folder.staged("patients")
    table = DeltaTable(str(place))
    table.alter.set_table_properties({"delta.enableDeletionVectors": "true"})
    table.alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    record = clinic.folder.load_record()
    newest = replace(record.tables[0], version=DeltaTable(str(place)).version())
    clinic.folder.save_record(replace(record, tables=(newest,)))
    assert clinic.review().code == 3


def test_a_damaged_file_is_named_without_its_content(clinic: Any, capsys: pytest.CaptureFixture[str]) -> None:
    clinic.stage()
    path = clinic.folder.staged("patients").local / "part-1.parquet"
    content = bytearray(path.read_bytes())
    content[4:1000] = bytes(996)
    path.write_bytes(bytes(content))
    done = clinic.review()
    assert (done.code, done.result) == (4, {})
    said = capsys.readouterr().err
    assert "part-1.parquet can't be read" in said
    assert not re.search(r"Traceback|File \"", said)


def test_persons_with_many_rows_count_once(visits_clinic: Any) -> None:
    # 20 persons, three visits each, in 서울 and in 부산: ten or more persons in each
    done = visits_clinic.stage().review()
    assert (done.code, done.failed) == (0, set())
    assert visits_clinic.table["patient"].to_pylist()[:4] == [1, 1, 1, 2]
    everyone = visits_clinic.table["region"].to_pylist()
    people = visits_clinic.table["patient"].to_pylist()
    smallest = min(len({p for p, r in zip(people, everyone, strict=True) if r == region}) for region in set(everyone))
    assert done.result["k"]["visits"]["found"] == smallest


def test_a_person_alone_with_many_rows_is_unfit(visits_clinic: Any) -> None:
    people = visits_clinic.table["patient"].to_pylist()
    regions = ["제주" if one == 7 else "서울" for one in people]
    table = visits_clinic.table.set_column(1, "region", pa.array(regions))
    done = visits_clinic.stage(table).review()
    assert done.failed == {("expect_k_anonymity", None)}
    assert done.counts("expect_k_anonymity") == {"k": 1, "classes": 2, "classes_below": 1}


def test_a_gap_between_persons(visits_clinic: Any) -> None:
    moved = [20 if one == 7 else one for one in visits_clinic.table["patient"].to_pylist()]
    done = visits_clinic.stage(visits_clinic.table.set_column(0, "patient", pa.array(moved))).review()
    assert ("expect_serial_numbers_without_gap", "patient") in done.failed


def test_k_of_persons_that_can_not_be_told_apart_is_refused_before_any_run(clinic_of: Any, visits_plan: str) -> None:
    serial = "patient: {kind: identifier, apply: serial-number}"
    assert serial in visits_plan
    untold = visits_plan.replace(serial, "").replace("excluded: [visit]", "excluded: [visit, patient]")
    with pytest.raises(PlanError, match="delivers no pseudonym"):
        clinic_of(untold)


def test_a_trial_run_is_reviewed_by_its_own_sample(clinic: Any) -> None:
    assert clinic.made.facts.drawn == 320
    assert clinic.stage(limit=320).review().code == 0
    record = clinic.folder.load_record()
    clinic.folder.save_record(replace(record, limit=100))  # then 320 are too many
    assert clinic.review().failed == {("expect_subjects_as_sampled", None)}
