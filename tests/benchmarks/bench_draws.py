"""How many draws a second one core makes, for ids of several shapes.

Run it: `python tests/benchmarks/bench_draws.py`. Prints, asserts nothing. Best of several rounds
over batches of 100,000 rows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.identifiers import encode_ids

ROWS = 100_000
ROUNDS = 60


def best(work: Callable[[], object]) -> float:
    """Millions of rows a second in the fastest round: other work on the machine slows the rest."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return ROWS / min(seconds) / 1e6


def main() -> None:
    pa.set_cpu_count(1)
    numbers = np.random.default_rng(1).permutation(ROWS) + 1_000_000
    short = pa.array([f"EC-{number}" for number in numbers])
    whole = pa.array(numbers)
    shapes: dict[str, list[pa.Array]] = {
        "text EC-1234567": [short],
        "int64": [whole],
        "text, a tenth null": [
            pa.array([None if number % 10 == 0 else f"EC-{number}" for number in numbers])
        ],
        "Korean text": [pa.array([f"은평구-{number}" for number in numbers])],
        "Korean text, decomposed": [pa.array([f"은평구e\u0301-{number}" for number in numbers])],
        "text and int64 (2 blocks)": [short, whole],
        "text of 40": [pa.array([f"{number:040d}" for number in numbers])],
        "text of 1 … 60": [pa.array([str(number)[:1] * (1 + number % 60) for number in numbers])],
    }
    draws = Draws(Secret(bytes(32)))
    print(f"{'million ids a second':<28}{'encode':>8}{'bits':>8}{'both':>8}{'below':>8}{'uniform':>8}")
    for name, columns in shapes.items():
        ids = encode_ids(columns)
        works: list[Callable[[], object]] = [
            lambda columns=columns: encode_ids(columns),  # type: ignore[misc]
            lambda ids=ids: draws.bits(ids),  # type: ignore[misc]
            lambda columns=columns: draws.bits(encode_ids(columns)),  # type: ignore[misc]
            lambda ids=ids: draws.below(ids, 1_000_003),  # type: ignore[misc]
            lambda ids=ids: draws.uniform(ids),  # type: ignore[misc]
        ]
        print(f"{name:<28}" + "".join(f"{best(work):>8.1f}" for work in works))


if __name__ == "__main__":
    main()
