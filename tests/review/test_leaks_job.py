"""Leaks and limits through the whole review job: exit code, result.json, pages."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import source_values

from .checkups import CHECKUPS, name_of, phone_of
from .mutations import FORMS, VALUES, with_cell

pytestmark = pytest.mark.spark


def test_a_leak_is_unfit_and_no_file_tells_it(clinic_of: Any) -> None:
    clinic = clinic_of(CHECKUPS)
    table = with_cell(clinic.table, "memo", f"{name_of(17)}님, {phone_of(17)}")
    done = clinic.stage(table).review()
    assert (done.code, done.failed) == (1, {(VALUES, None), (FORMS, None)})
    assert done.counts(VALUES)["columns"] == ["memo"]
    assert (done.counts(FORMS)["kinds"], done.counts(FORMS)["left"]) == (["phone"], 1)
    for file in clinic.folder.evidence.local.rglob("*.*"):
        content = file.read_text("utf-8", errors="replace")
        assert name_of(17) not in content, file.name
        assert phone_of(17) not in content, file.name
    assert "expect_no_source_value_left" in (clinic.folder.report / "expectations.html").local.read_text("utf-8")


def test_without_the_hashes_there_is_no_review(clinic_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    clinic = clinic_of(CHECKUPS).stage()
    source_values.place(clinic.folder).delete()
    assert clinic.review().code == 2
    assert "no hashes of source values" in capsys.readouterr().err


def test_limits_need_what_verify_measures(clinic_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    limited = CHECKUPS.replace("leftovers: {", "utility: {mean: 0.1}, leftovers: {")
    assert clinic_of(limited).stage().review().code == 2
    assert "which verify measures" in capsys.readouterr().err
