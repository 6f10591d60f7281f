"""Where the schedules, the job files and the working folder are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gamyeong_dags.problems import Unfit

ROOT = Path(__file__).resolve().parents[2]


def schedules() -> Path:
    """The folder of schedule files: GAMYEONG_SCHEDULES, else conf/schedules of this repository."""
    return Path(os.environ.get("GAMYEONG_SCHEDULES") or ROOT / "conf" / "schedules").absolute()


def jobs() -> Path:
    """The folder of job files: GAMYEONG_JOBS (of `gamyeong where check`), else jobs/ of this repository."""
    return Path(os.environ.get("GAMYEONG_JOBS") or ROOT / "jobs").absolute()


def work() -> Path:
    """The folder at which relative places in environment files start: GAMYEONG_WORK, else the current one."""
    return Path(os.environ.get("GAMYEONG_WORK") or Path.cwd()).absolute()


def require_tools(job: str) -> Path:
    """The job's file; Unfit, with what to do, where it or spark-submit is missing on this machine."""
    file = jobs() / f"{job}.py"
    if not file.is_file():
        raise Unfit(
            f"no job file {file}; set GAMYEONG_JOBS to the folder that `gamyeong where check` names,"
            " in the environment of Airflow's scheduler and workers"
        )
    if shutil.which("spark-submit") is None:
        raise Unfit(
            "no spark-submit on PATH; put the bin folder of gamyeong's core environment behind Airflow's own"
            " (infra/airflow does), and PYSPARK_PYTHON on its python"
        )
    if not work().is_dir():
        raise Unfit(f"no folder {work()}; set GAMYEONG_WORK to where relative places in environment files start")
    return file
