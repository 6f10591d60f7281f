"""Which code made a table: recorded beside the plan's fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable


@cache
def code_version() -> str:
    """The package's version and 12 hex digits of a SHA-256 over the source files of `transforms`."""
    try:
        number = version("gamyeong")
    except PackageNotFoundError:
        number = "0"
    return f"{number}+{code_digest()}"


@cache
def code_digest() -> str:
    """12 hex digits of a SHA-256 over the source files of `transforms`, in a folder or in an archive on the path."""
    digest = hashlib.sha256()
    for path, file in sorted(_sources(files("transforms"), ()), key=lambda one: one[0]):
        digest.update("/".join(path).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _sources(folder: Traversable, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    for one in folder.iterdir():
        if one.name.endswith(".py"):
            yield (*above, one.name), one
        elif one.is_dir():
            yield from _sources(one, (*above, one.name))
