"""Roles of a combination, each with an environment, keys and an identity of its own, pinned to each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.combination.layout import environment_file, make_roles
from jobs.environment import Environment
from jobs.storage import private_folder
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination

from .sample_file import written


@dataclass(frozen=True)
class Roles:
    """Makes the roles' environments below a folder."""

    folder: Path

    def __call__(self, names: Iterable[str] = ("A", "B", "KMA", "CA")) -> dict[str, Environment]:
        made = make_roles(self.folder, names)
        for environment in made.values():
            for zone in environment.zones.values():
                private_folder(zone.local)
        return made

    def file(self, name: str) -> str:
        """The environment file of a role, for `--environment`."""
        return str(environment_file(self.folder, name))


@pytest.fixture
def roles(tmp_path: Path) -> Roles:
    """`roles(["A", "KMA"])` makes them; `roles.file("A")` is the role's environment file."""
    return Roles(tmp_path)


@pytest.fixture
def combination(tmp_path: Path) -> Combination:
    """The sample file as it is."""
    return load_combination(written(tmp_path))


@pytest.fixture
def everyone(roles: Roles) -> dict[str, Environment]:
    """A, B and both agencies."""
    return roles()
