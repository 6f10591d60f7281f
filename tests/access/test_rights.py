"""Zones with their own owner and mode on one machine: made by a script, enforced by the system, checked by jobs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from jobs.access import require_rights
from jobs.environment import ZONES, load_environment
from jobs.errors import BadInput, Refused
from jobs.job import Context, Outcome, run_job
from jobs.ledger_job import main as ledger_job

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "infra/access/zones"
# Numbers of accounts that need no entry on the machine.
SOURCE, OPERATOR, ANALYST, ANALYSTS = 70001, 70002, 70003, 70010
RIGHTS = {
    "source": {"owner": str(SOURCE), "group": str(OPERATOR), "mode": "0750"},
    **{zone: {"owner": str(OPERATOR), "mode": "0700"}
       for zone in ("staging", "additional-information", "evidence", "quarantine", "keys")},
    "published": {"owner": str(OPERATOR), "group": str(ANALYSTS), "mode": "0750"},
}  # fmt: skip
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may give folders to other accounts")


@pytest.fixture
def file(environment_file: Path) -> Path:
    """An environment that asks for rights."""
    return asking(environment_file, RIGHTS)


def asking(environment_file: Path, access: object) -> Path:
    yaml = YAML()
    raw = yaml.load(environment_file.read_text("utf-8"))
    raw["access"] = access
    raw["reviewers"] = str(environment_file.parent / "signing/reviewers.json")
    with environment_file.open("w", encoding="utf-8") as out:
        yaml.dump(raw, out)
    return environment_file


def make(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, str(file), *words], capture_output=True, text=True, timeout=300)


def test_numbers_of_accounts_need_no_quotes(environment_file: Path) -> None:
    access = load_environment(asking(environment_file, {"staging": {"owner": OPERATOR, "group": 0}})).access
    assert (access["staging"].owner, access["staging"].group) == (str(OPERATOR), "0")


@as_root
def test_the_system_lets_each_account_open_its_zones_alone(file: Path, reachable: Callable[[Path], None]) -> None:
    done = make(file)
    assert done.returncode == 0, done.stderr
    environment = load_environment(file)
    places: dict[str, Path] = {zone: environment.zone(zone).local for zone in ZONES}
    reachable(file.parent)
    places["signing"] = environment.reviewers.parent
    for place in places.values():
        (place / "table").write_text("row")
        os.chown(place / "table", *(lambda at: (at.st_uid, at.st_gid))(place.stat()))

    def opened(user: int, *groups: int) -> set[str]:
        """The zones whose file an account can read, tried by a process of that account."""
        tries = 'for one; do cat "$one" >/dev/null 2>&1 && echo "$one"; done; true'
        words = ["/bin/sh", "-c", tries, "sh", *(str(place / "table") for place in places.values())]
        told = subprocess.run(
            words, user=user, group=user, extra_groups=list(groups), capture_output=True, text=True, cwd="/"
        )
        assert told.returncode == 0, told.stderr
        return {zone for zone, place in places.items() if str(place / "table") in told.stdout.splitlines()}

    assert opened(ANALYST, ANALYSTS) == {"published"}
    assert opened(SOURCE) == {"source"}
    assert opened(OPERATOR, OPERATOR) == {*ZONES, "signing"}
    assert opened(ANALYST) == set()


@as_root
def test_the_script_again_changes_nothing_and_shows_without_doing(file: Path) -> None:
    shown = make(file, "--show")
    assert (shown.returncode, load_environment(file).zone("keys").exists()) == (0, False)
    assert make(file).stdout == shown.stdout
    before = {zone: os.stat(load_environment(file).zone(zone).local) for zone in ZONES}
    assert make(file).returncode == 0
    after = {zone: os.stat(load_environment(file).zone(zone).local) for zone in ZONES}
    assert [(one.st_uid, one.st_gid, one.st_mode) for one in before.values()] == [
        (one.st_uid, one.st_gid, one.st_mode) for one in after.values()
    ]
    require_rights(load_environment(file))


def body(context: Context) -> Outcome:
    return Outcome({"zones": len(context.environment.zones)})


def test_a_job_refuses_zones_that_are_open_to_others(
    environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    me = str(os.getuid())
    file = asking(environment_file, {zone: {"owner": me, "mode": "0700"} for zone in ("evidence", "published")})
    environment = load_environment(file)
    for zone in ("evidence", "published"):
        environment.zone(zone).local.mkdir(parents=True, mode=0o700)
    environment.reviewers.parent.mkdir(mode=0o700)

    def start() -> tuple[int, str]:
        words = ["--environment", str(file)]
        code = run_job(words, name="try", about="", body=body, reads=("evidence", "published"), writes=("staging",))
        return code, capsys.readouterr().err

    assert start()[0] == 0
    environment.zone("published").local.chmod(0o755)
    code, said = start()
    assert code == 3
    assert "zone published" in said
    assert "mode 0755, 0055 too much; allowed: 0700" in said
    environment.zone("published").local.chmod(0o500)  # fewer rights than allowed are no fault
    assert start()[0] == 0
    environment.zone("published").local.rmdir()
    assert "is not there" in start()[1]


def test_who_may_reach_the_ledgers_key_is_looked_at(environment_file: Path) -> None:
    """Who writes beside the reviewers' list pins a key of their own; who reads there signs with ours."""
    environment = load_environment(asking(environment_file, {"evidence": {"owner": str(os.getuid())}}))
    environment.zone("evidence").local.mkdir(parents=True, mode=0o700)
    environment.reviewers.parent.mkdir(mode=0o750)
    with pytest.raises(Refused, match=r"ledger's key: .*/signing has mode 0750, 0050 too much; allowed: 0700"):
        require_rights(environment)
    require_rights(environment.only(reads=["source"]))
    environment.reviewers.parent.chmod(0o700)
    require_rights(environment)
    beside = replace(environment, reviewers=environment.zone("keys").local.with_name("reviewers.json"))
    with pytest.raises(BadInput, match="lies in a folder with source, "):
        require_rights(beside)


