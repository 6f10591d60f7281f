"""The end of a round and of a series at the key agency: what is destroyed, what stays, what is refused afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.combination import entries
from jobs.combination.notices import noticed
from jobs.combination.rounds import Round
from jobs.key_providers.file import FileProvider
from jobs.keys import CombinationSecrets

from .conftest import Roles
from .key_round import NEXT, ROUND, KeyRound, bytes_of

SERIES = ("series: {every: month, first: 2024-07, last: 2025-06, keys_due: 5, attributes_due: 12, late: cancel}\n", "")


@pytest.fixture
def at(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> KeyRound:
    """Round 2024-07, linked."""
    made = KeyRound.of(roles, tmp_path, capsys, "")
    for party in "ABC":
        made.keys(party, ["kim", "lee"])
    made.void("A", "A-lee")
    assert made.run("link")[0] == 0
    return made


def secrets(at: KeyRound) -> tuple[str, ...]:
    """Names of the secrets that the key agency keeps for the combination."""
    agency = at.environments["KMA"]
    return tuple(CombinationSecrets(agency.zone("keys"), FileProvider(agency.keys.path)).names())


def test_close_destroys_keys_and_keeps_the_salts_of_the_series(at: KeyRound) -> None:
    inbox = Path(str(at.environments["KMA"].exchange.inbox))
    code, _, text = at.run("close")
    assert (code, "waits for the notice of CA that it is closed" in text) == (5, True)
    assert list(inbox.rglob("keys/*/r1/*.sealed"))
    at.closed_at_ca()
    salts = secrets(at)
    code, told, text = at.run("close")
    assert (code, told["state"]) == (0, "destroyed")
    assert list(inbox.rglob("*.sealed")) == []
    assert secrets(at) == salts
    assert sum("salt" in name for name in salts) == 2
    assert at.run("close")[1]["state"] == "destroyed already"


def test_a_closed_round_is_not_linked_again(at: KeyRound) -> None:
    at.closed_at_ca()
    at.run("close")
    code, told, _ = at.run("link")
    assert (code, told["state"]) == (0, "linked already, and closed")
    at.run("close", "--cancel", "nobody applied", round_=NEXT)
    code, _, text = at.run("link", round_=NEXT)
    assert (code, "the round was cancelled: nobody applied" in text) == (3, True)


def test_a_round_without_a_result_is_cancelled(at: KeyRound) -> None:
    for party in "ABC":
        at.keys(party, ["kim"], NEXT)
    assert at.run("close", "--cancel", " ", round_=NEXT)[0] == 2
    assert at.run("close", "--cancel", "B withdrew its application", round_=NEXT)[0] == 0
    inbox = Path(str(at.environments["KMA"].exchange.inbox))
    assert list((inbox / at.combination.combination / NEXT).rglob("*.sealed")) == []
    assert list((inbox / at.combination.combination / ROUND).rglob("*.sealed"))


def test_who_does_not_know_that_a_round_is_over(at: KeyRound) -> None:
    """A late party gets no salt any more; keys that it sends all the same are destroyed when `close` is taken again."""
    assert at.run("close", "--cancel", "nobody applied", round_=NEXT)[0] == 0
    code, _, text = at.run("salt", round_=NEXT)
    assert (code, "the round was cancelled: nobody applied" in text) == (3, True)
    at.keys("B", ["kim"], NEXT)
    keys = Path(str(at.environments["KMA"].exchange.inbox)) / at.combination.combination / NEXT / "keys"
    assert list(keys.rglob("*.sealed"))
    code, told, _ = at.run("close", round_=NEXT)
    assert (code, told["state"]) == (0, "destroyed already")
    assert not list(keys.rglob("*.sealed"))


def test_the_link_ids_of_a_round_after_a_closed_one_are_the_same(at: KeyRound) -> None:
    def links(round_: str) -> set[bytes]:
        package = at.got("CA", "linking", round_)
        assert package is not None
        return set(package.table().column("link_A").to_pylist())

    at.closed_at_ca()
    at.run("close")
    for party in "ABC":
        at.keys(party, ["kim"], NEXT)
    assert at.run("link", round_=NEXT)[0] == 0
    assert links(NEXT) < links(ROUND) or links(NEXT) == links(ROUND)
    assert len(links(NEXT)) == 1


def test_the_end_of_the_series_is_told_and_final(at: KeyRound) -> None:
    """Salts destroyed, everybody told; no round of it is possible any more, and no salt is ever made again."""
    code, _, text = at.run("end", "--reason", "study finished", round_=None)
    assert code == 3
    assert "end: 2024-07, 2024-08 not closed yet" in text
    at.closed_at_ca()
    at.run("close")
    at.run("close", "--cancel", "not needed", round_=NEXT)
    code, told, text = at.run("end", "--reason", "study finished", round_=None)
    assert code == 0, text
    assert told["told"] == ["A", "B", "C", "CA"]
    assert secrets(at) == ()
    assert b"-salt" not in bytes_of(at.environments["KMA"].zone("keys").local)
    for name in told["told"]:
        entries.forget()
        notice = noticed(Round(at.environments[name], at.combination, NEXT), "KMA", "series-ended")
        assert notice is not None
        assert notice["because"] == "study finished"
    for step in ("salt", "link", "rate"):
        code, _, text = at.run(step, round_="2024-09")
        assert code == 3
        assert "the series has ended (study finished): its salts are destroyed; a new combination begins" in text
    assert at.run("end", "--reason", "again", round_=None)[1]["state"] == "ended already"
    assert secrets(at) == ()


def test_the_only_round_ends_with_its_salts(
    roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a series there is no later round: `close` destroys S and L too."""
    folder = tmp_path / "once"
    folder.mkdir()
    at = KeyRound.of(
        roles, folder, capsys, "", SERIES, ("link_id: true", "link_id: false"), ("when-unchanged", "never"),
        rounds=("once",),
    )  # fmt: skip
    for party in "ABC":
        at.keys(party, ["kim"], "once")
    assert at.run("link", round_="once")[0] == 0
    package = at.got("CA", "linking", "once")
    assert package is not None
    assert package.schema().names == ["serial_A", "serial_B", "serial_C"]
    at.closed_at_ca("once")
    code, told, _ = at.run("close", round_="once")
    assert (code, told["salts"]) == (0, "the salts are destroyed: there is no further round")
    assert secrets(at) == ()
