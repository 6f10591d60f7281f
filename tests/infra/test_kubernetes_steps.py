"""The days after the first in a cluster: each step that the page names is understood, and sees what it opens."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from jobs import cli
from jobs.cli import JOBS
from jobs.environment import ZONES, Environment, load_environment
from jobs.job import Outcome
from jobs.key_providers import provider_of
from jobs.keys import RunSecrets
from jobs.ledger import evidence_ledger

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "infra" / "kubernetes"
VERSIONS = ("1.28", "1.33", "1.37")
VOLUME = PurePosixPath("/var/lib/gamyeong")
PAGE = (ROOT / "infra/README.md").read_text("utf-8").split("#### Days after the first")[1].split("Held by tests:")[0]
KEY_VARIABLES = {"GAMYEONG_ROOT_KEY": "gamyeong-root", "GAMYEONG_RETIRING_KEY": "gamyeong-retiring-root"}


def printed(*words: str) -> dict[str, Any]:
    """The definition that the script prints."""
    done = subprocess.run([FOLDER / "step", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(done.stdout)
    return found


def pod(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The pod of a Job, CronJob or desk."""
    spec = definition["spec"]
    while "containers" not in spec:
        spec = (spec.get("jobTemplate") or spec["template"])["spec"]
    found: dict[str, Any] = spec
    return found


