"""`salt`: makes the salts of the series in its first round, and hands S to each party whose key making is proved."""

from __future__ import annotations

import argparse

from jobs.combination.salts import join_salt, make_salts, pack_salt
from jobs.combination.step import Call, Step
from jobs.errors import BadInput, DataFailed, Refused, Waiting
from jobs.job import Outcome
from transforms.combination.key_vectors import difference, fingerprint


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    parser.add_argument(
        "--party", action="append", metavar="NAME", help="to this party alone (with --revision: handed over again)"
    )


def body(call: Call) -> Outcome:
    """Hands S to whoever proved; who proved wrongly or not at all is named, and gets nothing."""
    over = call.round.missing("salt")
    if over is not None:  # also where it was handed over to others before
        raise Refused(f"salt: round {call.round.name} is over, and nobody gets the salt for it; {over}")
    parties = _asked(call)
    wrong: list[str] = []
    missing: list[str] = []
    served: list[str] = []
    for party in parties:
        found = call.received("proof", party)
        if found is None:
            missing.append(party)
            continue
        problem = _problem(call, found.content)
        (served if problem is None else wrong).append(party if problem is None else f"{party}: {problem}")
    new = make_salts(call.environment, call.combination) if served else False
    for party in served:
        package = call.draft("salt", party)
        pack_salt(package, join_salt(call.environment, call.combination))
    if wrong:
        raise DataFailed("\n".join(["these parties would make other keys, and get no salt:", *wrong]))
    late = [party for party in missing if not call.combination.parties[party].optional]
    told = f"handed to {', '.join(served) or 'nobody'}"
    if late:
        raise Waiting(f"round {call.round.name}: {told}; waits for the proof (`prove`) of {', '.join(late)}")
    call.round.record("salt", {"spec": call.combination.fingerprint}, call.revision)
    without = f"; no proof of {', '.join(missing)} (optional)" if missing else ""
    text = f"round {call.round.name}: salt {told}{without}"
    return Outcome({"parties": served, "without": missing, "new": new}, text=text)


def _asked(call: Call) -> tuple[str, ...]:
    suppliers = call.combination.suppliers
    named = tuple(dict.fromkeys(call.arguments.party or ()))
    unknown = [party for party in named if party not in suppliers]
    if unknown:
        raise BadInput(f"--party {', '.join(unknown)}; allowed: suppliers: {', '.join(suppliers)}")
    if call.revision > 1 and not named:
        raise BadInput(
            f"--revision {call.revision} without --party: everybody would get the salt again; allowed: --party NAME of "
            "those who make their keys again"
        )
    return named or suppliers


def _problem(call: Call, content: object) -> str | None:
    """Why a proof is none, or None."""
    spec = call.combination.key
    if not isinstance(content, dict) or content.get("vectors") != fingerprint(spec):
        return "a proof on other vectors (another version of this program?)"
    keys = content.get("keys")
    if not isinstance(keys, list) or not all(key is None or isinstance(key, str) for key in keys):
        return "a proof without keys"
    return difference(spec, keys)


STEP = Step(
    "salt",
    "makes the series' salts once, and hands the join salt to the parties that proved their key making",
    "key agency",
    body,
    writes=("keys", "evidence"),
    arguments=arguments,
)
