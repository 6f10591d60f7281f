"""Folders of a test that other accounts can reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def reachable() -> Iterator[Callable[[Path], None]]:
    """`reachable(folder)`: the folders above it may be passed by everybody until the test ends, as / and /srv may."""
    changed: list[tuple[Path, int]] = []

    def open_up(folder: Path) -> None:
        for one in (folder, *folder.parents):
            mode = one.stat().st_mode & 0o7777
            if not mode & 0o001 and one != Path("/"):
                changed.append((one, mode))
                one.chmod(mode | 0o011)
        zones = folder / "warehouse"
        zones.chmod(zones.stat().st_mode & 0o7777 | 0o011)

    yield open_up
    for one, mode in changed:
        one.chmod(mode)
