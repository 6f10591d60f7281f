"""`gamyeong combination STEP`: who may take a step, on which round, and what is told otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs import cli
from jobs.combination import entries, steps
from jobs.combination.identities import PublicIdentity, own_identity, partner, signing_key
from jobs.combination.order import NEEDS
from jobs.combination.packages import draft, received
from jobs.combination.step import Call, Step, names_of
from jobs.combination.steps import STEPS, step_named
from jobs.environment import load_environment
from jobs.errors import ZoneNotHanded
from jobs.job import Outcome
from jobs.key_providers.file import FileProvider
from jobs.locks import exclusive
from transforms.combination.loader import load_combination

from .conftest import Roles
from .sample_file import written


def gamyeong(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    """The command's exit code, its line of JSON and what it told on stderr."""
    code = cli.main(["combination", *words, "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out.splitlines()[-1]), told.err


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """A step of the applicants, `keys`, that only notes that it was called."""
    calls: list[Call] = []

    def body(call: Call) -> Outcome:
        calls.append(call)
        call.round.record("keys", {"subjects": 3}, call.revision)
        return Outcome({"state": call.round.state.name})

    made = Step("keys", "for this test", "applicant", body, reads=("source",), writes=("evidence",))
    monkeypatch.setitem(steps.STEPS, "keys", "tried")  # type: ignore[arg-type]
    monkeypatch.setattr("jobs.combination_job.step_named", lambda name: made)
    monkeypatch.setattr("jobs.combination.rounds.NEEDS", {})
    return calls


# Who, on what


def test_a_step_is_handed_its_zones_alone(
    roles: Roles, tmp_path: Path, tried: list[Call], capsys: pytest.CaptureFixture[str]
) -> None:
    roles()
    file = written(tmp_path)
    words = ("keys", str(file), "--round", "2024-07", "--environment", roles.file("B"))
    assert gamyeong(capsys, *words)[:1] == (0,)
    (call,) = tried
    assert (call.me, call.round.name, call.revision, call.file) == ("B", "2024-07", 1, file)
    assert set(call.environment.zones) == {"source", "evidence"}
    with pytest.raises(ZoneNotHanded):
        call.environment.zone("keys")
    code, line, _ = gamyeong(capsys, *words)  # again: the record is the same
    assert (code, line["job"], line["state"]) == (0, "combination keys", "KEYS")


@pytest.mark.parametrize(
    ("role", "more", "code", "told"),
    [
        ("KMA", (), 3, "`keys` is a step of the applicant (A, B, C); this environment is that of KMA"),
        ("X", (), 3, "that of X, which has no part in mobility-housing-health; there are: A, B, C, KMA, CA"),
        ("A", ("--round", "2025-07"), 2, "round 2025-07 is after the series' end"),
        ("A", ("--round", "2024-06"), 2, "round 2024-06 is before the series began"),
        ("A", ("--revision", "0"), 2, "'0'; allowed: 1, 2, 3"),
    ],
)
def test_what_is_refused(
    roles: Roles, tmp_path: Path, tried: list[Call], capsys: pytest.CaptureFixture[str], role: str,
    more: tuple[str, ...], code: int, told: str,
) -> None:  # fmt: skip
    roles(["A", "KMA", "X"])
    words = ["keys", str(written(tmp_path)), "--round", "2024-07", "--environment", roles.file(role), *more]
    ended, line, err = gamyeong(capsys, *words)
    assert ended == line["exit"] == code
    assert told in err
    assert tried == []


def test_an_environment_without_a_part(
    environment_file: Path, tmp_path: Path, tried: list[Call], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["keys", str(written(tmp_path)), "--round", "2024-07", "--environment", str(environment_file)]
    code, line, _ = gamyeong(capsys, *words)
    assert code == 2
    assert "has no part in combinations; needed: combination: {name, inbox, outboxes, partners}" in line["error"]


def test_one_step_of_a_round_at_a_time(
    roles: Roles, tmp_path: Path, tried: list[Call], capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = roles(["A"])["A"].zone("evidence")
    words = ["keys", str(written(tmp_path)), "--environment", roles.file("A"), "--round"]
    with exclusive(evidence / "combinations" / "mobility-housing-health" / "2024-07" / ".lock", "test"):
        code, line, _ = gamyeong(capsys, *words, "2024-07")
        assert code == 4
        assert "another job is at work on round 2024-07" in line["error"]
        assert gamyeong(capsys, *words, "2024-08")[0] == 0


def test_unknown_steps_and_files(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, line, _ = gamyeong(capsys, "identify")
    assert code == 2
    assert "did you mean identity?" in line["error"]
    roles(["A"])
    code, line, _ = gamyeong(
        capsys, "apply", str(tmp_path / "none.yaml"), "--round", "2024-07", "--environment", roles.file("A")
    )
    assert code == 2
    assert "none.yaml" in line["error"]


def test_help_lists_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["combination", "--help"]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n  {name}" in listed for name in STEPS)
    assert cli.main(["combination"]) == 2


# The list of steps


@pytest.mark.parametrize("name", STEPS)
def test_steps_are_what_the_list_says(name: str) -> None:
    step = step_named(name)
    assert step.name == name
    assert step.about
    assert not step.round or step.file
    folder = STEPS[name].split(".")[0]
    kept = {
        "applicant": {"applicant"},
        "key_agency": {"key agency"},
        "combining_agency": {"combining agency"},
        "user": {"user"},
        "everyone": {"all", "applicant", "key agency", "combining agency", "user"},
    }
    assert step.role in kept[folder]


def test_the_order_names_steps_that_exist() -> None:
    assert set(NEEDS) <= set(STEPS)


def test_roles_of_a_combination(tmp_path: Path) -> None:
    combination = load_combination(written(tmp_path))
    assert names_of("applicant", combination) == ("A", "B", "C")
    assert names_of("user", combination) == ("A",)
    assert names_of("key agency", combination) == ("KMA",)
    assert names_of("combining agency", combination) == ("CA",)
    assert names_of("all", combination) == ("A", "B", "C", "KMA", "CA")


# Identities


def test_two_organisations_meet(tmp_path: Path, roles: Roles, capsys: pytest.CaptureFixture[str]) -> None:
    """Each makes its keys, hands the public file over, pins the other's; then packages pass."""
    for name, other in (("A", "KMA"), ("KMA", "A")):
        roles_file = Path(roles([name])[name].file)
        outboxes = f"outboxes: {{{other}: {tmp_path}/exchange/{other}}}"
        roles_file.write_text(roles_file.read_text("utf-8").replace("outboxes: {}", outboxes), "utf-8")
        public = tmp_path / f"{name}-public.json"
        code, line, _ = gamyeong(capsys, "identity", "--environment", roles.file(name), "--to", str(public))
        assert code == 0
        assert line["fingerprint"] == own_identity(load_environment(roles_file)).fingerprint
        again = gamyeong(capsys, "identity", "--environment", roles.file(name), "--to", str(public))[1]
        assert again["fingerprint"] == line["fingerprint"]
        assert public.read_text("utf-8").count("signing") == 1
    a, kma = (load_environment(roles.file(name)) for name in ("A", "KMA"))
    for one in (a, kma):
        one.exchange.partners.mkdir()
    (a.exchange.partners / "KMA.json").write_bytes((tmp_path / "KMA-public.json").read_bytes())
    (kma.exchange.partners / "A.json").write_bytes((tmp_path / "A-public.json").read_bytes())
    assert partner(a, "KMA").fingerprint == own_identity(kma).fingerprint
    combination = load_combination(written(tmp_path))
    draft(a, combination, round="2024-07", kind="notice", receiver="KMA").finish(content={"text": "hello"})
    package = received(kma, combination, round="2024-07", kind="notice", sender="A")
    assert package is not None
    assert package.content == {"text": "hello"}
    assert len(entries.entered(a, "combination-identity")) == 1


def test_private_keys_lie_wrapped_in_the_keys_zone(roles: Roles, tmp_path: Path) -> None:
    environment = roles(["A"])["A"]
    wrapped = json.loads((environment.zone("keys").local / "identity" / "signing.json").read_text("utf-8"))
    seed = FileProvider(environment.keys.path).unwrap(wrapped).reveal()
    holding = [
        path.relative_to(tmp_path)
        for path in tmp_path.rglob("*")
        if path.is_file() and (seed in path.read_bytes() or seed.hex() in path.read_text("latin-1"))
    ]
    assert holding == []
    assert "signing_key" not in repr(signing_key(environment))
    with pytest.raises(ZoneNotHanded):
        own_identity(environment.only(reads=["evidence"]))


def test_a_fingerprint_tells_every_difference() -> None:
    one = PublicIdentity("A", "an organisation", "11" * 32, "22" * 32)
    changes = {"name": "B", "organisation": "another", "signing": "33" * 32, "sealing": "33" * 32}
    others = {PublicIdentity(**{**one.__dict__, name: value}).fingerprint for name, value in changes.items()}
    assert len(others | {one.fingerprint}) == 5
    assert len(one.fingerprint.replace(" ", "")) == 32
