"""A schedule with `destroy_due`: a DAG that asks, waits for signatures, and destroys what they allow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dags.conftest import Workplace

TEXT = """schedule: gone
destroy_due: ../stub.yaml
requester: 최 책임
performer: 한운영
owner: office
start: 2026-01-01
"""
# Airflow's side of a task alone: what its operator and its look make of how the job ended.
ASKED = """
import json, sys
import dags
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from gamyeong_dags import looks
from gamyeong_dags.environments import Place
from gamyeong_dags.outcomes import Ended
(dag,) = dags.DAGS
told = {t.task_id: (list(t.words), sorted(t.downstream_task_ids)) for t in dag.tasks}
def judged(code, **summary):
    try:
        dag.get_task("destroy").judged(Ended(code, summary), {})
    except (AirflowSkipException, AirflowFailException) as error:
        return [type(error).__name__, str(error)]
    return ["done", ""]
def look(code, **summary):
    class Hook:
        def run(self, _): return Ended(code, summary)
    looks.job_hook = lambda job, words, place, spark: asked.append([job, *words]) or Hook()
    found = looks.due_standing({}, [], place=Place("stub.yaml"))
    return [found.state, found.waits_for, found.body]
asked = []
parts = [
    {"output": "a/b/c", "period": "2026-10", "state": "waiting"},
    {"output": "d/e/f", "period": None, "state": "approved"},
]
print(json.dumps({
    "tasks": told, "doc": dag.doc_md,
    "judged": [judged(0, verdict="nothing"), judged(0, verdict="destroyed"), judged(1, verdict="copies")],
    "looks": [look(0, state="waiting", waits_for="1 more", all=parts), look(0, state="approved", all=parts[1:])],
    "asked": asked,
}))
"""


@pytest.fixture
def found(workplace: Workplace) -> Any:
    (workplace.folder / "jobs" / "destroy.py").touch()
    (workplace.folder / "schedules" / "gone.yaml").write_text(TEXT)
    return workplace.inside(ASKED)


def test_the_dag_asks_waits_and_destroys(found: Any) -> None:
    assert found["tasks"] == {
        "ask": [["--due", "--person", "최 책임", "--reason", "the period of use has ended"], ["decisions"]],
        "decisions": [[], ["destroy"]],
        "destroy": [["--due", "--person", "한운영", "--approved"], []],
    }
    assert "waits for a reviewer's **signature**" in found["doc"]

    kinds = [kind for kind, _ in found["judged"]]
    assert kinds == ["AirflowSkipException", "done", "AirflowFailException"]
    assert "remove it" in found["judged"][2][1]

    waiting, settled = found["looks"]
    assert waiting[:2] == ["waiting", "1 more"]
    assert "gamyeong destroy a/b/c --period 2026-10 --reviewer" in waiting[2]
    assert "d/e/f" not in waiting[2]  # signed already
    assert settled[0] == "settled"
    assert found["asked"] == [["destroy", "--due", "--show"]] * 2


def test_names_are_neither_templates_nor_options_and_cron_is_checked(workplace: Workplace) -> None:
    for number, (name, value) in enumerate((("requester", "'{{ x }}'"), ("performer", "--show"), ("cron", "daily"))):
        lines = [line for line in TEXT.splitlines() if not line.startswith(name)]
        text = "\n".join([*lines, f"{name}: {value}"]).replace("schedule: gone", f"schedule: gone-{number}")
        (workplace.folder / "schedules" / f"gone-{number}.yaml").write_text(text)
    code = "import json, dags; print(json.dumps([str(one) for one in dags.PROBLEMS] + [len(dags.DAGS)]))"
    *problems, dags = workplace.inside(code)
    assert dags == 0
    for name, problem in zip(("requester", "performer", "cron"), problems, strict=True):
        assert f", {name}" in problem
