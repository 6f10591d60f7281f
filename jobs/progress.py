"""Progress on stderr: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from jobs.showing import show

BAR = 24
PLAIN_EVERY = 10.0


class Stage:
    """One stretch of work of `total` parts (None: unknown); `to(done)` and `advance()` move it on."""

    def __init__(self, text: str, total: int | None, stream: TextIO | None) -> None:
        self.text, self.total, self.done = text, total, 0
        self._stream, self._lock = stream, threading.Lock()
        self._start = self._said = time.monotonic()
        self._bar = stream is not None and stream.isatty()
        self._show(last=False, first=True)

    def advance(self, parts: int = 1) -> None:
        """So many more parts are done."""
        self.to(self.done + parts)

    def to(self, done: int, total: int | None = None) -> None:
        """`done` parts of the total are done."""
        with self._lock:
            self.done, self.total = done, total if total is not None else self.total
            if self._bar or time.monotonic() - self._said >= PLAIN_EVERY:
                self._show(last=False)

    def close(self) -> None:
        """The stretch is over."""
        self._show(last=True)

    def _show(self, *, last: bool, first: bool = False) -> None:
        if self._stream is None:
            return
        self._said = time.monotonic()
        seconds = f"{self._said - self._start:.1f} s"
        share = f"{self.done}/{self.total}" if self.total else ""
        if self._bar:
            full = BAR if last else BAR * self.done // self.total if self.total else 0
            bar = f"\r\x1b[K{self.text} [{'#' * full}{'.' * (BAR - full)}] {share} {seconds}"
            show(bar, self._stream, end="\n" if last else "")
        elif first:
            show(self.text, self._stream)
        else:
            show(f"{self.text}: {'done' if last else share} ({seconds})", self._stream)


class Progress:
    """What a job tells while it runs. Quiet: nothing."""

    def __init__(self, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = None if quiet else stream or sys.stderr

    def say(self, text: str) -> None:
        """One line."""
        if self._stream is not None:
            show(text, self._stream)

    @contextmanager
    def stage(self, text: str, total: int | None = None) -> Iterator[Stage]:
        """Shows a stretch of work from its start to its end."""
        stage = Stage(text, total, self._stream)
        yield stage
        stage.close()
