"""One role at a time where one person plays all: the zones of the others are moved out of sight meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jobs.environment import Environment
from jobs.errors import Operational
from jobs.key_providers import root_file

AWAY = ".away"


@contextmanager
def alone(roles: Mapping[str, Environment], name: str) -> Iterator[None]:
    """Inside, the zones and root keys of all roles but `name` are not where their environments say."""
    hidden = [place for other, environment in roles.items() if other != name for place in _places(environment)]
    try:
        for place in hidden:
            if place.exists():
                place.rename(_away(place))
        yield
    finally:
        _back(hidden)


def restore(roles: Mapping[str, Environment]) -> None:
    """Puts back what a start that was killed left out of sight."""
    _back([place for environment in roles.values() for place in _places(environment)])


def _places(environment: Environment) -> list[Path]:
    """A role's zones, and its root key where that lies in none of them."""
    zones = [zone.local for zone in environment.zones.values()]
    key = root_file(environment)
    return zones if key is None or any(key.is_relative_to(zone) for zone in zones) else [*zones, key]


def _back(places: list[Path]) -> None:
    both = []
    for place in places:
        if not _away(place).exists():
            continue
        if place.exists():
            both.append(str(place))
        else:
            _away(place).rename(place)
    if both:
        raise Operational(f"{', '.join(both)}: there twice, the other with the ending {AWAY}; a person must look")


def _away(place: Path) -> Path:
    return place.with_name(f".{place.name}{AWAY}")
