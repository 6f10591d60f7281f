"""One person in three tables, from made data to a reviewed release: the same pseudonym, shift and sample in each."""

from __future__ import annotations

import datetime
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs import source_values, vault, visits
from jobs.cli import main
from jobs.decide import Vote, decide
from jobs.environment import Environment, load_environment
from jobs.key_providers.file import FileProvider
from jobs.publishing import publish
from jobs.reviewer import new_reviewer
from jobs.run_secrets import run_keys
from jobs.runs import RunFolder
from jobs.signing import load_key
from jobs.storage import conf_path
from tests.searching import search_ids
from transforms.identifiers import encode_ids
from transforms.leftovers import SourceValues
from transforms.plan_loader import load
from transforms.techniques.pseudonyms import base32

pytestmark = pytest.mark.spark
MEMBERS = 1_500
# The plan of conf/plans, with one more column whose tokens can be looked up.
PHONE = '      phone: {kind: identifier, apply: {tokenization: {alphabet: digits, separators: "-", vault: true}}}\n'
CHANGES = (
    ("excluded: [name, phone]", "excluded: [name]"),
    ("      sido: {label", PHONE + "      sido: {label"),
    ("{destroy: approved}", "{keep: {reason: 본인 요청 시 재식별, until: 2028-12-31}}"),
    # Among so few members rare classes are everywhere, and their rule would change too many cells.
    ("below: 3}", "below: 2}"),
    ("internal_combination:", "outlier_limits: {cells: 0.5, rows: 0.1}\ninternal_combination:"),
)


@dataclass
class Release:
    """What the flow left, and the source that it started from."""

    folder: RunFolder
    codes: dict[str, int]
    source: dict[str, list[dict[str, Any]]]
    staged: dict[str, list[dict[str, Any]]]
    pseudonyms: dict[str, int]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, environment_in: Any, spark: Any) -> Release:
    place = tmp_path_factory.mktemp("several")
    file = environment_in(place)
    environment: Environment = load_environment(file)
    FileProvider.init(environment.keys.path)
    text = conf_path("plans/revisit-internal.yaml").read_text("utf-8")
    for old, new in CHANGES:
        assert old in text
        text = text.replace(old, new)
    (place / "plan.yaml").write_text(text, "utf-8")

    def take(*words: str) -> int:
        return main([*words, "--environment", str(file)])

    codes = {"generate": take("generate", "visits", "--customers", str(MEMBERS))}
    codes["again"] = take("generate", "visits", "--customers", str(MEMBERS))
    codes["other"] = take("generate", "visits", "--customers", str(MEMBERS + 1))
    codes["pseudonymize"] = take("pseudonymize", str(place / "plan.yaml"))
    (run,) = [path.parent.name for path in (environment.zone("evidence").local / "runs").glob("*/run.json")]
    codes["verify"], codes["review"] = take("verify", run), take("review", run)
    folder = RunFolder(environment, run)
    keys = run_keys(environment, load(place / "plan.yaml").plan, run, create=False)
    numbers = pa.array(range(100_000, 100_000 + MEMBERS), pa.int64())
    tokens = base32(keys.draws("pseudonym", "member", stable_over="revisit-2024").bits(encode_ids([numbers])), 26)
    return Release(
        folder,
        codes,
        {name: rows(environment.zone("source") / name) for name in (visits.MEMBERS, visits.VISITS, visits.PURCHASES)},
        {name: rows(folder.staged(name)) for name in ("members", "visits", "purchases")},
        dict(zip(tokens.to_pylist(), numbers.to_pylist(), strict=True)),
    )


