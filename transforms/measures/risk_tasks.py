"""What a task does for `risk`: one subset of quasi-identifiers. Workers import this module and little else."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from transforms.pipeline.quiet import TaskFailed, settle_worker, told
from transforms.risk.figures import SubsetFigures
from transforms.risk.subsets import survey

Places = tuple[int, ...]


@dataclass(frozen=True)
class RiskTask:
    """Surveys a subset of the combinations that the broadcast `held` has: its figures, and its bits compressed."""

    held: Any
    threshold: int
    wildcards: tuple[str, ...]

    def __call__(self, places: Places) -> tuple[Places, SubsetFigures, bytes]:
        settle_worker()
        try:
            found = survey(self.held.value, places, self.threshold, self.wildcards)
        except Exception as error:  # noqa: BLE001 - as in every task: its type and place alone
            raise TaskFailed(told(error)) from None
        return places, found.figures, zlib.compress(found.unique.tobytes(), 1)


__all__ = ["Places", "RiskTask"]
