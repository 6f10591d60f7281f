"""Where in a YAML file a problem stands: the lines of its paths, and its text or why it can't be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from transforms.errors import PlanError, Problem
from transforms.yaml_nodes import Node, path_text


def read_text(file: Path, kind: str) -> str:
    """The text of a file in UTF-8; PlanError where it can't be read. `kind` names such files ("plan")."""
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise PlanError(
            [Problem(kind, f"no readable file ({error.strerror})", f"{_article(kind)} {kind} file", file=str(file))]
        ) from None
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 at position {error.start}"
        raise PlanError([Problem(kind, found, "a file in UTF-8", file=file.name)]) from None


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
