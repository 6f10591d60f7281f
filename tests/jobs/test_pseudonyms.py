"""`gamyeong pseudonyms`: sender, converter and receiver, each with its own files, bring pseudonyms across."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import cli
from jobs.environment import Environment
from jobs.key_providers.file import FileProvider
from jobs.keys import SeriesSecrets
from jobs.ledger import evidence_ledger
from transforms.derivation import Secret
from transforms.errors import Site
from transforms.given import Given
from transforms.run_keys import RunKeys
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

Run = Callable[..., int]
IDS = ["EC-1", None, "EC-2", "EC-1", *(f"EC-{number}" for number in range(10, 40))]


@pytest.fixture
def run(environment_file: Path) -> Run:
    """`gamyeong JOB …` in an environment of its own."""
    return lambda *words: cli.main([words[0], "--environment", str(environment_file), *map(str, words[1:])])


@pytest.fixture
def pseudonyms_of(environment: Environment, run: Run) -> Callable[[str], list[Any]]:
    """What a plan for a recipient delivers for IDS, in the series `panel`."""
    assert run("keys", "init") == 0
    series = SeriesSecrets(environment.zone("keys"), FileProvider(environment.keys.path)).create("panel")
    (step,) = parse_steps({"polymorphic-pseudonym": {"domain": "member", "stable_over": "panel"}})
    assert isinstance(step, ColumnTechnique)
    use = step.key_use()
    assert use is not None

    def make(recipient: str) -> list[Any]:
        keys = RunKeys(Secret(bytes(32)), environment.organisation, "run", recipient, {"panel": series})
        given = Given(Site("t", "id", 0, "p"), key=keys.key(use, step.name, "t.id", 0))
        cells: list[Any] = step.apply(pa.array(IDS), given).to_pylist()
        return cells

    return make


def factor(run: Run, to: Path, sender: str = "A", receiver: str = "B", series: str = "panel") -> int:
    return run(
        "pseudonyms", "factor", "--series", series, "--domain", "member",
        "--sender", sender, "--receiver", receiver, "--to", to,
    )  # fmt: skip


def test_what_the_receiver_opens_are_its_own_pseudonyms(
    tmp_path: Path, run: Run, pseudonyms_of: Callable[[str], list[Any]], environment: Environment
) -> None:
    """Other columns and the order of rows stay; nothing on the way is a pseudonym of either side."""
    ours, theirs = pseudonyms_of("A"), pseudonyms_of("B")
    key, public = tmp_path / "receiver.key", tmp_path / "receiver.json"
    assert run("pseudonyms", "receiver", "--key", key, "--public", public) == 0
    assert factor(run, tmp_path / "factor.json") == 0
    table = pa.table({"paid": range(len(ours)), "member": pa.array(ours)})
    names = ["sent", "sealed", "converted", "opened"]
    files = {name: tmp_path / f"{name}.parquet" for name in names}
    pq.write_table(table, files["sent"])
    column = ("--column", "member")
    assert run("pseudonyms", "seal", files["sent"], *column, "--public", public, "--to", files["sealed"]) == 0
    words = ("--factor", tmp_path / "factor.json", "--public", public, "--to", files["converted"])
    assert run("pseudonyms", "convert", files["sealed"], *column, *words) == 0
    assert run("pseudonyms", "open", files["converted"], *column, "--key", key, "--to", files["opened"]) == 0
    assert pq.read_table(files["opened"]).to_pydict() == {"paid": list(range(len(ours))), "member": theirs}
    known = {one for one in (*ours, *theirs) if one is not None}
    for name in ("sealed", "converted"):
        cells = pq.read_table(files[name])["member"].to_pylist()
        assert cells[1] is None
        halves = [half for one in cells if one is not None for half in (one[:64], one[64:])]
        assert len(set(halves)) == len(halves) == 2 * (len(IDS) - 1)
        assert not known & set(halves)
    private = [files["sealed"], files["converted"], files["opened"], key, tmp_path / "factor.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    (entry,) = [one for one in evidence_ledger(environment).entries() if one.type == "pseudonym-factor"]
    assert entry.content() == {"series": "panel", "domain": "member", "sender": "A", "receiver": "B"}


def test_a_factor_needs_the_series_and_two_recipients(
    tmp_path: Path, run: Run, pseudonyms_of: Callable[[str], list[Any]]
) -> None:
    to = tmp_path / "factor.json"
    assert factor(run, to, receiver="A") == 2
    assert factor(run, to, series="nothing") == 3
    assert not to.exists()
    assert factor(run, to) == 0
    before = to.read_text()
    assert factor(run, to) == 2
    assert to.read_text() == before


def test_wrong_files_are_told_and_nothing_is_written(
    tmp_path: Path, run: Run, pseudonyms_of: Callable[[str], list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    key, public, to = tmp_path / "k", tmp_path / "p", tmp_path / "out.parquet"
    assert run("pseudonyms", "receiver", "--key", key, "--public", public) == 0
    source, other = tmp_path / "in.parquet", tmp_path / "other.parquet"
    pq.write_table(pa.table({"member": ["EC-232578", None], "paid": [1, 2]}), source)
    other.write_text("no Parquet")
    seal = ("pseudonyms", "seal", source, "--column")
    assert run(*seal, "member", "--public", public, "--to", to) == 1  # ids, no pseudonyms
    assert run(*seal, "paid", "--public", public, "--to", to) == 2
    assert run(*seal, "member", "--public", key, "--to", to) == 2
    assert run("pseudonyms", "seal", other, "--column", "member", "--public", public, "--to", to) == 2
    assert run("pseudonyms", "open", source, "--column", "member", "--key", public, "--to", to) == 3  # mode 0644
    assert run(*seal, "member", "--public", public, "--to", source) == 2
    assert not to.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    shown = capsys.readouterr()
    assert "EC-232578" not in shown.out + shown.err
    assert json.loads(key.read_text())["value"] not in shown.out + shown.err
