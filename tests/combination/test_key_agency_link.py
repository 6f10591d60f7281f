"""`link`: what the key agency takes in, sends on, refuses, and does again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.combination import packages
from jobs.combination.rounds import Round

from .conftest import Roles
from .key_round import NEXT, KeyRound, bytes_of, some_keys
from .linking_bench import key_of

Make = Callable[..., KeyRound]


@pytest.fixture
def make(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Make:
    """`make()`: A, B and C supply, A uses (inner-multi of A and B, C may be missing, with link ids)."""

    def made(*changes: tuple[str, str], options: str = "") -> KeyRound:
        return KeyRound.of(roles, tmp_path, capsys, options, *changes)

    return made


def test_the_linking_table_reaches_the_combining_agency_alone(make: Make) -> None:
    """B and A know kim and lee, C knows lee: inner-multi with base A, where C may be missing."""
    at = make()
    at.keys("A", ["kim", "lee", "park"])
    at.keys("B", ["lee", "choi", "kim"])
    at.keys("C", ["lee", "choi"])
    code, told, text = at.run("link")
    assert code == 0, text
    assert at.linking() == [("A-kim", "B-kim", None), ("A-lee", "B-lee", "C-lee")]
    assert told["parties"]["A"] == {"matched": 2, "total": 3, "voided": 0, "doubled": 0}
    assert "A: 2 of 3 (66.67%) joined" in text
    package = at.got("CA", "linking")
    assert package is not None
    assert package.manifest.receipt == "2024-017"
    assert package.schema().names == ["serial_A", "serial_B", "serial_C", "link_A"]
    assert package.content["parties"] == ["A", "B", "C"]
    assert at.got("A", "linking") is None


def test_the_same_again_changes_nothing(make: Make) -> None:
    at = make()
    for party in "ABC":
        at.keys(party, ["kim", "lee"])
    assert at.run("link")[1]["state"] == "linked"
    before = bytes_of(Path(str(at.environments["CA"].exchange.inbox)))
    code, told, _ = at.run("link")
    assert (code, told["state"], told["rows"]) == (0, "linked already", 2)
    assert bytes_of(Path(str(at.environments["CA"].exchange.inbox))) == before


def test_a_start_that_was_killed_before_its_record_is_completed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package was sent, the record was not written: the next start sends no second one."""
    at = make()
    for party in "ABC":
        at.keys(party, ["kim", "lee"])
    with monkeypatch.context() as patched:
        patched.setattr(Round, "record", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        assert at.run("link")[0] == 4
    sent = at.got("CA", "linking")
    assert sent is not None
    code, told, _ = at.run("link")
    assert (code, told["state"]) == (0, "linked")
    again = at.got("CA", "linking")
    assert again is not None
    assert again.manifest == sent.manifest


def test_keys_sent_again_are_linked_again(make: Make) -> None:
    """A re-send replaces: the new linking table has the new revision's persons, none of the old one's alone."""
    at = make()
    for party in "ABC":
        at.keys(party, ["kim", "lee"])
    at.run("link")
    at.keys("B", ["kim", "choi"])
    code, told, _ = at.run("link")
    assert (code, told["state"]) == (0, "linked")
    assert at.linking() == [("A-kim", "B-kim", "C-kim")]
    package = at.got("CA", "linking")
    assert package is not None
    assert package.manifest.address.revision == 2


def test_withdrawn_subjects_are_left_out(make: Make) -> None:
    """A withdrawal after linking makes a new linking table without the person's serial of that party."""
    at = make()
    for party in "ABC":
        at.keys(party, ["kim", "lee"])
    at.run("link")
    at.void("C", "C-lee")
    at.run("link")
    assert at.linking() == [("A-kim", "B-kim", "C-kim"), ("A-lee", "B-lee", None)]
    at.void("B", "B-lee", "B-kim")
    code, told, _ = at.run("link")
    assert (code, at.linking()) == (0, [])
    assert told["parties"]["B"] == {"matched": 0, "total": 0, "voided": 2, "doubled": 0}


def test_doubled_keys_go_back_to_their_party(make: Make) -> None:
    at = make(("limit: 0.001", "limit: 0.5"))
    at.keys("A", [("kim", "A-1"), ("kim", "A-2"), ("lee", "A-3"), ("park", "A-4")])
    at.keys("B", ["kim", "lee"])
    at.keys("C", [])
    code, told, _ = at.run("link")
    assert (code, told["parties"]["A"]["doubled"]) == (0, 2)
    assert at.linking() == [("A-3", "B-lee", None)]
    given = {party: at.got(party, "duplicates") for party in "ABC"}
    assert {party: one.table().column("serial").to_pylist() for party, one in given.items() if one} == {
        "A": ["A-1", "A-2"],
        "B": [],
        "C": [],
    }
    assert given["A"] is not None
    assert given["A"].content == {
        "rows": 4, "voided": 0, "doubled": 2, "repeated": 0, "keys": 1, "limit": 0.5,
    }  # fmt: skip


def test_more_doubled_keys_than_the_limit_are_refused_and_told(make: Make) -> None:
    at = make()
    at.keys("A", [("kim", "A-1"), ("kim", "A-2"), *[(str(n), f"A-{n}") for n in range(3, 1000)]])
    at.keys("B", ["kim"])
    at.keys("C", ["kim"])
    code, _, text = at.run("link")
    assert code == 1
    assert "keys of A: 2 of 999 serials (0.20%) share their join key with another; allowed: up to 0.10%" in text
    assert at.got("CA", "linking") is None
    given = at.got("A", "duplicates")
    assert given is not None
    assert sorted(given.table().column("serial").to_pylist()) == ["A-1", "A-2"]


def test_one_serial_of_two_persons_is_refused(make: Make) -> None:
    at = make()
    at.keys("A", [("kim", "A-1"), ("lee", "A-1")])
    at.keys("B", ["kim"])
    at.keys("C", ["kim"])
    code, _, text = at.run("link")
    assert code == 1
    assert "keys of A: 1 rows have the serial of another row; allowed: each subject one serial" in text
    assert at.got("CA", "linking") is None
    left = Path(str(at.environments["CA"].exchange.inbox))
    assert list(left.rglob("*.sealed")) == []


def test_a_join_rate_below_the_floor_is_explained(make: Make) -> None:
    """Two encodings make other keys of the same persons: as good as nothing is joined."""
    at = make(options="options:\n  join_rate: {floor: 0.05, asks: 1}\n")
    at.keys("A", [f"{n} utf8" for n in range(50)])
    at.keys("B", [f"{n} cp949" for n in range(50)])
    at.keys("C", [])
    code, _, text = at.run("link")
    assert code == 1
    assert "join rate below the floor of 5.00% (options.join_rate.floor): A: 0 of 50 (0.00%); B: 0 of 50" in text
    for cause in ("CP949 and UTF-8", "canonical form", "columns swapped", "another salt", "prove --table NAME"):
        assert cause in text
    assert at.got("CA", "linking") is None


def test_attributes_are_not_taken_in(make: Make) -> None:
    at = make()
    rows = {"join_key": pa.array(some_keys("kim"), pa.binary()), "serial": ["A-1"], "income": [7_300]}
    at.send("A", "keys", pa.table(rows))
    at.keys("B", ["kim"])
    at.keys("C", ["kim"])
    code, _, text = at.run("link")
    assert code == 1
    assert "columns join_key (binary), serial (string), income (int64); allowed: join_key (binary), serial" in text
    assert "7300" not in text


def test_it_waits_for_keys_that_have_not_come(make: Make) -> None:
    at = make()
    at.keys("A", ["kim"])
    at.keys("B", ["kim"])
    code, _, text = at.run("link")
    assert code == 5
    assert "waits for the keys of C; due 2024-08-05" in text


def test_a_late_party_cancels_the_round(make: Make) -> None:
    """`late: cancel`: what comes afterwards does not save the round."""
    at = make()
    at.keys("A", ["kim"])
    at.keys("B", ["kim"])
    code, _, text = at.run("link", "--late")
    assert code == 3
    assert "is cancelled: keys of C did not come in time" in text
    at.keys("C", ["kim"])
    code, _, text = at.run("link")
    assert code == 3
    assert "the round was cancelled" in text


def test_a_late_optional_party_stays_out_of_the_round(make: Make) -> None:
    """`late: without-optional`: the round goes on without C, and C's keys, once they come, are not merged into it."""
    at = make(("late: cancel", "late: without-optional"))
    at.keys("A", ["kim", "lee"])
    at.keys("B", ["kim", "lee"])
    code, told, _ = at.run("link", "--late")
    assert (code, told["left_out"]) == (0, {"C": "no keys in time"})
    package = at.got("CA", "linking")
    assert package is not None
    assert package.schema().names == ["serial_A", "serial_B", "link_A"]
    at.keys("C", ["kim"])
    assert at.run("link")[1]["state"] == "linked already"
    at.void("A", "A-lee")
    assert at.run("link")[1]["left_out"] == {"C": "no keys in time"}
    assert at.linking() == [("A-kim", "B-kim")]


def test_rounds_are_linked_by_link_ids_alone(make: Make) -> None:
    """The same persons in two rounds: their link ids are the same, their serials and places are not."""
    at = make()
    people = [f"person {n}" for n in range(40)]
    for round_ in ("2024-07", NEXT):
        for party in "ABC":
            at.keys(party, [(one, f"{party}-{round_}-{one}") for one in people], round_)
        assert at.run("link", round_=round_)[0] == 0
    tables = {round_: package.table() for round_ in ("2024-07", NEXT) if (package := at.got("CA", "linking", round_))}
    links = [table.column("link_A").to_pylist() for table in tables.values()]
    assert len(set(links[0])) == 40
    assert set(links[0]) == set(links[1])
    assert links[0] != links[1]
    serials = [table.column("serial_A").to_pylist() for table in tables.values()]
    assert set(serials[0]).isdisjoint(serials[1])


def test_no_key_is_where_the_combining_agency_could_find_it(make: Make) -> None:
    """CA's inbox is opened whole: no join key in it, nor a part of one; and KMA's zones hold no serial in the open."""
    at = make()
    people = ["kim", "lee"]
    for party in "ABC":
        at.keys(party, people)
    at.run("link")
    package = at.got("CA", "linking")
    assert package is not None
    table = package.table()
    opened = b"".join(
        buffer.to_pybytes() for one in table.columns for chunk in one.chunks for buffer in chunk.buffers() if buffer
    )
    everything = opened + bytes_of(at.environments["CA"].zone("evidence").local) + bytes_of(at.file.parent / "exchange")
    assert b"A-kim" in opened
    assert not any(key[place : place + 4] in opened for key in some_keys(*people) for place in range(29))
    assert not any(key in everything for key in some_keys(*people))
    written = bytes_of(at.environments["KMA"].zone("evidence").local) + bytes_of(at.environments["KMA"].scratch)
    assert not any(text in written for text in (b"A-kim", b"B-lee", key_of("kim"), key_of("kim").hex().encode()))


def test_an_altered_package_of_keys_is_refused(make: Make) -> None:
    at = make()
    for party in "ABC":
        at.keys(party, ["kim"])
    (file,) = Path(str(at.environments["KMA"].exchange.inbox)).rglob("keys/B/r1/*.sealed")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    code, _, text = at.run("link")
    assert code == 1
    assert "tampered" in text
    assert at.got("CA", "linking") is None


def test_keys_of_another_round_are_not_taken(make: Make) -> None:
    at = make()
    for party in "ABC":
        at.keys(party, ["kim"], NEXT)
    inbox = Path(str(at.environments["KMA"].exchange.inbox)) / at.combination.combination
    (inbox / "2024-07").mkdir()
    (inbox / NEXT / "keys").rename(inbox / "2024-07" / "keys")
    code, _, text = at.run("link")
    assert code == 3
    assert "round 2024-08; allowed here: 2024-07" in text


def test_what_a_failed_start_left_in_foreign_inboxes_is_removed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    at = make()
    for party in "ABC":
        at.keys(party, ["kim"])
    with monkeypatch.context() as patched:
        patched.setattr(packages.Draft, "finish", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left")))
        assert at.run("link")[0] == 4
    inboxes = [Path(str(at.environments[name].exchange.inbox)) for name in ("A", "B", "C", "CA")]
    assert [path for inbox in inboxes for path in inbox.rglob("*.sealed")] == []
    assert at.run("link")[0] == 0
