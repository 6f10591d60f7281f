"""Applications (결합 신청, guideline L4343-4360): checked by the combining agency, which gives the receipt number."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jobs.combination.packages import received
from transforms.combination.application import load_application, problems_in
from transforms.combination.export_form import load_export_form
from transforms.combination.loader import load_combination
from transforms.errors import PlanError

from .combined_round import APPLICATION, ROUND, CombinedRound
from .conftest import Roles
from .sample_file import written

PLANS = Path(__file__).parents[2] / "conf" / "combinations" / "mobility-housing-health"
TODAY = date(2026, 11, 1)


def application_file(folder: Path, *changes: tuple[str, str]) -> Path:
    text = APPLICATION
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "changed.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_all_apply_and_each_gets_the_same_receipt_number(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path)
    words = ("--application", str(made.folder / "application.yaml"))
    for party in ("A", "B"):
        assert made.take(capsys, party, "apply", *words)[0] == 0
    code, said = made.take(capsys, "CA", "receive")
    assert code == 5
    assert "waits for the application of C; due 2024-08-05" in said["error"]
    assert made.take(capsys, "C", "apply", *words)[0] == 0
    code, said = made.take(capsys, "CA", "receive")
    assert code == 0, said["err"]
    number = said["receipt"]
    assert number.startswith("CA-2024-07-")
    for role in ("A", "B", "C", "KMA"):
        package = received(made.environments[role], made.combination, round=ROUND, kind="receipt", sender="CA")
        assert package is not None
        assert package.manifest.receipt == package.content["receipt"] == number
    assert made.take(capsys, "CA", "receive")[1]["receipt"] == number


def test_who_applies_stands_in_no_manifest(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path)
    made.take(capsys, "A", "apply", "--application", str(made.folder / "application.yaml"))
    inbox = made.environments["CA"].exchange.inbox.local
    evidence = made.environments["A"].zone("evidence").local
    files = [file for folder in (inbox, evidence) for file in folder.rglob("*") if file.is_file()]
    assert any(file.name.endswith(".sealed") for file in files)
    for file in files:
        assert not any(text.encode() in file.read_bytes() for text in ("홍길동", "02-123-4567"))


def test_the_agency_has_it_put_right(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path)
    good = str(made.folder / "application.yaml")
    vague = application_file(
        made.folder, ("주거형태별 통행량과 만성질환의 관계 연구", "신제품 개발을 위한 과학적 연구 수행")
    )
    for party, file in (("A", str(vague)), ("B", good), ("C", good)):
        made.take(capsys, party, "apply", "--application", file)
    code, said = made.take(capsys, "CA", "receive")
    assert code == 3
    assert "A: purpose.statement is not specific" in said["error"]
    assert received(made.environments["B"], made.combination, round=ROUND, kind="receipt", sender="CA") is None
    made.take(capsys, "A", "apply", "--application", good, "--revision", "2")
    assert made.take(capsys, "CA", "receive")[0] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("until: 2099-12-31", "until: 2025-01-31"), "subject.until: the use ended on 2025-01-31"),
        (("until: 2099-12-31", "until: 2024-01-31"), "ends before it begins"),
        (("repeated: series", "repeated: once"), "repeated: once; allowed: series"),
        (("recipient:", "controller: same\nrecipient:"), "controller: same; allowed: third-party"),
    ],
)
def test_what_the_agency_looks_at(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    combination = load_combination(written(tmp_path))
    assert problems_in(load_application(application_file(tmp_path)), combination, TODAY) == []
    found = problems_in(load_application(application_file(tmp_path, change)), combination, TODAY)
    assert any(said in text for text in found)


def test_every_problem_of_the_form_at_once(tmp_path: Path) -> None:
    file = application_file(
        tmp_path, ("contact: 홍길동, ", ""), ("kind: scientific-research", "kind: marketing"), ("subject:", "subjct:")
    )
    with pytest.raises(PlanError) as caught:
        load_application(file)
    text = str(caught.value)
    assert "line 1" in text
    assert "applicant.contact" in text
    assert "purpose.kind" in text
    assert "did you mean 'subject'" in text


def test_an_agency_does_not_apply(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path)
    code, said = made.take(capsys, "KMA", "apply", "--application", str(made.folder / "application.yaml"))
    assert code == 3
    assert "`apply` is a step of the parties (A, B, C)" in said["error"]


def test_nobody_applies_by_anothers_plan(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path)
    plan = str(PLANS / "fuel-a.yaml")
    code, said = made.take(capsys, "B", "apply", "--plan", plan)
    assert code == 2
    assert "combination.party: 'A'; allowed: 'B'" in said["error"]
    code, said = made.take(capsys, "A", "apply", "--plan", plan)
    assert code == 0, said["err"]


def test_one_way_to_say_it(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path)
    code, said = made.take(capsys, "A", "apply")
    assert code == 2
    assert "--application FILE, or --plan FILE" in said["error"]


def test_a_file_that_is_not_there_is_told_in_good_english(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as told:
        load_export_form(tmp_path / "none.yaml")
    assert "allowed: an export application file" in str(told.value)
