"""What is wrong with a file or a machine, told with what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class Unfit(Exception):
    """Something that trying again can't help: where it is, what was found, what is allowed or to do."""


class UnfitFile(Unfit):
    """A file with all of its problems at once."""

    def __init__(self, file: Path, problems: Iterable[str]) -> None:
        self.file, self.problems = file, tuple(problems)
        super().__init__("\n".join(f"{file.name}{problem}" for problem in self.problems))


def near(word: str, allowed: Iterable[str]) -> str:
    """"; did you mean X?" where a word is close to an allowed one, else nothing."""
    close = difflib.get_close_matches(word[:100], list(allowed), 1)
    return f"; did you mean {close[0]}?" if close else ""
