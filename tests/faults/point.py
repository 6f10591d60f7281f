"""One point: a chain starts, something befalls it at a random moment, and the world is looked at."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.cluster import Cluster
from tests.faults.processes import cpu_seconds, end_all, processes
from tests.faults.strikes import FULL_DISK, ON_CLUSTER, STOPPING, STRIKES, UNTIL, Struck, nothing
from tests.faults.world import ROOT, Row, World, lines

HERE = Path(__file__).resolve().parent
LONGEST = 600
LOOK = 0.1
PAGE = 4096
LEAST = 4 * PAGE
NONE: Mapping[str, str] = {}
# Zones that may run full, each on a disk of its own: what a run writes there.
DISKS = ("staging", "evidence", "published", "additional-information", "scratch")


@dataclass(frozen=True)
class Calm:
    """An undisturbed run: its rows, at which of its processor seconds each step began, bytes in each zone.

    Of those, how many lay there once Spark had started (its jars), and how many at most.
    """

    rows: list[Row]
    began: dict[str, float]
    started: dict[str, int]
    held: dict[str, int]

    def seconds(self, kind: str, recorded: bool) -> float:
        """Processor seconds in which a fault can strike; of a run that is recorded the first step is done."""
        end = self.began[UNTIL.get(kind, "over")]
        return end - (self.began["verify"] if recorded else self.began["ready"])


@dataclass(frozen=True)
class Point:
    """What was done: the kind, when (share of the time in which it can strike), if it struck, how the chain ended."""

    kind: str
    moment: float
    hit: bool
    code: int
    during: str
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        """For the list of points."""
        state = "; ".join(self.wrong) or "whole"
        met = self.during if self.hit else f"{self.during}, met nothing"
        return f"{self.kind} at {self.moment:.3f} ({met}): exit {self.code}; {state}"


@dataclass(frozen=True)
class Chain:
    """A chain that was started, in a session of its own, and the file that tells how far it is."""

    process: subprocess.Popen[bytes]
    said: Path

    @classmethod
    def start(
        cls,
        world: World,
        *options: str,
        prefix: Sequence[str] = (sys.executable,),
        more: Mapping[str, str] = NONE,
    ) -> Chain:
        """Starts it; what it says to people goes to `world.words`."""
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "GX_ANALYTICS_ENABLED": "false", **more}
        number = len(list(world.folder.glob("said-*")))
        said = world.folder / f"said-{number:02d}"
        with world.words.open("a") as errors, said.open("w") as output:
            process = subprocess.Popen(
                [*prefix, str(HERE / "chain.py"), str(world.folder), *options],
                stdout=output, stderr=errors, env=variables, start_new_session=True,
            )  # fmt: skip
        return cls(process, said)

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    def began(self) -> dict[str, float]:
        """Processor seconds at the beginning of each step so far, of Spark ("ready") and of the end ("over")."""
        whole, _, _ = self.said.read_text().rpartition("\n")  # the last line may be half there
        return {line["step"]: line["cpu"] for line in lines(whole)}

    def step(self) -> str:
        """What it is at, or was at when it ended."""
        return [name for name in ("start", *self.began()) if name != "over"][-1]

    def until_ready(self) -> None:
        """Waits until there is a Spark session, or the chain has ended."""
        while self.lives and not self.began():
            time.sleep(LOOK)

    def finish(self) -> int:
        """Exit code; the session's rest (a JVM that outlived its driver) is ended."""
        late = threading.Timer(LONGEST, end_all, [self.process.pid])
        late.start()
        try:
            return self.process.wait()
        finally:
            late.cancel()
            end_all(self.process.pid)


