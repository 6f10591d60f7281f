"""A combination's steps on an output under quarantine: each ends with exit 3, and leaves what there is as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.decide import main as decide
from jobs.quarantine import main as quarantine

from .stage import AUGUST, COMMITTEE, JULY, Stage, called
from .test_take import handed

WHO = ["--reason", "분석 중 특정 개인이 식별됨", "--person", "조이용", "--json", "--quiet"]


def halted(at: Stage, role: str, output: str) -> None:
    code, _, said = called(quarantine, [output, *WHO, "--environment", at.file(f"{role}.yaml")])
    assert code == 0, said


def files(place: Path) -> dict[str, bytes]:
    return {str(one.relative_to(place)): one.read_bytes() for one in place.rglob("*") if one.is_file()}


@pytest.mark.parametrize("step", ["process", "vote", "decide", "export"])
def test_the_agency_works_on_no_halted_output(processed: Stage, step: str) -> None:
    """Approved by both bodies and one step before it leaves: whichever step comes next."""
    processed.applied()
    processed.decided()
    processed.voted()
    halted(processed, "CA", processed.run().run)
    zones = [processed.roles["CA"].zone(name).local for name in ("published", "staging")]
    before = [files(zone) for zone in zones]
    if step == "vote":
        code, _, said = processed.vote(COMMITTEE[0])
    elif step == "decide":
        words = ["--reviewer", COMMITTEE[0], "--key", processed.file(f"{COMMITTEE[0]}.pem"), "--outcome", "approved"]
        words += ["--reason", "표본", "--conflicts", "none", "--environment", processed.file("CA.yaml"), "--json"]
        code, _, said = called(decide, [processed.run().run, *words])
    else:
        code, _, said = processed.take("CA", step)
    assert code == 3, said
    assert "under quarantine" in said
    assert [files(zone) for zone in zones] == before
    assert not list(processed.folder.glob("exchange/A/**/export/**/*.json"))


def test_a_user_takes_no_round_into_a_halted_table(stage: Stage) -> None:
    for round in (JULY, AUGUST):
        stage.applied(round)
    handed(stage, [1, 2])
    handed(stage, [5], AUGUST)
    assert stage.take("A", "take")[0] == 0
    halted(stage, "A", "cars-homes/homes")
    code, _, said = stage.take("A", "take", round=AUGUST)
    assert (code, "cars-homes/homes is under quarantine" in said) == (3, True), said
    assert not list((stage.roles["A"].zone("published").local / "cars-homes").rglob("*.parquet"))
