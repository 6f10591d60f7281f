"""A combination's rounds by Airflow: all roles, packages between them, people who sign, and what the users get.

Each round takes some minutes, so these run only where they are asked for: `infra/test -m year`, with `-k two` the short
one. What they cost is the start of a JVM and of Spark for each step; the same flow with stand-ins for the jobs is in
test_running_plans.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deltalake import DeltaTable

from jobs.combination.combined import tables_of
from tests.dags.conftest import ROOT, Workplace
from tests.dags.running import Airflow
from tests.dags.year_by_airflow import SCHEDULE, Played
from tests.year.world import LATE_ATTRIBUTES, LATE_KEYS, RESENT, ROUNDS
from tests.year.year import USERS, Year

KILLED, MOCKED = ROUNDS[0], ROUNDS[3]


@pytest.fixture
def played(
    tmp_path: Path, workplace_in: Callable[[Path], Workplace], request: pytest.FixtureRequest
) -> Iterator[Played]:
    """The year's organisations, and an Airflow with their schedule; a parameter is more text for the combination."""
    place = workplace_in(tmp_path / "place")
    (place.folder / "jobs").rename(place.folder / "unused")
    (place.folder / "jobs").symlink_to(ROOT / "jobs")
    folder = place.folder / "year"
    folder.mkdir()
    Year.begin(folder, lambda *_: None)
    with (folder / "year.yaml").open("a") as file:
        file.write(getattr(request, "param", ""))
    (place.folder / "schedules" / "year.yaml").write_text(SCHEDULE)
    running = Airflow(place.variables, place.folder / "airflow.log")
    yield Played.begin(folder, KILLED, running)
    running.stop()


@pytest.mark.year
@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.timeout(3600)
def test_two_rounds_one_of_them_killed_give_what_one_go_gives(played: Played) -> None:
    rounds = ROUNDS[:2]
    played.backfill(rounds)
    assert played.done == dict.fromkeys(rounds, "success")
    played.require_reference(rounds)


@pytest.mark.year
@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("played", [f"options: {{mock: {{rounds: [{MOCKED}], subjects: 40}}}}\n"], indirect=True)
def test_a_mock_combination_is_looked_at_and_destroyed_before_the_round_goes_on(played: Played) -> None:
    """Its steps are tasks of their own; a person says in Airflow that it was looked at; nothing of it is exported."""
    played.backfill([MOCKED])
    assert played.done == {MOCKED: "success"}
    assert set(played.looked_at) == {(MOCKED, user) for user in USERS}
    assert all(rows for rows in played.looked_at.values()), "there was something to look at"
    agency, combination = played.year.roles["CA"], played.year.combination
    left = tables_of(agency, combination, mock=True).values()
    assert [DeltaTable(str(place)).to_pyarrow_table().num_rows for place in left] == [0] * len(left)
    played.require_reference([MOCKED])


@pytest.mark.year
@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.timeout(3 * 3600)
def test_twelve_rounds_one_killed_one_sent_again_some_late_give_what_one_go_gives(played: Played) -> None:
    played.backfill(ROUNDS)
    assert {played.done[name] for name in (KILLED, RESENT)} == {"success"}
    late = {played.done[name] for name in (LATE_KEYS, LATE_ATTRIBUTES)}
    assert late == {"failed"}, "the late party's tasks are seen to have failed; the others go on"
    played.require_reference(ROUNDS)
