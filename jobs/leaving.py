"""How a job's process ends."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """Ends the process with `code` once what was registered for its end has run and all is flushed.

    Not by SystemExit: while the interpreter is taken down, a thread of deltalake's may ask for the lock
    that it no longer gets, and then the process aborts (exit 134) with its work done.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):  # whoever read has left: nobody misses the rest
            stream.flush()
    os._exit(code)
