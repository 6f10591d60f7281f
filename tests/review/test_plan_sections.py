"""What a plan says of leftovers and utility: wrong names are told with what is allowed."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from transforms.errors import PlanError
from transforms.plan_loader import load

from .checkups import CHECKUPS


def problems(tmp_path: Path, section: str) -> list[str]:
    """What is wrong with the check-ups' plan whose adequacy holds this besides k."""
    file = tmp_path / "plan.yaml"
    text = textwrap.dedent(CHECKUPS).replace("leftovers: {against: [name, e_mail]}", section)
    assert section in text
    file.write_text(text, "utf-8")
    with pytest.raises(PlanError) as raised:
        load(file)
    return [str(one) for one in raised.value.problems]


def test_a_column_that_the_plan_does_not_know(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, "leftovers: {against: [nmae]}")
    assert "adequacy.leftovers.against[0]: column 'nmae', which the plan does not know" in told
    assert "name" in told.split("did you mean")[1]


def test_a_form_allowed_without_a_reason_in_no_column_of_no_kind(tmp_path: Path) -> None:
    told = " ".join(problems(tmp_path, "leftovers: {allow: {memos: {kinds: [phones], reason: ' '}}}"))
    assert "column 'memos', which no rule names" in told
    assert "reason: nothing; allowed: why such a form may stand there" in told
    assert "'phones'; allowed: one of: rrn, foreigner" in told


@pytest.mark.parametrize("section", ["utility: {mean: -1}", "new_outliers: {share: 2}", "utility: {median: 1}"])
def test_limits_that_can_not_be(tmp_path: Path, section: str) -> None:
    (told,) = problems(tmp_path, section)
    assert told.startswith("line ")
    assert "adequacy." in told


def test_fingerprints_of_plans_without_them_stay(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(textwrap.dedent(CHECKUPS).replace(", leftovers: {against: [name, e_mail]}", ""), "utf-8")
    plain = load(file).plan.canonical()["adequacy"]
    assert not {"leftovers", "new_outliers", "utility"} & set(plain)
