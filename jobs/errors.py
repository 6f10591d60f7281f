"""How a job ends when it can't do its work: an exit code and a text without cell values."""

from __future__ import annotations

from transforms.errors import CellsRefused, PlanError, TechniqueError


class JobError(Exception):
    """Ends a job with `exit_code`; the message is shown to the user as it is, so it never holds a value."""

    exit_code: int = 4

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class DataFailed(JobError):
    """The data failed its checks; nothing is published (exit 1)."""

    exit_code = 1


class BadInput(JobError):
    """A bad plan, environment, argument or input file (exit 2)."""

    exit_code = 2


class Refused(JobError):
    """A rule forbids it (exit 3)."""

    exit_code = 3


class Operational(JobError):
    """Full disk, damaged file, lost executor: trying again may help (exit 4)."""

    exit_code = 4


class Waiting(JobError):
    """Decisions are still missing (exit 5)."""

    exit_code = 5


class ZoneNotHanded(Refused):
    """A job reached for a zone that it did not declare (exit 3)."""


def exit_code_of(error: BaseException) -> int:
    """How a job ends that was stopped by this error; what nobody foresaw is operational."""
    if isinstance(error, JobError):
        return error.exit_code
    if isinstance(error, PlanError):
        return Refused.exit_code if error.refused else BadInput.exit_code
    if isinstance(error, TechniqueError):
        return BadInput.exit_code
    return DataFailed.exit_code if isinstance(error, CellsRefused) else Operational.exit_code
