"""After publishing under `destroy: approved` nobody finds the way back: no source id anywhere, no key, no facts.

The whole flow runs on 200 persons with ids that nothing else contains, at Spark's debug log level, with an
event log, and with every file kept that Spark's local folders held at any time. First the searches themselves
are tested: each finds an id, or a key, that is planted for it in the form in which one might hide.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from jobs.environment import Environment, load_environment
from jobs.runs import RunFolder

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# An id of the source, a Korean name, a number: one form each in which the table names a person.
IDS = r"EC-9\d{5}|가나다라9\d{5}|9000001090\d{4}"
ID, KOREAN, NUMBER = "EC-900001", "가나다라900001", 90000010900001
PLAN = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: third-party, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
source: {table: people, row_key: [id], subject: id}
sample: {fraction: 0.9}
columns:
  id: {kind: identifier, apply: serial-number}
  name: {kind: identifier, apply: two-way-encryption}
  phone: {kind: identifier, apply: keyed-token}
  age: {kind: quasi-identifier, apply: {rounding: {unit: 20, direction: down}}}
  town: {kind: quasi-identifier, apply: keep}
  paid: {kind: attribute, apply: [{top-coding: {quantile: 0.9}}, {rounding: {unit: 100, direction: half-up}}]}
outliers:
  - {find: {frequency: {columns: [age, town], below: 3}}, treat: {local-suppression: {columns: [town]}}}
outlier_limits: {cells: 1, rows: 1}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
output: {table: people}
"""


def persons() -> pa.Table:
    n = 200
    return pa.table(
        {
            "id": [f"EC-9{number:05}" for number in range(n)],
            "name": [f"가나다라9{number:05}" for number in range(n)],
            "phone": [90000010900000 + number for number in range(n)],
            "age": [20 + number * 7 % 60 for number in range(n)],
            "town": ["은평구" if number % 29 else "가평군" for number in range(n)],
            "paid": [number * 997 % 50_000 for number in range(n)],
        }
    )


def parquet(path: Path, values: pa.Array, **options: Any) -> None:
    pq.write_table(pa.table({"x": values}), path, **options)


PLANTED: dict[str, Callable[[Path], object]] = {
    "plain text": lambda p: p.write_text(f"… {ID} …"),
    "html": lambda p: p.write_text(f"<td>EC&#45;{ID[3:]}</td>"),
    "Korean, composed": lambda p: p.write_text(unicodedata.normalize("NFC", KOREAN)),
    "Korean, decomposed": lambda p: p.write_text(unicodedata.normalize("NFD", KOREAN)),
    "JSON with escapes": lambda p: p.write_text(json.dumps({"a": [KOREAN]})),
    "zstd": lambda p: p.write_bytes(pa.compress(ID.encode() * 9, "zstd", asbytes=True)),
    "gzipped JSON": lambda p: p.write_bytes(gzip.compress(json.dumps({"id": ID}).encode())),
    "UTF-16": lambda p: p.write_bytes(b"x" + KOREAN.encode("utf-16-le")),
    "UTF-16, big-endian": lambda p: p.write_bytes(ID.encode("utf-16-be")),
    "base64 in facts": lambda p: p.write_text(json.dumps({"cut": base64.b64encode(f"??{ID}".encode()).decode()})),
    "hex": lambda p: p.write_text("0x" + ID.encode().hex()),
    "Parquet, dictionary and zstd": lambda p: parquet(p, pa.array([ID] * 9), compression="zstd", use_dictionary=True),
    "Parquet, delta lengths": lambda p: parquet(
        p, pa.array([ID, "b"]), use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY"
    ),
    "Parquet, integers": lambda p: parquet(p, pa.array([NUMBER, 7])),
    "Parquet, binary": lambda p: parquet(p, pa.array([ID.encode()])),
    "Parquet, metadata alone": lambda p: pq.write_table(
        pa.table({"x": [1]}).replace_schema_metadata({"note": ID}), p
    ),
    "name of a file": lambda p: p.with_name(f"{ID}.txt").write_text(""),
}
Ids = Callable[[Iterable[Path], str], dict[str, set[str]]]
Keys = Callable[[Iterable[Path], Iterable[bytes]], set[str]]


def files(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]


@pytest.mark.parametrize("kind", PLANTED)
def test_the_search_finds_a_planted_id(kind: str, search_ids: Ids, tmp_path: Path) -> None:
    PLANTED[kind](tmp_path / "planted")
    assert len(search_ids(files(tmp_path), IDS)) == 1


