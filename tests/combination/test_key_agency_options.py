"""The optional steps of the key agency: join rate (결합률 확인) and extraction (가명정보 추출)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.combination import entries
from jobs.combination.rounds import Round

from .conftest import Roles
from .key_round import NEXT, ROUND, KeyRound

Make = Callable[..., KeyRound]
RATE = "options:\n  join_rate: {floor: 0.05, asks: 1}\n"
EXTRACTION = "options:\n  extraction: {cover: equal, rest_over: 1000}\n"


@pytest.fixture
def make(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Make:
    """`make(RATE)`: A, B and C supply; inner-multi of A and B, C may be missing."""

    def made(options: str, *changes: tuple[str, str]) -> KeyRound:
        return KeyRound.of(roles, tmp_path, capsys, options, *changes)

    return made


def people(first: int, after: int) -> list[str]:
    """Persons by number."""
    return [str(number) for number in range(first, after)]


def listed(at: KeyRound, party: str, round_: str = ROUND) -> list[str]:
    """The persons in a party's extraction list, in the list's order."""
    package = at.got(party, "extraction", round_)
    assert package is not None
    table = package.table()
    assert table.column_names == ["serial"]
    return [serial.removeprefix(f"{party}-") for serial in table.column("serial").to_pylist()]


def test_each_party_learns_its_own_join_rate_before_anything_is_pseudonymized(make: Make) -> None:
    at = make(RATE)
    at.keys("A", people(0, 10))
    at.keys("B", people(6, 14))
    at.keys("C", people(8, 9))
    code, told, text = at.run("rate")
    assert code == 0
    assert told["rates"] == {
        "A": {"total": 10, "matched": 4},
        "B": {"total": 8, "matched": 4},
        "C": {"total": 1, "matched": 1},
    }
    assert "A 4 of 10 (40.00%)" in text
    package = at.got("A", "rate")
    assert package is not None
    assert package.content == {"total": 10, "matched": 4, "rate": 0.4, "floor": 0.05, "verdict": "enough"}
    assert package.manifest.files == ()


def test_the_join_rate_may_be_asked_for_so_often(make: Make) -> None:
    """The same keys again are no new asking; other keys are one, and only `asks` are answered."""
    at = make(RATE.replace("asks: 1", "asks: 2"))
    for party in "ABC":
        at.keys(party, people(0, 5))
    assert at.run("rate")[1]["state"] == "told"
    assert at.run("rate")[1]["state"] == "told already"
    at.keys("A", people(1, 5))
    assert at.run("rate")[1]["rates"]["A"] == {"total": 4, "matched": 4}
    at.keys("A", people(2, 5))
    code, _, text = at.run("rate")
    assert code == 3
    assert "was asked for 2 time(s); allowed: 2" in text
    package = at.got("A", "rate")
    assert package is not None
    assert (package.manifest.address.revision, package.content["total"]) == (2, 4)


def test_a_low_join_rate_is_told_and_explained(make: Make) -> None:
    at = make(RATE)
    at.keys("A", people(0, 50))
    at.keys("B", people(49, 99))
    at.keys("C", people(49, 50))
    code, told, text = at.run("rate")
    assert (code, told["below_floor"]) == (1, ["A", "B"])
    assert "below the floor of 5.00%: A, B" in text
    assert "CP949 and UTF-8 make other keys of the same name (the file: UTF-8)" in text
    package = at.got("A", "rate")
    assert package is not None
    assert package.content["verdict"] == "below-floor"


@pytest.mark.parametrize("step", ["rate", "extract"])
def test_a_step_that_the_file_does_not_name_is_refused(make: Make, step: str) -> None:
    at = make("")
    code, _, text = at.run(step)
    assert code == 3
    assert "allowed: the optional steps that it names" in text


def test_lists_hold_the_joined_and_as_many_others(make: Make) -> None:
    """A has 4,000 persons, 500 of them joined: D = 500 + 500, E = 3,000; B 2,600, so E = 1,600."""
    at = make(EXTRACTION)
    at.keys("A", people(0, 4_000))
    at.keys("B", people(3_500, 6_100))
    at.keys("C", people(0, 2_100))
    code, told, text = at.run("extract")
    assert code == 0, text
    assert told["parties"]["A"] == {"verdict": "listed", "total": 4_000, "extracted": 1_000, "left": 3_000}
    assert told["parties"]["B"] == {"verdict": "listed", "total": 2_600, "extracted": 1_000, "left": 1_600}
    assert told["parties"]["C"] == {"verdict": "listed", "total": 2_100, "extracted": 0, "left": 2_100}
    joined = set(people(3_500, 4_000))
    for party, others in (("A", people(0, 3_500)), ("B", people(4_000, 6_100))):
        persons = listed(at, party)
        assert len(set(persons)) == len(persons) == 1_000
        assert joined <= set(persons)
        assert set(persons) - joined <= set(others)
    assert listed(at, "C") == []


def test_the_order_of_a_list_does_not_tell_the_joined(make: Make) -> None:
    at = make(EXTRACTION)
    at.keys("A", people(0, 4_000))
    at.keys("B", people(3_500, 6_100))
    at.keys("C", [])
    at.run("extract")
    joined = [int(person) >= 3_500 for person in listed(at, "A")]
    # 500 of 1,000 in random order: the first half has 250, five standard deviations are 40 (hypergeometric).
    assert abs(sum(joined[:500]) - 250) <= 40


def test_the_guidelines_person_sets_the_cover(make: Make) -> None:
    """L1476-1481: A = 5,000, B = 2,000, E would be 1,000; C = 1,600 → D = 3,600. 2,700 of 5,000 (L1486): no list."""
    at = make(EXTRACTION)
    at.keys("A", people(0, 5_000))
    at.keys("B", people(3_000, 10_000))
    at.keys("C", [])
    code, _, text = at.run("extract")
    assert code == 5
    assert "A: of 5000 subjects 1000 would be left out (E = A - D = 5000 - 4000)" in text
    assert at.got("A", "extraction") is None
    assert at.run("extract", "--cover", "A=1600")[0] == 2
    code, told, text = at.run("extract", "--cover", "A=1600", "--reason", "홍길동: 나머지가 너무 적음")
    assert code == 0, text
    assert told["parties"]["A"] == {"verdict": "listed", "total": 5_000, "extracted": 3_600, "left": 1_400}
    persons = listed(at, "A")
    assert len(persons) == 3_600
    assert set(people(3_000, 5_000)) <= set(persons)
    assert at.run("extract")[1]["state"] == "sent already"
    assert at.run("extract", "--cover", "A=1000", "--reason", "홍길동: 더 줄임")[1]["parties"]["A"]["left"] == 2_000
    smaller = listed(at, "A")
    assert set(smaller) < set(persons)


def test_above_one_half_there_is_no_list(make: Make) -> None:
    at = make(EXTRACTION)
    at.keys("A", people(0, 5_000))
    at.keys("B", people(2_300, 12_000))
    at.keys("C", [])
    code, told, text = at.run("extract")
    assert code == 0
    assert told["parties"]["A"]["verdict"] == "refused"
    assert "A: no extraction (sent): 2700 of 5000 subjects are joined, which is more than half" in text
    package = at.got("A", "extraction")
    assert package is not None
    assert (package.content["verdict"], package.manifest.files) == ("refused", ())
    assert told["parties"]["B"]["extracted"] == 5_400


@pytest.mark.parametrize("cover", ["A", "A=many", "X=5", "A=-1"])
def test_a_cover_that_can_not_be(make: Make, cover: str) -> None:
    at = make(EXTRACTION)
    for party in "ABC":
        at.keys(party, people(0, 3))
    code, _, text = at.run("extract", "--cover", cover, "--reason", "r")
    assert code == 2
    assert "PARTY=NUMBER" in text


def test_two_rounds_lists_do_not_tell_the_joined_by_what_they_share(make: Make) -> None:
    """Other persons of B each time, the same of A: were cover drawn anew, both lists would share a third of theirs."""
    at = make(EXTRACTION)
    for round_, first in ((ROUND, 3_500), (NEXT, 3_400)):
        at.keys("A", people(0, 4_000), round_)
        at.keys("B", people(first, first + 2_600), round_)
        at.keys("C", [], round_)
        assert at.run("extract", round_=round_)[0] == 0
    july, august = set(listed(at, "A")), set(listed(at, "A", NEXT))
    cover_of_july = july - set(people(3_500, 4_000))
    # All cover but those who are joined in August themselves stays: it has the smallest draws, and August needs more.
    assert cover_of_july <= august


def test_who_was_late_for_the_join_rate_is_out_of_the_round(make: Make) -> None:
    """C's keys came after the others had been told rates without C: neither lists nor linking take them in."""
    options = RATE + EXTRACTION.removeprefix("options:\n")
    at = make(options, ("late: cancel", "late: without-optional"))
    at.keys("A", people(0, 3_000))
    at.keys("B", people(2_700, 5_700))
    assert at.run("rate", "--late")[1]["rates"].keys() == {"A", "B"}
    at.keys("C", people(0, 3_000))
    for step in ("extract", "link"):
        code, told, text = at.run(step)
        assert code == 0, text
        assert told.get("left_out", {"C": "no keys in time"}) == {"C": "no keys in time"}
    assert at.got("C", "extraction") is None
    package = at.got("CA", "linking")
    assert package is not None
    assert package.schema().names == ["serial_A", "serial_B", "link_A"]


def test_link_comes_after_the_lists_and_other_keys_make_others(make: Make) -> None:
    at = make(EXTRACTION)
    at.keys("A", people(0, 3_000))
    at.keys("B", people(2_900, 5_900))
    at.keys("C", [])
    code, _, text = at.run("link")
    assert (code, "no lists were sent yet" in text) == (3, True)
    at.run("extract")
    assert at.run("link")[0] == 0
    at.keys("B", people(2_800, 5_800))
    code, _, text = at.run("link")
    assert (code, "the lists were made of other keys than are there now" in text) == (3, True)
    assert at.run("extract")[1]["parties"]["A"]["extracted"] == 400
    entries.forget()
    assert Round(at.environments["KMA"], at.combination, ROUND).done("link") is None
    assert at.run("link")[1]["rows"] == 200
    package = at.got("A", "extraction")
    assert package is not None
    assert package.manifest.address.revision == 2
