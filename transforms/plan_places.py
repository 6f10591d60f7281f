"""Where in a YAML file a problem stands: the lines of its paths, and its text or why it can't be read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from transforms.errors import PlanError, Problem
from transforms.yaml_limits import LARGEST, SIZE
from transforms.yaml_nodes import Node, path_text


def read_text(file: Path, kind: str) -> str:
    """The text of a file in UTF-8; PlanError where it can't be read or is too large. `kind` names such files ("plan").

    Of a file that never ends (`/dev/zero`) no more is read than is allowed.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise PlanError([Problem(kind, f"more than {LARGEST >> 10} KiB", SIZE, file=file.name)])
        return content.decode("utf-8")
    except OSError as error:
        raise PlanError(
            [Problem(kind, f"no readable file ({error.strerror})", f"{_article(kind)} {kind} file", file=str(file))]
        ) from None
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 at position {error.start}"
        raise PlanError([Problem(kind, found, "a file in UTF-8", file=file.name)]) from None


def beside(folder: Path, name: object, within: Path | None = None) -> Path | None:
    """The regular file that a plan's `name` means in a folder; None where there is none.

    None, too, for what lies outside of `within` (the folder itself unless said), by `..`, by an absolute name or by
    a link: a plan is written by others, and what it names is read with the rights of whoever runs it.
    """
    if not isinstance(name, str) or os.path.isabs(name):
        return None
    try:
        found = (folder / name).resolve(strict=True)
        inside = found.is_relative_to((folder if within is None else within).resolve())
        return folder / name if inside and found.is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, links in a circle
        return None


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def places(root: Node, main: str) -> tuple[dict[str, int], dict[str, str]]:
    """The line of every path, and the files of those that don't come from the main one."""
    lines: dict[str, int] = {}
    files: dict[str, str] = {}
    for loc, node in root.walk():
        path = path_text(loc)
        lines[path] = node.place
        if node.file != main:
            files[path] = node.file
    return lines, files


def placed(problem: Problem, lines: Mapping[str, int], files: Mapping[str, str], main: str) -> Problem:
    """A problem with the line of its path, or of the nearest place above; the main file goes unnamed."""
    if problem.file is not None:
        return replace(problem, file=None) if problem.file == main else problem
    path = problem.path
    while path not in lines and path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return replace(problem, line=problem.line or lines.get(path), file=files.get(path))
