"""Secrets and values never leak: not while jobs run, not when they fail, not afterwards.

Played are, at Spark's debug log level, with an event log, with every file kept that lay anywhere for a moment: a plan
whose additional information is destroyed, the guideline's retail case from profile to destruction, a round of a
combination of four roles, and whatever ends badly. The people in them have names, ids, phone numbers, registration
numbers, streets and amounts that nothing else contains, and all keys are known.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import deltalake
import pytest

from jobs.ledger import evidence_ledger
from jobs.party_tables import TABLES
from jobs.runs import RunFolder, list_runs
from tests.searching import search_bytes, search_ids
from tests.security.canaries import IDS
from tests.security.left import Flow, outside, played

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(1800)]
# Public: what vectors of join keys are made with, and hashes of places.
PUBLIC = {bytes(32), bytes(range(32)), bytes(range(64))}
# A role's zones have another name while it is another role's turn.
ROOT_KEYS = r"(warehouse|roles/\w+)/\.?keys(\.away)?/\.?root\.json"
# Of the ledger, and of the rehearsal's committee: in files outside of all zones.
SIGNING = r"(warehouse|roles/\w+)/(demonstration-keys/.*|\.?ledger-key.*)\.pem"
FACTS = r"warehouse/additional-information/\w+/"


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    return played(tmp_path_factory.mktemp("flow"))


def folder_of(flow: Flow, plan: str) -> RunFolder:
    folders = [RunFolder(flow.environment, run) for run in list_runs(flow.environment)]
    (found,) = [one for one in folders if one.load_record().plan == plan]
    return found


def keys_of(flow: Flow) -> set[bytes]:
    """Root keys, secrets of runs and series, salts, data keys of packages, private parts of roles, all subkeys."""
    return {bytes.fromhex(one) for one in flow.json("secrets")["secrets"]} - PUBLIC | set(flow.private_keys)


def test_every_command_ended_as_it_should(flow: Flow) -> None:
    """What is searched below is real: published, exported, revealed, destroyed; and failed with each code."""
    told = flow.json("told")
    assert [(words, code) for words, ends, code, _ in told if code != ends] == [], flow.words[-3000:]
    assert {ends for _, ends, _, _ in told} == {0, 1, 2, 3, 4, 5}
    published = folder_of(flow, "people").published(folder_of(flow, "people").load_record(), "people")
    table = deltalake.DeltaTable(str(published)).to_pyarrow_table()
    assert table.num_rows > 150
    assert table.column_names == ["id", "name", "phone", "age", "town", "paid"]
    (place,) = [log.parent for log in (flow.folder / "roles" / "A" / "published").rglob("_delta_log")]
    assert deltalake.DeltaTable(place).to_pyarrow_table().num_rows > 1000
    assert len((flow.folder / "out" / "revealed.csv").read_text().splitlines()) > 1500


def test_what_is_searched_is_of_every_kind(flow: Flow) -> None:
    """Logs at debug level, event logs, Spark's plans, documents, ledgers, Delta logs, packages, spill files."""
    places = [place for all_of_one in flow.places.values() for place in all_of_one]
    kinds = {
        "Spark's log": r"warehouse/scratch/logs/spark-.*\.log", "our logs": r"warehouse/scratch/logs/verify-.*\.log",
        "event log": r"warehouse/scratch/events/.*events_", "plans": "explained.txt", "words": "words.txt",
        "broadcasts": r".*/blockmgr-.*broadcast|.*/pyspark-.*", "shuffles": r".*/blockmgr-.*shuffle_.*data",
        "Great Expectations": r"warehouse/evidence/runs/\w+/(suite|result)\.json", "ledgers": r".*/evidence/ledger/",
        "reports": r".*/report/.*\.html", "forms": r".*/documents/.*\.docx", "risk": r".*/risk/report.*",
        "Delta logs": r".*/_delta_log/\d+\.json", "checkpoints": r".*/_delta_log/.*checkpoint\.parquet",
        "packages": r"roles/exchange/.*\.sealed", "staging": r"warehouse/staging/.*\.parquet",
        "staging of a role": r"roles/\w+/\.?staging.*\.parquet", "wrapped keys": r"warehouse/keys/runs/.*\.json",
    }  # fmt: skip
    counted = {kind: sum(bool(re.match(pattern, place)) for place in places) for kind, pattern in kinds.items()}
    assert [kind for kind, count in counted.items() if not count] == []
    assert "DEBUG" in next((flow.folder / "warehouse/scratch/logs").glob("spark-*")).read_text("utf-8", "replace")
    assert (flow.folder / "explained.txt").read_text().lower().count("mapinarrow") > 2