def test_the_search_does_not_find_what_is_no_id(search_ids: Ids, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("EC-9 00001, 가나다라, 90000010900")
    parquet(tmp_path / "b", pa.array([base64.b64encode(b"nothing to see here").decode()]))
    assert search_ids(files(tmp_path), IDS) == {}


KEY = bytes(range(100, 132))
HIDDEN: dict[str, bytes] = {
    "raw": b"ab" + KEY + b"c",
    "hex": f"key={KEY.hex()}".encode(),
    "hex, upper case": KEY.hex().upper().encode(),
    "base64": b"x=" + base64.b64encode(KEY),
    "base64, one byte on": base64.b64encode(b"!" + KEY + b"!"),
    "base64, two bytes on": base64.urlsafe_b64encode(b"!!" + KEY + b"!!!"),
    "numbers": str(list(KEY)).encode(),
    "Java's bytes": ",".join(str(b - 256 if b > 127 else b) for b in KEY).encode(),
    "Python's repr": repr(KEY).encode(),
    "gzipped": gzip.compress(KEY.hex().encode()),
}


@pytest.mark.parametrize("form", HIDDEN)
def test_the_search_finds_a_planted_key(form: str, search_bytes: Keys, tmp_path: Path) -> None:
    (tmp_path / "planted").write_bytes(HIDDEN[form])
    (tmp_path / "other").write_bytes(bytes(range(99, 131)))
    assert search_bytes(files(tmp_path), [KEY]) == {str(tmp_path / "planted")}


@dataclass(frozen=True)
class Flow:
    """What a whole flow left behind."""

    environment: Environment
    folder: Path
    words: Path

    @property
    def codes(self) -> list[list[Any]]:
        found: list[list[Any]] = json.loads((self.folder / "codes.json").read_text())
        return found

    @property
    def run(self) -> RunFolder:
        (run,) = [value for name, value in self.codes if name == "run"]
        return RunFolder(self.environment, run)

    @property
    def secrets(self) -> list[bytes]:
        return [bytes.fromhex(one) for one in json.loads((self.folder / "secrets.json").read_text())]

    @property
    def warehouse(self) -> list[Path]:
        """Every file under the warehouse outside of the source zone: zones, scratch, logs, event log."""
        source = self.environment.zone("source").local
        return [path for path in files(source.parent) if not path.is_relative_to(source)]

    @property
    def kept(self) -> list[Path]:
        """What Spark's local folders held while the jobs ran."""
        return files(self.folder / "kept")


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    """keys init → pseudonymize (one that fails, one that doesn't) → verify → review → three decisions → publish."""
    from jobs.environment import ZONES
    from jobs.storage import conf_path

    folder = tmp_path_factory.mktemp("flow")
    warehouse = folder / "warehouse"
    events = warehouse / "scratch" / "events"
    events.mkdir(parents=True)
    yaml = YAML()
    raw = yaml.load(conf_path("environments/local.yaml"))
    raw["zones"] = {zone: str(warehouse / zone) for zone in ZONES}
    raw["scratch"], raw["reviewers"] = str(warehouse / "scratch"), str(warehouse / "reviewers.json")
    raw["keys"]["path"] = str(warehouse / "keys" / "root.json")
    raw["spark"] |= {
        "spark.log.level": "DEBUG",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": events.as_uri(),
        "spark.executorEnv.PYTHONPATH": str(ROOT),
    }
    yaml.dump(raw, folder / "environment.yaml")
    deltalake.write_deltalake(str(warehouse / "source" / "people"), persons())
    (folder / "plan.yaml").write_text(PLAN, "utf-8")
    fails = PLAN.replace("town: {kind: quasi-identifier, apply: keep}",
                         "town: {kind: quasi-identifier, apply: {categorization: {1: [은평구]}}}")  # fmt: skip
    (folder / "bad.yaml").write_text(fails, "utf-8")
    words = folder / "words.txt"
    with words.open("w") as out:
        ended = subprocess.run(
            [sys.executable, HERE / "whole_flow.py", folder / "environment.yaml", folder / "plan.yaml",
             folder / "bad.yaml", folder],
            stdout=out, stderr=subprocess.STDOUT, timeout=400, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert ended.returncode == 0, words.read_text()[-3000:]
    return Flow(load_environment(folder / "environment.yaml"), folder, words)


@pytest.mark.spark
def test_the_flow_came_to_its_end(flow: Flow) -> None:
    """What is searched below is a real release: the failing plan failed in its tasks, everything else succeeded."""
    assert [code for name, code in flow.codes if name != "run"] == [0, 1, *[0] * 11], flow.words.read_text()
    record = flow.run.load_record()
    published = deltalake.DeltaTable(str(flow.run.published(record, "people"))).to_pyarrow_table()
    assert published.num_rows > 150
    assert published.column_names == ["id", "name", "phone", "age", "town", "paid"]


@pytest.mark.spark
def test_no_source_id_is_left(flow: Flow, search_ids: Ids) -> None:
    searched = {path.suffix for path in flow.warehouse}
    assert {".parquet", ".json", ".html", ".log"} <= searched
    assert search_ids([*flow.warehouse, flow.words, flow.folder / "explained.txt"], IDS) == {}
    source = files(flow.environment.zone("source").local)
    assert search_ids(source, IDS), "they are in the source, and the search would have found them"


@pytest.mark.spark
def test_secret_facts_and_staging_are_gone(flow: Flow) -> None:
    assert not flow.run.staging.exists()
    assert not flow.run.additional.exists()
    assert [path.name for path in files(flow.environment.zone("keys").local)] == ["root.json"]


@pytest.mark.spark
def test_no_key_was_written_anywhere(flow: Flow, search_bytes: Keys) -> None:
    """Root key, run secrets and every subkey: in zones, logs, event log, explain output and Spark's own files."""
    root = Path(flow.environment.keys.path)
    assert len(flow.secrets) > 10
    assert search_bytes([root], flow.secrets) == {str(root)}, "where it belongs, the search finds it"
    places = [path for path in flow.warehouse if path != root]
    assert search_bytes([*places, flow.words, flow.folder / "explained.txt"], flow.secrets) == set()
    events = [path for path in places if "events" in path.parts]
    assert sum(path.stat().st_size for path in events) > 10_000
    assert "mapInArrow" in (flow.folder / "explained.txt").read_text() or "MapInArrow" in (
        flow.folder / "explained.txt"
    ).read_text()


@pytest.mark.spark
def test_sparks_local_files_tell_nothing(flow: Flow, search_ids: Ids, search_bytes: Keys) -> None:
    """Broadcasts hold subkeys, shuffles hold rows: on disk both are encrypted."""
    assert len(flow.kept) > 20
    assert search_bytes(flow.kept, flow.secrets) == set()
    assert search_ids(flow.kept, IDS) == {}
