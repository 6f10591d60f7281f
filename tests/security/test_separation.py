"""Two releases of the same persons can't be joined: not by tokens, not by order, not by which rows share a file.

Two recipients, and two periods of one recipient, each with the keys that a job would take from the keys zone. The
attacker has both releases, whole; the test alone knows by `truth` who is who. What the plan says (`stable_over`) does
join, which shows that the search would see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.compromise import compromised, compromised_runs
from jobs.environment import Environment
from jobs.key_providers.file import FileProvider
from jobs.keys import SeriesSecrets
from jobs.ledger import evidence_ledger
from jobs.run_secrets import run_keys
from jobs.runs import SourceVersion, run_name
from transforms.compiler import compile_plan
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.run import Options, finish, prepare
from transforms.pipeline.transform import ToBatches
from transforms.plan_loader import load

PERSONS, FILES = 2_000, 8
# An estimate of no correlation, of n random ranks, lies within 5 / sqrt(n) but for one in a million.
CHANCE = 5 / PERSONS**0.5
PLAN = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: RECIPIENT, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {keep: {reason: 시계열 분석, until: 2030-12-31}}
output: {table: people}
source: {table: people, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  truth: {kind: attribute, apply: keep}
  token: {kind: identifier, apply: keyed-token}
  hash: {kind: identifier, apply: {one-way-hash: STABLE}}
  cipher: {kind: identifier, apply: {two-way-encryption: STABLE}}
  gcm: {kind: identifier, apply: {two-way-encryption: {algorithm: aes-gcm}}}
  form: {kind: identifier, apply: {format-preserving-encryption: STABLE}}
  letters: {kind: identifier, apply: {tokenization: {length: 16}}}
"""
TOKENS = ("token", "hash", "cipher", "gcm", "form", "letters")
STABLE = ("hash", "cipher", "form")


def people() -> pa.Table:
    ids = [f"P{number:07d}" for number in range(PERSONS)]
    phones = [f"010{number * 37 % 10**8:08d}" for number in range(PERSONS)]
    return pa.table({"id": ids, "truth": range(PERSONS), **dict.fromkeys(TOKENS, phones)})


@dataclass(frozen=True)
class Release:
    """One release: its files, in order."""

    files: tuple[pa.Table, ...]

    def column(self, name: str) -> list[str]:
        return [cell for file in self.files for cell in file.column(name).to_pylist()]

    def place(self) -> dict[int, int]:
        """Where each person stands."""
        return {truth: place for place, truth in enumerate(self.column("truth"))}

    def file_of(self) -> dict[int, int]:
        """The file that each person's row is in."""
        return {truth: n for n, file in enumerate(self.files) for truth in file.column("truth").to_pylist()}

    def by_token(self, column: str) -> dict[str, int]:
        return dict(zip(self.column(column), self.column("truth"), strict=True))


@dataclass(frozen=True)
class Desk:
    """Makes releases with the secrets of one keys zone, as jobs do."""

    environment: Environment
    folder: Path
    provider: FileProvider

    def release(self, run: str, recipient: str, stable: str = "{}") -> Release:
        file = self.folder / f"{run}.yaml"
        file.write_text(PLAN.replace("RECIPIENT", recipient).replace("STABLE", stable), "utf-8")
        rows = people()
        loaded = load(file)
        table = compile_plan(loaded.plan, rows.schema, loaded.hierarchies, loaded.lines).table()
        engine = LocalEngine([TableUnit(0, rows, table.source_schema, 0)])
        options = Options(cores=1, rows_hint=PERSONS, limits=loaded.plan.outlier_limits, buckets=FILES)
        prepared = prepare(table, run_keys(self.environment, loaded.plan, run), engine, options, None)
        outputs = finish(prepared, engine, ToBatches(), options).outputs
        return Release(tuple(pa.ipc.open_stream(blob).read_all() for blob in outputs))


@pytest.fixture
def desk(environment: Environment, tmp_path: Path) -> Desk:
    return Desk(environment, tmp_path, FileProvider.init(environment.keys.path))  # type: ignore[union-attr]


def joined(one: Release, other: Release, column: str) -> float:
    """The share of persons whom an equal token in both releases gives away."""
    left, right = one.by_token(column), other.by_token(column)
    return sum(right.get(token) == truth for token, truth in left.items()) / PERSONS


def correlation(one: Release, other: Release) -> float:
    """Spearman's, of the places of the same persons."""
    left, right = one.place(), other.place()
    squares = sum((left[truth] - right[truth]) ** 2 for truth in left)
    return 1 - 6 * squares / (PERSONS * (PERSONS**2 - 1))


def neighbours(one: Release, other: Release) -> int:
    """Pairs of persons whose rows stand side by side in both releases."""

    def pairs(places: Sequence[int]) -> set[frozenset[int]]:
        return {frozenset(pair) for pair in pairwise(places)}

    return len(pairs(list(one.place())) & pairs(list(other.place())))


