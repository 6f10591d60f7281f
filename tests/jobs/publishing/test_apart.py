"""Output and additional information share no place (L5069): not by a link, not by a file, not by open doors."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from jobs import apart
from jobs.apart import require_apart
from jobs.errors import Refused
from jobs.ledger import evidence_ledger
from jobs.publishing import publish

from .conftest import Case, MakeRun


def places(case: Case) -> tuple[Path, Path]:
    environment = case.environment
    return environment.zone("additional-information").local, environment.zone("published").local


def refused(case: Case) -> str:
    with pytest.raises(Refused) as caught:
        require_apart(case.folder, case.record)
    assert caught.value.exit_code == 3
    return caught.value.message


def test_apart_they_are_published(make_run: MakeRun) -> None:
    case = make_run()
    require_apart(case.folder, case.record)


def test_an_output_that_a_link_leads_into_the_zone(make_run: MakeRun) -> None:
    """The environment compares names of places; a link makes two names of one."""
    case = make_run()
    additional, published = places(case)
    inside = additional / "published"
    inside.mkdir(parents=True)
    published.symlink_to(inside)
    case.folder.output(case.record).local.mkdir(parents=True)
    assert "lies in the zone additional-information" in refused(case)


def test_a_zone_that_a_link_leads_into_an_output(make_run: MakeRun) -> None:
    case = make_run()
    additional, _ = places(case)
    output = case.folder.output(case.record).local
    shutil.move(additional, output / "hidden")
    additional.symlink_to(output / "hidden")
    assert f"lies in {output}" in refused(case)


def test_a_folder_of_the_zone_that_is_mounted_as_the_output(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the disk knows: no path tells that a folder of one is bound into the other (`mount --bind`)."""
    case = make_run()
    additional, _ = places(case)
    output = case.folder.output(case.record).local
    output.mkdir(parents=True)
    inside = next(path for path in additional.rglob("*") if path.is_dir())
    disk = apart._identity
    monkeypatch.setattr(apart, "_identity", lambda path: disk(inside if path == output else path))
    assert "lies in the zone additional-information" in refused(case)


def test_a_file_of_both(make_run: MakeRun) -> None:
    case = make_run()
    output = case.folder.output(case.record).local
    output.mkdir(parents=True)
    os.link(next(path for path in case.folder.additional.local.rglob("*") if path.is_file()), output / "part-x.parquet")
    assert "part-x.parquet is a file of " in refused(case)


@pytest.mark.parametrize("zone", ["additional-information", "keys"])
def test_a_zone_that_everybody_may_enter(make_run: MakeRun, zone: str) -> None:
    case = make_run()
    case.environment.zone(zone).local.chmod(0o755)  # type: ignore[arg-type]
    assert f"everybody on this machine may enter the zone {zone}" in refused(case)


def test_publish_refuses_and_enters_it(make_run: MakeRun) -> None:
    case = make_run()
    case.environment.zone("keys").local.chmod(0o701)
    with pytest.raises(Refused, match="share a place"):
        publish(case.folder)
    entry = evidence_ledger(case.environment, write=False).find("publish-refused", run=case.folder.run)
    assert entry is not None
    assert "share a place" in entry.content()["reason"]
    assert not case.folder.output(case.record).exists()
