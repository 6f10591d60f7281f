"""`gamyeong keys paillier` makes a key pair; `gamyeong decrypt-sums` reads sums, but not those of a few."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import cli
from jobs.environment import load_environment
from jobs.ledger import evidence_ledger
from transforms.kernels.paillier import PublicKey

Run = Callable[..., int]


@pytest.fixture
def run(environment_file: Path) -> Run:
    """`gamyeong JOB …` in an environment of its own."""
    return lambda *words: cli.main([words[0], "--environment", str(environment_file), *map(str, words[1:])])


@pytest.fixture
def keys(tmp_path: Path, run: Run) -> tuple[Path, Path]:
    """A private and a public key file."""
    private, public = tmp_path / "holder" / "sums.key", tmp_path / "sums.json"
    assert run("keys", "paillier", "--key", private, "--public", public, "--bits", 2048) == 0
    return private, public


def sums_of(public: Path, groups: dict[str, list[int]], path: Path) -> Path:
    """What an analyst makes of encrypted cells: their product by group, and how many there are."""
    key = PublicKey.from_text(public.read_text())
    chance = [bytes([number]) * key.random_bytes for number in range(1, 9)]
    sums = [key.add(key.encrypt(cells, chance[: len(cells)])) if cells else None for cells in groups.values()]
    counts = [len(cells) for cells in groups.values()]
    pq.write_table(pa.table({"region": list(groups), "paid": pa.array(sums, pa.binary()), "paid_count": counts}), path)
    return path


GROUPS = {"서울": [1200, -30, 5], "부산": [10**12, 7, 7, 7], "나주": [999], "세종": [4, 5], "독도": []}


def test_the_holder_reads_sums_of_enough_cells_alone(
    tmp_path: Path, run: Run, keys: tuple[Path, Path], environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = keys
    sums, to = sums_of(public, GROUPS, tmp_path / "sums.parquet"), tmp_path / "read.parquet"
    assert run("decrypt-sums", sums, "--key", private, "--to", to, "--decimals", "paid=2") == 0
    rows = {row["region"]: row for row in pq.read_table(to).to_pylist()}
    expected = {"서울": Decimal("11.75"), "부산": Decimal("10000000000.21"), "나주": None, "세종": None, "독도": None}
    assert {name: row["paid"] for name, row in rows.items()} == expected
    assert [row["paid_count"] for row in rows.values()] == [3, 4, 1, 2, 0]
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    (entry,) = [
        one for one in evidence_ledger(load_environment(environment_file)).entries() if one.type == "decrypt-sums"
    ]
    assert (entry.content()["groups"], entry.content()["withheld"]) == (5, 2)
    assert "1175" not in capsys.readouterr().out + json.dumps(entry.content())


def test_files_of_keys(tmp_path: Path, run: Run, keys: tuple[Path, Path]) -> None:
    """The private one is its owner's alone, the public one tells nothing, and neither is overwritten."""
    private, public = keys
    assert [stat.S_IMODE(path.stat().st_mode) for path in keys] == [0o600, 0o644]
    primes = [json.loads(private.read_text())[name] for name in ("p", "q")]
    assert not any(prime in public.read_text() for prime in primes)
    before = [path.read_text() for path in keys]
    assert run("keys", "paillier", "--key", private, "--public", tmp_path / "x", "--bits", 2048) == 2
    assert run("keys", "paillier", "--key", tmp_path / "y", "--public", public, "--bits", 2048) == 2
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "y").exists()
    assert [path.read_text() for path in keys] == before


@pytest.mark.parametrize("words", [(), ("--key", "k"), ("--key", "k", "--public", "p", "--bits", 1024)])
def test_key_pairs_need_two_places_and_enough_bits(run: Run, words: tuple[Any, ...], tmp_path: Path) -> None:
    placed = [tmp_path / word if word in ("k", "p") else word for word in words]
    assert run("keys", "paillier", *placed) == 2
    assert not (tmp_path / "k").exists()


def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path, run: Run, keys: tuple[Path, Path]) -> None:
    private, public = keys
    private.chmod(0o640)
    sums = sums_of(public, GROUPS, tmp_path / "sums.parquet")
    assert run("decrypt-sums", sums, "--key", private, "--to", tmp_path / "read.parquet") == 3
    assert not (tmp_path / "read.parquet").exists()


def test_bad_arguments(tmp_path: Path, run: Run, keys: tuple[Path, Path]) -> None:
    private, public = keys
    sums, to = sums_of(public, GROUPS, tmp_path / "sums.parquet"), tmp_path / "read.parquet"
    plain = tmp_path / "plain.parquet"
    pq.write_table(pa.table({"paid": [1]}), plain)
    for words in (
        (sums, "--key", private, "--to", to, "--least", 1),
        (sums, "--key", private, "--to", to, "--decimals", "owed=2"),
        (sums, "--key", private, "--to", to, "--decimals", "paid"),
        (sums, "--key", public, "--to", sums),
        (plain, "--key", private, "--to", to),
        (tmp_path / "nothing", "--key", private, "--to", to),
    ):
        assert run("decrypt-sums", *words) == 2, words
    public.chmod(0o600)
    assert run("decrypt-sums", sums, "--key", public, "--to", to) == 2
    assert not to.exists()


def test_sums_under_another_key_are_no_sums(tmp_path: Path, run: Run, keys: tuple[Path, Path]) -> None:
    other, public = tmp_path / "other.key", tmp_path / "other.json"
    assert run("keys", "paillier", "--key", other, "--public", public, "--bits", 2048) == 0
    sums = sums_of(public, GROUPS, tmp_path / "sums.parquet")
    assert run("decrypt-sums", sums, "--key", keys[0], "--to", tmp_path / "read.parquet") == 1
    assert not (tmp_path / "read.parquet").exists()
