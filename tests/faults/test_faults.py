"""Whatever befalls a run at whatever moment: nothing half is published, no raw value lies about, the rerun is whole.

Here ten random points; `python -m tests.faults.play --points 100 --folder FOLDER` plays as many as asked. First the
harness itself is tested: each thing that it looks for is planted, and it must see it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from tests.conftest import Keep
from tests.faults import play as playing
from tests.faults.play import CLASSES, SHARES, Game, kinds, play, prepared
from tests.faults.point import Calm, Chain
from tests.faults.strikes import FULL_DISK, ON_CLUSTER, STRIKES
from tests.faults.world import Row, World

ROWS: list[Row] = [{"id": number, "name": "sealed"} for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World.make(tmp_path_factory.mktemp("founded") / "world")


@pytest.fixture
def released(founded: World, tmp_path: Path) -> World:
    """An organisation with three published rows, made without a run."""
    world = founded.copy(tmp_path / "world")
    write_deltalake(str(place(world)), pa.Table.from_pylist(ROWS))
    return world


def place(world: World) -> Path:
    return world.folder / "warehouse" / "published" / "2026-001" / "분석팀" / "people"


def put(world: World, path: str, content: bytes) -> None:
    file = world.folder / "warehouse" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


PLANTED: dict[str, tuple[Callable[[World], object], str]] = {
    "half a table": (
        lambda world: write_deltalake(str(place(world)), pa.Table.from_pylist(ROWS[:2]), mode="overwrite"),
        "published holds 2 rows",
    ),
    "a table twice": (
        lambda world: write_deltalake(str(place(world)), pa.Table.from_pylist(ROWS), mode="append"),
        "published holds 6 rows",
    ),
    "an id in a log": (lambda world: put(world, "scratch/logs/x.log", b"at EC-900017"), "raw values in"),
    "a name in a draft": (
        lambda world: put(world, "staging/x/.draft", "가나다라900017".encode()),
        "raw values in",
    ),
}
LEFT: dict[str, tuple[str, str]] = {
    "a staged file": ("staging/0123456789abcdef/people/x.parquet", "left behind: staging"),
    "facts": ("additional-information/0123456789abcdef/facts.json", "left behind: additional-information"),
    "a secret": ("keys/runs/0123456789abcdef.json", "left behind: keys"),
    "Spark's files": ("scratch/spark/x/blocks", "left behind: scratch"),
    "a draft": ("evidence/runs/.run.json.x", "a draft: evidence"),
    "a copied file": ("published/2026-001/분석팀/people/x.parquet", "published, but in no log: x.parquet"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_the_harness_sees_what_is_wrong_at_any_moment(what: str, released: World) -> None:
    assert released.problems(ROWS) == []
    plant, said = PLANTED[what]
    plant(released)
    (problem,) = released.problems(ROWS)
    assert problem.startswith(said)


@pytest.mark.parametrize("what", LEFT)
def test_the_harness_sees_what_is_left_behind(what: str, released: World) -> None:
    before = set(released.unfinished(ROWS))
    assert before == {f"the ledger has 0 entries {one}" for one in ("pseudonymize", "publish", "destroy")}
    path, said = LEFT[what]
    put(released, path, b"x")
    (problem,) = set(released.unfinished(ROWS)) - before
    assert problem.startswith(said)


def test_points_are_shared_out_among_the_kinds() -> None:
    assert {*SHARES} == {*STRIKES, FULL_DISK}
    assert Counter(kinds(100, random.Random(1))) == SHARES
    assert {*kinds(10, random.Random(1), without=ON_CLUSTER)} == {*SHARES} - ON_CLUSTER
    for points in (1, 7, 10):
        assert len(kinds(points, random.Random(1))) == points


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Calm]]:
    """An organisation that nothing befell yet, and what an undisturbed run of it gives."""
    folder = tmp_path_factory.mktemp("made")
    yield prepared(folder)
    (folder / CLASSES).unlink()


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_random_points(made: tuple[World, Calm], tmp_path: Path, figures: Keep) -> None:
    """Kills, full disks, damaged files: up to five, one after another, then a run to the end; all of them struck."""
    said: list[str] = []
    game = Game(tmp_path, *made, seed=2026, say=said.append)
    played = list(play(game, kinds(10, random.Random(2026), without=ON_CLUSTER), each=5))
    told = playing.figures(played)
    figures("faults", told)
    assert [problem for one in played for problem in one.problems] == [], "\n".join(said)
    assert told["points"] == told["survived"] == 10, said


@pytest.mark.spark
@pytest.mark.slow
def test_two_runs_of_one_plan_at_the_same_time(made: tuple[World, Calm], tmp_path: Path) -> None:
    """One wins; the other says that somebody is at work (exit 4), or finds all done; nothing is corrupt."""
    world, expected = made[0].copy(tmp_path / "world"), made[1]
    running = [Chain.start(world) for _ in range(2)]
    codes = sorted(one.finish() for one in running)
    words = world.words.read_text()
    assert codes in ([0, 0], [0, 4]), words
    assert ("another job is at work on run" in words) == (4 in codes), words
    assert "Traceback" not in words
    assert world.unfinished(expected.rows) == []
