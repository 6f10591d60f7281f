"""The environment file: zones and who is handed them, problems all at once, the default."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobs.environment import ZONES, Environment, load_environment
from jobs.errors import BadInput, ZoneNotHanded


def changed(file: Path, old: str, new: str) -> Path:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def test_default_lies_under_warehouse_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GAMYEONG_ENVIRONMENT", raising=False)
    environment = load_environment()
    for zone in ZONES:
        assert os.fspath(environment.zone(zone)) == str(tmp_path / "warehouse" / zone)
    assert environment.floor("third-party").k == 3
    assert not (tmp_path / "warehouse").exists()  # reading it makes nothing


def test_named_by_variable_and_the_argument_stands_above_it(
    environment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMYEONG_ENVIRONMENT", str(environment_file))
    assert load_environment().file == environment_file
    other = tmp_path / "other.yaml"
    other.write_text(environment_file.read_text(encoding="utf-8").replace("demonstration", "other"), "utf-8")
    assert load_environment(other).organisation == "other"


def test_a_job_reaches_only_the_zones_it_declared(environment: Environment) -> None:
    reviewing = environment.only(reads=["staging"], writes=["evidence"])
    assert str(reviewing.zone("staging")) == str(environment.zone("staging"))
    with pytest.raises(ZoneNotHanded, match="zone source was not handed"):
        reviewing.zone("source")
    with pytest.raises(ZoneNotHanded, match="zone keys"):
        _ = reviewing.keys
    with pytest.raises(ZoneNotHanded):  # what was given away can't be taken back
        reviewing.only(reads=["source"])
    assert ZoneNotHanded("").exit_code == 3


def test_all_problems_at_once_with_lines_and_suggestions(environment_file: Path) -> None:
    changed(environment_file, "organisation:", "organization:")
    changed(environment_file, "provider: file", "provider: memory")
    with pytest.raises(BadInput) as caught:
        load_environment(environment_file)
    message = caught.value.message
    assert "unknown key" in message
    assert "did you mean organisation?" in message
    assert "keys.provider" in message
    lines = environment_file.read_text(encoding="utf-8").splitlines()
    line = next(at for at, text in enumerate(lines, 1) if text.startswith("organization"))
    assert f"line {line}, organization" in message


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("warehouse/source", "zones: source and staging share {}/warehouse/source; allowed: a folder or URI"),
        ("warehouse/source/inside", "zones: staging lies in source ({}/warehouse/source); allowed: a folder or URI"),
        ("warehouse", "staging ({}/warehouse); keys lies in staging ({}/warehouse); allowed: a folder or URI"),
    ],
)
def test_zones_may_not_share_a_place(environment_file: Path, tmp_path: Path, place: str, told: str) -> None:
    changed(environment_file, str(tmp_path / "warehouse/staging"), str(tmp_path / place))
    with pytest.raises(BadInput) as caught:
        load_environment(environment_file)
    assert told.replace("{}", str(tmp_path)) in caught.value.message


@pytest.mark.parametrize(
    "spelled", ["/{}/warehouse/source", "{}/link", "{}/warehouse/other/../source", "/proc/self/root{}/link"]
)
def test_a_place_is_the_same_however_it_is_spelled(environment_file: Path, tmp_path: Path, spelled: str) -> None:
    (tmp_path / "warehouse/source").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "warehouse/source")
    changed(environment_file, str(tmp_path / "warehouse/staging"), spelled.replace("{}", str(tmp_path)))
    with pytest.raises(BadInput, match=f"source and staging share {tmp_path}/warehouse/source"):
        load_environment(environment_file)


def test_nothing_lies_beside_the_root_of_all(environment_file: Path, tmp_path: Path) -> None:
    changed(environment_file, str(tmp_path / "warehouse/staging"), "/")
    with pytest.raises(BadInput, match=r"source lies in staging \(/\)"):
        load_environment(environment_file)


@pytest.mark.parametrize("other", ["s3a://bucket/a", "s3://bucket//a", "S3://bucket/a/", "s3://bucket/a"])
def test_a_place_in_a_store_is_one_however_it_is_spelled(environment_file: Path, tmp_path: Path, other: str) -> None:
    changed(environment_file, str(tmp_path / "warehouse/staging"), other)
    changed(environment_file, str(tmp_path / "warehouse/published"), "s3://bucket/a")
    with pytest.raises(BadInput, match="staging and published share s3://bucket/a"):
        load_environment(environment_file)


def test_a_store_that_nobody_knows_is_refused(environment_file: Path, tmp_path: Path) -> None:
    changed(environment_file, str(tmp_path / "warehouse/staging"), "local:///srv/staging")
    with pytest.raises(BadInput, match="staging lies at local:///srv/staging; allowed: a folder, or a URI of s3, "):
        load_environment(environment_file)


def test_keys_scratch_and_reviewers_lie_outside_of_the_data(environment_file: Path, tmp_path: Path) -> None:
    """What others read, or what Spark replaces, is no place for keys, logs, or the list of who may approve."""
    warehouse = tmp_path / "warehouse"
    for old, new in [("scratch", "staging"), ("keys/root.json", "source/root.json"), ("reviewers.json", "published/r")]:
        changed(environment_file, str(warehouse / old), str(warehouse / new))
    with pytest.raises(BadInput) as caught:
        load_environment(environment_file)
    lines = environment_file.read_text(encoding="utf-8").splitlines()
    told = [("scratch", "staging", "staging"), ("keys", "source/root.json", "source"),
            ("reviewers", "published/r", "published")]  # fmt: skip
    at = {text.split(":")[0]: number for number, text in enumerate(lines, 1)}
    assert caught.value.message.splitlines() == [
        f"{environment_file}, line {at[key]}, {key}: "
        f"{warehouse / place} lies in the zone {zone} ({warehouse / zone}); "
        "allowed: a place outside of the zones source, staging, published"
        for key, place, zone in told
    ]
    assert caught.value.exit_code == 2


def test_a_missing_zone_is_named(environment_file: Path, tmp_path: Path) -> None:
    text = environment_file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in text if not line.strip().startswith("quarantine:")]
    environment_file.write_text("\n".join(kept), encoding="utf-8")
    with pytest.raises(BadInput, match="quarantine missing"):
        load_environment(environment_file)


@pytest.mark.parametrize("text", ["a: [", "a: " + "[" * 1000, "a: 1\na: 2\n", "- a\n", ""])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "e.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"e\.yaml"):
        load_environment(file)


def test_yaml_truth_becomes_sparks_text(environment_file: Path) -> None:
    changed(environment_file, "spark.driver.memory: 4g", "spark.ui.enabled: true")
    assert load_environment(environment_file).spark["spark.ui.enabled"] == "true"


# The section of combinations


def with_part(file: Path, section: str) -> Path:
    file.write_text(file.read_text(encoding="utf-8") + section, encoding="utf-8")
    return file


def test_a_role_in_combinations(environment_file: Path, tmp_path: Path) -> None:
    assert load_environment(environment_file).combination is None
    with pytest.raises(BadInput, match=r"no part in combinations; needed: combination: \{name, inbox, outboxes"):
        _ = load_environment(environment_file).exchange
    exchange = tmp_path / "exchange"
    places = f"inbox: {exchange}/A, outboxes: {{KMA: {exchange}/KMA}}, partners: {tmp_path}/pinned"
    with_part(environment_file, f"combination: {{name: A, {places}}}\n")
    part = load_environment(environment_file).only(reads=["evidence"]).exchange
    assert (part.name, str(part.inbox), str(part.outbox("KMA"))) == ("A", f"{exchange}/A", f"{exchange}/KMA")
    assert part.partners == tmp_path / "pinned"
    with pytest.raises(BadInput, match=r"no outbox for CA; the environment's combination\.outboxes has: KMA"):
        part.outbox("CA")


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("inbox: {w}/source/in", "inbox {w}/source/in lies in the zone source ({w}/source), or that in it"),
        ("inbox: {w}", "inbox {w} lies in the zone source"),
        ("partners: {w}/evidence/p", "partners {w}/evidence/p lies in the zone evidence"),
        ("outboxes: {{KMA: {w}/keys}}", "outboxes.KMA {w}/keys lies in the zone keys"),
        ("outboxes: {{KMA: {x}/A}}", "inbox and outboxes.KMA share {x}/A"),
        ("outboxes: {{KMA: {x}/A/in}}", "inbox and outboxes.KMA share {x}/A"),
        ("inbox: s3://bucket/in", "inbox s3://bucket/in is not on this machine"),
        ("name: ../A", "combination.name"),
        ("outboxes: {{a/b: {x}/B}}", "combination.outboxes"),
        ("inbax: x", "did you mean inbox?"),
    ],
)
def test_places_of_combinations_are_apart(environment_file: Path, tmp_path: Path, section: str, told: str) -> None:
    places = {"w": str(tmp_path / "warehouse"), "x": str(tmp_path / "exchange")}
    whole = {"name": "A", "inbox": "{x}/A", "outboxes": "{{KMA: {x}/KMA}}", "partners": "{x}/p"}
    key, _, value = section.partition(": ")
    lines = "".join(f"  {name}: {text.format(**places)}\n" for name, text in {**whole, key: value}.items())
    with pytest.raises(BadInput) as caught:
        load_environment(with_part(environment_file, f"combination:\n{lines}"))
    assert told.format(**places) in caught.value.message
