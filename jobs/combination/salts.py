"""Salts (Salt값) of a series: S, which the join keys are made with, and L, which makes the link ids.

The key agency makes both once for a series and keeps them wrapped (L1268, L2903-2919). S goes to each applicant anew
in each round, sealed; the applicant erases it once its keys are sent. L never leaves the key agency.
"""

from __future__ import annotations

import hashlib

import pyarrow as pa

from jobs.combination import entries
from jobs.combination.packages import Draft, destroy_packages, received
from jobs.combination.rounds import Round
from jobs.combination.secret_store import series_secret
from jobs.environment import Environment
from jobs.errors import DataFailed, Refused, Waiting
from transforms.combination.key_spec import KeySpec
from transforms.combination.model import Combination
from transforms.derivation import Secret, canonical_json, subkey
from transforms.plain import plain

JOIN_SALT, LINK_SALT = "join-salt", "link-salt"
MADE = "combination-salts"
SALT = "salt"


def make_salts(environment: Environment, combination: Combination) -> bool:
    """Makes S and L where the series has none yet; True if it did. For the key agency.

    Refused where the series has salts for another key spec. KeyGone (3) where they were destroyed, or lost: they are
    never made a second time, for keys and link ids of the rounds would differ without a word.
    """
    spec = hashlib.sha256(canonical_json(plain(combination.key))).hexdigest()
    known = entries.entered(environment, MADE, combination=combination.combination)
    if known and known[0].content()["key"] != spec:
        raise Refused(
            f"the salts of {combination.combination} were made for another key spec (columns, encoding, algorithm …); "
            "allowed: the same in all rounds; another spec is a new series: `gamyeong combination end`, then a "
            "combination with a new name"
        )
    for purpose in (JOIN_SALT, LINK_SALT):
        series_secret(environment, combination, purpose, make=not known)
    if not known:
        entries.append(environment, MADE, {"combination": combination.combination, "key": spec}, once=("combination",))
    return not known


def join_salt(environment: Environment, combination: Combination) -> Secret:
    """S, as long as the spec says (HKDF of the series' secret). For the key agency; KeyGone where it is destroyed."""
    secret = series_secret(environment, combination, JOIN_SALT)
    return lengthened(secret, environment, combination.combination, combination.key)


def lengthened(secret: Secret, environment: Environment, name: str, spec: KeySpec) -> Secret:
    """A salt of `spec.salt_bytes` out of a stored secret of 32 bytes."""
    return subkey(
        secret,
        organisation=environment.organisation,
        run_or_series=f"combination/{name}",
        recipient=None,
        algorithm=spec.algorithm,
        domain="join key",
        step=None,
        purpose=JOIN_SALT,
        length=spec.salt_bytes,
    )


def pack_salt(package: Draft, salt: Secret) -> None:
    """Sends a salt: one sealed cell, nothing of it in the manifest."""
    table = pa.table({SALT: pa.array([salt.reveal()], pa.binary())})
    package.finish([package.sealer.write(table, SALT, random=True)])


def handed_salt(round_: Round) -> Secret:
    """S as the key agency handed it over for this round; Waiting where it has not (again)."""
    combination = round_.combination
    agency = combination.roles.key_agency
    found = received(round_.environment, combination, round=round_.name, kind="salt", sender=agency)
    if found is None:
        raise Waiting(
            f"round {round_.name} waits for the salt: {agency} hands it over (`salt`) once the proof of "
            f"{round_.environment.exchange.name} (`prove`) is there; for keys that are made again: `salt --revision 2 "
            "--party …`"
        )
    cells = found.table(SALT).column(SALT).to_pylist()
    if [len(cell) for cell in cells] != [combination.key.salt_bytes]:
        wanted = combination.key.salt_bytes
        raise DataFailed(f"{found.manifest.address.name} holds no salt of {wanted} bytes; ask {agency}")
    return Secret(cells[0])


def erase_salt(round_: Round) -> None:
    """The applicant's copies of S are removed, and that is entered."""
    destroy_packages(round_.environment, round_.combination, round=round_.name, kinds=["salt"])
