"""The DAG file: loads fast, without pyspark, each DAG as its schedule says, and tells what is wrong with the others."""

from __future__ import annotations

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import INSIDE, ROOT, Workplace

LOAD = """
import json, sys, time
import airflow.sdk
import airflow.providers.standard.operators.hitl
import airflow.providers.apache.spark.operators.spark_submit
before = set(sys.modules)
start = time.process_time()
import dags
seconds = time.process_time() - start
found = {d.dag_id: {
    "tasks": {t.task_id: sorted(t.downstream_task_ids) for t in d.tasks},
    "kinds": {t.task_id: type(t).__mro__[1].__name__ for t in d.tasks},
    "retries": {t.task_id: t.retries for t in d.tasks},
    "callbacks": all(t.on_failure_callback for t in d.tasks),
    "owner": d.owner, "tags": sorted(d.tags), "doc": d.doc_md, "docs": all(t.doc_md for t in d.tasks),
    "active": d.max_active_runs, "catchup": d.catchup, "schedule": str(d.timetable.__class__.__name__),
    "groups": sorted(g for g in d.task_group_dict if g),
} for d in [*dags.DAGS, *map(dags.broken_dag, dags.PROBLEMS)]}
alien = sorted(m for m in sys.modules if m.split(".")[0] in ("pyspark", "jobs", "transforms", "deltalake"))
print(json.dumps({"seconds": seconds, "dags": found, "alien": alien}))
"""
STEPS = ["check", "assess", "pseudonymize", "verify", "review", "decisions", "publish"]


def chain(steps: list[str]) -> dict[str, list[str]]:
    """Tasks one after the other."""
    return {one: [after] if after else [] for one, after in zip(steps, [*steps[1:], ""], strict=True)}


def loaded(workplace: Workplace, **variables: str) -> Any:
    return workplace.inside(LOAD, **variables)


def test_the_repositorys_own_schedules_load_in_two_seconds_without_spark(workplace: Workplace) -> None:
    own = {"GAMYEONG_SCHEDULES": str(ROOT / "conf" / "schedules"), "GAMYEONG_JOBS": str(ROOT / "jobs")}
    found = loaded(workplace, **own)
    assert found["alien"] == []
    assert found["seconds"] < 2
    for name, dag in found["dags"].items():
        assert dag["doc"].startswith(f"# {name}"), name
        assert dag["docs"], name
        assert dag["callbacks"], name
        assert dag["owner"] not in ("", "airflow"), name
        assert "gamyeong" in dag["tags"], name
        assert "broken" not in dag["tags"], name
        assert dag["active"] == 1, name
    assert found["dags"]["due"]["tasks"] == chain(["ask", "decisions", "destroy"])


def test_a_plan_becomes_its_steps_in_order(workplace: Workplace) -> None:
    workplace.schedule("monthly", 'cron: "@monthly"\nperiod: month\ncatch_up: true\nretries: 5\ntags: [retail]\n')
    dag = loaded(workplace)["dags"]["monthly"]
    assert dag["tasks"] == chain(STEPS)
    assert {dag["kinds"][one] for one in STEPS[:5]} == {"SparkSubmitOperator"}
    assert dag["kinds"]["decisions"] == "ApprovalOperator"
    assert (dag["catchup"], dag["owner"], dag["tags"]) == (True, "office", ["gamyeong", "retail"])
    assert set(dag["retries"].values()) == {5}


def test_a_trial_ends_after_the_review(workplace: Workplace) -> None:
    workplace.schedule("attempt", "trial: 500\n")
    assert loaded(workplace)["dags"]["attempt"]["tasks"] == chain(STEPS[:5])


def test_a_broken_file_is_seen_and_stops_no_other(workplace: Workplace) -> None:
    workplace.schedule("good")
    workplace.schedule("bad", "crom: x\n")
    dags = loaded(workplace)["dags"]
    assert set(dags) == {"good", "broken.bad"}
    assert "broken" in dags["broken.bad"]["tags"]
    assert "bad.yaml, line 6, crom: unknown key" in dags["broken.bad"]["doc"]
    assert "did you mean cron?" in dags["broken.bad"]["doc"]


