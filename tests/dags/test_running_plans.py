"""`airflow standalone`, as infra/airflow starts it: approval and rejection over REST, killed and waiting tasks.

One Airflow for all tests here. The README's plan runs for real; what is about scheduling alone uses stand-ins.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from deltalake import DeltaTable

from jobs.decide import Vote, decide
from jobs.destruction.approving import DONE, decide_destruction
from jobs.destruction.targets import find_target
from jobs.environment import Environment, load_environment
from jobs.key_providers.file import FileProvider
from jobs.keys import RunSecrets
from jobs.ledger import evidence_ledger
from jobs.names import folder_name
from jobs.reviewer import new_reviewer
from jobs.runs import RunFolder, list_runs
from jobs.signing import load_key
from tests.conftest import Keep
from tests.dags.conftest import ROOT, Workplace
from tests.dags.running import Airflow, kill_job
from tests.dags.test_combination_dags import ALL, COMBINATION
from tests.jobs.publishing.conftest import (  # the last two are fixtures, of runs in the environment below
    MakeRun,
    make_run,  # noqa: F401
    plan,
    reviewers,  # noqa: F401
)
from tests.searching import search_bytes, search_ids

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(900)]
REVIEWERS = ("Kim", "Lee", "Park")
CELLS = r"EC-\d{6}|[가-힣]+(?: [가-힣]+)* \d+길 \d+"
REAL = """\
schedule: first
plan: ../first.yaml
environment: ../environment.yaml
owner: office
start: 2026-01-01
retry_minutes: 0.05
"""
DUE = "destroy_due: ../environment.yaml\nrequester: 최책임\nperformer: 한운영\nowner: office\nstart: 2026-01-01\n"


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory,
    workplace_in: Callable[[Path], Workplace],
    environment_in: Callable[[Path], Path],
) -> Workplace:
    """A real plan, and stand-ins."""
    place = workplace_in(tmp_path_factory.mktemp("running") / "place")
    file = environment_in(place.folder)
    text = file.read_text()
    assert "\nspark:\n" in text
    file.write_text(text.replace("\nspark:\n", "\nspark:\n  spark.log.level: DEBUG\n"))
    shutil.rmtree(place.folder / "jobs")
    (place.folder / "jobs").symlink_to(ROOT / "jobs")
    shutil.copy(ROOT / "conf" / "plans" / "first.yaml", place.folder)
    (place.folder / "schedules" / "first.yaml").write_text(REAL)
    shutil.copytree(ROOT / "conf" / "hierarchies", place.folder.parent / "hierarchies")
    often = "look_again_minutes: 0.05\nretry_minutes: 0.05\n"
    calmly = often.replace("0.05", "0.1", 1)  # for questions that are answered in the UI
    place.schedule("follower", "waits_for: [published/first]\n")
    place.schedule("asked", calmly)
    place.schedule("signed", often)
    place.schedule("rejected", often)
    place.schedule("waiting", often)
    place.schedule("failing", often)
    (place.folder / "schedules" / "gone.yaml").write_text(f"schedule: gone\n{DUE}{calmly}")
    (place.folder / "trio.yaml").write_text(COMBINATION.replace("last: 2025-06", "last: 2024-08"))
    files = {key: {name: f"../{name}.stub.yaml" for name in names} for key, names in ALL.items()}
    lines = [f"{key}: {{{', '.join(f'{n}: {f}' for n, f in names.items())}}}" for key, names in files.items()]
    for name in ("A", "B", "C", "KMA", "CA"):
        shutil.copy(place.folder / "stub.yaml", place.folder / f"{name}.stub.yaml")
    text = "schedule: trio\ncombination: ../trio.yaml\nowner: office\nstart: 2024-07-01\ncatch_up: false\n"
    (place.folder / "schedules" / "trio.yaml").write_text("\n".join([text, *lines, "late_after_hours: 0", calmly]))
    place.schedule("series", f'cron: "@monthly"\nperiod: month\n{often}')
    return place


def gamyeong(environment: Path, *words: str) -> None:
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "gamyeong", *words, "--environment", environment], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def airflow(place: Workplace) -> Iterator[Airflow]:
    running = Airflow(place.variables, place.folder / "airflow.log", level="DEBUG")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def environment(place: Workplace) -> Environment:
    """The real plan's environment, with a root key, 4,000 made customers and three reviewers."""
    file = place.folder / "environment.yaml"
    gamyeong(file, "keys", "init")
    gamyeong(file, "generate", "retail", "--customers", "4000")
    environment = load_environment(file)
    for name in REVIEWERS:
        new_reviewer(environment, name, place.folder / f"{name}.pem")
    return environment


