"""The processes of a running chain: which there are, what processor time they used, and their end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def processes(leader: int) -> dict[int, list[str]]:
    """The living processes of the leader's session, with their words (PySpark's daemon has a group of its own)."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(stat[3]) == leader and stat[0] not in "ZX":
                found[int(entry.name)] = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
    return found


def cpu_seconds(leader: int) -> float:
    """Processor time that the session has used, ended children counted: how far a run is, however busy the machine."""
    ticks = 0
    for pid in processes(leader):
        with suppress(OSError, IndexError):
            stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(map(int, stat[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def end_all(leader: int) -> None:
    """Kills every process of the session, those that were being made meanwhile too."""
    while found := processes(leader):
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
