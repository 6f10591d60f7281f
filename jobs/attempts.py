"""What is known of a job's attempt at a run that did not come to its end: for `gamyeong status`, and for nothing else.

The file lies in the run's evidence while a job is at work on the run, stays when the job fails, and goes when it is
done.
A job that was killed leaves the file of its beginning, and no lock. It vouches for nothing, and no job decides by it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from jobs.clock import Clock, stamp, utc_now
from jobs.environment import Environment
from jobs.errors import Waiting, exit_code_of
from jobs.locks import is_held
from jobs.runs import RunFolder, list_runs

FILE = "attempt.json"
WORKING, STOPPED, FAILED, DAMAGED = "at work", "stopped in the middle", "failed", "damaged"
TODO = {
    1: "change the plan or the data, as its message says, then {again}",
    2: "correct what its message named, then {again}",
    3: "a person must look: its message says which rule; then {again}",
}


@dataclass(frozen=True)
class Asked:
    """What `pseudonymize` was asked for; other jobs work on a run whose record says it."""

    plan: str = ""
    file: str = ""
    period: str | None = None
    limit: int | None = None
    round: str | None = None


@dataclass(frozen=True)
class Attempt:
    """A job that began, when (ISO 8601 in UTC), and, where it failed, when and with which exit code."""

    job: str
    started: str
    asked: Asked = Asked()
    ended: str | None = None
    exit: int | None = None


@dataclass(frozen=True)
class Unfinished:
    """An attempt as `status` tells it: of which run, what became of it, and the next step."""

    run: str
    state: str
    attempt: Attempt
    next: str


@contextmanager
def attempted(folder: RunFolder, job: str, clock: Clock = utc_now, asked: Asked | None = None) -> Iterator[None]:
    """The body is a job's work on a run, under the run's lock. Waiting for decisions is no failure."""
    place = folder.evidence / FILE
    begun = Attempt(job, stamp(clock()), asked or Asked())
    place.write_json(asdict(begun))
    try:
        yield
    except Waiting:
        place.delete()
        raise
    except BaseException as error:
        with contextlib.suppress(OSError):  # a full disk is told by the error itself
            place.write_json(asdict(replace(begun, ended=stamp(clock()), exit=exit_code_of(error))))
        raise
    place.delete()


def unfinished(environment: Environment) -> list[Unfinished]:
    """All attempts that did not come to their end, the latest last.

    Without those at runs that came to theirs, and those that a later run or attempt has replaced.
    """
    folder = (environment.zone("evidence") / "runs").local
    folders = [RunFolder(environment, one.parent.name) for one in folder.glob(f"*/{FILE}")]
    found = [_read(one) for one in folders if not one.release.exists()]
    made = {name: RunFolder(environment, name) for name in list_runs(environment)}
    since = [(one.attempt.asked, one.attempt.started) for one in found if one.run not in made]
    since += [_made(one) for one in made.values()]
    stay = [one for one in found if one.run in made or not _replaced(one.attempt, since)]
    return sorted(stay, key=lambda one: one.attempt.started)


def _replaced(old: Attempt, since: list[tuple[Asked, str]]) -> bool:
    """Was the same asked for later? A newer version of the source makes another run of it."""
    same = replace(old.asked, file="")
    return any(replace(asked, file="") == same and started > old.started for asked, started in since)


def _made(folder: RunFolder) -> tuple[Asked, str]:
    with contextlib.suppress(Exception):  # a damaged record is told as that of its run
        record = folder.load_record()
        return Asked(record.plan, "", record.period, record.limit, record.round), record.started
    return Asked(), ""


def _read(folder: RunFolder) -> Unfinished:
    try:
        raw = (folder.evidence / FILE).read_json()
        attempt = Attempt(**{**raw, "asked": Asked(**raw["asked"])})
    except (ValueError, KeyError, TypeError):
        return Unfinished(folder.run, DAMAGED, Attempt("a job", ""), f"remove {folder.evidence / FILE}")
    if attempt.ended is None and is_held(folder.lock.local):
        return Unfinished(folder.run, WORKING, attempt, "")
    again = _again(folder.run, attempt)
    return Unfinished(folder.run, FAILED if attempt.ended else STOPPED, attempt, _todo(attempt).format(again=again))


def _todo(attempt: Attempt) -> str:
    return TODO.get(4 if attempt.exit is None else attempt.exit, "{again}")


def _again(run: str, attempt: Attempt) -> str:
    asked = attempt.asked
    if not asked.plan:
        return f"gamyeong {attempt.job} {run}"
    options = {"--period": asked.period, "--round": asked.round, "--limit": asked.limit}
    given = [f" {name} {value}" for name, value in options.items() if value is not None]
    return f"gamyeong {attempt.job} {asked.file}{''.join(given)}"
