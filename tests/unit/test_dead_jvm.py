"""Where Spark's JVM was killed, people read one sentence: no traceback, and not the words of a socket."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, signal, sys, threading, time
from pathlib import Path
from jobs.job import Outcome, run_job
from jobs.session import spark_session

def body(context):
    spark = spark_session(context.environment, "a job")
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    jvm = int(children[0])

    def kill():
        os.kill(jvm, signal.SIGKILL)
        os.waitpid(jvm, 0)

    if sys.argv[2] == "before":
        kill()
    else:
        threading.Timer(1, kill).start()
    while True:
        spark.sparkContext._jvm.java.lang.Thread.sleep(5000)

code = run_job(["--environment", sys.argv[1]], name="a-job", about="", body=body)
from jobs.leaving import leave
leave(code)
"""


@pytest.mark.spark
@pytest.mark.parametrize("when", ["before", "within"])
def test_a_jvm_killed_before_or_within_a_command_is_told_in_one_sentence(environment_file: Path, when: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(environment_file), when],
        capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ended.returncode == 4, ended.stderr
    assert "gamyeong a-job: Spark's JVM has ended (killed, or out of memory); start it again; log: " in ended.stderr
    assert "Traceback" not in ended.stderr
