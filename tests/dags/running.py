"""A running `infra/airflow`, asked and told by REST alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 400
READING = 2.5  # seconds
ENDED = ("success", "failed")


def kill_job(word: str, seconds: float = 200) -> None:
    """Kills the processes of a submitted job with this argument, as a machine that runs out of memory would."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
                if word in words and any("SparkSubmit" in one for one in words):
                    os.killpg(os.getpgid(int(entry.name)), signal.SIGKILL)
                    return
            except (OSError, ProcessLookupError):
                continue
        time.sleep(0.1)
    raise AssertionError(f"no job {word} was submitted")


class Airflow:
    """`infra/airflow` as a newcomer starts it, in a workplace's folders; `stop()` ends all of its processes."""

    def __init__(self, variables: dict[str, str], log: Path, level: str = "INFO") -> None:
        quick = {
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": level,
        }
        variables = {key: value for key, value in variables.items() if key != "PYTHONPATH"}
        self.log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [ROOT / "infra" / "airflow"],
                env=variables | quick,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.url = self._wait("the URL", lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()))[0]
        place = self._wait("the password's place", lambda: re.search(r"lies in (\S+)", log.read_text()))[1]
        password = self._wait("the password", lambda: Path(place).exists() and json.loads(Path(place).read_text()))
        self.token = ""
        self.token = self._wait("the API", lambda: self._login(password["admin"]))

    def _wait(self, what: str, found: Callable[[], Any]) -> Any:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            if value := found():
                return value
            time.sleep(0.5)
        raise AssertionError(f"{what} never came; {self.log.read_text()[-3000:]}")

    def _login(self, password: str) -> str:
        try:
            found: str = self.ask("POST", "/auth/token", {"username": "admin", "password": password})["access_token"]
        except (OSError, AssertionError):
            return ""
        return found

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call; the answer's JSON."""
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None

    def on(self, dag: str) -> None:
        """Waits until the DAG is known, and switches it on."""
        self._wait(f"DAG {dag}", lambda: self._knows(dag))
        self.ask("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})

    def _knows(self, dag: str) -> bool:
        return dag in [one["dag_id"] for one in self.ask("GET", "/api/v2/dags?limit=100&exclude_stale=true")["dags"]]

    def start(self, dag: str, **parameters: Any) -> str:
        """Starts a run by hand; its id."""
        self.on(dag)
        body = {"logical_date": None, "conf": parameters}
        return str(self.ask("POST", f"/api/v2/dags/{dag}/dagRuns", body)["dag_run_id"])

    def backfill(self, dag: str, body: dict[str, Any]) -> None:
        """Starts a backfill of a DAG that is still paused: on SQLite, a scheduler that takes up the first runs while
        the others are written stops (Airflow 3.3: 503, or its loop ends). Asks again where something else writes."""
        self._wait(f"DAG {dag}", lambda: self._knows(dag))

        def begun() -> bool:
            try:
                self.ask("POST", "/api/v2/backfills", body)
            except AssertionError as error:
                if ": 503 " not in str(error):
                    raise
                return False
            return True

        self._wait("the backfill", begun)

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """All runs of a DAG."""
        found: list[dict[str, Any]] = self.ask("GET", f"/api/v2/dags/{dag}/dagRuns?limit=100")["dag_runs"]
        return found

    def until_run(self, dag: str, period: str, seconds: float = 400) -> str:
        """Waits for the run whose interval begins in a period (2024-07); its id."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for one in self.runs(dag):
                if (one["data_interval_start"] or "").startswith(period) and one["state"] != "queued":
                    return str(one["dag_run_id"])
            time.sleep(0.5)
        raise AssertionError(f"{dag}: no run of {period}")

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """The tasks of a run by name."""
        found = self.ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?limit=100")["task_instances"]
        return {one["task_id"]: one for one in found}

    def states(self, dag: str, run: str) -> dict[str, str | None]:
        """The state of each task of a run."""
        return {name: one["state"] for name, one in self.tasks(dag, run).items()}

    def until(self, dag: str, run: str, done: Callable[[dict[str, str | None]], Any], seconds: float = 400) -> Any:
        """Waits for what `done` finds in the tasks' states."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            states = self.states(dag, run)
            if found := done(states):
                return found
            time.sleep(0.5)
        raise AssertionError(f"{dag} {run}: {self.states(dag, run)}")

    def ended(self, dag: str, run: str, seconds: float = 400) -> str:
        """Waits for the run's end; its state."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = str(self.ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}")["state"])
            if state in ENDED:
                return state
            time.sleep(0.5)
        raise AssertionError(f"{dag} {run} did not end: {self.states(dag, run)}")

    def question(self, dag: str, run: str, task: str) -> dict[str, Any]:
        """What a person is shown."""
        found: dict[str, Any] = self.ask("GET", self._question(dag, run, task))
        return found

    def answer(self, dag: str, run: str, task: str, option: str) -> None:
        """Answers as a person does in the UI, who looks at the question first: Airflow 3.3 takes an answer that comes
        before its scheduler has heard of the task's pause for the end of a task that had to go on."""
        since = end = time.monotonic()
        while time.monotonic() < end + 400 and time.monotonic() < since + READING:
            if self.states(dag, run)[task] != "awaiting_input":
                since = time.monotonic()
            time.sleep(0.2)
        self.ask("PATCH", self._question(dag, run, task), {"chosen_options": [option], "params_input": {}})

    def _question(self, dag: str, run: str, task: str) -> str:
        return f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/-1/hitlDetails"

    def words(self, dag: str, run: str, task: str, attempt: int = 1) -> str:
        """A task's log."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{attempt}?full_content=true"
        return json.dumps(self.ask("GET", path), ensure_ascii=False)

    def stop(self) -> None:
        """Ends Airflow and everything it started."""
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
