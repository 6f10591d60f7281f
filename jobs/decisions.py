"""Reviewers' decisions (적정성 검토 결과): signed files, bound to everything that was reviewed."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from jobs.errors import JobError, Refused, Waiting
from jobs.ledger import Head
from jobs.manifest import load as load_manifest
from jobs.runs import RunFolder, RunRecord
from jobs.signing import SigningKey
from jobs.storage import Location, parsed, write_atomically
from jobs.vouched import BEFORE, MADE_BY, documents, hashes
from transforms.derivation import canonical_json

Outcome = Literal["approved", "conditional", "rejected"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True)
class Decision:
    """One signed statement in the decisions folder. Nothing in it counts before it is judged."""

    file: str
    sha256: str
    statement: dict[str, Any]
    signature: str

    def field(self, name: str) -> str:
        """A field that should be text; empty where it isn't."""
        value = self.statement.get(name)
        return value if isinstance(value, str) else ""

    @property
    def after(self) -> int:
        """The number of the ledger's last entry when it was made: unlike clocks, it never goes back."""
        seq, _, _ = self.field("ledger_head").partition(":")
        return int(seq) if seq.isdecimal() and len(seq) < 19 else 0

    @property
    def conditions(self) -> list[dict[str, str]]:
        """Conditions as {"id", "text"}."""
        raw = self.statement.get("conditions")
        return [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else []

    def entry(self, run: str) -> dict[str, Any]:
        """The body of its ledger entry."""
        names = ("reviewer", "key_id", "kind", "outcome", "condition", "nonce")
        fields = {name: self.field(name) for name in names}
        return {"run": run, "file": self.file, "sha256": self.sha256, **fields}


def bound(folder: RunFolder, record: RunRecord) -> dict[str, Any]:
    """What a decision binds: run, fingerprint, staged tables, manifest, and every file that was reviewed.

    Waiting if review or verify has not run.
    """
    job_of = {name: job for job, names in MADE_BY.items() for name in names}
    missing = [name for name in job_of if not (folder.evidence / name).exists()]
    if missing:
        todo = sorted({job_of[name] for name in missing})
        raise Waiting(f"run {folder.run} waits for {' and '.join(todo)} ({', '.join(missing)} missing)")
    if not documents(folder):
        raise Waiting(f"run {folder.run} waits for review (no document under {folder.report})")
    return {
        "run": record.run,
        "fingerprint": record.fingerprint,
        "tables": [{"name": one.name, "id": one.id, "version": one.version} for one in record.tables],
        "manifest": _manifest_digest(folder),
        "files": {name: digest for job in (*MADE_BY, *BEFORE) for name, digest in hashes(folder, job).items()},
    }


def differences(signed: Any, now: dict[str, Any]) -> list[str]:
    """What a decision bound otherwise than things stand now: names of tables, files, fields."""
    if not isinstance(signed, dict):
        return ["all of it"]
    found = [name for name in ("run", "fingerprint", "manifest") if signed.get(name) != now[name]]
    if signed.get("tables") != now["tables"]:
        found.append("the staged table or its version")
    raw, files = signed.get("files"), now["files"]
    before: dict[str, Any] = raw if isinstance(raw, dict) else {}
    return found + sorted(one for one in before.keys() | files.keys() if before.get(one) != files.get(one))


def statement(
    reviewer: str,
    key: SigningKey,
    binding: dict[str, Any],
    head: Head,
    at: str,
    said: dict[str, Any],
) -> dict[str, Any]:
    """The content that a reviewer signs: `said` is the vote; the nonce makes every statement unique."""
    return {
        "format": 1,
        "reviewer": reviewer,
        "key_id": key.key_id,
        "bound": binding,
        "ledger_head": str(head),
        "at": at,
        "nonce": secrets.token_hex(16),
        **said,
    }


def conditions(texts: Sequence[str], at: str) -> list[dict[str, str]]:
    """Conditions with ids of 8 hex digits, by which `decide --close` names them."""
    ids = [hashlib.sha256(canonical_json([at, text])).hexdigest()[:8] for text in texts]
    return [{"id": one, "text": text} for one, text in zip(ids, texts, strict=True)]


def save(place: Location, content: dict[str, Any], key: SigningKey) -> Decision:
    """Signs a statement and writes it to a folder of decisions, whole or not at all."""
    signature = key.sign(canonical_json(content))
    body = {"statement": content, "signature": signature}
    name = re.sub(r"[^\w-]+", "-", content["reviewer"]) + f"-{content['nonce']}.json"
    raw = json.dumps(body, ensure_ascii=False, sort_keys=True, indent=1).encode()
    write_atomically((place / name).local, raw)
    return Decision(name, hashlib.sha256(raw).hexdigest(), content, signature)


def load_all(folder: RunFolder) -> list[Decision]:
    """Every decision file, in the order in which they were made by what the ledger then held; Refused names
    damaged ones."""
    return load_from(folder.decisions)


def load_from(place: Location) -> list[Decision]:
    """The same of any folder of decisions."""
    found, damaged = [], []
    for path in sorted(place.local.glob("*.json")) if place.local.is_dir() else []:
        raw = path.read_bytes()
        try:
            body = parsed(raw)
            content, signature = dict(body["statement"]), str(body["signature"])
        except (ValueError, KeyError, TypeError):
            damaged.append(path.name)
            continue
        found.append(Decision(path.name, hashlib.sha256(raw).hexdigest(), content, signature))
    if damaged:
        raise Refused(f"damaged decision files in {place}: {', '.join(damaged)}")
    return sorted(found, key=lambda one: (one.after, one.field("at"), one.file))


def _manifest_digest(folder: RunFolder) -> str:
    try:
        return load_manifest(folder).digest
    except JobError:
        return "damaged"  # a decision binds another digest, so this is told as a difference
