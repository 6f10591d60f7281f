"""Schedule files: what they may say, and how their problems are told. Needs no Airflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamyeong_dags.problems import UnfitFile
from gamyeong_dags.schedule import CombinationSchedule, PlanSchedule, load_all, load_schedule

ROOT = Path(__file__).resolve().parents[2]
GOOD = """schedule: monthly
plan: plan.yaml
environment: environment.yaml
owner: office
start: 2026-01-01
cron: "0 6 5 * *"
period: month
time_zone: Asia/Seoul
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("plan.yaml", "environment.yaml", "combination.yaml", "a.yaml"):
        (tmp_path / name).touch()
    return tmp_path


def written(folder: Path, text: str, name: str = "one.yaml") -> Path:
    (folder / "schedules").mkdir(exist_ok=True)
    file = folder / "schedules" / name
    file.write_text(text.replace(": plan.", ": ../plan.").replace(": environment.", ": ../environment."))
    return file


def problems(folder: Path, text: str) -> str:
    with pytest.raises(UnfitFile) as caught:
        load_schedule(written(folder, text))
    return str(caught.value)


def test_a_plan_with_a_schedule(folder: Path) -> None:
    one = load_schedule(written(folder, GOOD))
    assert isinstance(one.model, PlanSchedule)
    assert (one.name, one.asset, one.path(one.model.plan)) == ("monthly", "published/monthly", folder / "plan.yaml")
    assert (one.model.retries, one.model.catch_up, one.model.trial) == (3, False, None)


def test_a_combination_names_an_environment_for_each_role_that_runs_here(folder: Path) -> None:
    text = """schedule: joined
combination: ../combination.yaml
environments: {A: ../a.yaml}
plans: {A: ../plan.yaml}
owner: office
start: 2026-01-01
"""
    one = load_schedule(written(folder, text))
    assert isinstance(one.model, CombinationSchedule)
    assert one.path(one.model.environments["A"]) == folder / "a.yaml"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("cron:", "crom:"), ["line 6, crom: unknown key", "did you mean cron?"]),
        (("owner: office\n", ""), ["owner: missing; add it"]),
        (("Asia/Seoul", "Asia/Soul"), ["line 8, time_zone: found 'Asia/Soul'", "Asia/Seoul or UTC"]),
        (("0 6 5 * *", "monthly"), ["line 6, cron: found 'monthly'", "five fields", "@monthly"]),
        (("plan: plan.yaml", "plan: nowhere.yaml"), ["line 2, plan: no file nowhere.yaml", "folder of this file"]),
        (("schedule: monthly", "schedule: Our Plan"), ["line 1, schedule: found 'Our Plan'", "small letters"]),
        (("start: 2026-01-01", "start: 2026-01-01\nend: 2025-01-01"), ["end 2025-01-01 lies before start"]),
        (("plan: plan.yaml", "combination: plan.yaml\nplan: plan.yaml"), ["found plan and combination", "either"]),
        (("plan: plan.yaml\n", ""), ["found neither", "`plan: FILE`"]),
        (("period: month", "waits_for: [published/x]"), ["cron and waits_for together", "one of them"]),
        (('cron: "0 6 5 * *"', "catch_up: true"), ["catch_up without cron"]),
        (("period: month", "period: [month"), ["line 8", "correct the YAML"]),
        (("period: month", "? [[period]]\n: month"), ["a list or a mapping as a key"]),
        (("period: month", "<<: {perod: month}"), ["perod: unknown key", "did you mean period?"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_problem_tells_its_line_and_what_is_allowed(folder: Path, change: tuple[str, str], words: list[str]) -> None:
    told = problems(folder, GOOD.replace(*change))
    for word in words:
        assert word in told


def test_all_problems_are_told_at_once(folder: Path) -> None:
    told = problems(folder, GOOD.replace("cron:", "crom:").replace("Asia/Seoul", "Mars").replace("owner: office\n", ""))
    assert len(told.splitlines()) == 3


def test_a_name_twice_is_a_problem_of_the_second_file_alone(folder: Path) -> None:
    written(folder, GOOD, "a.yaml")
    written(folder, GOOD, "b.yaml")
    good, bad = load_all(folder / "schedules")
    assert [one.file.name for one in good] == ["a.yaml"]
    assert "monthly is the name of a.yaml already; choose another" in str(bad[0])


def test_the_schedules_of_this_repository_are_fit() -> None:
    good, bad = load_all(ROOT / "conf" / "schedules")
    assert not bad
    assert {"first", "first-trial", "due"} <= {one.name for one in good}
