"""A root key that a command prints."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from jobs.errors import BadInput, Operational
from jobs.key_providers.model import LocalRoot, parsed_root
from transforms.derivation import Secret

MOST = 65_536


class CommandProvider(LocalRoot):
    """A root key that a command prints (`pass show gamyeong`, `vault kv get …`); asked once by each job.

    Neither what it prints nor its arguments stand in an error: both may hold secrets.
    """

    def __init__(self, command: Sequence[str], timeout: int) -> None:
        self._command, self._timeout = list(command), timeout
        self._known: tuple[str, Secret] | None = None

    @property
    def where(self) -> str:
        """The program's name, without its arguments."""
        return f"the command {Path(self._command[0]).name}"

    def read(self) -> tuple[str, Secret]:
        """What the command prints; BadInput where that is no root key, Operational where the command fails."""
        if self._known is None:
            self._known = parsed_root(self._printed(), self.where)
        return self._known

    def _printed(self) -> bytes:
        try:
            process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "a word that no program takes"
            raise BadInput(
                f"{self.where} can't be started: {why}; allowed: a program and its arguments"
            ) from None
        with process:
            try:
                printed = self._read_all(process)
                code = process.wait(self._timeout)
            except (TimeoutError, subprocess.TimeoutExpired):
                raise Operational(f"{self.where} gave no root key within {self._timeout} s; try again") from None
            finally:
                process.kill()
        if code:
            raise Operational(f"{self.where} ended with code {code}; run it by hand to see why")
        return printed

    def _read_all(self, process: subprocess.Popen[bytes]) -> bytes:
        """All that it prints; TimeoutError where that does not end, BadInput where it is too much for a root key."""
        assert process.stdout is not None
        printed, end = b"", time.monotonic() + self._timeout
        while select.select([process.stdout], [], [], max(0, end - time.monotonic()))[0]:
            more = os.read(process.stdout.fileno(), MOST)
            if not more:
                return printed
            printed += more
            if len(printed) > MOST:
                raise BadInput(f"{self.where} prints more than {MOST} bytes; allowed: a root key alone")
        raise TimeoutError
