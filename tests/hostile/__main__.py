"""`python -m tests.hostile 10000`: so many mutants of plans, combination files, environments, schedules.

`python -m tests.hostile plans 17` shows one mutant, to mend what it found.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.hostile.mutants import mutant
from tests.hostile.places import KINDS, attacked, seeds_of, workplace

SHARES = {"plans": 0.6, "combinations": 0.2, "environments": 0.1, "schedules": 0.1}


def main(words: list[str]) -> int:
    """Exit 0 where every mutant was refused in words or harmless."""
    if len(words) == 2:
        kind = next(one for one in KINDS if one.name == words[0])
        texts = seeds_of(kind, Path("work"))
        sys.stdout.buffer.write(mutant(texts[int(words[1]) % len(texts)], int(words[1]), kind.name, "OUTSIDE"))
        return 0
    count = int(words[0]) if words else 1000
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        work = workplace(Path(folder))
        for kind in KINDS:
            figures, faults = attacked(kind, work, range(round(count * SHARES[kind.name])))
            print(f"{kind.name}: {json.dumps(figures.plain())}")
            print("".join(f"  {one[:400]}\n" for one in faults), end="")
            failed += len(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
