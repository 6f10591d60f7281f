"""A key that others may have: what it touches is listed, series get a new secret, runs are made anew under another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from jobs import keys_job
from jobs.compromise import compromised_runs
from jobs.environment import Environment
from jobs.errors import JobError
from jobs.key_providers.file import FileProvider
from jobs.keys import IdentitySecrets, RunSecrets, SeriesSecrets
from jobs.ledger import evidence_ledger
from jobs.runs import SourceVersion, run_name
from transforms.derivation import Secret

from .publishing.conftest import MakeRun, make_run, reviewers

__all__ = ["make_run", "reviewers"]  # fixtures
WHO = ["--person", "김책임", "--reason", "노트북 분실"]
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def root(environment: Environment) -> FileProvider:
    path = Path(environment.keys.path)  # type: ignore[union-attr]
    return FileProvider(path) if path.exists() else FileProvider.init(path)


def call(file: Path, *argv: str) -> int:
    return keys_job.main(["compromised", *argv, *WHO, "--environment", str(file), "--json"])


def told(capsys: Printed) -> dict[tuple[str, str], dict[str, Any]]:
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    return {(one["kind"], one["name"]): one for one in line["touched"]}


def renew_root(environment_file: Path, tmp_path: Path) -> None:
    """A new root key, and all secrets wrapped by it."""
    yaml = YAML()
    raw = yaml.load(environment_file)
    raw["retiring_keys"], raw["keys"] = raw["keys"], {"provider": "file", "path": str(tmp_path / "new.json")}
    yaml.dump(raw, environment_file)
    for action in ("init", "rotate"):
        assert keys_job.main([action, "--environment", str(environment_file), "--quiet"]) == 0


def test_a_run_is_made_anew_under_another_name_and_secret(
    environment: Environment, environment_file: Path, root: FileProvider, capsys: Printed
) -> None:
    sources = {"people": SourceVersion("people", "id", 3)}
    run = run_name("f" * 64, sources)
    runs = RunSecrets(environment.zone("keys"), root)
    old = runs.create(run)
    assert call(environment_file, "--run", run) == 0
    assert told(capsys)["run", run]["check"] == runs.card(run).check
    lost = compromised_runs(evidence_ledger(environment, write=False))
    assert lost == {run}
    again = run_name("f" * 64, sources, compromised=lost)
    assert again != run
    assert runs.obtain(again) != old
    assert runs.load(run) == old  # what it keeps can still be read, until it is destroyed
    # The second one may get lost, too; other runs keep their names.
    third = run_name("f" * 64, sources, compromised=lost | {again})
    assert len({run, again, third}) == 3
    assert run_name("e" * 64, sources, compromised=lost) == run_name("e" * 64, sources)


def test_a_series_gets_a_new_secret_and_its_runs_are_touched(
    environment: Environment, environment_file: Path, root: FileProvider, make_run: MakeRun, capsys: Printed
) -> None:
    columns = {"id": {"apply": [{"one-way-hash": {"stable_over": "panel"}}]}}
    user, other = make_run(columns=columns), make_run(fingerprint="2" * 64)
    series = SeriesSecrets(environment.zone("keys"), root)
    old, second = series.create("panel"), series.create("second")
    check = series.card("panel").check
    assert call(environment_file, "--series", "panel") == 0
    found = told(capsys)
    assert set(found) == {("series", "panel"), ("run", user.folder.run)}
    assert found["run", user.folder.run]["state"] == "under way"
    assert found["series", "panel"]["check"] == check != series.card("panel").check
    assert series.load("panel") != old
    assert series.load("second") == second
    assert other.folder.run not in compromised_runs(evidence_ledger(environment, write=False))


def test_killed_before_the_new_secret_was_made_it_goes_on(
    environment: Environment, environment_file: Path, root: FileProvider, capsys: Printed
) -> None:
    series = SeriesSecrets(environment.zone("keys"), root)
    old = series.create("panel")
    assert call(environment_file, "--series", "panel") == 0
    series.destroy("panel")
    assert call(environment_file, "--series", "panel") == 0
    assert series.load("panel") != old


def test_a_root_key_touches_all_that_it_ever_wrapped(
    environment: Environment, environment_file: Path, root: FileProvider, tmp_path: Path, make_run: MakeRun,
    capsys: Printed,
) -> None:  # fmt: skip
    """Rewrapping does not help against who copied the wrapped secrets, too: they are replaced."""
    zone, old_id = environment.zone("keys"), root.check()
    case = make_run()
    case.folder.release.write_json({"state": "published", "run": case.folder.run})
    series = SeriesSecrets(zone, root).create("panel")
    IdentitySecrets(zone, root).create("signing")
    gone = "0123456789abcdef"  # destroyed since, but the ledger knows which root key wrapped it
    body = {"run": gone, "secret": {"key_id": old_id, "check": "00"}}
    evidence_ledger(environment).append("pseudonymize", body)
    assert call(environment_file, "--root", old_id) == 3
    assert "first a new root key" in capsys.readouterr().err
    assert SeriesSecrets(zone, root).load("panel") == series
    renew_root(environment_file, tmp_path)
    new = FileProvider(tmp_path / "new.json")
    RunSecrets(zone, new).create("later")
    capsys.readouterr()
    assert call(environment_file, "--root", old_id) == 0
    found = told(capsys)
    names = set(found) - {("run", case.folder.run)}
    assert names == {("series", "panel"), ("identity", "signing"), ("run", gone)}
    assert found["run", case.folder.run]["todo"].startswith("recall it (`gamyeong quarantine`)")
    assert not found["run", gone]["there"]
    fresh = SeriesSecrets(zone, new).load("panel")
    assert fresh != series
    assert isinstance(fresh, Secret)
    with pytest.raises(JobError):  # the lost root key does not open the new secret
        SeriesSecrets(zone, root).load("panel")


def test_the_ledger_tells_who_and_why_once(
    environment: Environment, environment_file: Path, root: FileProvider, capsys: Printed
) -> None:
    RunSecrets(environment.zone("keys"), root).create("2f1c")
    for _ in range(2):
        assert call(environment_file, "--run", "2f1c") == 0
    ledger = evidence_ledger(environment, write=False).entries()
    entries = [one.content() for one in ledger if one.type == "key-compromised"]
    check = RunSecrets(environment.zone("keys"), root).card("2f1c").check
    named = {"kind": "run", "name": "2f1c", "check": check, "root": None}
    assert entries == [{**named, "person": "김책임", "reason": "노트북 분실"}]


@pytest.mark.parametrize("argv", [[], ["--run", "a", "--series", "b"], ["--run", "nobody"]])
def test_which_key(environment: Environment, environment_file: Path, root: FileProvider, argv: list[str]) -> None:
    assert call(environment_file, *argv) == 2
    assert compromised_runs(evidence_ledger(environment, write=False)) == frozenset()
