"""What is wrong with a file that tests change in one place: how it must be told."""

from __future__ import annotations

from typing import NamedTuple

from transforms.errors import Problem


class Case(NamedTuple):
    """`old` of the right file becomes `new`; the problem stands in the line of `new`, at `path`."""

    name: str
    old: str
    new: str
    path: str
    found: str
    allowed: str
    hint: str = ""

    def require_told(self, problem: Problem) -> None:
        """The problem says what was found, what is allowed, and what to do."""
        assert problem.path == self.path
        assert self.found in problem.found
        assert self.allowed in problem.allowed
        assert self.hint in (problem.hint or "")
