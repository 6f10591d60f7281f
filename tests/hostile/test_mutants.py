"""A thousand mutants: each is refused in words or harmless, and none hangs; none reaches out, writes or starts.

The figures stand at the end of what pytest prints; `python -m tests.hostile 10000` tries ten times as many.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jobs.check
from tests.conftest import Keep
from tests.hostile.mutants import mutant
from tests.hostile.places import KINDS, PLAN, Kind, attacked, workplace
from tests.hostile.trying import Figures, attempt, of_job
from transforms.errors import PlanError
from transforms.yaml_nodes import read_yaml

SIGNS = "-:{}[]&*!|>'\"#%@`?,~.\n\t a1"
COUNTS = {"plans": 600, "combinations": 200, "environments": 100, "schedules": 100}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return workplace(tmp_path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_mutants_are_refused_in_words_or_harmless(work: Path, kind: Kind, figures: Keep) -> None:
    counted, faults = attacked(kind, work, range(COUNTS[kind.name]))
    figures(f"hostile {kind.name}", counted.plain())
    assert faults == []
    assert counted.tried == COUNTS[kind.name]
    assert counted.ends[2] + counted.ends[3] > counted.tried / 2, "the mutants are too tame to tell anything"


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=300) | st.lists(st.sampled_from(SIGNS)).map("".join))
def test_any_text_is_a_mapping_or_a_problem(text: str) -> None:
    try:
        root, _ = read_yaml(text, "plan.yaml")
        found: object = root.value
    except PlanError as error:
        found = dict.fromkeys(map(str, error.problems))
        assert found
    assert isinstance(found, dict)


def a_reader_of_anything(file: Path) -> tuple[int, str]:
    """What must not pass: it follows the file's own words, leaves something behind, and tells all."""
    named = (file.parent / "linked" / "secret.csv").read_text()
    (file.parent / "left").write_text(named)
    return 2, f"{named}\x1b[2J"


def test_the_watch_sees_what_it_is_there_for(work: Path) -> None:
    file = work / "conf" / "plans" / "mutant.yaml"
    file.write_text("a: 1\n")
    wrong = " ".join(attempt(a_reader_of_anything, file, [work], Figures()))
    for one in ("reads", "outside/secret.csv", "writes", "was written", "no business", r"prints '\x1b'"):
        assert one in wrong


def test_a_mutant_is_the_same_for_everyone(work: Path) -> None:
    text = PLAN.read_text("utf-8")
    made = [mutant(text, number, "plans", "x") for number in range(50)]
    assert made == [mutant(text, number, "plans", "x") for number in range(50)]
    assert len(set(made)) > 45


def test_the_plan_itself_is_harmless(work: Path) -> None:
    figures = Figures()
    read = of_job(jobs.check.main, after=["--environment", str(work / "environment.yaml")])
    assert attempt(read, work / "conf" / "plans" / PLAN.name, [work, Path.cwd()], figures) == []
    assert figures.ends == {0: 1}
