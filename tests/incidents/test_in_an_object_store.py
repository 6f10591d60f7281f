"""Quarantine of a table in an object store: object by object, the log first out and last back."""

from __future__ import annotations

from typing import Any

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from jobs.environment import Environment, load_environment
from jobs.incidents import ending, moving
from jobs.incidents.halted import halts
from jobs.incidents.quarantining import quarantine_folder
from jobs.release import open_table
from jobs.storage import Location
from tests.jobs.publishing.conftest import REVIEWERS, MakeRun
from tests.object_store import Store

from .test_quarantine import OUTPUT, Killed, put_away
from .test_restore import vote


@pytest.fixture
def environment(environment_file: Any, request: pytest.FixtureRequest) -> Environment:
    """`published` in a bucket, of the store that a test's parameter names; quarantine and evidence on this machine."""
    name = getattr(request, "param", "real_store")
    store: Store = request.getfixturevalue(name)
    bucket = store.bucket("incidents", versioned=name == "double_store")
    store.environment(environment_file, {"published": bucket / "published"})
    return load_environment(environment_file)


def objects(place: Location) -> list[str]:
    return sorted(name for name, _ in moving._files(place))


def test_it_leaves_and_comes_back_also_where_it_was_stopped(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_run().approve()
    case.publish()
    zone = case.environment.zone("published")
    place = zone / OUTPUT
    before, rows = objects(zone), open_table(place)
    assert rows is not None
    assert f"{OUTPUT}.release.json" in before
    copied: list[str] = []
    real = moving.sha256_of

    def stopped(file: Location) -> str:
        copied.append(str(file))
        if len(copied) == 4:
            raise Killed
        return real(file)

    monkeypatch.setattr(moving, "sha256_of", stopped)
    with pytest.raises(Killed):
        put_away(case)
    assert OUTPUT in halts(case.environment)
    assert copied[0].endswith("release.json")
    assert "_delta_log" in copied[1]
    with pytest.raises(DeltaError):  # the rows that lie there still are no table without its log
        DeltaTable(str(place), storage_options=dict(place.options.deltalake))
    monkeypatch.setattr(moving, "sha256_of", real)
    done = put_away(case)
    assert objects(zone) == []
    folder = quarantine_folder(case.environment, done.halt.incident)
    assert DeltaTable(str(folder / "table")).to_pyarrow_table().num_rows == 5
    for name in REVIEWERS:
        vote(case, name)
    copied.clear()
    monkeypatch.setattr(moving, "sha256_of", lambda file: copied.append(str(file)) or real(file))
    ending.restore(case.environment, OUTPUT, clock=lambda: case.now)
    assert objects(zone) == before
    written = ["/_delta_log/" in one for one in copied if one.startswith(f"{place}/")]
    assert written == sorted(written), "rows first, then the log"
    assert set(written) == {True, False}
    assert open_table(place) is not None


@pytest.mark.parametrize("environment", ["double_store"], indirect=True)
def test_no_older_version_is_left_to_read_in_a_bucket_that_keeps_them(make_run: MakeRun, double_store: Store) -> None:
    case = make_run().approve()
    case.publish()
    place = case.environment.zone("published") / OUTPUT
    put_away(case)
    bucket, _, folder = place.uri.removeprefix("s3://").partition("/")
    told = double_store.client.list_object_versions(Bucket=bucket, Prefix=folder)
    assert [one["Key"] for one in told.get("Versions", ()) if not one["Key"].endswith("/")] == []
