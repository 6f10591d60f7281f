"""Text for whoever reads it, as long as someone does."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from transforms.yaml_limits import UNSEEN


def show(text: str, stream: TextIO | None = None, end: str = "\n") -> None:
    r"""Prints a text and its end (to stdout where no stream is named), and flushes it.

    What would steer the terminal, or hide, is shown as `\u001b`: names in a text may be of files and folders that
    others made. A reader who has left (`| head -1`) is no error: the job goes on, and what it says goes nowhere.
    """
    stream = stream or sys.stdout
    seen = UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    try:
        print(seen, file=stream, end=end, flush=True)
    except BrokenPipeError:
        # Not only this text: what the stream still holds would fail again when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