@pytest.fixture(scope="module")
def secrets() -> list[bytes]:
    """The secrets of runs, taken before publishing destroys them."""
    return []


def stored_secrets(environment: Environment) -> RunSecrets:
    return RunSecrets(environment.zone("keys"), FileProvider(environment.zone("keys").local / "root.json"))


def folder_of(environment: Environment, plan: str) -> RunFolder:
    folders = [RunFolder(environment, name) for name in list_runs(environment)]
    return max((one for one in folders if one.load_record().plan == plan), key=lambda one: one.load_record().finished)


def sign(place: Workplace, folder: RunFolder, vote: Vote, *names: str) -> None:
    for name in names:
        decide(folder, name, load_key(place.folder / f"{name}.pem"), vote)


def is_waiting(states: dict[str, str | None]) -> bool:
    return states["decisions"] == "awaiting_input"


def test_a_trial_runs_by_dags_test(place: Workplace) -> None:
    """Without approval no running Airflow is needed."""
    place.schedule("trial", "trial: 500\n")
    own = {"AIRFLOW_HOME": str(place.folder / "trial")}
    for words in (["db", "migrate"], ["dags", "test", "trial"]):
        done = subprocess.run(
            [ROOT / "infra" / "airflow", *words], env=place.variables | own, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    called = place.calls("trial")
    assert [one["job"] for one in called] == ["check", "assess", "pseudonymize", "verify", "review"]
    words = called[2]["words"]
    assert words[words.index("--limit") + 1] == "500"


def test_a_killed_task_is_tried_again_and_only_signed_decisions_publish(
    airflow: Airflow, place: Workplace, environment: Environment, secrets: list[bytes]
) -> None:
    airflow.on("follower")
    run = airflow.start("first")
    kill_job(str(place.folder / "first.yaml"))
    airflow.until("first", run, is_waiting, 600)
    tries = {name: one["try_number"] for name, one in airflow.tasks("first", run).items()}
    assert max(tries[one] for one in ("check", "assess", "pseudonymize")) == 2, "one was killed and tried again"

    folder = folder_of(environment, "first")
    secrets.append(stored_secrets(environment).load(folder.run).reveal())
    shown = airflow.question("first", run, "decisions")
    assert f"run `{folder.run}`: verify says *equal*, review says *fit*" in shown["body"]
    assert "3 more decision(s) of 3" in shown["body"]
    assert str(folder.report / "index.html") in shown["body"]
    assert (folder.report / "index.html").exists()

    airflow.answer("first", run, "decisions", "Approve")  # nobody has signed
    time.sleep(3)
    airflow.until("first", run, is_waiting)
    assert airflow.states("first", run)["publish"] is None
    assert not folder.release.exists()
    assert "an answer in the UI decides nothing" in airflow.words("first", run, "decisions")

    sign(place, folder, Vote("approved"), *REVIEWERS)
    airflow.answer("first", run, "decisions", "Approve")
    assert airflow.ended("first", run) == "success"
    assert folder.read("release.json")["state"] == "published"


def test_publishing_starts_what_waits_for_it(airflow: Airflow, place: Workplace) -> None:
    [run] = airflow.runs("follower")
    assert run["run_type"] == "asset_triggered"
    assert airflow.ended("follower", run["dag_run_id"]) == "success"
    steps = ["check", "assess", "pseudonymize", "verify", "review"]
    assert [one["job"] for one in place.calls("follower")][:5] == steps


def test_a_signed_rejection_ends_the_run_cleanly(airflow: Airflow, place: Workplace) -> None:
    """`publish` removes what is staged, and says 1 (tests/jobs/publishing); here that is no failure."""
    place.state("rejected", "waiting")
    run = airflow.start("rejected")
    airflow.until("rejected", run, is_waiting)
    place.state("rejected", "rejected")
    place.codes("rejected", "publish", "1")
    assert airflow.ended("rejected", run) == "success"
    assert airflow.states("rejected", run)["publish"] == "skipped"
    assert len(place.calls("rejected", "publish")) == 1


def test_a_rejection_in_the_ui_publishes_nothing(airflow: Airflow, place: Workplace) -> None:
    place.state("asked", "waiting")
    run = airflow.start("asked")
    airflow.until("asked", run, is_waiting)
    airflow.answer("asked", run, "decisions", "Reject")
    assert airflow.ended("asked", run) == "success"
    states = airflow.states("asked", run)
    assert (states["decisions"], states["publish"]) == ("success", "skipped")
    assert place.calls("asked", "publish") == []


def test_signatures_are_seen_without_an_answer_in_the_ui(airflow: Airflow, place: Workplace) -> None:
    place.state("signed", "waiting")
    run = airflow.start("signed")
    airflow.until("signed", run, is_waiting)
    place.state("signed", "ready")
    assert airflow.ended("signed", run) == "success"
    assert len(place.calls("signed", "publish")) == 1


def test_waiting_costs_no_try_and_trouble_is_tried_again(airflow: Airflow, place: Workplace) -> None:
    place.codes("waiting", "verify", "5 5 4 0")
    run = airflow.start("waiting")
    assert airflow.ended("waiting", run) == "success"
    assert [one["code"] for one in place.calls("waiting", "verify")] == [5, 5, 4, 0]
    assert airflow.tasks("waiting", run)["verify"]["try_number"] == 2


def test_what_a_person_must_see_is_not_tried_again(airflow: Airflow, place: Workplace) -> None:
    place.codes("failing", "verify", "3 0")
    run = airflow.start("failing")
    assert airflow.ended("failing", run) == "failed"
    assert len(place.calls("failing", "verify")) == 1
    assert airflow.states("failing", run)["publish"] == "upstream_failed"
    said = airflow.words("failing", run, "verify")
    assert "verify says what is wrong" in said
    assert "what to do: refused by rule: a person must look" in said


def test_what_is_due_is_destroyed_once_a_reviewer_has_signed(
    airflow: Airflow, environment: Environment, make_run: MakeRun  # noqa: F811 - the fixture
) -> None:
    case = make_run(use={**plan()["use"], "until": "2026-01-31"}).approve()
    case.publish()
    there = case.place()
    assert len(DeltaTable(str(there)).to_pyarrow_table()) == 5
    run = airflow.start("gone")
    airflow.until("gone", run, is_waiting)
    assert "to sign: `gamyeong destroy 2024-017/" in airflow.question("gone", run, "decisions")["body"]
    airflow.answer("gone", run, "decisions", "Approve")  # nobody has signed
    time.sleep(3)
    airflow.until("gone", run, is_waiting)
    assert there.exists()

    target = find_target(environment, f"2024-017/{folder_name('지역경제연구원')}/retail", None, None)
    decide_destruction(environment, target, "김검토", case.keys["김검토"], "approved", "확인")
    assert airflow.ended("gone", run) == "success"
    assert not there.exists()
    done = [one.content() for one in evidence_ledger(environment, write=False).entries() if one.type == DONE]
    assert len(done) == 1


def test_a_backfill_takes_one_period_after_the_other(airflow: Airflow, place: Workplace) -> None:
    body: dict[str, Any] = {
        "dag_id": "series", "from_date": "2026-01-01T00:00:00Z", "to_date": "2026-03-02T00:00:00Z",
        "max_active_runs": 1, "reprocess_behavior": "none", "run_backwards": False,
    }  # fmt: skip
    airflow.backfill("series", body)
    airflow.on("series")
    months = {"2026-01", "2026-02", "2026-03"}
    end = time.monotonic() + 400
    while months - {one["words"][0].split("@")[1] for one in place.calls("series", "publish")}:
        assert time.monotonic() < end, airflow.runs("series")
        time.sleep(1)
    taken = [
        (month, one["job"])
        for one in place.calls("series")
        for month in sorted(months)
        if any(month in word for word in one["words"]) and one["job"] in ("pseudonymize", "publish")
    ]
    assert taken == [(month, job) for month in sorted(months) for job in ("pseudonymize", "publish")]


def test_rounds_of_a_combination_go_on_without_the_late_and_end_with_a_rejection(
    airflow: Airflow, place: Workplace
) -> None:
    """Round 7: a party fails, a step waits, votes come late. Round 8: the committee rejects."""
    place.codes("trio", "C.keys", "2")
    place.codes("trio", "KMA.link", "5 4 0")
    place.state("2024-07", "waiting")
    body = {"dag_id": "trio", "from_date": "2024-07-01T00:00:00Z", "to_date": "2024-08-01T00:00:00Z"}
    airflow.backfill("trio", body | {"max_active_runs": 1})
    airflow.on("trio")
    run = airflow.until_run("trio", "2024-07")
    airflow.until("trio", run, lambda states: states["CA.adequacy"] == "awaiting_input")
    assert "gamyeong decide r1 --show" in airflow.question("trio", run, "CA.adequacy")["body"]
    airflow.answer("trio", run, "CA.adequacy", "Approve")
    time.sleep(4)
    airflow.until("trio", run, lambda states: states["CA.adequacy"] == "awaiting_input")
    place.codes("trio", "CA.export", "0 1")  # of round 7, of round 8
    place.state("2024-08", "rejected")
    place.state("2024-07", "ready")
    assert airflow.ended("trio", run) == "failed", "what C lacks is seen"
    states = airflow.states("trio", run)
    done = ("KMA.link", "CA.export", "A.take", "CA.close", "KMA.close", "B.forget")
    assert {states[one] for one in done} == {"success"}
    assert (states["C.keys"], states["C.attributes"]) == ("failed", "upstream_failed")
    assert [one["code"] for one in place.calls("trio", "KMA.link")][:3] == [5, 4, 0]

    run = airflow.until_run("trio", "2024-08")
    assert airflow.ended("trio", run) == "success"
    states = airflow.states("trio", run)
    assert (states["CA.export"], states["A.take"]) == ("skipped", "skipped")
    assert {states[one] for one in ("CA.close", "KMA.close", "C.forget")} == {"success"}
    for call in place.calls("trio"):
        assert call["words"][call["words"].index("--round") + 1] in ("2024-07", "2024-08")
    assert all("--late" in one["words"] for one in place.calls("trio", "KMA.link")), "both are long due"
    assert all("--late" not in one["words"] for one in place.calls("trio", "A.keys"))


def test_no_cell_key_or_setting_of_spark_is_left_with_airflow(
    airflow: Airflow, place: Workplace, environment: Environment, secrets: list[bytes], figures: Keep, tmp_path: Path
) -> None:
    """Neither in a log, though Spark's and Airflow's are at debug level, nor in the database."""
    table = DeltaTable(str(environment.zone("source") / "retail" / "customers")).to_pyarrow_table()
    cells = {str(one) for name in ("customer_id", "address") for one in table[name].to_pylist()}
    assert len(cells) > 7000
    assert all(re.fullmatch(CELLS, one) for one in cells)
    copy = tmp_path / "airflow.db"  # in use: whole with its journal alone
    with closing(sqlite3.connect(place.folder / "home" / "airflow.db")) as there, closing(sqlite3.connect(copy)) as to:
        there.backup(to)
    files = [one for home in ("home", "trial") for one in (place.folder / home).rglob("*") if one.is_file()]
    assert {".log", ".db"} <= {one.suffix for one in files}
    assert search_ids([*files, copy], rf"{CELLS}|홍길동|hush") == {}

    kept = stored_secrets(environment)
    root = json.loads((place.folder / "warehouse" / "keys" / "root.json").read_text())["key"]
    keys = [base64.b64decode(root), *secrets, *(kept.load(run).reveal() for run in kept.names())]
    private = [load_pem_private_key((place.folder / f"{name}.pem").read_bytes(), None) for name in REVIEWERS]
    keys += [one.private_bytes_raw() for one in private if isinstance(one, Ed25519PrivateKey)]
    assert len(keys) >= 5, "root key, a run's secret, three reviewers"
    assert search_bytes([*files, copy], keys) == set()

    with closing(sqlite3.connect(copy)) as to:
        to.execute("UPDATE log SET extra = ? WHERE id = 1", (json.dumps([min(cells), max(cells), keys[0].hex()]),))
        to.commit()
    assert search_ids([copy], CELLS) == {str(copy): {min(cells), max(cells)}}, "a search that finds what is planted"
    assert search_bytes([copy], keys) == {str(copy)}
    sizes = sum(one.stat().st_size for one in files)
    figures(
        "Airflow's logs and database", {"values": len(cells), "keys": len(keys), "files": len(files), "bytes": sizes}
    )
