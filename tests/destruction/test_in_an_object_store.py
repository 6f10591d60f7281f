"""`gamyeong destroy` in an object store; one that keeps versions loses what was removed or overwritten, too.

The real store has a disk that can be searched. With versions it is moto's double: the real one's can't take what
deltalake's vacuum asks for (it trips over folders).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from jobs.destruction import carrying
from jobs.environment import Environment, load_environment
from jobs.errors import Operational
from jobs.object_stores import s3_client
from jobs.release import open_table
from jobs.storage import Location
from jobs.stored_versions import remove_older
from tests.conftest import Keep
from tests.jobs.publishing.conftest import MakeRun
from tests.object_store import Store

from .test_destroy import PLANTED, ask, carry, holding, published, sign, target


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Store:
    """The double, or what a test's parameter names."""
    found: Store = request.getfixturevalue(getattr(request, "param", "double_store"))
    return found


@pytest.fixture
def bucket(store: Store) -> Location:
    return store.bucket("destroyed", versioned=store.name == "moto")


@pytest.fixture
def environment(environment_file: Path, store: Store, bucket: Location) -> Environment:
    """`staging` and `published` in a bucket that keeps versions; evidence on this machine."""
    store.environment(environment_file, {name: bucket / name for name in ("staging", "published")})
    return load_environment(environment_file)


def versions(store: Store, place: Location) -> list[str]:
    """All versions and marks that the store keeps below a place, as it tells itself; folders' marks are left out."""
    bucket, _, folder = place.uri.removeprefix("s3://").partition("/")
    told = store.client.list_object_versions(Bucket=bucket, Prefix=folder)
    found = [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in told.get(kind, ())]
    return sorted(name for name in found if not name.endswith("/"))


def published_on_disk(store: Store, place: Location, what: int) -> list[str]:
    """Files of a real store below a place that hold a number."""
    assert store.disk is not None
    return holding(store.disk / place.uri.removeprefix("s3://"), what)


@pytest.mark.parametrize("store", ["real_store"], indirect=True)
@pytest.mark.parametrize("period", [None, "2026-10"])
def test_no_byte_is_left_on_the_disk_of_a_real_store(
    make_run: MakeRun, store: Store, bucket: Location, period: str | None, figures: Keep
) -> None:
    figures("object store", {"server": store.name})
    if store.disk is None:
        pytest.skip("no real store here: `go` could not build one")
    case = published(make_run, ages=[PLANTED, 20, 30], period=period)
    other = published(make_run, ages=[40, 50], period="2026-11", version=2) if period else None
    assert published_on_disk(store, bucket / "published", PLANTED)
    what = target(case, period)
    ask(case, what)
    sign(case, what)
    (proof,) = carry(case, what).proofs
    assert (proof.rows, proof.left, proof.stored_versions) == (3, (), 0)
    assert published_on_disk(store, bucket / "published", PLANTED) == []
    place = case.folder.published(case.record, "retail")
    if other is None:
        assert store.objects(place) == []
    else:
        table = DeltaTable(str(place), storage_options=dict(place.options.deltalake))
        assert sorted(table.to_pyarrow_table().column("age").to_pylist()) == [40, 50]


def test_a_table_goes_with_all_its_versions(make_run: MakeRun, store: Store) -> None:
    case = published(make_run, ages=[PLANTED, 20, 30])
    place = case.folder.published(case.record, "retail")
    store.client.put_object(Bucket=place.uri.split("/")[2], Key=f"{place.uri.split('/', 3)[3]}/note", Body=str(PLANTED))
    (place / "note").delete()  # hidden, and kept by the store
    assert any(name.endswith("/note") for name in versions(store, place))
    what = target(case)
    ask(case, what)
    sign(case, what)
    (proof,) = carry(case, what).proofs
    assert proof.stored_versions > 3
    assert versions(store, place) == []


def test_a_period_goes_and_the_other_stays(make_run: MakeRun, store: Store, bucket: Location) -> None:
    old = published(make_run, ages=[PLANTED, 20], period="2026-10")
    new = published(make_run, ages=[40, 50], period="2026-11", version=2)
    place = new.folder.published(new.record, "retail")
    what = target(old, "2026-10")
    ask(old, what)
    sign(old, what)
    (proof,) = carry(old, what).proofs
    assert proof.stored_versions > 0
    table = DeltaTable(str(place), storage_options=dict(place.options.deltalake))
    assert sorted(table.to_pyarrow_table().column("age").to_pylist()) == [40, 50]
    listed = versions(store, place)
    assert not [name for name in listed if old.folder.run in name]
    assert [name for name in listed if new.folder.run in name]
    assert len(listed) == len(set(listed)), "an older version of a log file tells what was in the rows"


def test_stopped_before_the_versions_went_the_next_start_completes_it(
    make_run: MakeRun, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = published(make_run)
    place = case.folder.published(case.record, "retail")
    what = target(case)
    ask(case, what)
    sign(case, what)

    def stopped(*_: Any) -> None:
        raise Operational("stopped")

    with monkeypatch.context() as patched:
        patched.setattr("jobs.destroying.remove_older", stopped)
        with pytest.raises(Operational):
            carry(case, what)
    assert open_table(place) is None
    assert versions(store, place)
    carrying.carry_out(case.environment, what, "한운영", lambda: case.now)
    assert versions(store, place) == []


def test_a_store_that_keeps_its_versions_is_told(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    case = published(make_run)
    what = target(case)
    ask(case, what)
    sign(case, what)

    class Kept:
        """A bucket under retention."""

        def __init__(self, real: Any) -> None:
            self.real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def delete_objects(self, **words: Any) -> dict[str, Any]:
            return {"Errors": [{"Code": "AccessDenied"} for _ in words["Delete"]["Objects"]]}

    monkeypatch.setattr("jobs.stored_versions.s3_client", lambda place: Kept(s3_client(place)))
    with pytest.raises(Operational, match=r"older versions stay \(AccessDenied\); needed: s3:GetBucketVersioning"):
        carry(case, what)


def test_a_bucket_without_versions_has_none(store: Store) -> None:
    plain = store.bucket("destroyed")
    store.client.put_object(Bucket=plain.uri.removeprefix("s3://"), Key="zone/file", Body=b"x")
    assert remove_older(plain / "zone", lambda _: True) == 0
    assert store.objects(plain) == ["zone/file"]


def test_what_stands_stays_and_only_chosen_names_go(store: Store, bucket: Location) -> None:
    name = bucket.uri.removeprefix("s3://")
    for key in ("zone/a", "zone/a", "zone/b", "zone/b", "zoned/a", "zoned/a"):
        store.client.put_object(Bucket=name, Key=key, Body=b"x")
    assert remove_older(bucket / "zone", lambda one: one == "a") == 1
    assert versions(store, bucket) == ["zone/a", "zone/b", "zone/b", "zoned/a", "zoned/a"]


def test_a_folder_of_this_machine_has_no_store_to_ask(tmp_path: Path) -> None:
    assert remove_older(Location.of(str(tmp_path)), lambda _: True) is None
