"""Encrypted columns by the job: the same cells as without Spark, verified, reviewed by their forms, and turned back."""

from __future__ import annotations

import csv
from typing import Any

import pyarrow as pa
import pytest

from jobs.adequacy import review
from jobs.progress import Progress
from jobs.revealing import Asked, reveal
from jobs.run_secrets import run_keys
from jobs.runs import RunFolder
from jobs.verification import verify
from transforms.compiler import compile_plan
from transforms.plan_loader import load

pytestmark = pytest.mark.spark

COLUMNS = """\
people: {responsible: 김책임}
columns:
  id: {kind: identifier, apply: serial-number}
  siv: {kind: identifier, apply: {two-way-encryption: {stable_over: panel}}}
  gcm: {kind: attribute, apply: {two-way-encryption: {algorithm: aes-gcm, output: binary}}}
  phone: {kind: identifier, apply: format-preserving-encryption}
  hash: {kind: identifier, apply: one-way-hash}
"""
COUNT = 2000


def source() -> pa.Table:
    texts = [None if number % 40 == 0 else f"010-{number * 7919 % 10**8:08d}" for number in range(COUNT)]
    return pa.table(
        {
            "id": [f"P-{number:05d}" for number in range(COUNT)],
            "siv": texts,
            "gcm": pa.array(range(COUNT), pa.int32()),
            "phone": texts,
            "hash": texts,
        }
    )


def test_job_and_table_give_the_same_cells_which_verify_review_and_reveal_know(bench: Any) -> None:
    rows = source()
    for first in range(0, COUNT, 500):
        bench.write(rows.slice(first, 500), mode="append")
    done = bench.run(COLUMNS, partitions=3)
    plan = load(bench.folder / "plan.yaml").plan
    keys = run_keys(bench.environment, plan, done.run, create=False)
    expected = compile_plan(plan, rows.schema).apply_table(rows, keys)
    assert sorted(bench.rows(done), key=lambda row: row["id"]) == expected.to_pylist()
    folder = RunFolder(bench.environment, done.run)
    assert verify(folder, Progress(quiet=True)).verdict == "equal"
    assert review(folder, Progress(quiet=True)).verdict == "fit"
    tokens = bench.folder / "tokens.txt"
    tokens.write_text("\n".join(expected.column("siv").drop_null().to_pylist()[:5]), "utf-8")
    to = bench.folder / "found.csv"
    found = reveal(folder, Asked("siv", "김책임", "시험", to, values=tokens))
    assert (found.values, found.unknown) == (5, 0)
    with to.open(encoding="utf-8") as file:
        originals = {row["original"] for row in csv.DictReader(file)}
    assert len(originals) == 5
    assert originals <= set(rows.column("siv").to_pylist())