def rows(place: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DeltaTable(str(place)).to_pyarrow_table().to_pylist()
    return found


def test_every_step_says_yes(release: Release) -> None:
    assert release.codes == {"generate": 0, "again": 0, "other": 2, "pseudonymize": 0, "verify": 0, "review": 0}
    assert json.loads(release.folder.verify.local.read_text("utf-8"))["verdict"] == "equal"
    assert release.folder.read("result.json")["verdict"] == "fit"


def test_the_same_sampled_people_in_all_tables(release: Release) -> None:
    """A quarter of each sido's members who did not ask to stop; of them, all visits and all purchases."""
    stopped = set(sorted(one["member_no"] for one in release.source[visits.MEMBERS])[::100])
    there = [one for one in release.source[visits.MEMBERS] if one["member_no"] not in stopped]
    members = {release.pseudonyms[one["member_no"]] for one in release.staged["members"]}
    assert len(members) == len(release.staged["members"])
    assert not members & stopped
    strata = Counter(one["sido"] for one in there)
    drawn = Counter(one["sido"] for one in there if one["member_no"] in members)
    assert sum(drawn.values()) == len(there) // 4
    assert all(abs(drawn[sido] - count / 4) <= 1 for sido, count in strata.items())
    for table, name, key in (("visits", visits.VISITS, "cust_id"), ("purchases", visits.PURCHASES, "member_no")):
        expected = Counter(int(one[key]) for one in release.source[name] if int(one[key]) in members)
        assert Counter(release.pseudonyms[one[key]] for one in release.staged[table]) == expected


def test_one_shift_for_each_person_over_all_tables(release: Release) -> None:
    shifts: dict[int, int] = {}
    joined = {one["member_no"]: one["joined_on"] for one in release.source[visits.MEMBERS]}
    for one in release.staged["members"]:
        number = release.pseudonyms[one["member_no"]]
        shifts[number] = (one["joined_on"] - joined[number]).days
    assert set(shifts.values()) == set(range(-5, 6))
    for table, name, key, columns in (
        ("visits", visits.VISITS, "cust_id", ("entered_at", "left_at")),
        ("purchases", visits.PURCHASES, "member_no", ("bought_on",)),
    ):
        before, after = defaultdict(list), defaultdict(list)
        for one in release.source[name]:
            before[int(one[key])].append(tuple(one[column] for column in columns))
        for one in release.staged[table]:
            number = release.pseudonyms[one[key]]
            after[number].append(tuple(one[column] - days(shifts[number]) for column in columns))
        assert after
        assert all(sorted(moments) == sorted(before[number]) for number, moments in after.items())


def days(count: int) -> Any:

    return datetime.timedelta(days=count)


def test_amounts_are_multiples_that_keep_their_mean(release: Release) -> None:
    members = {release.pseudonyms[one["member_no"]] for one in release.staged["members"]}
    amounts = [one["amount"] for one in release.staged["purchases"]]
    assert all(amount % 1_000 == 0 for amount in amounts)
    true = [one["amount"] for one in release.source[visits.PURCHASES] if int(one["member_no"]) in members]
    assert abs(sum(amounts) - sum(true)) < 0.02 * sum(true)  # the cut tail, and chance


def test_phones_can_be_looked_up_in_the_vault(release: Release) -> None:
    phones = {one["member_no"]: one["phone"] for one in release.source[visits.MEMBERS]}
    tokens = [one["phone"] for one in release.staged["members"]]
    expected = [phones[release.pseudonyms[one["member_no"]]] for one in release.staged["members"]]
    record = release.folder.load_record()
    found = vault.lookup(release.folder, record, "members", "phone", pa.array(tokens)).to_pylist()
    assert found == expected
    assert not set(tokens) & set(phones.values())
    entries = pa.concat_tables(vault.entries(release.folder, record, "members", "phone"))
    assert entries.num_rows == len(set(tokens))  # of nobody who is not delivered


def test_who_asked_to_stop_can_not_be_searched_for(release: Release, tmp_path: Path, figures: Any) -> None:
    """§37: not by phone, nor by the pseudonyms that the run's key would give them, in any file but the source's.

    Before publishing (staging, facts, hashes, reports, ledger) and after it (the release, what is kept encrypted).
    """
    folder, environment = release.folder, release.folder.environment
    stopped = set(sorted(one["member_no"] for one in release.source[visits.MEMBERS])[::100])
    there = {one["member_no"]: one["phone"] for one in release.source[visits.MEMBERS]}
    delivered = next(iter(release.staged["members"]))["member_no"]
    tokens = {token for token, number in release.pseudonyms.items() if number in stopped}
    wanted = [*tokens, *(there[number] for number in stopped), there[release.pseudonyms[delivered]]]
    pattern = "|".join(re.escape(one) for one in [*wanted, delivered])

    hashes = SourceValues.from_bytes(source_values.place(folder).local.read_bytes())
    assert not any(hashes.found(pa.array([there[number] for number in stopped])))
    assert all(hashes.found(pa.array([there[release.pseudonyms[delivered]]]))), "of whom is delivered it knows"

    def searched() -> tuple[int, set[str], set[str]]:
        zones = [zone for zone in environment.zones if zone != "source"]
        files = [path for zone in zones for path in environment.zone(zone).local.rglob("*") if path.is_file()]
        found = search_ids(files, pattern)
        return len(files), {hit for hits in found.values() for hit in hits}, {Path(path).suffix for path in found}

    before = searched()
    for name in ("김검토", "이검토", "박검토"):
        new_reviewer(environment, name, tmp_path / f"{name}.pem")
        decide(folder, name, load_key(tmp_path / f"{name}.pem"), Vote("approved", (), "적정"))
    assert len(publish(folder).tables) == 3
    after = searched()
    assert not folder.staging.exists()
    for _, hits, where in (before, after):
        assert (hits, where) == ({delivered}, {".parquet"}), "the search sees who is delivered, by the pseudonym alone"
    figures("stop requests", {"people": len(stopped), "values": len(wanted), "files": before[0] + after[0]})
