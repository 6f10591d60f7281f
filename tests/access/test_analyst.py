"""An analyst's environment opens `published` alone: every job that needs another zone refuses (exit 3)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from jobs import combination_job
from jobs.cli import JOBS
from jobs.combination.steps import STEPS
from jobs.environment import ZONES, load_environment
from jobs.errors import BadInput, ZoneNotHanded
from jobs.job import Context, Outcome, run_job
from jobs.storage import conf_path

ANALYST = conf_path("environments/analyst.yaml")


def looked(context: Context) -> Outcome:
    """What every job does first: it asks for its environment."""
    return Outcome({"zones": sorted(context.environment.zones)})


def jobs_with_zones(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """What each job declares, by its name; of a combination, each step."""
    seen: dict[str, set[str]] = {}

    def declared(argv: Sequence[str], *, name: str, **given: Any) -> int:
        seen[name] = {*given.get("reads", ()), *given.get("writes", ())}
        return 0

    for name, (module, _) in JOBS.items():
        job = importlib.import_module(f"jobs.{module}")
        monkeypatch.setattr(job, "run_job", declared)
        for words in ([name], *([step] for step in STEPS if job is combination_job)):
            job.main(words[1:] if words == [name] else words)
    return seen


def test_every_job_that_needs_another_zone_refuses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zones = jobs_with_zones(monkeypatch)
    assert len(zones) > 40
    monkeypatch.chdir(tmp_path)
    refused = 0
    for name, needed in zones.items():
        code = run_job(["--environment", str(ANALYST)], name=name, about="", body=looked, reads=needed)
        said = capsys.readouterr().err
        if needed <= {"published"}:
            assert code == 0, name
        else:
            refused += 1
            assert code == 3, name
            assert "opens published alone" in said
    assert refused > 35
    assert list(tmp_path.rglob("*.json")) == [], "nothing of keys or reviewers was made"


def test_it_opens_published_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    environment = load_environment(ANALYST)
    assert environment.zone("published").local == tmp_path / "warehouse/published"
    for zone in set(ZONES) - {"published"}:
        with pytest.raises(ZoneNotHanded):
            environment.zone(zone)
    with pytest.raises(ZoneNotHanded):
        _ = environment.keys
    text = ANALYST.read_text("utf-8").partition("organisation")[2]
    assert not [word for word in ("source", "staging", "additional", "keys", "reviewers", "evidence") if word in text]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("opens: [published]", "opens: [published, evidence]", "zones: evidence missing"),
        ("zones:\n", "zones:\n  source: warehouse/source\n", "source named, and not under opens"),
        ("opens: [published]\n", "", "keys"),
        ("opens: [published]", "opens: [everything]", "opens"),
    ],
)
def test_a_file_that_does_not_say_the_same_twice_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = ANALYST.read_text("utf-8")
    assert old in text
    file = tmp_path / "analyst.yaml"
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(BadInput, match=told):
        load_environment(file)


def test_other_environments_need_all_zones(environment_file: Path) -> None:
    assert set(load_environment(environment_file).zones) == set(ZONES)
    declared: Mapping[str, Any] = {"opens": load_environment(environment_file).opens}
    assert declared == {"opens": ()}
