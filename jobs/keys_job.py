"""`gamyeong keys init|check|paillier`: the root key that wraps the secrets of runs; key pairs for encrypted sums."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.errors import BadInput
from jobs.job import Context, Outcome, run_job
from jobs.keys import FileProvider
from jobs.leaving import leave
from jobs.ledger import evidence_ledger
from jobs.sum_keys import DEFAULT_BITS, new_sum_key, sum_key_id


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("action", choices=("init", "check", "paillier"))
    parser.add_argument("--key", type=Path, metavar="FILE", help="paillier: the new private key, for its holder alone")
    parser.add_argument("--public", type=Path, metavar="FILE", help="paillier: the new public key, to lie beside plans")
    parser.add_argument("--bits", type=int, default=DEFAULT_BITS, help=f"paillier: 2048 or more ({DEFAULT_BITS})")


def body(context: Context) -> Outcome:
    """Makes the root key that the environment names, or reads it once; or makes a pair of keys for sums."""
    if context.arguments.action == "paillier":
        return _paillier(context)
    path = context.environment.keys.path
    if context.arguments.action == "check":
        key_id = FileProvider(path).check()
        return Outcome({"key_id": key_id}, text=f"root key {key_id} at {path} can be used")
    key_id = FileProvider.init(path).check()
    evidence_ledger(context.environment).append("keys-init", {"key_id": key_id})
    text = f"root key {key_id} made at {path}; keep a copy in a safe: without it no run secret can be read"
    return Outcome({"key_id": key_id}, text=text)


def _paillier(context: Context) -> Outcome:
    given = context.arguments
    if given.key is None or given.public is None:
        raise BadInput("where do the keys go? allowed: --key FILE --public FILE (new files)")
    key_id = sum_key_id(new_sum_key(given.key, given.public, given.bits))
    evidence_ledger(context.environment).append("keys-paillier", {"key_id": key_id, "bits": given.bits})
    text = (
        f"key {key_id}: {given.public} goes beside the plan; {given.key} belongs to the one who reads the sums, apart"
        " from the data"
    )
    return Outcome({"key_id": key_id}, text=text)


def main(argv: Sequence[str]) -> int:
    """Exit 0, 2 where the root key can't be used or where there is one already."""
    return run_job(
        argv,
        name="keys",
        about="Makes or checks the root key; makes key pairs for encrypted sums.",
        body=body,
        arguments=arguments,
        writes=("keys", "evidence"),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
