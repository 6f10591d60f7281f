"""Mock combination (모의결합, guideline L1428-1443): a few subjects, another salt, nothing leaves, all is destroyed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.combination import entries
from jobs.combination.combined import is_mock, refuse_mock
from jobs.combination.packages import received
from jobs.combination.rounds import Round
from jobs.combination.secret_store import round_secret
from jobs.errors import Refused
from jobs.keys import KeyGone
from jobs.tables import pinned
from transforms.pipeline.feed import SourceFile, pack_units

from .conftest import Roles
from .party_round import ROUND, PartyRound, member

SUBJECTS = 8
# Persons by number; a party's own member number is another one, so only the key columns are alike.
PERSONS = {"A": range(1, 41), "B": range(21, 61), "C": range(31, 36)}
OWN = {"A": 1000, "B": 5000, "C": 9000}


@pytest.fixture
def mock(roles: Roles, tmp_path: Path, capsys: Any) -> PartyRound:
    """Registers of three parties; A and B share persons 21 to 40, C knows five of them."""
    made = PartyRound.of(roles, tmp_path, capsys)
    text = made.file.read_text("utf-8")
    assert "mock: {rounds: [2024-07]}" in text
    made.file.write_text(text.replace("rounds: [2024-07]}", f"rounds: [2024-07], subjects: {SUBJECTS}}}"), "utf-8")
    for party, persons in PERSONS.items():
        rows = [member(one) | {"member": OWN[party] + one, "spent": OWN[party] + one} for one in persons]
        made.register(party, rows)
    return made


def keyed(mock: PartyRound) -> PartyRound:
    """Salt and mock keys are there."""
    mock.done("KMA", "mock-salt")
    for party in PERSONS:
        mock.done(party, "mock-keys", "--plan", str(mock.folder / f"{party}.plan.yaml"))
    return mock


def combined(mock: PartyRound) -> dict[str, Any]:
    """All steps up to the combination."""
    keyed(mock)
    mock.done("CA", "mock-choose")
    for party in PERSONS:
        mock.done(party, "mock-attributes", "--plan", str(mock.folder / f"{party}.plan.yaml"))
    return mock.done("CA", "mock-combine")


def rows(mock: PartyRound) -> list[dict[str, Any]]:
    snapshot = pinned(mock.environments["CA"].zone("source") / "combinations/mobility-housing-health/mock-A")
    schema = pa.schema([(one.name, one.type) for one in snapshot.schema])
    units = pack_units([SourceFile(file.uri, file.partition) for file in snapshot.files], schema, 1)
    return [row for unit in units for batch in unit.batches(schema.names) for row in batch.to_pylist()]


def test_few_subjects_are_combined_with_what_they_are(mock: PartyRound) -> None:
    said = combined(mock)
    found = rows(mock)
    # inner-multi, base A, C optional: of the chosen, those whom A and B know; at most half of what is asked for.
    assert 0 < len(found) <= SUBJECTS // 2
    for row in found:
        person = row["A_spent"] - OWN["A"]
        assert person in set(PERSONS["A"]) & set(PERSONS["B"])
        assert row["B_spent"] - OWN["B"] == person
        assert row["C_spent"] == (OWN["C"] + person if person in PERSONS["C"] else None)
    assert said["joined"] == {"A": 0.5, "B": 0.5, "C": 1.0}
    assert said["outputs"]["A"]["counts"]["records"] == "fewer than 10"


def test_who_is_asked_for_does_not_tell_who_is_known_to_others(mock: PartyRound) -> None:
    keyed(mock)
    said = mock.done("CA", "mock-choose")
    assert said["chosen"]["A"] == said["chosen"]["B"] == SUBJECTS
    assert mock.done("CA", "mock-choose") == said | {"seconds": pytest.approx(0, abs=60)}
    known = {party: mock.got("CA", "mock-keys", party).table().to_pylist() for party in "AB"}  # type: ignore[union-attr]
    shared = {row["join_key"] for row in known["A"]} & {row["join_key"] for row in known["B"]}
    for party in "AB":
        package = mock.got(party, "mock-chosen", "CA")
        assert package is not None
        asked = package.table().column("serial").to_pylist()
        assert asked == sorted(asked)
        joined = {row["serial"] for row in known[party] if row["join_key"] in shared}
        assert len(joined & set(asked)) == len(asked) // 2


def test_the_mocks_salt_and_numbers_are_not_the_rounds(mock: PartyRound) -> None:
    keyed(mock)
    before = mock.got("CA", "mock-keys", "A")
    assert before is not None
    mock_rows = before.table().to_pylist()
    mock.salted("A", "B", "C")
    mock.done("A", "keys")
    real = mock.keys("A")
    assert len(real) == len(mock_rows) == 40
    assert not set(real) & {row["join_key"] for row in mock_rows}
    assert not set(real.values()) & {row["serial"] for row in mock_rows}


def test_the_salt_is_erased_at_the_parties(mock: PartyRound) -> None:
    keyed(mock)
    assert mock.got("A", "mock-salt", "KMA") is None


def test_a_mock_table_is_never_exported(mock: PartyRound) -> None:
    combined(mock)
    place = mock.environments["CA"].zone("source") / "combinations/mobility-housing-health/mock-A"
    assert is_mock(place)
    with pytest.raises(Refused, match="of a mock combination, which nobody may export"):
        refuse_mock(place)


def test_all_of_it_is_destroyed_before_the_real_one(mock: PartyRound) -> None:
    combined(mock)
    Round(mock.environments["CA"], mock.combination, ROUND).record("receive", {"receipt": "CA-1"})
    code, _, text = mock.run("CA", "combine")
    assert code == 3
    assert "its mock combination is not destroyed yet" in text
    for role in ("CA", "KMA", "A", "B", "C"):
        mock.done(role, "mock-destroy")
    code, _, text = mock.run("CA", "combine")
    assert code == 5, text
    assert not (mock.environments["CA"].zone("source") / "combinations/mobility-housing-health/mock-A").exists()
    left = [
        path for path in mock.everything("CA", "KMA", "A", "B", "C") if "mock" in path.name and path.suffix == ".sealed"
    ]
    assert not left
    entries.forget()
    for role, purpose in (("KMA", "mock-salt"), ("A", "mock-serial"), ("CA", "mock-choice")):
        with pytest.raises(KeyGone):
            round_secret(mock.environments[role], mock.combination, ROUND, purpose, make=True)
    for kind in ("mock-keys", "mock-attributes"):
        assert received(mock.environments["CA"], mock.combination, round=ROUND, kind=kind, sender="A") is None  # type: ignore[arg-type]
    assert mock.done("CA", "mock-destroy")["state"] == "destroyed already"


def test_no_row_stands_in_what_the_agency_keeps_as_evidence(mock: PartyRound) -> None:
    combined(mock)
    keys = [row for party in PERSONS for row in mock.got("CA", "mock-keys", party).table().to_pylist()]  # type: ignore[union-attr]
    evidence = b"".join(
        path.read_bytes() for path in mock.environments["CA"].zone("evidence").local.rglob("*") if path.is_file()
    )
    for row in keys:
        assert row["serial"].encode() not in evidence
        assert row["join_key"] not in evidence
        assert row["join_key"].hex().encode() not in evidence


def test_only_where_the_file_asks_for_it(mock: PartyRound) -> None:
    code, _, text = mock.run("KMA", "mock-salt", round_="2024-08")
    assert code == 3
    assert "round 2024-08 has no mock combination; rounds with one (options.mock): 2024-07" in text


def test_waits_for_what_has_not_come(mock: PartyRound) -> None:
    code, _, text = mock.run("A", "mock-keys", "--plan", str(mock.folder / "A.plan.yaml"))
    assert code == 5
    assert "waits for the mock's salt of KMA" in text
    code, _, text = mock.run("CA", "mock-choose")
    assert code == 5
    assert "waits for the mock keys of A, B, C" in text


def test_goes_on_without_an_optional_party(mock: PartyRound) -> None:
    mock.done("KMA", "mock-salt")
    for party in "AB":
        mock.done(party, "mock-keys", "--plan", str(mock.folder / f"{party}.plan.yaml"))
    code, _, text = mock.run("CA", "mock-choose")
    assert code == 5
    assert "waits for the mock keys of C (optional: `--without-optional` goes on)" in text
    assert set(mock.done("CA", "mock-choose", "--without-optional")["chosen"]) == {"A", "B"}