def layout(one: Release, other: Release) -> float:
    """Chi-square, by its degrees of freedom, of the same persons' files: about 1 if none tells of the other."""
    left, right = one.file_of(), other.file_of()
    cells = Counter((left[truth], right[truth]) for truth in left)
    rows, columns = Counter(left.values()), Counter(right.values())
    chi = sum((cells[a, b] - rows[a] * columns[b] / PERSONS) ** 2 / (rows[a] * columns[b] / PERSONS)
              for a in rows for b in columns)  # fmt: skip
    return chi / ((len(rows) - 1) * (len(columns) - 1))


def apart(one: Release, other: Release) -> None:
    """Neither order nor layout tells who is who."""
    assert len(one.files) == len(other.files) == FILES
    assert abs(correlation(one, other)) < CHANCE
    assert neighbours(one, other) < 12  # 2 are expected, and 12 are met once in a million
    assert layout(one, other) < 2.2  # 49 degrees of freedom: exceeded once in a million
    assert [file.num_rows for file in one.files] != [file.num_rows for file in other.files]


@pytest.mark.parametrize(
    ("first", "second"),
    [(("a1", "지역경제연구원"), ("b1", "소비자연구소")), (("s9", "지역경제연구원"), ("s10", "지역경제연구원"))],
    ids=["two recipients", "two periods"],
)
def test_two_releases_cannot_be_joined(desk: Desk, first: tuple[str, str], second: tuple[str, str]) -> None:
    one, other = desk.release(*first), desk.release(*second)
    assert {column: joined(one, other, column) for column in TOKENS} == dict.fromkeys(TOKENS, 0.0)
    # Nor does a token of any column stand in any column of the other; phone-like ones (10^11) may meet by chance.
    left, right = ({token for name in TOKENS if name != "form" for token in r.column(name)} for r in (one, other))
    assert not left & right
    apart(one, other)


def test_only_what_the_plan_says_is_stable_joins_and_for_one_recipient_alone(desk: Desk) -> None:
    stable = "{stable_over: panel}"
    september, october = desk.release("r9", "지역경제연구원", stable), desk.release("r10", "지역경제연구원", stable)
    shares = {column: joined(september, october, column) for column in TOKENS}
    assert shares == {column: float(column in STABLE) for column in TOKENS}
    apart(september, october)
    another = desk.release("r10b", "소비자연구소", stable)
    assert {column: joined(october, another, column) for column in TOKENS} == dict.fromkeys(TOKENS, 0.0)
    apart(october, another)


def test_after_a_series_key_is_lost_new_releases_do_not_join_old_ones(desk: Desk) -> None:
    """Recovery: one command, then the next release. What follows it joins among itself, as the plan says."""
    stable, known = "{stable_over: panel}", SeriesSecrets(desk.environment.zone("keys"), desk.provider)
    before = desk.release("c1", "지역경제연구원", stable)
    lost = known.load("panel")
    touched = compromised(desk.environment, root=None, run=None, series="panel", person="김책임", reason="유출")
    assert ("series", "panel") in [(one.kind, one.name) for one in touched]
    assert known.load("panel") != lost
    after, later = desk.release("c2", "지역경제연구원", stable), desk.release("c3", "지역경제연구원", stable)
    assert {column: joined(before, after, column) for column in TOKENS} == dict.fromkeys(TOKENS, 0.0)
    assert {column: joined(after, later, column) for column in TOKENS} == {one: float(one in STABLE) for one in TOKENS}
    apart(before, after)


def test_after_a_run_key_is_lost_the_run_is_issued_anew_and_does_not_join(desk: Desk) -> None:
    """The same plan and the same version of the source: another name, another secret, other tokens, another order."""
    sources = {"people": SourceVersion("people", "id", 3)}
    run = run_name("f" * 64, sources)
    before = desk.release(run, "지역경제연구원")
    compromised(desk.environment, root=None, run=run, series=None, person="김책임", reason="유출")
    again = run_name("f" * 64, sources, compromised=compromised_runs(evidence_ledger(desk.environment, write=False)))
    after = desk.release(again, "지역경제연구원")
    assert {column: joined(before, after, column) for column in TOKENS} == dict.fromkeys(TOKENS, 0.0)
    apart(before, after)


def test_the_searches_see_what_is_there(desk: Desk) -> None:
    """The same run again is the same release: joined by every token, row by row, file by file."""
    one, again = desk.release("a1", "지역경제연구원"), desk.release("a1", "지역경제연구원")
    assert {column: joined(one, again, column) for column in TOKENS} == dict.fromkeys(TOKENS, 1.0)
    assert correlation(one, again) == 1
    assert neighbours(one, again) == PERSONS - 1
    assert layout(one, again) > 100
