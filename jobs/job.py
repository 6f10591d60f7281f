"""What all jobs share: arguments, exit codes, errors without tracebacks or values, the last line of JSON."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn

from jobs.access import require_rights
from jobs.environment import Environment, Zone, load_environment
from jobs.errors import BadInput, DataFailed, JobError, Operational, Refused, Waiting, ZoneNotHanded, exit_code_of
from jobs.progress import Progress
from jobs.showing import show
from jobs.storage import private_folder, unique_name
from transforms.errors import CellsRefused, PlanError, TechniqueError

__all__ = [
    "BadInput", "Context", "DataFailed", "JobError", "Operational", "Outcome", "Refused", "Waiting",
    "ZoneNotHanded", "run_job",
]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a job did: `summary` is the object of `--json`, `text` is for people; no cell values."""

    summary: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    exit_code: int = 0


@dataclass
class Context:
    """What a job's body is given. The environment holds the zones that the job declared, and no other."""

    name: str
    arguments: argparse.Namespace
    reads: frozenset[Zone]
    writes: frozenset[Zone]
    progress: Progress

    @cached_property
    def environment(self) -> Environment:
        """Read on first use; local zones that the job writes are made (0700), stores are tried for safe commits."""
        environment = load_environment(self.arguments.environment).only(reads=self.reads, writes=self.writes)
        require_rights(environment)
        for zone in sorted(self.writes):
            if environment.zone(zone).is_local:
                private_folder(environment.zone(zone).local)
            else:
                from jobs.object_stores import require_safe_commits  # deltalake, which most jobs need not load

                require_safe_commits(environment.zone(zone))
        if self.writes:  # a job that only looks leaves no folder behind where an environment file says so
            private_folder(environment.scratch)
        return environment


def run_job(
    argv: Sequence[str],
    *,
    name: str,
    about: str,
    body: Callable[[Context], Outcome],
    arguments: Callable[[argparse.ArgumentParser], None] | None = None,
    reads: Iterable[Zone] = (),
    writes: Iterable[Zone] = (),
) -> int:
    """Runs a job's body and returns its exit code; never raises, never prints a traceback or a value.

    Every job has `--environment FILE`, `--json` (the last line on stdout is one JSON object) and
    `--quiet` (no progress, no text).
    """
    start = time.monotonic()
    parser = _Parser(prog=f"gamyeong {name}", description=about, allow_abbrev=False)
    parser.add_argument(
        "--environment", metavar="FILE", help="environment file (default: GAMYEONG_ENVIRONMENT)"
    )
    parser.add_argument("--json", action="store_true", help="the last line on stdout is one JSON object")
    parser.add_argument("--quiet", action="store_true", help="no progress and no text")
    if arguments:
        arguments(parser)
    try:
        parsed = parser.parse_args(list(argv))
    except SystemExit:  # --help
        return 0
    except BadInput as error:
        show(f"gamyeong {name}: {error.message}", sys.stderr)
        if "--json" in argv:  # as far as one can tell of arguments that are wrong
            _show_json(name, Outcome({"error": error.message}, exit_code=error.exit_code), start)
        return error.exit_code
    context = Context(name, parsed, frozenset(reads), frozenset(writes), Progress(parsed.quiet))
    try:
        outcome = body(context)
    except BaseException as error:
        if isinstance(error, (SystemExit, GeneratorExit)):
            raise
        code, message = explained(error, context)
        show(f"gamyeong {name}: {message}", sys.stderr)
        outcome = Outcome({"error": message}, exit_code=code)
    else:
        if outcome.text and not parsed.quiet:
            show(outcome.text)
    if parsed.json:
        _show_json(name, outcome, start)
    return outcome.exit_code


class _Parser(argparse.ArgumentParser):
    """Raises what is wrong with the arguments, where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        show(self.format_usage(), sys.stderr, end="")
        raise BadInput(message)


def _show_json(name: str, outcome: Outcome, start: float) -> None:
    seconds = round(time.monotonic() - start, 3)
    line = {"job": name, "exit": outcome.exit_code, **outcome.summary, "seconds": seconds}
    show(json.dumps(line, ensure_ascii=False, default=str))


def explained(error: BaseException, context: Context) -> tuple[int, str]:
    """Exit code and text of an error. Foreign texts may quote cells, so only the type is told."""
    code = exit_code_of(error)
    if isinstance(error, JobError):
        return code, error.message
    if isinstance(error, PlanError):
        return code, f"{len(error.problems)} problem(s) in the file\n{error}"
    if isinstance(error, (TechniqueError, CellsRefused)):
        return code, str(error)
    if isinstance(error, KeyboardInterrupt):
        return code, "interrupted; nothing more is written, start it again"
    log = _logged(error, context)
    if _is_full_disk(error):
        return code, f"the disk is full; make room and start it again{log}"
    if _is_dead_jvm(error):
        return code, f"Spark's JVM has ended (killed, or out of memory); start it again{log}"
    if isinstance(error, OSError) and error.strerror:
        return code, f"{type(error).__name__}: {error.strerror}{log}"
    return code, f"stopped by {_kind(error)}; trying again may help{log}"


def _kind(error: BaseException) -> str:
    """The error's type, with the Java class behind a Py4J error: names only."""
    java = getattr(error, "java_exception", None)
    return (
        f"{type(error).__name__} ({java.getClass().getName()})" if java is not None else type(error).__name__
    )


def _is_full_disk(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno == errno.ENOSPC:
            return True
        seen = seen.__cause__ or seen.__context__
    return "No space left on device" in str(error)


def _is_dead_jvm(error: BaseException) -> bool:
    """A refused or broken connection of PySpark to its JVM; those to other places are told as they are."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (ConnectionError, EOFError)) or type(seen).__name__ == "Py4JNetworkError":
            return any("py4j" in frame.filename for frame in traceback.extract_tb(seen.__traceback__))
        seen = seen.__cause__ or seen.__context__
    return False


def _logged(error: BaseException, context: Context) -> str:
    """Writes types and places of an error (messages may hold values), tells where; "" if it can't."""
    environment = context.__dict__.get("environment")
    if environment is None:
        return ""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        lines.append(_kind(seen))
        lines += [f"  {f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(seen.__traceback__)]
        seen = seen.__cause__ or seen.__context__
    try:
        folder = private_folder(environment.scratch / "logs")
        path = folder / f"{context.name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{unique_name()}.log"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
    except (OSError, JobError):
        return ""
    return f"; log: {path}"
