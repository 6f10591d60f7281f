"""A person in the loop: shows the verdict, waits for the reviewers' signed decisions, publishes nothing by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskAwaitingInput
from airflow.sdk.execution_time.hitl import upsert_hitl_detail

from gamyeong_dags.environments import Place
from gamyeong_dags.problems import Unfit
from gamyeong_dags.submit import state_of

# States of `gamyeong status` after which there is nothing more to wait for: publishing publishes, or removes.
SETTLED = ("ready", "published", "rejected")
NEVER = ("unfit", "refused", "damaged", "trial")


class SignedDecisions(ApprovalOperator):
    """Waits until the decisions that the reviewers signed (`gamyeong decide`) settle a run.

    An answer in the UI only makes it look at once: "Approve" without enough signatures waits on, "Reject" ends
    this DAG run and publishes nothing. Without an answer it looks again by itself after `look_again`.
    """

    template_fields: Sequence[str] = ("run", "subject")

    def __init__(self, *, run: str, place: Place, look_again: timedelta, **kwargs: Any) -> None:
        super().__init__(
            body="The verdict is filled in when the task runs.",
            defaults=self.APPROVE,
            response_timeout=look_again,
            **kwargs,
        )
        self.run, self.place = run, place

    def execute(self, context: Any) -> Any:
        """Shows where the run stands, and waits unless it is settled."""
        state = self.state()
        if state["state"] in SETTLED:
            return self.kept(state)
        self.body = text_of(state, self.place)
        return self.wait(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """An answer, or the time to look again: what counts is what was signed."""
        if "error" in event:
            self.process_trigger_event_error(event)
        state = self.state()
        if state["state"] in SETTLED:
            return self.kept(state)
        if event["chosen_options"] == [self.REJECT]:
            self.log.info(
                "ended here; nothing is published. The staged result of run %s stays until a reviewer signs"
                " `--outcome rejected` and `gamyeong publish` has removed it",
                self.run,
            )
            raise AirflowSkipException("rejected in the UI: nothing is published")
        self.log.info("an answer in the UI decides nothing; still waiting for: %s", state["waits_for"])
        self.body = text_of(state, self.place)
        return self.wait(context)

    def wait(self, context: Any) -> Any:
        """Asks anew: the earlier answer is forgotten."""
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

    def state(self) -> dict[str, Any]:
        """Where the run stands; the task fails, with what to do, where it can never be published."""
        try:
            state = state_of(self.run, self.place)
        except Unfit as error:
            raise AirflowFailException(f"{error}\nwhat to do: correct this, then clear the task") from None
        if state["state"] in NEVER:
            raise AirflowFailException(
                f"run {self.run} is {state['state']}: {state['waits_for']}\nwhat to do: {state['next'] or 'a new run'}"
            )
        return state

    def kept(self, state: dict[str, Any]) -> dict[str, str]:
        """What goes into XCom."""
        return {"run": self.run, "state": str(state["state"])}


def text_of(state: dict[str, Any], place: Place) -> str:
    """What the person sees: which run, what it waits for, where the documents are, how to sign. No counts, no cells."""
    run, report = state["run"], f"{place.evidence().rstrip('/')}/runs/{state['run']}/report"
    decide = f"gamyeong decide {run} --environment {place.file}"
    period = f", period {state['period']}" if state.get("period") else ""
    return "\n".join(
        [
            f"Plan **{state['plan']}**{period}, run `{run}`: verify says *equal*, review says *fit*.",
            "",
            f"It waits for: {state['waits_for']}",
            "",
            f"- the report: [{report}/index.html]({report}/index.html)",
            f"- the plan: [{report}/plan.html]({report}/plan.html)",
            f"- what would be signed: `{decide} --show`",
            f"- to sign, each reviewer: `{decide} --reviewer NAME --key FILE --outcome approved`",
            "",
            "**Approve** looks for the signatures now; it replaces none, and without them it waits on.",
            "**Reject** ends this run without a release.",
        ]
    )
