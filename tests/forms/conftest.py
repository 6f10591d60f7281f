"""Reviewed runs to make forms of, without Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from jobs import manifest
from jobs.additional import run_secrets
from jobs.clock import stamp
from jobs.environment import Environment, load_environment
from jobs.key_providers.file import FileProvider
from jobs.ledger import evidence_ledger
from jobs.reviewer import new_reviewer
from jobs.reviewers import Identity
from jobs.run_plan import save_plan
from jobs.runs import RunFolder, RunRecord, SourceVersion, run_name
from jobs.signing import SigningKey, load_key
from jobs.vouched import MADE_BY, hashes
from transforms.compiler import compile_plan
from transforms.plan_loader import load

from .made import NOON, PLAN, REVIEWERS, SCHEMA, Case, MakeRun, stage


def make(environment: Environment, keys: dict[str, SigningKey], file: Path, text: str, version: int) -> Case:
    """A reviewed run of a plan's text; `file` is where that goes, `version` the source's."""
    file.write_text(text)
    loaded = load(file)
    pipeline = compile_plan(loaded.plan, SCHEMA, loaded.hierarchies)
    sources = {"spending": SourceVersion("shop/customers", "source-id", version, 4_100)}
    folder = RunFolder(environment, run_name(pipeline.fingerprint, sources))
    folder.evidence.local.mkdir(parents=True)
    staged = stage(folder)
    record = RunRecord(
        run=folder.run, plan=loaded.plan.plan, fingerprint=pipeline.fingerprint, code_version="0.1.0",
        organisation="유통업체", application=loaded.plan.application.number, recipient=loaded.plan.use.recipient,
        output="spending", started=stamp(NOON - timedelta(hours=2)), finished=stamp(NOON - timedelta(hours=1)),
        sources=sources, tables=(staged,),
        counts={"tables": {"spending": {"subjects": 4_000, "drawn": 2_000}}},
    )  # fmt: skip
    folder.save_record(record)
    save_plan(folder, loaded, SCHEMA)
    manifest.write(folder, manifest.build(folder, (staged,)))
    folder.verify.write_json({"verdict": "equal"})
    folder.suite.write_json({"expectations": []})
    folder.result.write_json({"verdict": "fit"})
    folder.report.local.mkdir()
    (folder.report / "index.html").local.write_text("<p>적정성 검토</p>")
    root = Path(environment.keys.path)
    if not root.exists():
        FileProvider.init(root)
    run_secrets(folder).create(folder.run)
    ledger = evidence_ledger(environment, lambda: NOON)
    for job in MADE_BY:
        ledger.append(job, {"run": folder.run, "files": hashes(folder, job)})
    return Case(folder, keys)


@pytest.fixture
def keys(environment: Environment, tmp_path: Path) -> dict[str, SigningKey]:
    """Three pinned reviewers and their private keys."""
    found = {}
    for number, name in enumerate(REVIEWERS):
        path = tmp_path / f"reviewer-{number}.pem"
        new_reviewer(environment, name, path, None, Identity("internal", "정보보호실", "선임"))
        found[name] = load_key(path)
    return found


@pytest.fixture
def make_run(environment: Environment, keys: dict[str, SigningKey], tmp_path: Path) -> MakeRun:
    """Makes reviewed runs: of PLAN, or of another plan's text."""
    return lambda text=PLAN, version=7: make(environment, keys, tmp_path / "plan.yaml", text, version)


@pytest.fixture
def case(make_run: MakeRun) -> Case:
    """A reviewed run of PLAN, about which nobody has decided yet."""
    return make_run()


@pytest.fixture(scope="session")
def untouched(environment_in: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The files of a run's forms, by name; nobody has decided about it, and no reviewer is pinned."""
    folder = tmp_path_factory.mktemp("untouched")
    return make(load_environment(environment_in(folder)), {}, folder / "plan.yaml", PLAN, 7).write()
