"""What verify measured of a run, for the review: only as verify entered it in the ledger, of the tables that stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.errors import BadInput
from jobs.ledger import evidence_ledger
from jobs.runs import RunFolder, RunRecord
from jobs.vouched import hashes
from transforms.utility_figures import Utility


def utilities(folder: RunFolder, record: RunRecord) -> Mapping[str, Utility]:
    """The utility figures of the run's tables; BadInput where verify has not measured these very versions."""
    entered = [
        entry.content().get("files")
        for entry in evidence_ledger(folder.environment, write=False).entries()
        if entry.type == "verify" and entry.content().get("run") == record.run
    ]
    body: Mapping[str, Any] = folder.read("verify.json") if folder.verify.exists() else {}
    compared = body.get("tables", {})
    same = all(
        (compared.get(one.name, {}).get("id"), compared.get(one.name, {}).get("version")) == (one.id, one.version)
        for one in record.tables
    )
    if not body or not same or hashes(folder, "verify") not in entered:
        raise BadInput(
            f"the plan limits utility or new outliers, which verify measures, and it has not measured run {record.run} "
            f"as it stands; allowed: `gamyeong verify {record.run}` first"
        )
    try:
        return {name: Utility.from_json(one) for name, one in body.get("utility", {}).items()}
    except (KeyError, TypeError, ValueError):
        raise BadInput(f"{folder.verify} is of another version; run `gamyeong verify {record.run}` again") from None
