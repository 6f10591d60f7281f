"""Zones in an object store (S3): tables are written, reviewed, published and replaced there as on a disk."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs.environment import Environment, load_environment
from jobs.errors import BadInput, Operational, Refused
from jobs.object_stores import require_safe_commits
from jobs.release import commit_of
from jobs.runs import release_manifest
from jobs.storage import Location, StorageOptions
from jobs.tables import pinned, write_source
from tests.object_store import Store
from transforms.pipeline.feed import Damaged, pack_units

from .conftest import MakeRun


@pytest.fixture
def store(real_store: Store) -> Store:
    return real_store


@pytest.fixture
def environment(environment_file: Path, store: Store) -> Environment:
    """source, staging and published in a bucket of their own; evidence, keys and facts on this machine."""
    bucket = store.bucket("zones")
    store.environment(environment_file, {name: bucket / name for name in ("source", "staging", "published")})
    return load_environment(environment_file)


def read(place: Location) -> list[dict[str, object]]:
    table = DeltaTable(str(place), storage_options=dict(place.options.deltalake))
    return sorted(table.to_pyarrow_table().to_pylist(), key=lambda row: (row.get("period") or "", row["serial"]))


def test_a_table_is_written_and_read_file_by_file(environment: Environment) -> None:
    place = environment.zone("source") / "crm/고객 목록 100%"  # names that a URI would have to escape
    rows = pa.table({"id": [1, 2, 3], "name": ["가", "나", None]})
    write_source(rows, place)
    snapshot = pinned(place)
    units = pack_units([file.source for file in snapshot.files], snapshot.schema, 2)
    batches = [batch for unit in units for batch in unit.batches(["id", "name"])]
    assert pa.Table.from_batches(batches).to_pylist() == rows.to_pylist()


def test_a_file_that_is_gone_is_told_by_its_name_alone(environment: Environment, store: Store) -> None:
    place = environment.zone("source") / "crm/customers"
    write_source(pa.table({"id": [1]}), place)
    (file,) = pinned(place).files
    Location(file.uri, place.options).delete()
    with pytest.raises(Damaged, match=f"file {file.source.name} can't be read") as told:
        pack_units([file.source], pinned(place).schema, 1)
    assert str(store.port) not in str(told.value)


def test_a_release_is_published_and_staging_is_removed(make_run: MakeRun, store: Store) -> None:
    case = make_run(ages=(20, 30, 40)).approve()
    release = case.publish()
    place = case.folder.published(case.record, "retail")
    assert [row["age"] for row in read(place)] == [20, 30, 40]
    assert release.tables[0].place == place.uri
    assert release_manifest(case.environment, case.record).read_json()["releases"][""]["run"] == case.folder.run
    assert store.objects(case.environment.zone("staging")) == []
    assert case.publish().already


def test_a_replaced_period_leaves_no_file_behind(make_run: MakeRun, store: Store) -> None:
    case = make_run(ages=(20,), period="2026-01").approve()
    case.publish()
    make_run(ages=(30, 30), version=2, period="2026-02").approve().publish()
    again = make_run(ages=(40, 50, 60), version=3, period="2026-01").approve()
    again.publish()
    place = case.folder.published(case.record, "retail")
    assert [(row["period"], row["age"]) for row in read(place)] == [
        ("2026-01", 40), ("2026-01", 50), ("2026-01", 60), ("2026-02", 30), ("2026-02", 30)
    ]  # fmt: skip
    data = [name for name in store.objects(place) if "/_delta_log/" not in name]
    assert all(name.endswith(".parquet") for name in data)
    assert not [name for name in data if case.folder.run in name]
    assert [name for name in data if again.folder.run in name]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["copy retail", "commit retail", "tidy", "release manifest", "staging"])
def test_a_killed_publish_shows_nothing_or_all_and_is_completed(make_run: MakeRun, store: Store, step: str) -> None:
    case = make_run(ages=(20, 30, 40)).approve()

    def hook(name: str) -> None:
        if name == step:
            raise Killed

    with pytest.raises(Killed):
        case.publish(hook)
    place = case.folder.published(case.record, "retail")
    committed = step not in ("copy retail", "commit retail")
    assert (commit_of(place, "retail", case.folder.run) is not None) == committed
    case.publish()
    assert [row["age"] for row in read(place)] == [20, 30, 40]
    assert store.objects(case.environment.zone("staging")) == []


def test_what_was_altered_in_the_store_is_not_published(make_run: MakeRun, store: Store) -> None:
    case = make_run(ages=(20, 30, 40)).approve()
    victim = next(one for one in store.objects(case.folder.staging) if one.endswith(".parquet"))
    bucket = case.environment.zone("staging").uri.removeprefix("s3://").split("/")[0]
    body = store.client.get_object(Bucket=bucket, Key=victim)["Body"].read()
    store.client.put_object(Bucket=bucket, Key=victim, Body=body[:-1] + bytes([body[-1] ^ 1]))
    with pytest.raises(Refused, match="altered after the review"):
        case.publish()
    assert store.objects(case.environment.zone("published")) == []


def test_a_store_with_conditional_puts_is_taken_and_left_as_it_was(store: Store) -> None:
    bucket = store.bucket("zones")
    require_safe_commits(bucket / "published")
    assert store.objects(bucket) == []


def test_a_store_that_lets_the_last_writer_win_is_refused(double_store: Store) -> None:
    bucket = double_store.bucket("careless-zones")
    with pytest.raises(Refused, match="must not be there: of two commits of one version one would be lost"):
        require_safe_commits(bucket / "published")
    assert double_store.objects(bucket) == []


def test_the_switch_that_lets_the_last_writer_win_is_refused(store: Store) -> None:
    unsafe = StorageOptions(deltalake={**store.options.deltalake, "AWS_S3_ALLOW_UNSAFE_RENAME": "true"})
    with pytest.raises(Refused, match="AWS_S3_ALLOW_UNSAFE_RENAME, of two commits"):
        require_safe_commits(Location.of("s3://bucket/published", unsafe))


def test_a_bucket_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(Operational, match="can't be written to"):
        require_safe_commits(Location.of("s3://nobody-made-this", store.options))


@pytest.mark.parametrize("zone", ["evidence", "keys", "additional-information"])
def test_zones_with_locks_and_private_files_stay_on_the_machine(
    environment_file: Path, store: Store, zone: str
) -> None:
    store.environment(environment_file, {zone: Location.of("s3://bucket/zone")})
    with pytest.raises(BadInput, match=f"{zone} lies at s3://bucket/zone; allowed: a folder of this machine"):
        load_environment(environment_file)
