"""Sample policies and grants in infra/access say what the page's table says, and no more."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from jobs.cli import JOBS
from jobs.environment import ZONES, load_environment
from jobs.stored_versions import RIGHTS

FOLDER = Path(__file__).resolve().parents[2] / "infra/access"
PAGE = (FOLDER / "README.md").read_text("utf-8")
# Zones that may lie in an object store or a catalog.
STORED = ("source", "staging", "published", "quarantine")
READ, WRITE = ("s3:GetObject", "s3:ListBucket"), ("s3:PutObject", "s3:DeleteObject")
# Who destroys or puts away must reach the versions that a bucket may keep of it.
VERSIONS = {"gam-operator": {"published"}, "gam-incident": {"published", "quarantine"}}


def roles() -> dict[str, tuple[list[str], set[str], set[str]]]:
    """Role → its jobs, zones that it reads, zones that it writes, by the page."""
    rows = re.findall(r"^\| `(gam-\w+)` \|(.*)\|(.*)\|(.*)\|$", PAGE, re.MULTILINE)
    split = [[re.findall(r"[a-z][a-z-]+", cell) for cell in row[1:]] for row in rows]
    return {
        row[0]: (jobs, set(reads) & set(ZONES), set(writes) & set(ZONES))
        for row, (jobs, reads, writes) in zip(rows, split, strict=True)
    }


ROLES = roles()


def test_the_table_is_read() -> None:
    assert set(ROLES) == {"gam-source", "gam-operator", "gam-incident", "gam-analyst"}
    assert ROLES["gam-analyst"] == ([], {"published"}, set())


def test_each_role_has_the_zones_that_its_jobs_need() -> None:
    table = (FOLDER.parents[1] / "jobs/README.md").read_text("utf-8").split("## Environments")[0]
    rows = re.findall(r"^\| (`.*?) \| .*? \|(.*)\|(.*)\|$", table, re.MULTILINE)
    needs = {
        name: [set(re.split(r"[^a-z-]+", cell)) & set(ZONES) for cell in (reads, writes)]
        for names, reads, writes in rows
        for name in re.findall(r"`([a-z-]+)`", names)
    }
    for role, (names, reads, writes) in ROLES.items():
        for name in names:
            assert name in JOBS, name
            needed, written = needs[name]
            assert written <= writes, (role, name)
            assert needed <= reads | writes, (role, name)


def allowed(policy: dict[str, list[dict[str, object]]], action: str, resource: str) -> bool:
    """Is it allowed, and not denied? As IAM evaluates one policy; conditions narrow and are not looked at."""

    def met(statement: dict[str, object]) -> bool:
        actions, but = statement["Action"], "NotResource" in statement
        resources = statement["NotResource" if but else "Resource"]
        assert isinstance(actions, list)
        assert isinstance(resources, list)
        named = any(fnmatchcase(action, one) for one in actions)
        return named and any(fnmatchcase(resource, one) for one in resources) != but

    effects = {str(one["Effect"]) for one in policy["Statement"] if met(one)}
    return effects == {"Allow"}


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("zone", STORED)
def test_the_store_gives_a_role_its_zones_alone(role: str, zone: str) -> None:
    policy = json.loads((FOLDER / f"s3/{role}.json").read_text("utf-8"))
    _, reads, writes = ROLES[role]
    bucket = f"arn:aws:s3:::gamyeong-{zone}"
    key = f"{bucket}/2026-001/RECIPIENT/first/part-0.parquet"
    for action in (*READ, *WRITE):
        resource = bucket if action == "s3:ListBucket" else key
        assert allowed(policy, action, resource) == (zone in (writes if action in WRITE else reads | writes)), action


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("zone", STORED)
def test_older_versions_are_reached_by_who_removes_them_alone(role: str, zone: str) -> None:
    policy = json.loads((FOLDER / f"s3/{role}.json").read_text("utf-8"))
    bucket = f"arn:aws:s3:::gamyeong-{zone}"
    for action in re.findall(r"s3:\w+", RIGHTS):
        resource = f"{bucket}/key" if "Object" in action else bucket
        assert allowed(policy, action, resource) == (zone in VERSIONS.get(role, set())), action


def test_an_analyst_sees_one_recipient_alone() -> None:
    policy = json.loads((FOLDER / "s3/gam-analyst.json").read_text("utf-8"))
    other = "arn:aws:s3:::gamyeong-published/2026-001/OTHER/first/part-0.parquet"
    assert not allowed(policy, "s3:GetObject", other)
    everything = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}
    assert not allowed({"Statement": [*policy["Statement"], everything]}, "s3:GetObject", other), "by another policy"
    (listing,) = [one for one in policy["Statement"] if one["Action"] == ["s3:ListBucket"]]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["2026-001/RECIPIENT/*"]}}


@pytest.mark.parametrize("name", ["unity-catalog.sql", "hive.sql"])
def test_grants_are_those_of_the_table(name: str) -> None:
    text = re.sub(r"--.*", "", (FOLDER / name).read_text("utf-8"))
    found: dict[str, tuple[set[str], set[str]]] = {role: (set(), set()) for role in ROLES}
    for statement in filter(None, map(str.strip, text.split(";"))):
        match = re.fullmatch(r"GRANT ([A-Z, ]+) ON ([A-Z ]+) (\S+) TO (?:ROLE )?`?(\S+?)`?", statement)
        assert match is not None, statement
        (zone,) = re.findall(r"gamyeong_([a-z]+)", match[3])
        writes = any(word in match[1] for word in ("ALL", "WRITE", "MODIFY"))
        found[match[4].replace("_", "-")][writes].add(zone)
    for role, (_, reads, writes) in ROLES.items():
        assert found[role][True] == writes & set(STORED), role
        assert found[role][False] - found[role][True] == (reads - writes) & set(STORED), role


def test_the_audit_watches_every_zone_that_must_not_be_read_unseen() -> None:
    text = (FOLDER / "audit.rules").read_text("utf-8")
    rules = re.findall(r"^-w /srv/gamyeong/(\S+) -p (\w+) -k gamyeong-(\S+)$", text, re.MULTILINE)
    assert {zone for zone, how, _ in rules if "r" in how} >= {"source", "published", "keys", "additional-information"}
    assert all(zone == key for zone, _, key in rules)


def test_the_section_of_the_environment_is_one_that_is_read(environment_file: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    yaml = YAML()
    raw = yaml.load(environment_file.read_text("utf-8")) | yaml.load(block)
    with environment_file.open("w", encoding="utf-8") as out:
        yaml.dump(raw, out)
    access = load_environment(environment_file).access
    assert set(access) == set(ZONES)
    assert {zone for zone, rights in access.items() if rights.bits & 0o007} == set()
    assert access["keys"].bits == 0o700
