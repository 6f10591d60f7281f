"""The pages as tests read them: code blocks with their language, and the lines of a shell block."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXIT = re.compile(r"#.*\(exit (\d)\)")


@dataclass(frozen=True)
class Command:
    """One command of a shell block: its text, its words, and the exit code that its comment tells (else 0)."""

    text: str
    words: tuple[str, ...]
    exit: int


@dataclass(frozen=True)
class Page:
    """One Markdown page."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    def blocks(self, language: str | None = None) -> list[str]:
        """Code blocks in order, those of one language or (None) all."""
        found = re.findall(r"^```(\w*)\n(.*?)^```$", self.text, re.DOTALL | re.MULTILINE)
        return [text for name, text in found if language in (None, name)]

    def commands(self, language: str = "bash") -> list[Command]:
        """The commands of all blocks of a language; a line that ends in a backslash goes on."""
        lines = "\n".join(self.blocks(language)).replace("\\\n", " ").splitlines()
        made = []
        for line in lines:
            words = tuple(shlex.split(line, comments=True))
            if words:
                told = EXIT.search(line)
                made.append(Command(line, words, int(told[1]) if told else 0))
        return made


def page(path: str) -> Page:
    """A page by its path from the root of the repository."""
    return Page(ROOT / path)


@pytest.fixture(scope="session")
def readme() -> Page:
    return page("README.md")
