"""The combination file as the steps read it."""

from __future__ import annotations

from pathlib import Path

from jobs.errors import BadInput, Refused
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination
from transforms.errors import PlanError


def open_combination(file: Path) -> Combination:
    """The combination in a file; BadInput (Refused, where rules forbid all of it) with every problem in it."""
    try:
        return load_combination(file)
    except PlanError as error:
        kind = Refused if error.refused else BadInput
        raise kind(f"{len(error.problems)} problem(s) in {file.name}\n{error}") from None
