"""What can be wrong, in words that never hold a cell value."""

from __future__ import annotations

from dataclasses import dataclass, field

# What is told of one place, and of how many places: whoever writes a plan does not decide how much others must read.
LONGEST_PART, MOST_TOLD = 300, 200


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a plan, an environment or a table's columns.

    `line` is the line of the plan file (None where there is none), `path` the place in it
    (`columns.age.apply[1].rounding.unit`), `found` what stands there, `allowed` what may stand there,
    `hint` what to do or "did you mean …". `refused` marks what the rules forbid (exit 3) as against
    what is malformed (exit 2).
    """

    path: str
    found: str
    allowed: str
    line: int | None = None
    hint: str | None = None
    refused: bool = False
    file: str | None = None

    def __str__(self) -> str:
        place = [part for part in (self.file, f"line {self.line}" if self.line else None) if part]
        where = ", ".join([*place, _short(self.path)])
        text = f"{where}: {_short(self.found)}; allowed: {_short(self.allowed, 10 * LONGEST_PART)}"
        return f"{text}; {self.hint}" if self.hint else text


def _short(text: str, most: int = LONGEST_PART) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


class PlanError(Exception):
    """A plan that can't be used; `problems` holds every one of them."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file or "", p.line or 0, p.path)))
        told = [str(problem) for problem in self.problems[:MOST_TOLD]]
        more = len(self.problems) - len(told)
        super().__init__("\n".join([*told, *([f"and {more} more"] if more else [])]))

    @property
    def refused(self) -> bool:
        """True if all problems are refusals by rule (exit 3)."""
        return all(problem.refused for problem in self.problems)


class TechniqueError(Exception):
    """A technique can't work on this type or with these parameters (found while compiling)."""

    def __init__(self, found: str, allowed: str, hint: str | None = None) -> None:
        super().__init__(f"{found}; allowed: {allowed}")
        self.found, self.allowed, self.hint = found, allowed, hint


class CellsRefused(Exception):
    """Cells that a technique may not pass on (uncovered, null, NaN, out of range): a reason and a count.

    `reason` is a fixed text of the technique: it never holds a value.
    """

    def __init__(self, reason: str, count: int) -> None:
        super().__init__(reason, count)
        self.reason, self.count = reason, count

    def __str__(self) -> str:
        return f"{self.reason} ({self.count} cells)"


class DataRefused(Exception):
    """The data does not allow what the plan asks for (exit 1); the text holds counts, never values."""


@dataclass(frozen=True)
class Site:
    """Where a step stands: table, column, number of the step in its chain, and its place in the plan."""

    table: str
    column: str
    step: int
    path: str
    line: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.path} (column {self.table}.{self.column}, step {self.step + 1})"
