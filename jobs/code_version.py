"""Which code made a table: recorded beside the plan's fingerprint."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def code_version() -> str:
    """The package's version and 12 hex digits of a SHA-256 over the source files of `transforms`."""
    root = Path(__file__).resolve().parents[1] / "transforms"
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    try:
        number = version("gamyeong")
    except PackageNotFoundError:
        number = "0"
    return f"{number}+{digest.hexdigest()[:12]}"
