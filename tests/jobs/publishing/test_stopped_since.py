"""Who asked to stop (§37) between pseudonymize and publish: the run that still has them is not published."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from jobs.environment import Environment
from jobs.errors import Refused
from jobs.ledger import evidence_ledger
from jobs.runs import SourceVersion
from tests.jobs.publishing.conftest import Case, MakeRun

# Ids that no text of ours holds by chance.
KEPT, LATER = ["앞선요청-71", "앞선요청-72"], ["나중요청-73", "나중요청-74"]
SOURCE = {
    "table": "retail/customers",
    "row_key": ["id"],
    "subject": "id",
    "stop_requests": {"table": "retail/stops", "key": "who", "scope": "scope", "max_age": "3d"},
}


def ask(place: Path, ids: list[str], scope: str | None = None) -> None:
    rows = pa.table({"who": pa.array(ids, pa.string()), "scope": pa.array([scope] * len(ids), pa.string())})
    write_deltalake(str(place), rows, mode="append")


@pytest.fixture
def stops(environment: Environment) -> Path:
    place: Path = environment.zone("source").local / "retail/stops"
    ask(place, KEPT)
    return place


@pytest.fixture
def case(make_run: MakeRun, stops: Path) -> Case:
    """An approved run that left out the two who had asked."""
    made = make_run(source=SOURCE, subjects={})
    table = DeltaTable(str(stops))
    version = SourceVersion("retail/stops", str(table.metadata().id), table.version(), 2)
    made.folder.save_record(replace(made.record, stops={"": version}))
    made.enter()
    made.now = datetime.now(UTC)
    return made.approve()


def told(case: Case, match: str) -> str:
    """Refused; nothing published, nothing taken away; the ledger says why, and no text holds an id."""
    with pytest.raises(Refused, match=match) as caught:
        case.publish()
    assert (caught.value.exit_code, case.published()) == (3, [])
    assert case.folder.staging.exists()
    assert case.environment.zone("keys").local.joinpath("runs", f"{case.folder.run}.json").exists()
    last = evidence_ledger(case.environment, write=False).entries()[-1]
    assert (last.type, last.content()["reason"]) == ("publish-refused", caught.value.message)
    assert not any(one in caught.value.message for one in [*KEPT, *LATER])
    return caught.value.message


def test_who_asked_before_the_run_holds_nothing_up(case: Case) -> None:
    assert len(case.publish().tables) == 1
    assert len(case.published()) == 5


def test_who_asked_since_is_counted_and_the_run_is_refused(case: Case, stops: Path) -> None:
    ask(stops, LATER)
    said = told(case, "2 in retail/stops")
    assert "gamyeong run" in said
    assert "§37" in said


def test_the_same_people_again_and_other_purposes_hold_nothing_up(case: Case, stops: Path) -> None:
    ask(stops, [KEPT[0]])
    ask(stops, LATER, scope="another-plan")
    assert len(case.publish().tables) == 1


@pytest.mark.parametrize(
    "scope",
    ["all", "retail-third-party", "scientific-research", "2024-017", "ALL ", "", " ＡＬＬ", "Retail-Third-Party"],
)
def test_a_scope_that_names_the_plan_counts(case: Case, stops: Path, scope: str) -> None:
    ask(stops, LATER[:1], scope=scope)
    told(case, "1 in retail/stops")


def test_who_took_the_request_back_does_not_make_room_for_another(case: Case, stops: Path) -> None:
    """Numbers alone would not tell: one leaves the list, one joins it."""
    DeltaTable(str(stops)).delete(f"who = '{KEPT[0]}'")
    ask(stops, LATER[:1])
    told(case, "1 in retail/stops")


def test_a_list_that_nobody_brought_up_to_date_is_refused_until_somebody_does(case: Case, stops: Path) -> None:
    case.now += timedelta(days=4)
    assert "3d" in told(case, "last brought up to date 96 hours ago")
    case.now -= timedelta(days=4)
    ask(stops, [])  # a commit that says: none came
    assert len(case.publish().tables) == 1


@pytest.mark.parametrize("how", ["vacuumed", "another table"])
def test_an_earlier_list_that_is_gone_tells_nobody_apart(case: Case, stops: Path, how: str) -> None:
    if how == "vacuumed":
        write_deltalake(str(stops), pa.table({"who": KEPT, "scope": [None, "all"]}), mode="overwrite")
        DeltaTable(str(stops)).vacuum(0, dry_run=False, enforce_retention_duration=False)
    else:
        rows = pa.table({"who": KEPT, "scope": pa.array([None, None], pa.string())})
        for path in stops.rglob("*"):
            if path.is_file():
                path.unlink()
        write_deltalake(str(stops), rows, commit_properties=CommitProperties(custom_metadata={"made": "anew"}))
    told(case, "can't be read any more")


def test_what_is_published_already_stays_and_is_completed(case: Case, stops: Path) -> None:
    """A publish that was killed after its commit goes on to its end: half a publication helps nobody."""

    def killed(step: str) -> None:
        if step == "release manifest":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.publish(killed)
    ask(stops, LATER)
    assert case.publish().already
    assert len(case.published()) == 5
