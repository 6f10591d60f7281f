"""Measures key making: `python tests/benchmarks/combination_keys.py --subjects 4000000 --processes 2`.

Made persons, name, phone with hyphens, birth date as text: canonical form, hash and serial of each, as the tasks of
`keys` make them, in processes of one core each, without reading, shuffle and writing. Asked: 2,000,000 subjects a
second on two cores. By the clock, and by the processor time that the processes had (on a machine that does other work
too only that tells something). Asserts nothing about time; keys that are not those of plain Python end it.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import multiprocessing
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[2])]

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.population import Population
from transforms.combination.join_keys import join_keys
from transforms.combination.key_inputs import key_inputs
from transforms.combination.key_spec import KeySpec
from transforms.combination.key_tasks import subject_draws
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.techniques.pseudonyms import LONGEST, base32

BATCH = 131_072
COLUMNS = {"columns": ["name", "phone", "birth"]}
SPECS = (
    {},
    {"encoding": "CP949"},
    {"algorithm": "SHA-384"},
    {"algorithm": "SHA-512"},
    {"algorithm": "SHA3-256"},
    {"algorithm": "HMAC-SHA-256"},
)


@dataclass(frozen=True)
class Share:
    """What one process makes."""

    spec: KeySpec
    first: int
    subjects: int


def people(first: int, count: int) -> list[pa.Array]:
    """Name, phone, birth date as text, of persons by number."""
    persons = np.arange(first, first + count, dtype=np.int64)
    population = Population(seed=1)
    births = pa.array(population.births(persons)).cast(pa.date32())
    phones = population.phones(persons, "010-####-####")
    return [population.names(persons), phones, pc.strftime(births, "%Y-%m-%d")]


def seconds(share: Share) -> tuple[float, float]:
    """How long the making takes by the clock and in processor time; making the persons stands outside of both."""
    pa.set_cpu_count(1)
    salt, draws = Secret(bytes(share.spec.salt_bytes)), Draws(Secret(bytes(32)))
    columns = people(share.first, BATCH)
    ids = pa.array(np.arange(share.first, share.first + BATCH))
    keys = made(share.spec, columns, ids, salt, draws)  # warms it
    checked(share.spec, columns, keys, salt.reveal())
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(max(1, share.subjects // BATCH)):
        made(share.spec, columns, ids, salt, draws)
    return time.perf_counter() - clock, time.process_time() - processor


def made(spec: KeySpec, columns: list[pa.Array], ids: pa.Array, salt: Secret, draws: Draws) -> pa.Array:
    """Keys and serials of a batch."""
    base32(subject_draws(ids, draws), LONGEST)
    return join_keys(key_inputs(spec, columns).messages, spec, salt)


def checked(spec: KeySpec, columns: list[pa.Array], keys: pa.Array, salt: bytes) -> None:
    """Ends the benchmark where a key is not what plain Python makes of the person."""
    name = spec.algorithm.removeprefix("HMAC-").lower().replace("sha3-", "sha3_").replace("sha-", "sha")
    for row in range(0, len(keys), 9973):
        text = "".join(column[row].as_py().replace("-", "") for column in columns)
        message = text.encode(spec.encoding)
        right = hmac.digest(salt, message, name) if spec.keyed else hashlib.new(name, message + salt).digest()
        if keys[row].as_py() != right:
            raise SystemExit(f"row {row} under {spec.algorithm}: another key than plain Python's")


def main(argv: Sequence[str]) -> int:
    """Prints a line for each algorithm and encoding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=4_000_000)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(argv)
    each = asked.subjects // asked.processes
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
        for fields in SPECS:
            spec = KeySpec.model_validate({**COLUMNS, **fields})
            shares = [Share(spec, number * BATCH, each) for number in range(asked.processes)]
            taken = pool.map(seconds, shares, chunksize=1)
            subjects = max(1, each // BATCH) * BATCH * asked.processes
            rate, core = subjects / max(clock for clock, _ in taken), subjects / sum(cpu for _, cpu in taken)
            told = f"{rate / 1e6:.2f} M subjects/s by the clock in {asked.processes} processes"
            print(f"{spec.algorithm:<13} {spec.encoding:<6} {told}, {core / 1e6:.2f} M/s of a core's time")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
