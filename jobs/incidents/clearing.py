"""What lies in staging, and leads back to people, of runs whose release was destroyed: it goes, too.

Who handles an incident has neither staging nor keys (README, "Who can see what"), so the operator's next `pseudonymize`
or `publish` does it.
"""

from __future__ import annotations

from collections.abc import Iterator

from jobs import additional
from jobs.additional_destruction import Hands, destroy_entered
from jobs.clock import Clock, utc_now
from jobs.destruction import DESTROYED as DATA_DESTROYED
from jobs.destruction.targets import GONE
from jobs.environment import Environment
from jobs.errors import JobError, Operational
from jobs.incidents.halted import DESTROYED
from jobs.ledger import Ledger, evidence_ledger, trusted_entries
from jobs.locks import exclusive
from jobs.runs import RunFolder, RunRecord, list_runs


def clear_destroyed(environment: Environment, clock: Clock = utc_now) -> list[str]:
    """Ends the runs of plans that were destroyed after an incident, published or not: staging, secret, all else.

    Of a run that was destroyed because its use was over, what a plan keeps (`keep`) stays until its own day. Gives the
    names of those that had anything; a run that somebody is at work on is left to the next time.
    """
    ledger = evidence_ledger(environment, clock)
    if ledger.find(DESTROYED) is None and ledger.find(DATA_DESTROYED) is None:
        return []
    cleared = []
    for folder, record, reason in _gone(environment, ledger):
        if not folder.staging.exists() and not additional.anything_left(folder):
            continue
        try:
            with exclusive(folder.lock, f"run {folder.run}"):
                if not folder.release.exists():
                    folder.release.write_json({"state": GONE, "run": folder.run})
                had = folder.staging.exists()
                folder.staging.delete()
                if additional.anything_left(folder) and reason is not None:
                    hands = Hands(None, record.organisation)
                    destroy_entered(folder, ledger, record.application, reason, hands)
                    had = True
        except Operational:  # at work
            continue
        if had:
            cleared.append(folder.run)
    return cleared


def _gone(environment: Environment, ledger: Ledger) -> Iterator[tuple[RunFolder, RunRecord, str | None]]:
    """Runs whose data were destroyed, and why their additional information goes; None where their plan keeps it."""
    barred: dict[str, int] = {}
    asked: set[str] = set()
    for entry in trusted_entries(environment, ledger):
        body = entry.content()
        if entry.type == DESTROYED:
            barred |= dict.fromkeys(body["fingerprints"], body["incident"])
        elif entry.type == DATA_DESTROYED:
            asked.add(body["run"])
    for name in list_runs(environment):
        folder = RunFolder(environment, name)
        try:
            record = folder.load_record()
            keeps = folder.load_plan()["additional_information"].get("keep") is not None
        except (JobError, KeyError):
            continue
        if record.fingerprint in barred:
            yield folder, record, f"the release was destroyed after incident {barred[record.fingerprint]}"
        elif name in asked:
            yield folder, record, None if keeps else "the release was destroyed; the plan says destroy: approved"
