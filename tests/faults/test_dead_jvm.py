"""Who only watches a JVM's work leaves it to others to say that it has died."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from py4j.protocol import Py4JError  # type: ignore[import-untyped]

from jobs import session
from jobs.progress import Progress


@pytest.mark.parametrize("error", [Py4JError("gone"), ConnectionRefusedError()])
def test_progress_is_silent_where_the_jvm_dies(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by the random points: a traceback of the thread stood before the one sentence for people."""
    asked = threading.Event()
    failed: list[object] = []

    def gone() -> list[int]:
        asked.set()
        raise error

    monkeypatch.setattr(session, "POLL", 0.01)
    monkeypatch.setattr(threading, "excepthook", lambda found: failed.append(found.exc_type))
    tracker = SimpleNamespace(getActiveStageIds=gone)
    spark: Any = SimpleNamespace(
        sparkContext=SimpleNamespace(setJobDescription=lambda _: None, statusTracker=lambda: tracker)
    )
    with session.watched(spark, Progress(quiet=True), "counting"):
        assert asked.wait(10)
    assert failed == []
