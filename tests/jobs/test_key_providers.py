"""Four keepers of the root key, one way to them: a file, a variable, a command, AWS KMS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from ruamel.yaml import YAML

from jobs import keys_job
from jobs.environment import Environment, load_environment
from jobs.errors import BadInput, Operational
from jobs.key_providers import provider_of
from jobs.key_providers.command import CommandProvider
from jobs.key_providers.file import FileProvider
from jobs.keys import RunSecrets
from tests.object_store import CREDENTIALS
from transforms.derivation import Secret

SECRET = Secret(bytes(range(32)))
VARIABLE = "GAMYEONG_TEST_ROOT"
Kept = Callable[[dict[str, Any]], Environment]


@pytest.fixture
def kept(environment_file: Path) -> Kept:
    """The environment with these `keys`."""

    def change(keys: dict[str, Any], **more: Any) -> Environment:
        yaml = YAML()
        yaml.width = 10_000  # a long text may be folded within an escape, and is another one then
        raw = yaml.load(environment_file)
        yaml.dump({**raw, "keys": keys, **more}, environment_file)
        return load_environment(environment_file)

    return change


@pytest.fixture
def root(tmp_path: Path) -> str:
    """What `gamyeong keys init --to FILE` writes: to be kept elsewhere."""
    FileProvider.init(tmp_path / "made" / "root.json")
    return (tmp_path / "made" / "root.json").read_text()


@pytest.fixture(scope="module")
def kms() -> Iterator[tuple[str, Any]]:
    """A double of AWS KMS (moto) behind real HTTP on this machine: its address, and a client of its owner."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, CREDENTIALS[name])  # boto3 keeps the first ones that it finds, for all stores
        patch.delenv("AWS_PROFILE", raising=False)
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        yield address, boto3.client("kms", region_name="ap-northeast-2", endpoint_url=address)
        server.stop()


def aws(kms: tuple[str, Any], **more: Any) -> dict[str, Any]:
    key = kms[1].create_key(Description="root")["KeyMetadata"]["KeyId"]
    return {"provider": "aws-kms", "key": key, "region": "ap-northeast-2", "endpoint": kms[0], **more}


def test_a_variable(kept: Kept, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, root)
    environment = kept({"provider": "environment", "variable": VARIABLE})
    provider = provider_of(environment)
    assert provider.check() == json.loads(root)["key_id"]
    assert provider.unwrap(provider.wrap(SECRET, {"name": "r"})) == SECRET
    # Nothing that the job starts inherits it: no JVM, no Python worker.
    assert VARIABLE not in os.environ
    child = subprocess.run([sys.executable, "-c", f"import os; print({VARIABLE!r} in os.environ)"], capture_output=True)
    assert child.stdout.strip() == b"False"


