"""A folder to be attacked in: plans with what they need, and beside it, outside, a file that nobody may read."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jobs.check
import jobs.combination_job
from tests.hostile.mutants import mutant
from tests.hostile.trying import CANARY, ROOT, Figures, Reader, attempt, of_job

sys.path.insert(0, str(ROOT / "airflow_dags"))
from gamyeong_dags.combination_file import load_combination_file
from gamyeong_dags.problems import Unfit, UnfitFile
from gamyeong_dags.schedule import CombinationSchedule, load_schedule

__all__ = ["CONF", "KINDS", "PLAN", "Kind", "UnfitFile", "attacked", "load_schedule", "seeds_of", "workplace"]
CONF = ROOT / "conf"
PLAN = CONF / "plans" / "first.yaml"


@dataclass(frozen=True)
class Kind:
    """A kind of file: where it lies under conf, the files that are mutated, and who reads them."""

    name: str
    folder: str
    seeds: tuple[str, ...]
    reader: Callable[[Path], Reader]


def _plans(work: Path) -> Reader:
    return of_job(jobs.check.main, after=["--quiet", "--environment", str(work / "environment.yaml")])


def _combinations(work: Path) -> Reader:
    after = ["--quiet", "--environment", str(work / "environment.yaml")]
    return of_job(jobs.combination_job.main, "check", after=after)


def _environments(work: Path) -> Reader:
    return of_job(jobs.check.main, str(work / "conf" / "plans" / PLAN.name), "--quiet", "--environment")


def _schedules(work: Path) -> Reader:
    def read(file: Path) -> tuple[int, str]:
        try:
            one = load_schedule(file)
            if isinstance(one.model, CombinationSchedule):
                load_combination_file(one, one.model)
        except Unfit as error:
            return 2, str(error)
        except Exception as error:  # noqa: BLE001 - what Airflow would show as a broken DAG file, with its traceback
            return 4, f"{type(error).__name__}: {error}"
        return 0, ""

    return read


KINDS = (
    Kind(
        "plans",
        "plans",
        (
            "first", "nafld", "retail-third-party", "retail-internal-risk", "revisit-internal", "retail-further",
            "incomes",
        ),
        _plans,
    ),
    Kind("combinations", "combinations", ("nafld", "mobility-housing-health"), _combinations),
    Kind("environments", "environments", ("local", "nafld/KMA"), _environments),
    Kind("schedules", "schedules", ("first", "nafld"), _schedules),
)


def workplace(folder: Path) -> Path:
    """Makes the place: a copy of conf, an environment, links and a pipe in each folder that lead out of it."""
    work, outside = folder / "work", folder / "outside"
    shutil.copytree(CONF, work / "conf")
    outside.mkdir()
    (outside / "secret.csv").write_text(f"{CANARY},level\n{CANARY} value,{CANARY} parent\n")
    (outside / "plan.yaml").write_text(f"format: {CANARY}\n{CANARY}: 1\n")
    text = (CONF / "environments" / "local.yaml").read_text("utf-8").replace("warehouse/", f"{work}/warehouse/")
    (work / "environment.yaml").write_text(text)
    (work / "warehouse" / "scratch").mkdir(parents=True, mode=0o700)
    for kind in KINDS:
        here = work / "conf" / kind.folder
        (here / "link.csv").symlink_to(outside / "secret.csv")
        (here / "linked").symlink_to(outside)
        os.mkfifo(here / "pipe.csv")
    return work


def seeds_of(kind: Kind, work: Path) -> list[str]:
    """The files that are mutated, with places of their own: an environment that stays valid may be used."""
    texts = [(CONF / kind.folder / f"{seed}.yaml").read_text("utf-8") for seed in kind.seeds]
    return [re.sub(r"(?<=[ \"])warehouse/", f"{work}/warehouse/", text) for text in texts]


def attacked(kind: Kind, work: Path, numbers: range) -> tuple[Figures, list[str]]:
    """Tries mutants of a kind; the figures, and what went wrong with which mutant."""
    figures, faults = Figures(), []
    folder = work / "conf" / kind.folder
    read = kind.reader(work)
    outside = str(work.parent / "outside")
    texts = seeds_of(kind, work)
    allowed = (work, ROOT)
    file = folder / "mutant.yaml"
    file.write_text(texts[0])
    attempt(read, file, allowed, Figures())  # what is imported on first use is not the mutant's doing
    for number in numbers:
        made = mutant(texts[number % len(texts)], number, kind.name, outside)
        file.write_bytes(made)
        wrong = attempt(read, file, allowed, figures)
        faults += [f"{kind.name} {number}: {one}" for one in wrong]
    return figures, faults
