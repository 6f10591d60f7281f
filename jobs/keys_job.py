"""`gamyeong keys init|check|rotate|compromised|paillier`: the root key, what it wraps; key pairs for sums."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from jobs.compromise import compromised
from jobs.errors import BadInput
from jobs.handlers import require_reason
from jobs.job import Context, Outcome, run_job
from jobs.key_providers import make_root, opened, provider_of
from jobs.key_providers.file import FileProvider
from jobs.leaving import leave
from jobs.ledger import evidence_ledger
from jobs.rotation import rotate, wrapped_by
from jobs.sum_keys import DEFAULT_BITS, new_sum_key, sum_key_id


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("action", choices=("init", "check", "rotate", "compromised", "paillier"))
    parser.add_argument("--to", type=Path, metavar="FILE", help="init: a new file, whose content another keeper gets")
    parser.add_argument("--root", metavar="KEY_ID", help="compromised: this root key, so all that it ever wrapped")
    parser.add_argument("--run", metavar="RUN", help="compromised: this run's secret")
    parser.add_argument("--series", metavar="SERIES", help="compromised: this series' secret, and its runs")
    parser.add_argument("--person", metavar="NAME", help="compromised: who says so")
    parser.add_argument("--reason", metavar="TEXT", help="compromised: what happened; goes into the ledger")
    parser.add_argument("--key", type=Path, metavar="FILE", help="paillier: the new private key, for its holder alone")
    parser.add_argument("--public", type=Path, metavar="FILE", help="paillier: the new public key, to lie beside plans")
    parser.add_argument("--bits", type=int, default=DEFAULT_BITS, help=f"paillier: 2048 or more ({DEFAULT_BITS})")


def body(context: Context) -> Outcome:
    """What the action says."""
    return _ACTIONS[context.arguments.action](context)


def _init(context: Context) -> Outcome:
    to: Path | None = context.arguments.to
    made = make_root(context.environment.keys) if to is None else FileProvider.init(to)
    key_id = made.check()
    evidence_ledger(context.environment).append("keys-init", {"key_id": key_id})
    if to is None:
        text = f"root key {key_id} made; keep a copy in a safe: without it no run secret can be read"
    else:
        text = f"root key {key_id} in {to}: hand its content to its keeper, keep a copy in a safe, take {to} away"
    return Outcome({"key_id": key_id}, text=text)


def _check(context: Context) -> Outcome:
    """Tries the root key, and counts the secrets by the root key that wrapped them."""
    key_id = provider_of(context.environment).check()
    counts = wrapped_by(context.environment)
    lines = [f"root key {key_id} can be used; it wraps {counts.get(key_id, 0)} secrets"]
    others = [(other, count) for other, count in counts.items() if other != key_id]
    opens = _retiring(context) if others else None
    lost = {other: count for other, count in others if other != opens}
    lines += [f"{count} secrets are wrapped by root key {other}: {_todo(other in lost)}" for other, count in others]
    return Outcome({"key_id": key_id, "wrapped": counts}, text="\n".join(lines), exit_code=1 if lost else 0)


def _retiring(context: Context) -> str | None:
    """The retiring root key's id; None where there is none, or not now: it is handed for a rotation alone."""
    retiring = context.environment.retiring_keys
    try:
        return None if retiring is None else opened(retiring).check()
    except BadInput:
        return None


def _todo(lost: bool) -> str:
    if not lost:
        return "`gamyeong keys rotate`"
    return "it does not open them; allowed: that key under `keys`, or, to take this one in its place, `retiring_keys`"


def _rotate(context: Context) -> Outcome:
    """Wraps every secret under the current root key; what is there already stays, so it may be repeated."""
    retiring = context.environment.retiring_keys
    if retiring is not None and opened(retiring).check() == opened(context.environment.keys).check():
        raise BadInput("`keys` and `retiring_keys` are one root key; allowed: the new one under `keys`")
    done = rotate(context.environment)
    text = f"{done.rewrapped} secrets wrapped anew under root key {done.key_id}; {done.already} were already"
    if retiring is not None:
        text += "\nthe retiring root key wraps none: take it out of the environment (`retiring_keys`), destroy that key"
    return Outcome(asdict(done), text=text)


def _compromised(context: Context) -> Outcome:
    """Enters what others may have, replaces secrets of series, and lists what must be released anew."""
    given = context.arguments
    if [given.root, given.run, given.series].count(None) != 2:
        raise BadInput("which key? allowed: one of --root KEY_ID, --run RUN, --series SERIES")
    if given.person is None or given.reason is None:
        raise BadInput("who says why? needed: --person NAME --reason TEXT")
    require_reason(given.reason)
    found = compromised(
        context.environment, root=given.root, run=given.run, series=given.series, person=given.person,
        reason=given.reason,
    )  # fmt: skip
    lines = [
        f"{one.kind} {one.name}{f' ({one.output}, {one.state})' if one.output else ''}"
        f"{'' if one.there else ', destroyed before: only who copied it earlier has it'}: {one.todo}"
        for one in found
    ]
    return Outcome({"touched": [one.plain() for one in found]}, text="\n".join(lines))


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


_ACTIONS: Mapping[str, Callable[[Context], Outcome]] = {
    "init": _init, "check": _check, "rotate": _rotate, "compromised": _compromised, "paillier": _paillier
}  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Exit 0, 2 where the root key can't be used or where there is one already."""
    return run_job(
        argv,
        name="keys",
        about="Makes, checks or replaces the root key; makes key pairs for encrypted sums.",
        body=body,
        arguments=arguments,
        writes=("keys", "evidence"),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