@pytest.mark.parametrize("content", [None, "", "x" * 40, '{"format": 1}'])
def test_a_variable_without_a_root_key(kept: Kept, content: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = f"{VARIABLE}_{len(content or '')}"
    if content is not None:
        monkeypatch.setenv(variable, content)
    with pytest.raises(BadInput, match=f"the variable {variable} (holds|is) no root key") as caught:
        provider_of(kept({"provider": "environment", "variable": variable})).check()
    assert not content or content not in caught.value.message


def test_a_command(kept: Kept, root: str, tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = f"open({str(count)!r}, 'a').write('x'); print({root!r})"
    provider = provider_of(kept({"provider": "command", "command": [sys.executable, "-c", script]}))
    assert not count.exists()
    assert provider.check() == json.loads(root)["key_id"]
    assert provider.unwrap(provider.wrap(SECRET, {"name": "r"})) == SECRET
    assert count.read_text() == "x"  # asked once, at first use
    assert FileProvider(tmp_path / "made" / "root.json").unwrap(provider.wrap(SECRET, {})) == SECRET


@pytest.mark.parametrize(
    ("script", "error", "told"),
    [
        ("raise SystemExit(7)", Operational, "ended with code 7"),
        ("print('hunter2' * 5)", BadInput, "is no root key"),
        ("import time; time.sleep(60)", Operational, "within 1 s"),
        ("import os, time; os.close(1); time.sleep(60)", Operational, "within 1 s"),
        ("while True: print('hunter2' * 1000)", BadInput, "prints more than 65536 bytes"),
    ],
)
def test_a_command_that_fails_tells_no_secret(
    kept: Kept, script: str, error: type[Exception], told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", script, "--password", "hunter3"]
    with pytest.raises(error, match=told) as caught:
        provider_of(kept({"provider": "command", "command": command, "timeout": 1})).check()
    assert "hunter" not in str(caught.value) + "".join(capfd.readouterr())


def test_a_command_that_is_not_there(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the command nothing can't be started"):
        provider_of(kept({"provider": "command", "command": [str(tmp_path / "nothing")]})).check()


def test_a_command_with_a_word_that_no_program_takes(kept: Kept) -> None:
    with pytest.raises(BadInput, match="can't be started: a word that no program takes"):
        CommandProvider(["true", "\0"], 1).check()


# AWS KMS


def test_aws_kms_wraps_and_opens(kept: Kept, kms: tuple[str, Any], tmp_path: Path) -> None:
    environment = kept(aws(kms))
    runs = RunSecrets(tmp_path / "secrets", provider_of(environment))
    made = runs.create("2f1c")
    assert RunSecrets(tmp_path / "secrets", provider_of(environment)).load("2f1c") == made
    wrapped = json.loads((tmp_path / "secrets" / "runs" / "2f1c.json").read_text())
    assert wrapped["key_id"].startswith("arn:aws:kms:ap-northeast-2:")
    assert wrapped["context"] == {"kind": "run", "name": "2f1c"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("context", {"name": "other"}), ("secret", "AAAA"), ("secret", 1), ("algorithm", "x"), ("format", 2)],
)
def test_aws_kms_finds_what_was_altered(kept: Kept, kms: tuple[str, Any], name: str, value: Any) -> None:
    provider = provider_of(kept(aws(kms)))
    wrapped = provider.wrap(SECRET, {"kind": "run", "name": "2f1c"})
    assert provider.unwrap(wrapped) == SECRET
    with pytest.raises(Operational, match="damaged or was altered"):
        provider.unwrap({**wrapped, name: value})


def test_a_key_that_aws_does_not_lend(kept: Kept, kms: tuple[str, Any]) -> None:
    settings = aws(kms)
    provider = provider_of(kept(settings))
    wrapped = provider.wrap(SECRET, {})
    kms[1].disable_key(KeyId=settings["key"])
    with pytest.raises(BadInput, match="is Disabled"):
        provider_of(kept(settings)).check()
    with pytest.raises(BadInput, match="NotFoundException"):
        provider_of(kept({**settings, "key": "alias/none"})).check()
    with pytest.raises(BadInput, match="another root key"):
        provider_of(kept(aws(kms))).unwrap(wrapped)


def test_aws_that_nobody_answers_for(kept: Kept, kms: tuple[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    settings = {"provider": "aws-kms", "key": "alias/x", "region": "ap-northeast-2", "endpoint": "http://127.0.0.1:9"}
    with pytest.raises(Operational, match="can't be reached: EndpointConnectionError"):
        provider_of(kept(settings)).check()


def test_without_boto3_the_extra_is_named(kept: Kept, kms: tuple[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(BadInput, match=r"the extra `gamyeong\[aws\]`"):
        provider_of(kept(aws(kms))).check()


# Settings, and the command


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"provider": "vault"}, "keys.provider: no such provider; allowed: file, environment, command, aws-kms"),
        ({"provider": "environment", "variable": "a b"}, "keys.variable: String should match"),
        ({"provider": "command", "command": []}, "keys.command: Tuple should have at least 1 item"),
        ({"provider": "aws-kms", "key": "k", "endpoint": "http://a.example"}, "keys.endpoint: an endpoint without TLS"),
        ({"provider": "aws-kms", "key": "k", "keyid": "k"}, "keys.keyid: unknown key; allowed: provider, key, region"),
        ({"path": "a.json", "provide": "file"}, "did you mean provider?"),
    ],
)
def test_settings_that_are_wrong(kept: Kept, keys: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput) as caught:
        kept(keys)
    assert told in caught.value.message


def test_a_root_key_for_another_keeper(
    kept: Kept, environment_file: Path, tmp_path: Path, kms: tuple[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """`init --to` makes one to hand over; `init` alone makes only what is ours to make."""
    to = tmp_path / "handed" / "root.json"
    call = ["--environment", str(environment_file)]
    kept({"provider": "command", "command": ["cat", str(to)]})
    assert keys_job.main(["init", *call]) == 2
    assert "gamyeong keys init --to FILE" in capsys.readouterr().err
    assert keys_job.main(["init", "--to", str(to), *call]) == 0
    assert keys_job.main(["check", *call]) == 0
    assert json.loads(to.read_text())["key"] not in "".join(capsys.readouterr())
    kept(aws(kms))
    assert keys_job.main(["init", *call]) == 2
    assert keys_job.main(["check", *call]) == 0
