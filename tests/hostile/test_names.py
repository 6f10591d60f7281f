"""Names that become paths: no table, file, run or period leads out of its zone, and nothing outside is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobs.errors import BadInput, Refused
from jobs.names import RELEASE, folder_name
from jobs.storage import Location
from tests.hostile.mutants import CODE, PATHS, TEXTS
from tests.hostile.places import PLAN, workplace
from tests.hostile.trying import CANARY
from transforms.errors import PlanError
from transforms.plan_loader import load
from transforms.plan_places import beside, read_text
from transforms.yaml_limits import LARGEST

HOSTILE = (*PATHS, *CODE, *TEXTS)
OUT = ("../../outside/secret.csv", "{outside}/secret.csv", "link.csv", "linked/secret.csv", "pipe.csv", "../..", "")


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    return workplace(tmp_path) / "conf" / "plans"


def complaint(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(PlanError) as caught:
        load(file)
    return str(caught.value)


def with_column(step: str) -> str:
    """The plan with one more column that this step works on."""
    rule = f"  more: {{kind: attribute, apply: {{{step}}}}}\n"
    return PLAN.read_text("utf-8").replace("\ncolumns:\n", f"\ncolumns:\n{rule}")


@pytest.mark.parametrize("name", OUT)
def test_a_hierarchy_lies_beside_its_plan(plans: Path, name: str) -> None:
    name = name.replace("{outside}", str(plans.parents[2] / "outside"))
    step = f"categorization: {{hierarchy: '{name}', level: level}}"
    told = complaint(plans / "one.yaml", with_column(step))
    assert "no hierarchy file" in told
    assert CANARY not in told


@pytest.mark.parametrize("name", [*OUT[:2], "../../../outside/plan.yaml", "linked/plan.yaml", "/dev/zero"])
def test_a_base_lies_in_the_folders_of_plans(plans: Path, name: str) -> None:
    name = name.replace("{outside}", str(plans.parents[2] / "outside"))
    told = complaint(plans / "one.yaml", f"extends: {name}\n{PLAN.read_text('utf-8')}")
    assert "line 1, extends: no file" in told
    assert CANARY not in told


def test_a_base_beside_or_in_a_sister_folder_is_found(plans: Path) -> None:
    (plans.parent / "more").mkdir()
    for place, name in ((plans, PLAN.name), (plans.parent / "more", f"../plans/{PLAN.name}")):
        (place / "own.yaml").write_text(f"extends: {name}\nplan: other\n")
        assert load(place / "own.yaml").plan.plan == "other"


@pytest.mark.parametrize("name", OUT)
def test_a_key_lies_beside_its_plan(plans: Path, name: str) -> None:
    """Its text goes into the plan, the plan into evidence and documents: no other file may come there."""
    name = name.replace("{outside}", str(plans.parents[2] / "outside"))
    step = f"two-way-encryption: {{algorithm: rsa-oaep, public_key: {{file: '{name}'}}}}"
    told = complaint(plans / "one.yaml", with_column(step))
    assert "public_key" in told
    assert CANARY not in told


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    """As Kubernetes mounts its configuration."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "jobs.csv").write_text("a,b\n")
    (tmp_path / "jobs.csv").symlink_to("..data/jobs.csv")
    assert beside(tmp_path, "jobs.csv") == tmp_path / "jobs.csv"
    (tmp_path / "round.csv").symlink_to("round.csv")
    for name in ("round.csv", "x" * 5000, "a\0b", 7, None, tmp_path / "jobs.csv"):
        assert beside(tmp_path, name) is None


def test_a_file_without_an_end_is_not_read_to_its_end() -> None:
    with pytest.raises(PlanError, match=f"more than {LARGEST >> 10} KiB"):
        read_text(Path("/dev/zero"), "plan")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out_of_a_zone(tmp_path: Path, name: str) -> None:
    zone = Location.of(tmp_path / "zone")
    for make in (lambda: zone / name, lambda: zone / folder_name(name)):
        try:
            place: Location = make()
        except (BadInput, Refused):
            continue
        found = os.path.normpath(place.uri)
        assert found.startswith(f"{zone.uri}/"), name


@pytest.mark.parametrize("name", HOSTILE)
def test_a_folder_of_any_name_can_be_made(tmp_path: Path, name: str) -> None:
    try:
        made = folder_name(name)
    except Refused:
        return
    (tmp_path / made).mkdir()  # not too long, nothing in it that a file system refuses
    assert os.listdir(tmp_path) == [made]
    assert "%" not in made
    assert not made.startswith((".", "_", "-"))


def test_folders_of_different_names_differ() -> None:
    made: dict[str, str] = {}
    for name in {*HOSTILE, "b" * 201, "b" * 202, "B" * 202}:
        try:
            place = folder_name(name)
        except Refused:
            continue
        assert made.setdefault(place, name) == name


def test_a_table_can_not_take_the_place_of_a_releases_manifest() -> None:
    assert folder_name("retail") + RELEASE != folder_name(f"retail{RELEASE}")


@pytest.mark.parametrize("name", ["%2e%2e/keys", "a/%2E%2e", "a%2f..%2fb", "x?y", "x#y", "..%5Cx"])
def test_no_encoded_name_leads_out_of_a_store(name: str) -> None:
    """Libraries read places in stores as URLs, in which %2e%2e means `..`."""
    with pytest.raises(BadInput, match="no name inside"):
        Location("s3://bucket/source") / name
    assert str(Location("s3://bucket/source") / "crm/stops") == "s3://bucket/source/crm/stops"