def on_disk(place: Path) -> int:
    """Bytes of all files in whole pages, as a disk in memory counts them."""
    total = 0
    for folder, _, names in os.walk(place):
        for name in names:
            try:
                total += -(-os.stat(os.path.join(folder, name)).st_size // PAGE) * PAGE
            except FileNotFoundError:  # gone meanwhile
                continue
    return total


def calm(world: World, *options: str) -> tuple[int, Calm]:
    """Runs the chain undisturbed; its exit code, and what it did."""
    chain = Chain.start(world, *options)
    started = held = dict.fromkeys(DISKS, 0)
    while chain.lives:
        held = {zone: max(most, on_disk(world.warehouse / zone)) for zone, most in held.items()}
        started = started if chain.began() else held
        time.sleep(LOOK)
    end = time.monotonic() + LONGEST
    while processes(chain.process.pid) and time.monotonic() < end:  # the JVM ends by itself
        time.sleep(LOOK)
    return chain.finish(), Calm(world.published() or [], chain.began(), started, held)


def strike(world: World, kind: str, expected: Calm, luck: random.Random, cluster: Cluster | None = None) -> Point:
    """Starts the chain, strikes it at a random moment, waits for its end, and tells what is wrong then."""
    if kind == FULL_DISK:
        return _on_small_disk(world, expected, luck)
    if kind not in ON_CLUSTER:
        return _struck(world, kind, expected, luck, None)
    assert cluster is not None, "this kind of fault needs a cluster"
    with cluster.alone:
        return _struck(world, kind, expected, luck, cluster)


def _struck(world: World, kind: str, expected: Calm, luck: random.Random, cluster: Cluster | None) -> Point:
    moment = luck.random()
    seconds = moment * expected.seconds(kind, recorded=world.run is not None)
    chain = Chain.start(world, prefix=cluster.prefix(), more=cluster.variables()) if cluster else Chain.start(world)
    chain.until_ready()
    leader = chain.process.pid
    since = cpu_seconds(leader)
    while chain.lives and cpu_seconds(leader) - since < seconds:
        time.sleep(LOOK)
    during = chain.step()
    undo = STRIKES[kind](Struck(world, leader, luck, cluster)) if chain.lives else None
    code = chain.finish()
    (undo or nothing)()
    return _judged(world, expected, Point(kind, moment, undo is not None, code, during))


def _judged(world: World, expected: Calm, point: Point) -> Point:
    """Killed where it was to be killed; else an exit code of ours (never 1: no record is to blame)."""
    wrong = world.problems(expected.rows)
    allowed = (0, -signal.SIGKILL) if point.kind == "driver" else (0, 4)
    if point.code not in allowed:
        wrong.append(f"exit {point.code}")
    hit = point.hit and not (point.kind in STOPPING and point.code == 0)
    return Point(point.kind, point.moment, hit, point.code, point.during, wrong)


def _on_small_disk(world: World, expected: Calm, luck: random.Random) -> Point:
    """One zone lies on a disk of its own that is too small for it. What got there stays when the disk is gone."""
    zone = luck.choice(DISKS)
    share = luck.uniform(0.05, 0.95)
    place = world.warehouse / zone
    place.mkdir(mode=0o700, parents=True, exist_ok=True)  # publishing refuses additional information that others reach
    # What lies there fits, and of what a run adds a share; each other time, of what it adds once Spark is there.
    fits = max(on_disk(place), luck.choice((0, expected.started[zone])))
    size = (fits + int(share * max(expected.held[zone] - fits, LEAST))) // 1024 + 4
    script = (
        'set -e; mkdir -p "$3"; mount --bind "$1" "$3"; mount -t tmpfs -o mode=700,size="$2"k tmpfs "$1"; '
        'cp -a "$3/." "$1/"; place=$1; keep=$3; shift 3; code=0; "$@" || code=$?; '
        'find "$keep" -mindepth 1 -delete; cp -a "$place/." "$keep/"; exit $code'
    )
    beside = world.folder / "beside"
    prefix = ("unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(place), str(size), str(beside))
    chain = Chain.start(world, prefix=(*prefix, sys.executable))
    code = chain.finish()
    return _judged(world, expected, Point(FULL_DISK, share, True, code, f"{zone}, {chain.step()}"))