def container(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The one container of a Job, CronJob or desk, or the driver of an application."""
    if definition["kind"] == "SparkApplication":
        driver: dict[str, Any] = definition["spec"]["driver"]
        return driver
    (one,) = pod(definition)["containers"]
    found: dict[str, Any] = one
    return found


def words_of(definition: Mapping[str, Any]) -> list[str]:
    """The words that `gamyeong` gets."""
    if definition["kind"] == "SparkApplication":
        file = PurePosixPath(definition["spec"]["mainApplicationFile"])
        assert file.parent == PurePosixPath("local:/opt/gamyeong/jobs")
        return [file.stem, *definition["spec"]["arguments"]]
    first, *words = container(definition)["args"]
    assert first == "gamyeong"
    return list(words)


def steps() -> list[list[str]]:
    """The words of each step that the page names."""
    table = [row.split("|")[2] for row in PAGE.splitlines() if row.startswith("| ") and not row.startswith("| act")]
    found = [words for cell in table for words in re.findall(r"`([^`]+)`", cell)]
    found += re.findall(r"^infra/kubernetes/step (.*?) \| kubectl", PAGE, re.MULTILINE)
    return [shlex.split(words) for words in found if words.split()[0] != "desk"]


def at_a_desk() -> list[list[str]]:
    """The words of each `gamyeong` that the page runs at a desk."""
    lines = PAGE.replace("\\\n", " ").splitlines()
    found = [re.search(r"exec (?:-i )?DESK -- gamyeong ([^#]*)", line) for line in lines]
    return [shlex.split(one[1]) for one in found if one]


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Jobs that parse their arguments and do nothing; the zones that the last one of each name declared."""
    seen: dict[str, set[str]] = {}
    for module, _ in JOBS.values():
        job = importlib.import_module(f"jobs.{module}")

        def parse_only(argv: Sequence[str], *, _real: Any = job.run_job, **given: Any) -> int:
            seen["last"] = {*given.get("reads", ()), *given.get("writes", ())}
            code: int = _real(argv, **{**given, "body": lambda context: Outcome()})
            return code

        monkeypatch.setattr(job, "run_job", parse_only)
    return seen


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """The cluster's own, with its places as they are there."""
    return load_environment(kept(tmp_path))


def kept(folder: Path) -> Path:
    (one,) = [one for one in objects("base.yaml") if one["kind"] == "ConfigMap"]
    file = folder / "environment.yaml"
    file.write_text(one["data"]["environment.yaml"], "utf-8")
    return file


def objects(name: str) -> Iterator[dict[str, Any]]:
    yield from YAML(typ="safe", pure=True).load_all((FOLDER / name).read_text("utf-8"))


def seen(definition: Mapping[str, Any], place: PurePosixPath) -> bool:
    """Is this place of the volume mounted?"""
    mounts = container(definition)["volumeMounts"]
    return any(PurePosixPath(place).is_relative_to(one["mountPath"]) for one in mounts if one["name"] == "zones")


def variables(definition: Mapping[str, Any]) -> dict[str, str]:
    """The secrets that become variables."""
    found = container(definition)["env"]
    return {one["name"]: one["valueFrom"]["secretKeyRef"]["name"] for one in found if "valueFrom" in one}


def test_the_page_names_steps_for_every_day() -> None:
    named = {words[0] for words in steps()}
    assert named >= {
        "check", "assess", "pseudonymize", "verify", "review", "publish", "status", "destroy", "quarantine", "restore",
        "additional-information", "keys", "ledger",
    }  # fmt: skip
    assert {"decide", "destroy", "restore", "reviewer", "keys"} == {words[0] for words in at_a_desk()}


@pytest.mark.parametrize("words", steps(), ids=" ".join)
def test_a_step_is_understood_and_sees_what_it_opens(
    words: list[str], declared: dict[str, set[str]], environment: Environment
) -> None:
    definition = printed(*words)
    assert definition["metadata"]["generateName"] == f"{words[0]}-"
    assert cli.main(words_of(definition)) == 0
    assert words_of(definition)[: len(words)] == words
    opened = declared["last"]
    assert opened <= set(ZONES)
    for zone in opened:
        place = environment.zone(zone)  # type: ignore[arg-type]
        assert not place.is_local or seen(definition, place.local), zone
    assert seen(definition, environment.reviewers) or opened <= {"source"}
    keys = "keys" in opened
    assert variables(definition) == (KEY_VARIABLES if keys or definition["kind"] == "SparkApplication" else {})
    if definition["kind"] == "Job":
        assert seen(definition, VOLUME / "keys") == keys, "no more than it opens"
        for version in VERSIONS:
            assert kubernetes_validate.validate(definition, version, strict=True)


@pytest.mark.parametrize("words", at_a_desk(), ids=" ".join)
def test_what_is_done_at_a_desk_is_understood(
    words: list[str], declared: dict[str, set[str]], environment: Environment
) -> None:
    assert cli.main(words) == 0
    desk = printed("desk", *(["--keys"] if "keys" in declared["last"] else []))
    for zone in declared["last"]:
        place = environment.zone(zone)  # type: ignore[arg-type]
        assert not place.is_local or seen(desk, place.local), zone
    assert seen(desk, environment.reviewers)


def test_a_reviewers_desk_has_neither_keys_nor_additional_information(environment: Environment) -> None:
    reviewer, handler = printed("desk"), printed("desk", "--keys")
    for definition in (reviewer, handler):
        assert kubernetes_validate.validate(definition, VERSIONS[-1], strict=True)
        (desk,) = [one for one in pod(definition)["volumes"] if one["name"] == "desk"]
        assert desk["emptyDir"]["medium"] == "Memory"
    closed = [environment.zone("keys").local, environment.zone("additional-information").local]
    assert [seen(reviewer, one) for one in closed] == [False, False]
    assert [seen(handler, one) for one in closed] == [True, True]
    assert (variables(reviewer), variables(handler)) == ({}, KEY_VARIABLES)


def test_what_is_due_is_asked_each_day_by_a_pod_like_the_others(
    declared: dict[str, set[str]], environment: Environment
) -> None:
    (due,) = objects("due.yaml")
    for version in VERSIONS:
        assert kubernetes_validate.validate(due, version, strict=True)
    job = printed("due")
    assert words_of(due) == words_of(job)
    assert cli.main(words_of(due)) == 0
    assert "evidence" in declared["last"]
    for one in ("image", "securityContext", "env"):
        assert container(due)[one] == container(job)[one]
    assert [one for one in container(job)["volumeMounts"] if one["name"] != "plans"] == container(due)["volumeMounts"]
    assert pod(due)["securityContext"] == pod(job)["securityContext"]
    assert due["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0, "exit 1 is an answer, no fault"


def test_words_stay_words() -> None:
    odd = ["destroy", 'a "b" \\c', "- {x: [1]}", "# no", "$(id)", "지역", "{{x}}", ""]
    assert words_of(printed(*odd))[:-1] == odd
    (job,) = objects("job.yaml")
    strange = printed(*odd)
    assert {**strange, "metadata": job["metadata"]}.keys() == job.keys()
    assert container(strange).keys() == container(job).keys()


@pytest.mark.parametrize("words", [[], ["run", "plan.yaml"], ["dance"], ["desk", "x"], ["status", "a\nb"]])
def test_what_is_no_step_is_refused(words: list[str]) -> None:
    done = subprocess.run([FOLDER / "step", *words], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "allowed" in done.stderr or "control character" in done.stderr


def test_the_root_key_is_changed_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cluster's environment with folders in place of stores; the Secrets are variables, as in its pods."""
    file = kept(tmp_path)
    text = file.read_text("utf-8").replace("/var/lib", f"{tmp_path}/var").replace("s3://ours-", f"{tmp_path}/store/")
    file.write_text(text.replace("scratch: /scratch", f"scratch: {tmp_path}/scratch").split("storage:")[0], "utf-8")
    monkeypatch.setenv("GAMYEONG_ENVIRONMENT", str(file))

    def secrets(**found: Path) -> None:
        for name in KEY_VARIABLES:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("jobs.key_providers.variable._TAKEN", {})
        for name, path in found.items():
            monkeypatch.setenv(name, path.read_text("utf-8"))

    def told(*words: str) -> dict[str, Any]:
        code = cli.main([*words, "--json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert found["exit"] == code
        return found

    first, second = tmp_path / "root.json", tmp_path / "next.json"
    assert told("keys", "init", "--to", str(first))["exit"] == 0, "there is no Secret yet"
    entries = evidence_ledger(load_environment(), write=False).entries()
    assert [one.type for one in entries] == ["keys-init"], "the cluster's own ledger knows of its key"
    secrets(GAMYEONG_ROOT_KEY=first)
    environment = load_environment()
    RunSecrets(environment.zone("keys"), provider_of(environment)).create("0123456789abcdef")
    assert told("keys", "check")["exit"] == 0
    told("keys", "init", "--to", str(second))
    secrets(GAMYEONG_ROOT_KEY=second, GAMYEONG_RETIRING_KEY=first)
    done = told(*next(words for words in steps() if words[:2] == ["keys", "rotate"]))
    assert (done["exit"], done["rewrapped"]) == (0, 1)
    secrets(GAMYEONG_ROOT_KEY=second)
    environment = load_environment()
    assert RunSecrets(environment.zone("keys"), provider_of(environment)).load("0123456789abcdef")
    secrets(GAMYEONG_ROOT_KEY=first)
    assert told("keys", "rotate")["exit"] == 2, "the old one opens nothing any more"
