"""Keys of a register into the sealed files of a package: what `keys` and the mock combination share."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import reduce
from operator import add

import numpy as np
import pyarrow as pa

from jobs.combination.applicant.register import Register
from jobs.combination.engines import cores_of, failed
from jobs.combination.sealed_files import PackedFile, Sealer
from jobs.combination.sealing import packed
from transforms.combination.key_spec import KeySpec
from transforms.combination.key_tasks import FILE, KeyCounts, KeyMaking, KeysMap, KeysReduce, subject_draws
from transforms.combination.matching import KEYS_SCHEMA, bucket_count
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.pipeline.engine import PassFailed
from transforms.pipeline.members import Words
from transforms.pipeline.states import unpack

LABEL = "keys"


@dataclass(frozen=True)
class SealKeys:
    """A bucket's keys and serials as a sealed file; what comes out is the file's description."""

    sealer: Sealer

    def __call__(self, rows: pa.Table) -> bytes:
        return json.dumps(asdict(self.sealer.write(rows, LABEL, random=True))).encode()


def sealed_keys(
    register: Register, spec: KeySpec, salt: Secret, serials: Draws, sealer: Sealer
) -> tuple[list[PackedFile], KeyCounts]:
    """The register's join keys and serials, one row per subject, in sealed files; and what was counted.

    One pass, one shuffle. Errors: DataFailed for rows without a subject, Operational for a damaged file.
    """
    making = KeyMaking(
        table=register.table.source,
        subject=register.subject,
        columns=register.columns,
        spec=spec,
        salt=salt,
        serials=serials,
        stopped=_stopped(register, serials),
        rules=register.table.row_rules,
        buckets=bucket_count(register.rows, cores_of(register.engine)),
    )
    map_, reduce_ = KeysMap(making), KeysReduce(making, SealKeys(sealer))
    try:
        found = register.engine.shuffle(map_, reduce_, making.buckets, LABEL, kinds=True)
    except PassFailed as error:
        raise failed(error) from None
    files = [packed(bytes(blob)) for kind, blob in found if kind == FILE]
    counts = reduce(add, (unpack(blob) for kind, blob in found if kind != FILE), KeyCounts())
    return files or [sealer.write(KEYS_SCHEMA.empty_table(), LABEL)], counts


def _stopped(register: Register, serials: Draws) -> Words:
    """The sorted draws of who asked to stop: tasks compare draws, never ids."""
    if register.stops is None:
        return np.empty((0, 2), np.uint64)
    draws = subject_draws(register.stopped(register.stops.ids), serials)
    return draws[np.lexsort((draws[:, 1], draws[:, 0]))]