# Becomes the account once all is loaded: it need not reach this repository.
SIGN = """
import os
import sys
from jobs.environment import load_environment
from jobs.ledger import evidence_ledger, source_ledger
os.setgroups([])
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[3]))
environment = load_environment(sys.argv[1])
(source_ledger if sys.argv[2] == "source" else evidence_ledger)(environment).append("note", {})
"""


@as_root
def test_each_account_signs_by_a_key_of_its_own(file: Path, reachable: Callable[[Path], None], tmp_path: Path) -> None:
    """Who brings data in has an environment file of its own, that names another place of reviewers."""
    make(file)
    own = tmp_path / "source.yaml"
    own.write_text(file.read_text("utf-8").replace("/signing/", "/source-signing/"), "utf-8")
    load_environment(own).reviewers.parent.mkdir(mode=0o700)
    os.chown(load_environment(own).reviewers.parent, SOURCE, -1)
    reachable(file.parent)

    def sign(user: int, environment: Path, ledger: str) -> str:
        words = [sys.executable, "-c", SIGN, str(environment), ledger, str(user)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=120)
        return done.stderr

    assert sign(OPERATOR, file, "evidence") == ""
    assert "Permission denied" in sign(SOURCE, file, "source"), "the operator's key is closed to it"
    assert sign(SOURCE, own, "source") == ""
    for environment, words in ((file, []), (own, ["--source"])):
        assert ledger_job(["verify", *words, "--environment", str(environment), "--quiet"]) == 0, words


@as_root
def test_another_owner_or_group_is_refused(file: Path) -> None:
    make(file)
    environment = load_environment(file)
    os.chown(environment.zone("keys").local, ANALYST, -1)
    os.chown(environment.zone("published").local, -1, ANALYST)
    with pytest.raises(Refused) as found:
        require_rights(environment)
    assert f"zone keys: {environment.zone('keys')} belongs to {ANALYST}; allowed: {OPERATOR}" in str(found.value)
    assert f"of the group {ANALYST}; allowed: {ANALYSTS}" in str(found.value)
    require_rights(environment.only(reads=["source"]))  # only what a job is handed is looked at


@pytest.mark.parametrize(
    "access", [{"keys": {"owner": "a b"}}, {"keys": {"owner": "a", "mode": "0888"}}, {"attic": {"owner": "a"}}]
)
def test_what_is_no_right_is_told_with_its_place(environment_file: Path, access: object) -> None:
    with pytest.raises(BadInput, match="access"):
        load_environment(asking(environment_file, access))
