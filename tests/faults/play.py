"""Strikes runs at random points and tells what stands afterwards:

    python -m tests.faults.play --points 100 --seed 7 --folder FOLDER

After each fault: no half table is published and no raw value lies outside the source zone. After every few faults in
one organisation (`--each`), an undisturbed run: the rows are those of a run that nothing befell, nothing is left
behind, and the ledger is whole. A fault that met nothing (a file that had been read already) is done again, elsewhere.
Exit 1 where anything else was found.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import Cluster, running_cluster
from tests.faults.point import Calm, Point, calm, strike
from tests.faults.strikes import FULL_DISK, ON_CLUSTER
from tests.faults.world import World

# Of a hundred points, so many of each kind.
SHARES = {"driver": 40, "worker": 20, FULL_DISK: 15, "jvm": 10, "missing": 5, "truncated": 5, "executor": 5}
ROUNDS = 20
CLASSES = "classes.jsa"
Say = Callable[[str], object]


@dataclass(frozen=True)
class Game:
    """What all worlds of one play share."""

    folder: Path
    first: World
    expected: Calm
    seed: int
    say: Say
    cluster: Cluster | None = None


@dataclass(frozen=True)
class Played:
    """What befell one organisation, what was wrong, and the kinds that are still to be done."""

    points: list[Point]
    problems: list[str]
    left: list[str]


def prepared(folder: Path) -> tuple[World, Calm]:
    """An organisation whose run has its secret already, so that all copies give the same rows, and what they give.

    Its JVM leaves an archive of its classes (200 MB), from which all others start in half of the time.
    """
    first = World.make(folder / "first")
    archive = folder / CLASSES
    still = World(first.folder, f"-XX:ArchiveClassesAtExit={archive}").copy(folder / "calm")
    code, found = calm(still, "--keep-secret", str(first.secrets))
    assert code == 0, still.words.read_text()
    assert found.rows, "an undisturbed run publishes"
    return World(first.folder, f"-XX:SharedArchiveFile={archive}"), found


def kinds(points: int, luck: random.Random, without: frozenset[str] = frozenset()) -> list[str]:
    """The kinds of so many points, in random order: each once if there is room, then by their shares."""
    shares = {name: share for name, share in SHARES.items() if name not in without}
    counts = Counter(dict.fromkeys(list(shares)[:points], 1))
    for _ in range(points - counts.total()):
        counts[max(shares, key=lambda name: shares[name] * points / sum(shares.values()) - counts[name])] += 1
    found = list(counts.elements())
    luck.shuffle(found)
    return found


def play(game: Game, left: list[str], each: int, at_once: int = 1) -> Iterator[Played]:
    """All kinds, `each` of them one after another in one organisation, then a run to the end."""
    number = 0
    for _ in range(ROUNDS):
        groups = [(number + at, left[at * each : (at + 1) * each]) for at in range(-(-len(left) // each))]
        number, left = number + len(groups), []
        with ThreadPoolExecutor(at_once) as pool:
            for one in pool.map(lambda group: _one_world(game, *group), groups):
                left += one.left
                yield one
    if left:
        yield Played([], [f"{kind}: met nothing in {ROUNDS} rounds" for kind in left], [])


def _one_world(game: Game, number: int, left: list[str]) -> Played:
    luck = random.Random(f"{game.seed} {number}")
    world = game.first.copy(game.folder / f"world-{number:03d}")
    # The first faults of a world meet the whole run: after others a file may not be read again, nor a disk be filled.
    left = sorted(left, key=lambda kind: kind not in {"missing", "truncated", FULL_DISK})
    points: list[Point] = []
    missed: list[str] = []
    # A run that came to its end all the same leaves nothing to strike.
    while left and not (points and points[-1].code == 0):
        points.append(strike(world, left.pop(0), game.expected, luck, game.cluster))
        missed += [] if points[-1].hit else [points[-1].kind]
        game.say(f"world {number}: {points[-1].told()}")
    code, _ = calm(world)
    wrong = world.unfinished(game.expected.rows) + ([f"the run after them: exit {code}"] if code else [])
    if "Traceback" in world.words.read_text():
        wrong.append("a traceback among the words for people")
    game.say(f"world {number}: to the end: exit {code}; {'; '.join(wrong) or 'the same rows, nothing left behind'}")
    problems = [problem for one in points for problem in one.wrong] + wrong
    if not problems:
        shutil.rmtree(world.folder)
    return Played(points, problems, missed + left)


def figures(played: Sequence[Played]) -> dict[str, object]:
    """What the tests print and the command keeps."""
    taken = [point for one in played for point in one.points]
    hit = [one for one in taken if one.hit]
    return {
        "points": len(hit),
        "survived": sum(not one.wrong for one in hit),
        "struck": dict(sorted(Counter(one.kind for one in hit).items())),
        "met nothing, done again": dict(sorted(Counter(one.kind for one in taken if not one.hit).items())),
        "exit codes": {str(code): count for code, count in sorted(Counter(one.code for one in hit).items())},
        "during": dict(sorted(Counter(one.during for one in hit).items())),
        "problems": sum(len(one.problems) for one in played),
    }


def main(argv: Sequence[str]) -> int:
    """Plays, prints the figures, keeps them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--each", type=int, default=4, help="faults in one organisation before a run to the end")
    parser.add_argument("--at-once", type=int, default=2, help="organisations at the same time")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path, required=True, help="a new folder for the organisations")
    parser.add_argument("--results", type=Path, help="JSON file for the figures")
    given = parser.parse_args(list(argv))
    given.folder.mkdir(parents=True)
    begun = time.monotonic()
    folder = given.folder.resolve()
    todo = kinds(given.points, random.Random(given.seed))
    with running_cluster(folder / "spark") if ON_CLUSTER & {*todo} else nullcontext() as cluster:
        game = Game(folder, *prepared(folder), given.seed, lambda text: print(text, flush=True), cluster)
        played: list[Played] = []
        for one in play(game, todo, given.each, given.at_once):
            played.append(one)
            found = {**figures(played), "rows": len(game.expected.rows), "seed": given.seed}
            found |= {"seconds": round(time.monotonic() - begun), "cores": os.cpu_count() or 0}
            text = json.dumps(found, ensure_ascii=False, indent=1)
            if given.results is not None:  # at once: who stops it has what was done by then
                given.results.write_text(text + "\n", "utf-8")
    (folder / CLASSES).unlink()
    print(text)
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
