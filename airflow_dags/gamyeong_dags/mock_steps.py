"""The mock combination (모의결합), in rounds that the file names: before any key, looked at, then destroyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowSkipException

from gamyeong_dags.combination_builder import Builder

BODY = (
    "The mock combination lies in the combining agency's source zone. **Approve** when it was looked at: every role"
    " then destroys what it holds of it, and the round goes on. **Reject** ends this run."
)


class Analysed(ApprovalOperator):
    """Waits until a person has looked at the mock combination; skipped in rounds without one."""

    def __init__(self, *, only: Callable[[Any], bool], **kwargs: Any) -> None:
        super().__init__(body=BODY, ignore_downstream_trigger_rules=True, **kwargs)
        self.only = only

    def execute(self, context: Any) -> Any:
        """Asks."""
        if not self.only(context):
            raise AirflowSkipException("not in this round")
        return super().execute(context)


def build_mock(build: Builder) -> None:
    """The steps between the receipt and the parties' keys, where the combination has a mock."""
    mock = build.found.options.mock
    if mock is None:
        return

    def only(context: Any) -> bool:
        return build.round(context) in mock.rounds

    found, key, combining = build.found, build.found.roles.key_agency, build.found.roles.combining_agency
    there: dict[str, Any] = {"only": only, "trigger_rule": "none_failed"}
    build.step(key, "mock-salt", **there)
    build.after(key, "mock-salt", (combining, "receive"), (key, "salt"))
    for party in found.suppliers:
        build.step(party, "mock-keys", *build.plan(party), spark=True, **there)
        build.after(party, "mock-keys", (key, "mock-salt"), (party, "apply"))
    build.step(combining, "mock-choose", **there)
    build.after(combining, "mock-choose", *((party, "mock-keys") for party in found.suppliers))
    for party in found.suppliers:
        build.step(party, "mock-attributes", *build.plan(party), spark=True, **there)
        build.after(party, "mock-attributes", (combining, "mock-choose"), (party, "mock-keys"))
    build.step(combining, "mock-combine", spark=True, **there)
    sent = [(party, "mock-attributes") for party in found.suppliers]
    build.after(combining, "mock-combine", (combining, "mock-choose"), *sent)
    if combining in build.places:
        build.made[combining, "mock-analysed"] = Analysed(
            task_id="mock_analysed",
            subject=f"{found.combination}: has the mock combination been looked at?",
            only=only,
            trigger_rule="none_failed",
            task_group=build.groups[combining],
            dag=build.dag,
            doc_md="A person looks at the mock combination; afterwards it is destroyed.",
        )
        build.after(combining, "mock-analysed", (combining, "mock-combine"))
    for role in (*found.suppliers, key, combining):
        build.step(role, "mock-destroy", **there)
        own = (role, "mock-attributes") if role in found.suppliers else (role, "mock-salt")
        build.after(role, "mock-destroy", own, (combining, "mock-analysed"))
    for party in found.suppliers:
        build.after(party, "keys", (party, "mock-destroy"))
