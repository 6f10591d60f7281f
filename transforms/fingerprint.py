"""The fingerprint of a plan: what every table, document and ledger entry of a run names it by."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping

from transforms.hierarchy import Hierarchy
from transforms.plan import Plan


def fingerprint(plan: Plan, hierarchies: Mapping[str, Hierarchy]) -> str:
    """SHA-256 (64 hex digits) of the plan's canonical JSON and of the contents of its hierarchies.

    Canonical: `extends` resolved, steps without parameters that say the default, keys sorted, no
    spaces, UTF-8 in NFC. So comments, the order of keys and the spelling in YAML do not count; every
    parameter and every cell of a hierarchy does, and the order of column rules, in which new columns stand.
    """
    whole = {
        "plan": plan.canonical(),
        "column_order": {"": list(plan.columns)} | {name: list(table.columns) for name, table in plan.tables.items()},
        "hierarchies": {name: hierarchy.plain() for name, hierarchy in sorted(hierarchies.items())},
    }
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=True)
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()
