"""What happens when a task fails for good: one line in the log, and a message to whom the schedule names."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Callable
from typing import Any

from airflow.sdk import BaseHook

log = logging.getLogger(__name__)
SECONDS = 10


def failed(notify: str | None, owner: str) -> Callable[[Any], None]:
    """The callback for a schedule's tasks.

    `notify` is the id of an Airflow connection whose address gets a JSON object by POST: names and the page of the
    task, no words of the error. A message that can't be sent is told in the log; it fails nothing.
    """

    def callback(context: Any) -> None:
        task = context["task_instance"]
        said = {
            "dag": task.dag_id,
            "task": task.task_id,
            "run": task.run_id,
            "try": task.try_number,
            "owner": owner,
            "page": getattr(task, "log_url", ""),
            "text": f"{task.dag_id}: {task.task_id} failed; its log says what to do",
        }
        log.error("%s", said["text"])
        if notify is None:
            return
        try:
            connection = BaseHook.get_connection(notify)
            url = connection.get_uri() if "://" not in (connection.host or "") else connection.host
            request = urllib.request.Request(
                url, json.dumps(said).encode(), {"Content-Type": "application/json"}, method="POST"
            )
            with urllib.request.urlopen(request, timeout=SECONDS):
                log.info("told %s", notify)
        except Exception as error:  # noqa: BLE001 - whatever hinders a message, the failure itself is what counts
            log.warning("could not tell %s (%s); look at the connection of this id", notify, type(error).__name__)

    return callback
