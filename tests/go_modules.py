"""What comes from Go modules: one version with one hash, by the ordinary `go` command; None where it can't be had."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[1]
MADE = ROOT / ".cache" / "go"
GATEWAY = "github.com/versity/versitygw", "v1.8.0", "h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc="


def gateway() -> Path | None:
    """Versity's S3 gateway over a folder."""
    return module_command(*GATEWAY, "cmd/versitygw")


@cache
def module_folder(name: str, version: str, digest: str) -> Path | None:
    """The folder of a module's files. A module of this version with another hash is an error."""
    done = _go("mod", "download", "-json", f"{name}@{version}", timeout=120)
    if done is None:
        return None
    found = json.loads(done)
    assert found["Sum"] == digest, f"{name} {version} is another module than the one that was looked at"
    return Path(found["Dir"])


@cache
def module_command(name: str, version: str, digest: str, package: str) -> Path | None:
    """A command of a module, built once into .cache; what it is built from is held by the module's own go.sum."""
    binary = package.rpartition("/")[2]
    command = MADE / f"{binary}-{version}"
    MADE.mkdir(parents=True, exist_ok=True)
    with (MADE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two test processes one builds, the other takes it
        if command.exists():
            return command
        if module_folder(name, version, digest) is None:
            return None
        draft = MADE / uuid4().hex
        try:
            if _go("install", f"{name}/{package}@{version}", timeout=600, GOBIN=str(draft), CGO_ENABLED="0") is None:
                return None
            os.replace(draft / binary, command)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return command


def _go(*words: str, timeout: float, **variables: str) -> str | None:
    if shutil.which("go") is None:
        return None
    MADE.mkdir(parents=True, exist_ok=True)
    local = {**os.environ, "GOTOOLCHAIN": "local", **variables}  # an older `go` may not bring a newer one for this
    try:
        done = subprocess.run(["go", *words], cwd=MADE, env=local, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


if __name__ == "__main__":  # infra/test builds it while other things are fetched
    gateway()
