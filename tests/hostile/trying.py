"""Tries one file on the program that reads it, and watches what it does meanwhile.

Python tells a hook of every file that is opened and of every change to a folder (PEP 578): nothing may be opened
outside of the places that the reader has business in, and nothing may be written or started at all.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HANGS = 300
CANARY = "CANARY-7731-of-a-file-outside"
# What Python itself needs while it works: its own modules, time zones, its random numbers.
OF_PYTHON = tuple({os.path.realpath(one) for one in (sys.prefix, sys.base_prefix, "/usr/lib", "/usr/share/zoneinfo")})
CHANGES = (
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.connect",
    "shutil.rmtree", "shutil.move", "ctypes.dlopen",
)  # fmt: skip
# No control character reaches the terminal, and none that turns the direction of what follows.
UNPRINTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
MOST_TEXT = 60_000

Reader = Callable[[Path], tuple[int, str]]
"""Reads a file: exit code and what was told. It raises nothing."""


@dataclass
class Watch:
    """What was done while it was on, apart from reading below `allowed`."""

    allowed: tuple[str, ...] = ()
    on: bool = False
    seen: list[str] = field(default_factory=list)

    def hook(self, event: str, given: tuple[Any, ...]) -> None:
        """Python's audit hook: it can't be taken away, so it is one for the process."""
        if not self.on or event not in ("open", *CHANGES):
            return
        self.on = False  # what this does itself is not watched
        try:
            self._look(event, given)
        finally:
            self.on = True

    def _look(self, event: str, given: tuple[Any, ...]) -> None:
        place = os.path.realpath(os.fsdecode(given[0])) if given and isinstance(given[0], (str, bytes, Path)) else ""
        if event == "os.mkdir" and os.path.isdir(place):
            return  # makes nothing
        if event != "open":
            self.seen.append(f"{event} {place}")
        elif isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and place != os.devnull:
            if "__pycache__" not in place:
                self.seen.append(f"writes {place}")
        elif place and not place.startswith((*self.allowed, *OF_PYTHON)) and place not in (os.devnull, "/dev/urandom"):
            self.seen.append(f"reads {place}")

    @contextlib.contextmanager
    def watching(self, *allowed: Path) -> Iterator[list[str]]:
        """On for a while; the list fills with what should not be."""
        self.allowed = tuple(f"{one.resolve()}" for one in allowed)
        self.seen = []
        self.on = True
        try:
            yield self.seen
        finally:
            self.on = False


WATCH = Watch()
sys.addaudithook(WATCH.hook)


@dataclass
class Figures:
    """How many were tried, how they ended, and the slowest (seconds of this process's own work)."""

    ends: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: float = 0.0

    @property
    def tried(self) -> int:
        """All of them."""
        return sum(self.ends.values())

    def plain(self) -> dict[str, object]:
        """For people and for JSON; `refused` holds those refused by rule."""
        refused, by_rule = self.ends[2] + self.ends[3], self.ends[3]
        times = {"seconds": round(self.seconds, 1), "slowest": round(self.slowest, 2)}
        return {"tried": self.tried, "refused": refused, "by rule": by_rule, "harmless": self.ends[0], **times}


def attempt(read: Reader, file: Path, allowed: Iterable[Path], figures: Figures) -> list[str]:
    """What is wrong with how a file was taken: nothing, where it was refused in words or is harmless."""
    before = _tree(file.parent.parent)
    start = time.process_time()
    with _bounded(), WATCH.watching(*allowed) as seen:
        code, told = read(file)
    spent = time.process_time() - start
    figures.ends[code] += 1
    figures.seconds += spent
    figures.slowest = max(figures.slowest, spent)
    wrong = [*seen]
    wrong += [f"exit {code}: {told[-300:]!r}"] if code not in (0, 2, 3) else []
    wrong += ["a traceback"] if "Traceback" in told or 'File "' in told else []
    wrong += ["shows a file that it has no business in"] if CANARY in told else []
    wrong += [f"prints {bad.group()!r}: {told[-300:]!r}"] if (bad := UNPRINTED.search(told)) else []
    wrong += [f"{len(told)} characters of complaint"] if len(told) > MOST_TEXT else []
    wrong += ["something was written"] if _tree(file.parent.parent) != before else []
    if code in (2, 3):
        wrong += [f"no clear complaint: {line!r}" for line in _unclear(told)]
    return wrong


def _unclear(told: str) -> list[str]:
    """Lines that don't say where something is wrong and what is allowed."""
    lines = [line for line in told.strip().splitlines() if not re.match(r"gamyeong [a-z ]+: [0-9]+ problem", line)]
    lines = [line for line in lines if not re.fullmatch(r"and [0-9]+ more", line)]
    return [line for line in lines if ": " not in line or len(line) < 15] if lines else ["nothing was told"]


def _tree(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(place, name))
            found[os.path.join(place, name)] = (status.st_size, status.st_mtime_ns)
    return found


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Ends what hangs (a pipe that is read): the job then ends as one that was interrupted."""

    def late(*_: object) -> None:
        raise TimeoutError(f"hangs for {HANGS} s")

    old = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def of_job(main: Callable[[list[str]], int], *before: str, after: Iterable[str] = ()) -> Reader:
    """A job as a reader: its words before and after the file's path."""

    def read(file: Path) -> tuple[int, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*before, str(file), *after])
        return code, err.getvalue() + out.getvalue()

    return read
