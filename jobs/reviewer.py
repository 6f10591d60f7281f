"""`gamyeong reviewer new|revoke|list NAME`: key pairs of reviewers (적정성 검토위원)."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.clock import stamp, utc_now
from jobs.environment import Environment
from jobs.job import BadInput, Context, Outcome, run_job
from jobs.leaving import leave
from jobs.ledger import evidence_ledger
from jobs.reviewers import KINDS, OWN, Identity, Reviewer, load_reviewers, pin, revoke
from jobs.signing import new_key, passphrase_from


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("action", choices=("new", "revoke", "list"))
    parser.add_argument("name", nargs="?", metavar="NAME", help="the person")
    parser.add_argument("--key", type=Path, metavar="FILE", help="new: where the private key goes (0600)")
    parser.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="new: its first line encrypts the private key"
    )
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="new: the organisation's own, or from outside")
    parser.add_argument("--organisation", metavar="TEXT", help="new: for the review's sheets (소속)")
    parser.add_argument("--position", metavar="TEXT", help="new: for the review's sheets (직위)")


def body(context: Context) -> Outcome:
    """Makes, ends or lists."""
    given, environment = context.arguments, context.environment
    if given.action == "list":
        reviewers = load_reviewers(environment)
        lines = [f"{one.name}: {one.kind}, key {one.key_id}, {_state(one)}" for one in reviewers]
        rows = [
            {"name": one.name, "key_id": one.key_id, "kind": one.kind, "revoked": one.revoked} for one in reviewers
        ]
        return Outcome({"reviewers": rows}, text="\n".join(lines) or "no reviewer yet")
    if not given.name:
        raise BadInput("which reviewer? allowed: the person's name")
    if given.action == "revoke":
        ended = revoke(environment, given.name, stamp(utc_now()))
        evidence_ledger(environment).append("reviewer-revoke", {"name": ended.name, "key_id": ended.key_id})
        text = f"{ended.name}: key {ended.key_id} counts no more; what it rejected stays rejected"
        return Outcome({"name": ended.name, "key_id": ended.key_id}, text=text)
    if not given.key:
        raise BadInput("where does the private key go? allowed: --key FILE (a new file)")
    identity = Identity(given.kind, given.organisation, given.position)
    made = new_reviewer(environment, given.name, given.key, passphrase_from(given.passphrase_file), identity)
    text = f"{made.name}: key {made.key_id}; the private key is {given.key}: it belongs to {made.name} alone"
    return Outcome({"name": made.name, "key_id": made.key_id}, text=text)


def new_reviewer(
    environment: Environment,
    name: str,
    path: Path,
    passphrase: bytes | None = None,
    identity: Identity = OWN,
) -> Reviewer:
    """Makes a key pair, pins the public key, enters it; Refused, with no file left, for who has a key."""
    key = new_key(path, passphrase)
    try:
        made = pin(environment, name, key.public, stamp(utc_now()), identity)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    body = {"name": made.name, "key_id": made.key_id, "kind": made.kind}
    evidence_ledger(environment).append("reviewer-new", body)
    return made


def _state(one: Reviewer) -> str:
    return f"revoked {one.revoked}" if one.revoked else f"since {one.since}"


def main(argv: Sequence[str]) -> int:
    """Exit 0 done, 2 bad arguments, 3 the person has a key."""
    return run_job(
        argv,
        name="reviewer",
        about="Makes, ends or lists reviewers' keys.",
        body=body,
        arguments=arguments,
        writes=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
