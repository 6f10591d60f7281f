"""`prove`, `salt`, `keys`: who gets the salt, what goes to the key agency, and what stays at an applicant: nothing."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.combination import entries
from jobs.combination.packages import draft
from jobs.combination.salts import JOIN_SALT, LINK_SALT, join_salt
from jobs.combination.secret_store import destroy_series_secrets, round_secret, series_secret
from jobs.tables import pinned, write_source
from transforms.combination.key_vectors import fingerprint
from transforms.combination.serials import round_series
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.plan_loader import load
from transforms.run_keys import RunKeys

from .conftest import Roles
from .party_round import NEXT, ROUND, SCHEMA, PartyRound, member

MEMBERS = [member(1), member(2, "권율"), member(3, None), member(4, " 유 관순 ", "010-9999-1111", "1982. 3. 1.")]


@pytest.fixture
def round_(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> PartyRound:
    made = PartyRound.of(roles, tmp_path, capsys)
    made.register("A", MEMBERS)
    return made


def salt_of(round_: PartyRound) -> bytes:
    entries.forget()
    return join_salt(round_.environments["KMA"], round_.combination).reveal()


def key_of(salt: bytes, name: str, phone: str, born: str = "19800101") -> bytes:
    return hashlib.sha256(f"{name}{phone}{born}".encode() + salt).digest()


# From the proof to the keys


def test_a_party_proves_gets_the_salt_and_sends_keys(round_: PartyRound) -> None:
    round_.salted("A", "B")
    summary = round_.done("A", "keys")
    salt = salt_of(round_)
    assert len(salt) == 32
    assert set(round_.keys("A")) == {
        key_of(salt, "홍길동", "01000000001"),
        key_of(salt, "권율", "01000000002"),
        key_of(salt, "유관순", "01099991111", "19820301"),
    }
    assert {name: summary[name] for name in ("rows", "subjects", "without_key", "missing", "sharing")} == {
        "rows": 4, "subjects": 3, "without_key": 1, "missing": {"name": 1, "phone": 0, "birth": 0}, "sharing": 0,
    }  # fmt: skip


def test_the_serials_are_those_of_the_partys_attributes(round_: PartyRound) -> None:
    round_.salted("A")
    round_.done("A", "keys")
    environment, combination = round_.environments["A"], round_.combination
    loaded = load(round_.folder / "A.plan.yaml")
    pipeline = compile_plan(loaded.plan, SCHEMA, loaded.hierarchies, loaded.lines)
    secret = round_secret(environment, combination, ROUND)
    series = {round_series(combination.combination): secret}
    keys = RunKeys(Secret(bytes(32)), environment.organisation, "a run", loaded.plan.use.recipient, series)
    delivered = pipeline.apply_table(pa.Table.from_pylist(MEMBERS, SCHEMA), keys)
    serials = dict(zip(delivered["spent"].to_pylist(), delivered["member"].to_pylist(), strict=True))
    assert round_.keys("A") == {
        key_of(salt_of(round_), name, phone, born): serials[number * 10]
        for number, name, phone, born in (
            (1, "홍길동", "01000000001", "19800101"),
            (2, "권율", "01000000002", "19800101"),
            (4, "유관순", "01099991111", "19820301"),
        )
    }


def test_withdrawn_subjects_send_no_key(round_: PartyRound) -> None:
    round_.register("A", MEMBERS, stops=(2, 99))
    round_.salted("A")
    summary = round_.done("A", "keys")
    assert (summary["stopped"], summary["subjects"]) == (1, 2)
    assert key_of(salt_of(round_), "권율", "01000000002") not in round_.keys("A")


def texts_asked(round_: PartyRound, *asked: str) -> None:
    """A register whose ids are texts, and requests as people type them."""
    rows = [{**one, "member": f"M-{one['member']}"} for one in MEMBERS]
    text = pa.field("member", pa.string())
    zone = round_.environments["A"].zone("source")
    write_source(pa.Table.from_pylist(rows, SCHEMA.set(SCHEMA.get_field_index("member"), text)), zone / "crm/members",
                 mode="replace")  # fmt: skip
    write_source(pa.table({"member": list(asked), "asked": [0] * len(asked)}), zone / "crm/stops", mode="replace")


def test_who_withdrew_is_found_however_the_request_spells_the_id(round_: PartyRound) -> None:
    texts_asked(round_, " Ｍ－2 ", "M-99")
    round_.salted("A")
    assert round_.done("A", "keys")["stopped"] == 1
    assert key_of(salt_of(round_), "권율", "01000000002") not in round_.keys("A")


def test_requests_that_can_be_no_ids_of_the_register_stop_the_round(round_: PartyRound) -> None:
    """Nobody may stay in because the list is of another type."""
    write_source(
        pa.table({"member": ["M-2"], "asked": [0]}),
        round_.environments["A"].zone("source") / "crm/stops",
        mode="replace",
    )
    round_.salted("A")
    code, _, said = round_.run("A", "keys")
    assert code == 1
    assert "stop requests: ids of type string, not all of which can be subjects of type int64" in said
    assert "M-2" not in said
    assert round_.got("KMA", "keys", "A", ROUND, None) is None


def test_the_next_round_has_the_same_keys_and_other_serials(round_: PartyRound) -> None:
    for name in (ROUND, NEXT):
        round_.salted("A", round_=name)
        round_.done("A", "keys", round_=name)
    first, second = round_.keys("A", ROUND), round_.keys("A", NEXT)
    assert set(first) == set(second)
    assert not set(first.values()) & set(second.values())


# What stays at the applicant


def found_in(contents: dict[Path, bytes], secret: bytes) -> list[Path]:
    forms = [secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret).rstrip(b"=")]
    return [path for path, content in contents.items() if any(form in content for form in forms)]


def test_the_applicant_keeps_neither_salt_nor_keys(round_: PartyRound) -> None:
    """Over all bytes of its zones, its scratch and its inbox (combination.md, step 6; guideline L1401-1403)."""
    round_.salted("A", "B")
    assert round_.got("A", "salt", "KMA") is not None
    round_.done("A", "keys")
    everything, salt = round_.everything("A"), salt_of(round_)
    assert found_in(everything, salt) == []
    assert [key for key in round_.keys("A") if found_in(everything, key)] == []
    assert not any("/salt/" in str(path) for path in everything)
    # The same look finds what was planted, so it would have found a salt that was left.
    (round_.folder / "A/evidence/notes.json").write_text(f'{{"salt": "{salt.hex()}"}}')
    assert found_in(round_.everything("A"), salt) == [round_.folder / "A/evidence/notes.json"]
    # Without a copy nothing can be made again, unless the key agency hands it over anew.
    assert round_.got("A", "salt", "KMA") is None


def test_the_key_agency_keeps_its_salts_wrapped(round_: PartyRound) -> None:
    round_.salted("A")
    agency = round_.environments["KMA"]
    stored = [series_secret(agency, round_.combination, purpose).reveal() for purpose in (JOIN_SALT, LINK_SALT)]
    assert len({*stored, salt_of(round_)}) == 3
    for secret in (*stored, salt_of(round_)):
        assert found_in(round_.everything("KMA", "A", "B"), secret) == []


def test_keys_again_change_nothing_and_erase_a_salt_that_a_killed_start_left(round_: PartyRound) -> None:
    round_.salted("A")
    round_.done("A", "keys")
    before = round_.keys("A")
    round_.done("KMA", "salt", "--party", "A", "--revision", "2")
    assert round_.got("A", "salt", "KMA") is not None
    summary = round_.done("A", "keys")
    assert summary["state"] == "sent already"
    assert round_.keys("A") == before
    assert not any("/salt/" in str(path) for path in round_.everything("A"))


def test_a_second_revision_needs_the_salt_again(round_: PartyRound) -> None:
    round_.salted("A")
    round_.done("A", "keys")
    round_.register("A", [*MEMBERS, member(5)])
    code, _, text = round_.run("A", "keys", "--revision", "2")
    assert code == 5
    assert "salt --revision 2" in text
    round_.done("KMA", "salt", "--party", "A", "--revision", "2")
    assert round_.done("A", "keys", "--revision", "2")["subjects"] == 4
    new, old = round_.keys("A"), round_.keys("A", revision=1)
    assert old.items() < new.items()


def test_a_salt_of_another_length_makes_no_keys(round_: PartyRound) -> None:
    round_.applied("A")
    round_.done("A", "prove")
    made = draft(round_.environments["KMA"], round_.combination, round=ROUND, kind="salt", receiver="A")
    made.finish([made.sealer.write(pa.table({"salt": pa.array([bytes(16)], pa.binary())}), "salt")])
    code, _, text = round_.run("A", "keys")
    assert code == 1
    assert "holds no salt of 32 bytes" in text


# Who gets the salt


def test_nobody_gets_the_salt_without_a_proof(round_: PartyRound) -> None:
    round_.applied("A")
    code, _, text = round_.run("KMA", "salt")
    assert code == 5
    assert "waits for the proof (`prove`) of A, B" in text
    assert round_.run("A", "keys")[0] == 3  # first: prove
    round_.done("A", "prove")
    code, _, text = round_.run("A", "keys")
    assert code == 5
    assert "waits for the salt" in text


def test_who_is_late_is_waited_for_unless_optional(round_: PartyRound) -> None:
    round_.applied("A", "B")
    round_.done("A", "prove")
    code, _, text = round_.run("KMA", "salt")
    assert (code, "handed to A; waits for the proof (`prove`) of B" in text) == (5, True)
    round_.done("A", "keys")  # A need not wait for B
    round_.done("B", "prove")
    summary = round_.done("KMA", "salt")
    assert (summary["parties"], summary["without"]) == (["A", "B"], ["C"])
    assert not any("/salt/" in str(path) for path in round_.everything("A"))  # it isn't handed over again


def test_who_makes_other_keys_gets_no_salt_and_is_told_why(round_: PartyRound) -> None:
    round_.applied("A", "B")
    round_.done("A", "prove")
    spec = round_.combination.key
    wrong = []
    for name, phone, born in [("홍길동", "01012345678", "19800101"), ("강감찬", "01045627895", "19471231")]:
        content = f"{name}{phone}{born}".encode("cp949") + bytes(range(32))
        wrong.append(hashlib.sha256(content).hexdigest())
    made = draft(round_.environments["B"], round_.combination, round=ROUND, kind="proof", receiver="KMA")
    made.finish(content={"vectors": fingerprint(spec), "keys": wrong + [None] * 8})
    code, _, text = round_.run("KMA", "salt")
    assert code == 1
    assert "B: the keys of vectors 1, 2, " in text
    assert "likely cause: encoding CP949, not UTF-8" in text
    assert round_.got("B", "salt", "KMA") is None
    assert round_.got("A", "salt", "KMA") is not None


def test_a_party_with_another_encoding_in_its_file_is_refused(round_: PartyRound) -> None:
    """Files that differ are found by the first package, before anything real is touched."""
    round_.applied("A")
    file, other = round_.file, round_.folder / "other.yaml"
    text = file.read_text("utf-8").replace("algorithm: SHA-256", "encoding: CP949\n  algorithm: SHA-256")
    other.write_text(text, "utf-8")
    round_.file = other
    round_.done("A", "prove")
    round_.file = file
    code, _, text = round_.run("KMA", "salt")
    assert code == 3
    assert "made by another combination file" in text


@pytest.mark.parametrize("gone", ["destroyed", "lost"])
def test_salts_are_made_once_for_a_series(round_: PartyRound, gone: str) -> None:
    round_.salted("A")
    salt = salt_of(round_)
    round_.salted("A", round_=NEXT)
    assert salt_of(round_) == salt
    # Then no other salt takes its place without a word.
    if gone == "destroyed":
        destroy_series_secrets(round_.environments["KMA"], round_.combination)
    for file in (round_.environments["KMA"].zone("keys") / "combinations").local.glob("*salt*"):
        file.unlink()
    round_.applied("B")
    round_.done("B", "prove")
    code, _, text = round_.run("KMA", "salt", "--party", "B")
    assert code == 3
    assert "destroyed, or never made" in text
    assert round_.got("B", "salt", "KMA") is None


def test_another_key_spec_is_another_series(round_: PartyRound) -> None:
    round_.salted("A")
    text = round_.file.read_text("utf-8")
    round_.file.write_text(text.replace("algorithm: SHA-256\n  salt_bytes: 32", "algorithm: SHA-512"), "utf-8")
    round_.applied("A", round_=NEXT)
    round_.done("A", "prove", round_=NEXT)
    code, _, text = round_.run("KMA", "salt", "--party", "A", round_=NEXT)
    assert code == 3
    assert "another spec is a new series" in text


# What is not sent


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (member(9, "김\ufffd수"), "key column name: 1 cells hold U+FFFD"),
        (member(9, born="31.12.1980"), "key column birth: 1 cells are dates in none of the accepted forms"),
        (member(9, phone="010-0000-0001"), "2 of 4 subjects have the join key of another subject"),
    ],
)
def test_bad_data_is_told_by_count_and_nothing_is_sent(
    round_: PartyRound, row: dict[str, object], told: str
) -> None:
    round_.salted("A")
    round_.register("A", [*MEMBERS, row])
    code, _, text = round_.run("A", "keys")
    assert code == 1
    assert told in text
    for value in ("김", "31.12", "홍길동", "0000-0001"):
        assert value not in text
    assert not any("/keys/A/" in str(path) for path in round_.everything("KMA"))  # half-written files neither
    # Put right, the same revision goes out.
    round_.register("A", MEMBERS)
    assert round_.done("A", "keys")["subjects"] == 3


def test_a_register_in_which_nobody_has_a_key(round_: PartyRound) -> None:
    round_.register("A", [member(1, None), member(2, "권율", born=None)])
    round_.salted("A")
    code, _, text = round_.run("A", "keys")
    assert code == 1
    assert "no subject has a key: 2 rows were read" in text
    assert "(name 1, birth 1)" in text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("phone: hp", "phone: tel", "combination.key.phone"),
        ("phone: hp, ", "", "combination.key"),
        ("birth: born", "birth: spent_at", "combination.key.birth"),
        ("party: A", "party: B", "combination.party"),
        ("plan: fuel-a", "plan: fuel-b", "plan"),
    ],
)
def test_a_plan_that_does_not_fit_is_exit_2(round_: PartyRound, old: str, new: str, told: str) -> None:
    round_.salted("A")
    path = round_.folder / "A.plan.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    code, _, text = round_.run("A", "keys")
    assert code == 2
    assert told in text
    assert round_.got("KMA", "keys", "A") is None
    assert pinned(round_.environments["A"].zone("source") / "crm/members").rows == 4
