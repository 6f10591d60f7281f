"""Spark's local folders: of its own for each process; what a killed one left is swept by the next."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from jobs.local_folders import own_folder, sweep

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from jobs.local_folders import own_folder
folder = own_folder(Path(sys.argv[1]))
(folder / "blocks").write_bytes(b"shuffled")
print(folder, flush=True)
sys.stdin.read()
"""


def start(place: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(place)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_living_process_keeps_its_folder_and_a_killed_one_loses_it(tmp_path: Path) -> None:
    place = tmp_path / "spark"
    first, folder = start(place)
    second, other = start(place)
    try:
        assert folder != other
        assert sweep(place) == []
        end(first)
        assert sweep(place) == [folder.name]
        assert (other / "blocks").exists()
        assert sorted(one.name for one in place.iterdir()) == [other.name, f"{other.name}.lock"]
    finally:
        end(first)
        end(second)
    mine = own_folder(place)
    assert sorted(one.name for one in place.iterdir()) == [mine.name, f"{mine.name}.lock"], "swept at the next start"
    assert mine.stat().st_mode & 0o777 == 0o700


def test_a_process_that_ends_takes_its_folder_along(tmp_path: Path) -> None:
    process, folder = start(tmp_path)
    assert folder.is_dir()
    process.communicate()
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_holds_is_swept(tmp_path: Path) -> None:
    """A folder whose lock was removed by a sweep that was killed, and a lock whose folder was never made."""
    (tmp_path / "half-swept").mkdir()
    (tmp_path / "half-swept" / "blocks").write_bytes(b"")
    (tmp_path / "no-folder.lock").write_bytes(b"")
    assert sweep(tmp_path) == ["half-swept"]
    assert list(tmp_path.iterdir()) == []
