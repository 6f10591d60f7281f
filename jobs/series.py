"""Series of releases whose pseudonyms stay the same (`stable_over`): they have a secret of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobs.errors import JobError
from jobs.key_providers import provider_of
from jobs.keys import SeriesSecrets
from jobs.runs import RunFolder


def series_in(node: Any) -> Iterator[str]:
    """The series whose secrets a plan (as plain data) uses."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "stable_over" and isinstance(value, str):
                yield value
            else:
                yield from series_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from series_in(value)


def series_left(folder: RunFolder) -> list[str]:
    """The series of a run's plan whose secrets are there still: what they made, they turn back."""
    try:
        named = set(series_in(folder.load_plan()))
    except JobError:  # no plan was kept, so nothing was made by it
        return []
    store = SeriesSecrets(folder.environment.zone("keys"), provider_of(folder.environment))
    return sorted(name for name in named if store.exists(name))