def test_the_dag_file_as_a_program_tells_all_problems(workplace: Workplace) -> None:
    workplace.schedule("bad", "crom: x\n")
    done = subprocess.run(
        [INSIDE, ROOT / "airflow_dags" / "dags.py"], env=workplace.variables, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "bad.yaml, line 6, crom: unknown key" in done.stderr


RUN = """
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from gamyeong_dags.environments import Place
from gamyeong_dags.job import JobOperator
import os
os.environ.update({"AIRFLOW_HOME": os.environ["AIRFLOW_HOME"]})
task = JobOperator(task_id="t", job="verify", words=["plan@x"], place=Place(Path(%r)), spark=%r,
                   look_again=timedelta(minutes=7), patience=lambda context: datetime.max.replace(tzinfo=UTC))
try:
    said = {"returned": task.execute({})}
except BaseException as error:
    said = {"raised": type(error).__name__, "text": str(error)}
print(json.dumps(said))
"""


def executed(workplace: Workplace, *, spark: bool = False, **variables: str) -> Any:
    """A task's `execute`, as a worker would call it, with the stand-in jobs."""
    return workplace.inside(RUN % (str(workplace.folder / "stub.yaml"), spark), **variables)


@pytest.mark.parametrize(
    ("code", "raised", "words"),
    [
        (1, "AirflowFailException", "start a new run"),
        (2, "AirflowFailException", "Correct what is named"),
        (3, "AirflowFailException", "a person must look"),
        (4, "AirflowException", "tried again by itself"),
        (5, "AirflowRescheduleException", ""),
        (137, "AirflowException", "killed"),
    ],
)
def test_only_what_may_help_is_tried_again(workplace: Workplace, code: int, raised: str, words: str) -> None:
    workplace.codes("plan", "verify", str(code))
    said = executed(workplace)
    assert said["raised"] == raised
    assert words in said["text"]


def test_a_done_job_returns_names_alone_and_gets_nothing_of_airflow(workplace: Workplace) -> None:
    assert executed(workplace, spark=True) == {"returned": {"run": "plan@x"}}
    [call] = workplace.calls()
    assert call["airflow"] == []
    assert call["words"] == ["plan@x", "--environment", str(workplace.folder / "stub.yaml"), "--json", "--quiet"]


def test_a_machine_without_the_tools_is_told_what_to_do(workplace: Workplace, tmp_path: Path) -> None:
    said = executed(workplace, PATH=str(workplace.folder / "bin"))
    assert said["raised"] == "AirflowFailException"
    assert "put the bin folder of gamyeong's core environment" in said["text"]
    said = executed(workplace, GAMYEONG_JOBS=str(tmp_path))
    assert "set GAMYEONG_JOBS to the folder that `gamyeong where check` names" in said["text"]
    said = executed(workplace, GAMYEONG_WORK=str(tmp_path / "nowhere"))
    assert "set GAMYEONG_WORK" in said["text"]


TELL = """
import json
from types import SimpleNamespace
from gamyeong_dags.failing import failed
task = SimpleNamespace(dag_id="sales", task_id="verify", run_id="manual", try_number=2, log_url="http://airflow/page")
failed("chat", "office")({"task_instance": task, "exception": ValueError("cell 42")})
print(json.dumps("went on"))
"""


def test_a_failure_is_told_to_whom_the_schedule_names(workplace: Workplace) -> None:
    got: list[bytes] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/hook"
    connection = json.dumps({"conn_type": "http", "host": address})
    assert workplace.inside(TELL, AIRFLOW_CONN_CHAT=connection) == "went on"
    server.shutdown()
    said = json.loads(got[0])
    assert (said["dag"], said["task"], said["owner"], said["page"]) == ("sales", "verify", "office", "http://airflow/page")
    assert b"cell 42" not in got[0]


def test_a_message_that_cannot_be_sent_hinders_nothing(workplace: Workplace) -> None:
    nobody = json.dumps({"conn_type": "http", "host": "http://127.0.0.1:1/hook"})
    assert workplace.inside(TELL, AIRFLOW_CONN_CHAT=nobody) == "went on"
