"""What a review is handed beside the suite: never in the suite, its parameters' values or its results.

Facts (cut-offs, counts) are additional information. Great Expectations copies every parameter into its
results, so the parameter `reviewed` is only a name; what it stands for lies here, in this process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from transforms.leftovers import SourceValues
from transforms.pipeline.feed import SourceFile
from transforms.pipeline_model import TablePipeline
from transforms.run_facts import TableFacts
from transforms.utility_figures import Utility

PARAMETER = "reviewed"


class NothingHanded(Exception):
    """A suite was run without what it needs."""

    def __init__(self) -> None:
        super().__init__(
            "the suite was run without the run's facts; run it within `with handed_in(…) as parameters:` and give "
            "`expectation_parameters=parameters`"
        )


@dataclass(frozen=True)
class Handed:
    """A staged table for review: its compiled pipeline, its facts, its files as the log of `version` lists them.

    `values` are hashes of the identifiers of whom the run delivers, `utility` what verify measured on both sides.
    """

    table: TablePipeline = field(repr=False)
    facts: TableFacts = field(repr=False)
    files: tuple[SourceFile, ...] = field(repr=False)
    fingerprint: str
    version: str
    values: SourceValues | None = field(default=None, repr=False)
    utility: Utility | None = field(default=None, repr=False)
    failures: list[Exception] = field(default_factory=list, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What the metric is kept by: plan and staged version."""
        return f"{self.fingerprint}/{self.table.name}@{self.version}"


_handed: dict[str, Handed] = {}


@contextmanager
def handed_in(handed: Handed) -> Iterator[dict[str, str]]:
    """Inside, a suite finds what was handed in; gives the parameters for `Batch.validate`."""
    _handed[handed.name] = handed
    try:
        yield {PARAMETER: handed.name}
    finally:
        del _handed[handed.name]


def find_handed(name: str) -> Handed:
    """What a name stands for; NothingHanded outside of `handed_in`."""
    if name not in _handed:
        raise NothingHanded
    return _handed[name]
