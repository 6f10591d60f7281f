"""A person in the loop: shows the verdict, waits for signed decisions, publishes nothing by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput
from airflow.sdk.execution_time.hitl import upsert_hitl_detail

from gamyeong_dags.problems import Unfit


@dataclass(frozen=True)
class Standing:
    """Where something stands that people sign: settled (approved or rejected), waiting, or never to be approved.

    `waits_for` names who or what is missing; `body` is what a person is shown; for "never" it says what to do.
    """

    state: Literal["settled", "waiting", "never"]
    waits_for: str
    body: str


Look = Callable[[Any, Sequence[str]], Standing]


class SignedDecisions(ApprovalOperator):
    """Waits until signed decisions settle what `look` looks at.

    An answer in the UI only makes it look at once: "Approve" without enough signatures waits on, "Reject" ends
    this DAG run and releases nothing. Without an answer it looks again by itself after `look_again`.
    """

    template_fields: Sequence[str] = ("words", "subject")

    def __init__(self, *, words: Sequence[str], look: Look, look_again: timedelta, **kwargs: Any) -> None:
        super().__init__(
            body="Filled in when the task runs.",
            defaults=self.APPROVE,
            response_timeout=look_again,
            ignore_downstream_trigger_rules=True,
            **kwargs,
        )
        self.words, self.look = list(words), look

    def execute(self, context: Any) -> Any:
        """Shows where it stands, and waits unless it is settled."""
        return self.next(self.standing(context), context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """An answer, or the time to look again: what counts is what was signed."""
        if "error" in event:
            self.process_trigger_event_error(event)
        standing = self.standing(context)
        if standing.state == "waiting":
            if event["chosen_options"] == [self.REJECT]:
                self.log.info("ended in the UI: nothing is released; a signed rejection removes what is staged")
                return super().execute_complete(context, event)
            self.log.info("an answer in the UI decides nothing; still waiting for: %s", standing.waits_for)
        return self.next(standing, context)

    def next(self, standing: Standing, context: Any) -> dict[str, str]:
        """Goes on, or asks anew (the earlier answer is forgotten)."""
        if standing.state == "settled":
            return {"state": "settled"}
        self.body = standing.body
        upsert_hitl_detail(
            ti_id=context["task_instance"].id,
            options=self.options,
            subject=self.subject,
            body=self.body,
            defaults=self.defaults,
            multiple=False,
            params=self.serialized_params,
            assigned_users=self.assigned_users,
        )
        raise TaskAwaitingInput(method_name="execute_complete", timeout=self.response_timeout)

    def standing(self, context: Any) -> Standing:
        """Where it stands; the task fails, with what to do, where it can never be approved."""
        try:
            found = self.look(context, self.words)
        except Unfit as error:
            fix = "" if "what to do:" in str(error) else "\nwhat to do: correct this, then clear the task"
            raise AirflowFailException(f"{error}{fix}") from None
        if found.state == "never":
            raise AirflowFailException(found.body)
        return found