def test_no_value_is_left_anywhere(
    flow: Flow, figures: Callable[[str, Mapping[str, object]], None], tmp_path: Path
) -> None:
    """But in the source, in measured facts while a run is at work, and where a reviewer is to find it: what the plan
    `unfit` left in its own staging."""
    sources = [path for path in flow.folder.rglob("*.parquet") if "source" in path.parts]
    values = set().union(*search_ids(sources, IDS).values())
    assert len(values) > 15_000, "the search finds them where they are"
    unfit = f"warehouse/staging/{folder_of(flow, 'unfit').run}/"
    found = flow.where(search_ids(flow.places, IDS))
    assert outside(found, unfit, FACTS) == set()
    assert any(place.startswith(unfit) for place in found)
    named = [place for all_of_one in flow.places.values() for place in all_of_one if re.search(IDS, place)]
    assert named == []
    figures("values that must not leak", {
        "values": len(values), "files": len(flow.places), "bytes": flow.size,
        "bytes_of_logs": sum(path.stat().st_size for path in flow.places if "scratch" in flow.places[path][0]),
    })  # fmt: skip


def test_no_key_was_written_anywhere(flow: Flow, figures: Callable[[str, Mapping[str, object]], None]) -> None:
    """But root keys where they belong, and the key of the hashes that the review compares, in measured facts."""
    keys = keys_of(flow)
    assert len(keys) > 300
    found = flow.where(search_bytes(flow.places, keys))
    assert outside(found, ROOT_KEYS, SIGNING, rf"{FACTS}source-values\.hashes") == set()
    places = ("warehouse", *(f"roles/{role}" for role in ("A", "B", "KMA", "CA")))
    assert {f"{place}/keys/root.json" for place in places} <= found, "where they belong, the search finds them"
    assert {f"{place}/ledger-key.pem" for place in places} <= found
    figures("keys that must not leak", {"keys": len(keys), "files": len(flow.places), "bytes": flow.size})


def join_keys(flow: Flow) -> set[bytes]:
    """Of everybody, by the guideline's order (L1385): name, phone, birth, salt; SHA-256."""
    (salt,) = [bytes.fromhex(one) for one in flow.json("secrets")["salts"]]
    parties = {"A": ("cust_nm", "hp", "birth_dt"), "B": ("name", "mobile", "birthday")}
    made = set()
    for role, columns in parties.items():
        place = flow.folder / "roles" / role / "source" / TABLES[role]
        rows = deltalake.DeltaTable(place).to_pyarrow_table(columns=list(columns))
        for name, phone, birth in zip(*(rows.column(one).to_pylist() for one in columns), strict=True):
            if phone is not None:
                text = name + re.sub(r"\D", "", phone) + re.sub(r"\D", "", str(birth))
                made.add(hashlib.sha256(text.encode() + salt).digest())
    return made


def test_no_join_key_was_written_anywhere(
    flow: Flow, figures: Callable[[str, Mapping[str, object]], None], tmp_path: Path
) -> None:
    """Packages are sealed, and the key agency works on them in memory and in encrypted shuffles."""
    keys = join_keys(flow)
    assert len(keys) > 4000
    assert flow.where(search_bytes(flow.places, keys)) == set()
    figures("join keys that must not leak", {"join_keys": len(keys), "files": len(flow.places)})


def test_secret_facts_and_staging_are_gone(flow: Flow) -> None:
    for plan in ("people", "retail-canaries"):
        assert not folder_of(flow, plan).staging.exists()
        assert not folder_of(flow, plan).additional.exists()
    unfit = folder_of(flow, "unfit").run
    left = {path.relative_to(flow.folder / "warehouse" / "keys").as_posix()
            for path in (flow.folder / "warehouse" / "keys").rglob("*") if path.is_file()}  # fmt: skip
    assert outside(left, "root.json", f"runs/{unfit}", "series/", "synthetic/") == set()


def test_the_ledger_proves_which_secret_is_gone(flow: Flow) -> None:
    """What pseudonymize entered when it made the secret is what publish found when it destroyed it."""
    run = folder_of(flow, "people").run
    entries: list[Any] = list(evidence_ledger(flow.environment, write=False).entries())
    of_run = {one.type: one.content() for one in entries if one.content().get("run") == run}
    secret, evidence = of_run["pseudonymize"]["secret"], of_run["destroy"]["evidence"]
    assert {name: evidence[name] for name in ("key_id", "check", "canary")} == secret
    assert evidence["check_at_creation"] == secret["check"]
    assert (evidence["canary_opened_before"], evidence["canary_opens"], evidence["provider"]) == (True, False, "gone")
    assert evidence["copies"] == []
