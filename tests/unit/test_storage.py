"""Locations, and small files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jobs import storage
from jobs.errors import BadInput
from jobs.storage import Location, StorageOptions, conf_path, private_folder, write_atomically


def test_a_local_location_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here = Location.of("zone") / "retail/customers"
    assert str(here) == str(tmp_path / "zone/retail/customers")
    assert Path(here) == tmp_path / "zone/retail/customers"
    assert Location.of(f"file://{tmp_path}/a%20b") == Location.of(tmp_path / "a b")


def test_a_remote_location_is_a_uri_and_no_path() -> None:
    options = StorageOptions(arrow={"region": "ap-northeast-2"})
    place = Location.of("s3a://bucket/zone/", options) / "retail"
    assert str(place) == "s3a://bucket/zone/retail"
    with pytest.raises(BadInput, match="not on this machine"):
        os.fspath(place)
    filesystem, path = place.filesystem()
    assert (filesystem.type_name, filesystem.region, path) == ("s3", "ap-northeast-2", "bucket/zone/retail")


@pytest.mark.parametrize("name", ["../other", "a/../../b", "/etc", "", "."])
def test_a_name_never_leads_out_of_its_location(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="no name inside"):
        Location.of(tmp_path) / name


def test_folders_and_files_are_their_owners_alone(tmp_path: Path) -> None:
    private_folder(tmp_path / "a" / "b")
    write_atomically(tmp_path / "a" / "b" / "c.json", b"{}")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/c.json")]
    assert modes == [0o700, 0o700, 0o600]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Location.of(tmp_path / "state.json")
    place.write_json({"가": 1})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        place.write_json({"가": 2})
    assert place.read_json() == {"가": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_configuration_is_found_and_what_is_not_there_is_told() -> None:
    assert conf_path("environments/local.yaml").is_file()
    with pytest.raises(BadInput, match=r"no file plans/nothing\.yaml"):
        conf_path("plans/nothing.yaml")


def test_configuration_of_an_installed_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # as in site-packages: no pyproject.toml beside, conf/ packaged as jobs/_conf
    packaged = tmp_path / "jobs" / "_conf" / "plans" / "p.yaml"
    packaged.parent.mkdir(parents=True)
    packaged.write_text("plan: p", encoding="utf-8")
    monkeypatch.setattr(storage, "__file__", str(tmp_path / "jobs" / "storage.py"))
    monkeypatch.setattr(storage.importlib.resources, "files", lambda _: tmp_path / "jobs")
    assert conf_path("plans/p.yaml") == packaged
