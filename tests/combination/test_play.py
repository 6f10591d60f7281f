"""`play`: one person takes all roles in turn; each role's step finds nobody else's zones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import cli
from jobs.combination.alone import AWAY, alone, restore
from jobs.combination.everyone import play
from jobs.combination.flow import stages
from jobs.combination.layout import make_roles, roles_in
from jobs.combination.rehearsal import last_turns, pairs, papers_of, turns
from jobs.combination.rounds import Round
from jobs.combination.secret_store import end_series
from jobs.environment import Environment, load_environment
from jobs.errors import BadInput, Operational
from jobs.steps import Step as Taken
from jobs.storage import private_folder
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination

from .conftest import Roles
from .sample_file import written

ONCE = """\
combination: mobility-housing-health
roles: {key_agency: KMA, combining_agency: CA}
parties:
  A: {supplies: fuel-a, uses: true}
  B: {supplies: housing-b}
key: {columns: [name, phone, birth]}
options: {join_rate: {floor: 0.05}, extraction: {cover: equal}}
outputs:
  - {user: A, join: inner-single}
"""


def play_of(folder: Path, *changes: tuple[str, str]) -> Path:
    """A combination file of A and B, once, with plans beside it."""
    file = written(folder, *changes, text=ONCE)
    private_folder(folder / "combination")
    for name in ("fuel-a", "housing-b"):
        (folder / "combination" / f"{name}.yaml").write_text(f"plan: {name}\n", "utf-8")
    return file


# Out of sight


def zones_there(roles: dict[str, Environment]) -> set[str]:
    return {name for name, one in roles.items() if any(zone.local.exists() for zone in one.zones.values())}


def test_others_zones_are_out_of_sight_meanwhile(roles: Roles) -> None:
    everyone = roles()
    assert zones_there(everyone) == {"A", "B", "KMA", "CA"}
    with alone(everyone, "KMA"):
        assert zones_there(everyone) == {"KMA"}
        assert not Path(everyone["A"].key_settings.path).exists()
        assert Path(everyone["KMA"].key_settings.path).exists()
        assert everyone["A"].exchange.inbox.local.exists()  # packages pass all the same
    assert zones_there(everyone) == {"A", "B", "KMA", "CA"}


def test_zones_come_back_whatever_happens(roles: Roles) -> None:
    everyone = roles()
    with pytest.raises(ZeroDivisionError), alone(everyone, "A"):
        _ = 1 // 0
    assert zones_there(everyone) == {"A", "B", "KMA", "CA"}
    zone = everyone["B"].zone("source").local
    zone.rename(zone.with_name(f".source{AWAY}"))  # what a killed start leaves
    restore(everyone)
    assert zone.is_dir()
    zone.with_name(f".source{AWAY}").mkdir()
    with pytest.raises(Operational, match="there twice"):
        restore(everyone)


def test_a_root_key_beside_the_zones_is_hidden_too(roles: Roles, tmp_path: Path) -> None:
    file = Path(roles()["B"].file)
    key = tmp_path / "B-root.json"
    Path(load_environment(file).key_settings.path).rename(key)
    text = file.read_text("utf-8").replace(str(tmp_path / "B" / "keys" / "root.json"), str(key))
    file.write_text(text, "utf-8")
    everyone = roles_in(tmp_path, ["A", "B"])
    with alone(everyone, "A"):
        assert not key.exists()
    assert key.exists()


# Environments


def test_environments_for_all_roles(tmp_path: Path) -> None:
    made = make_roles(tmp_path / "roles", ["A", "B", "KMA"])
    again = make_roles(tmp_path / "roles", ["A", "B", "KMA"])
    assert {name: one.exchange for name, one in made.items()} == {name: one.exchange for name, one in again.items()}
    for name, one in roles_in(tmp_path / "roles", ["A", "B", "KMA"]).items():
        assert sorted(one.exchange.outboxes) == sorted({"A", "B", "KMA"} - {name})
        assert one.organisation == name
        pinned = sorted(path.stem for path in one.exchange.partners.glob("*.json"))
        assert pinned == sorted({"A", "B", "KMA"} - {name})
    keys = {one.key_settings.path for one in made.values()}
    assert len(keys) == 3


def test_a_folder_that_lacks_a_role(tmp_path: Path) -> None:
    made = make_roles(tmp_path, ["A", "B"])
    Path(made["B"].file).write_bytes(Path(made["A"].file).read_bytes())
    with pytest.raises(BadInput) as caught:
        roles_in(tmp_path, ["A", "B", "CA"])
    assert "B.yaml is the environment of A; allowed: that of B" in caught.value.message
    assert "CA.yaml; allowed: the environment of CA" in caught.value.message


# Papers


def test_plans_are_found_by_their_names(tmp_path: Path) -> None:
    file = play_of(tmp_path)
    (tmp_path / "combination" / "broken.yaml").write_text("plan: [", "utf-8")
    papers = papers_of(file, load_combination(file), {}, {}, {})
    assert papers.application("B") == ("--plan", str(tmp_path / "combination" / "housing-b.yaml"))
    other = papers_of(file, load_combination(file), {"B": tmp_path / "b.yaml"}, {}, {})
    assert other.plans["B"] == tmp_path / "b.yaml"


def test_what_is_missing_is_told_at_once(tmp_path: Path) -> None:
    file = play_of(tmp_path, ("  B: {supplies: housing-b}\n", "  B: {supplies: housing-b}\n  U: {uses: true}\n"),
                   ("outputs:\n", "outputs:\n  - {user: U, join: inner-single}\n"))  # fmt: skip
    (tmp_path / "combination" / "housing-b.yaml").unlink()
    with pytest.raises(BadInput) as caught:
        papers_of(file, load_combination(file), {"X": file}, {}, {})
    for told in ("no plan housing-b of B", "--application U=FILE", "X is no party; there are: A, B, U"):
        assert told in caught.value.message
    with pytest.raises(BadInput, match="ROLE=FILE"):
        pairs(["fuel.yaml"])


# Turns


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ...]]]:
    """Commands as they are called; each keeps its record, without doing anything."""
    called: list[tuple[str, ...]] = []

    def taken(job: str, argv: list[str], *, environment: str, quiet: bool) -> Taken:
        role = Path(environment).stem
        called.append((role, job, argv[0]))
        here = load_environment(environment)
        assert zones_there(roles_in(Path(environment).parent, ["A", "B", "KMA", "CA"])) == {role}
        if job == "combination" and argv[0] not in ("end", "vote"):
            combination = load_combination(argv[1])
            record: dict[str, Any] = {"outputs": {}} if argv[0] == "process" else {}
            Round(here, combination, argv[argv.index("--round") + 1]).record(argv[0], record)
        if argv[0] == "end":
            end_series(here, load_combination(argv[1]), argv[-1])
        return Taken(job, 1 if (role, argv[0]) in failing else 0, {})

    failing: set[tuple[str, str]] = set()
    taken.failing = failing  # type: ignore[attr-defined]
    monkeypatch.setattr(play, "take", taken)
    monkeypatch.setattr(play.demonstration, "is_demonstration", lambda agency: False)
    monkeypatch.setattr(play.demonstration, "reviewer_commands", lambda agency: [])
    yield called
    failing.clear()


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    code = cli.main(["combination", "play", *words, "--json", "--quiet"])
    told = capsys.readouterr()
    return code, json.loads(told.out.splitlines()[-1]), told.err


def test_every_role_takes_its_turn_once(
    tmp_path: Path, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = play_of(tmp_path), tmp_path / "roles"
    export = ("--export", f"A={tmp_path / 'export.yaml'}")
    code, line, _ = run(capsys, "--new", str(folder), str(file), *export)
    assert (code, line["rounds"], line["left"], line["ended"]) == (0, ["once"], [], None)
    assert commands[:2] == [("A", "generate", "combination"), ("B", "generate", "combination")]
    steps = [f"{role} {step}" for role, job, step in commands if job == "combination"]
    assert steps == [
        "A apply", "B apply", "CA receive", "A prove", "B prove", "KMA salt", "A keys", "B keys", "KMA rate",
        "KMA extract", "KMA link", "A attributes", "B attributes", "CA combine", "CA process", "A apply-export",
        "CA export", "A take", "CA close", "KMA close", "A forget", "B forget",
    ]  # fmt: skip
    code, line, _ = run(capsys, "--roles", str(folder), str(file), *export)
    assert (code, line["rounds"]) == (0, [])
    assert len(commands) == len(steps) + 2


def test_it_goes_on_where_a_step_failed(
    tmp_path: Path, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = play_of(tmp_path), str(tmp_path / "roles")
    export = ("--export", f"A={tmp_path / 'export.yaml'}")
    play.take.failing.add(("KMA", "salt"))  # type: ignore[attr-defined]
    code, line, _ = run(capsys, "--new", folder, str(file), *export)
    assert (code, line["role"], line["step"], line["rounds"]) == (1, "KMA", "salt", [])
    before = len(commands)
    play.take.failing.clear()  # type: ignore[attr-defined]
    assert run(capsys, "--roles", folder, str(file), *export)[0] == 0
    assert commands[before][0::2] == ("A", "keys")  # the record of `salt` was kept


def test_a_round_may_be_played_up_to_a_step_and_goes_on_from_there(
    tmp_path: Path, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    """So that somebody can take a step by hand between: `void`, say."""
    file, folder = play_of(tmp_path), str(tmp_path / "roles")
    export = ("--export", f"A={tmp_path / 'export.yaml'}")
    code, line, _ = run(capsys, "--new", folder, str(file), *export, "--until", "keys")
    assert (code, line["rounds"], line["until"]) == (0, [], "keys")
    assert commands[-2:] == [("A", "combination", "keys"), ("B", "combination", "keys")]
    before = len(commands)
    code, line, _ = run(capsys, "--roles", folder, str(file), *export)
    assert (code, line["rounds"]) == (0, ["once"])
    assert commands[before] == ("KMA", "combination", "rate")


def test_until_is_a_step_of_one_round(
    tmp_path: Path, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = str(play_of(tmp_path)), str(tmp_path / "roles")
    code, _, err = run(capsys, "--new", folder, file, "--until", "forget")
    assert code == 2
    assert "--until forget; allowed in round once: apply, receive, prove, salt, keys, rate, extract, link" in err
    code, _, err = run(capsys, "--roles", folder, file, "--until", "keys", "--rounds", "none")
    assert code == 2
    assert "allowed: one, say --rounds once" in err
    assert commands == []


def test_an_internal_combination_deletes_what_linked_it(
    tmp_path: Path, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Guideline L777: no special reason such as a time series, so the keys go."""
    file = play_of(tmp_path, ("combination: mobility", "internal: true\ncombination: mobility"))
    _, line, _ = run(capsys, "--new", str(tmp_path / "roles"), str(file), "--export", f"A={file}")
    assert commands[-1] == ("KMA", "combination", "end")
    assert "L777" in line["ended"]
    _, again, _ = run(capsys, "--roles", str(tmp_path / "roles"), str(file), "--export", f"A={file}")
    assert again["ended"] == line["ended"]
    assert commands.count(("KMA", "combination", "end")) == 1


def test_a_series_keeps_its_salts_until_its_end(
    tmp_path: Path, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    two = "series: {every: month, first: 2024-07, last: 2024-08, keys_due: 5, attributes_due: 12}"
    file = play_of(tmp_path, ("combination: mobility", f"internal: true\n{two}\ncombination: mobility"))
    words = ("--roles", str(tmp_path / "roles"), str(file), "--export", f"A={file}")
    run(capsys, "--new", *words[1:], "--rounds", "2024-08")
    assert ("KMA", "combination", "end") not in commands
    _, line, _ = run(capsys, *words)
    assert (line["rounds"], line["left"], line["ended"]) == (["2024-07"], [], None)
    _, line, _ = run(capsys, *words, "--end", "its purpose was fulfilled")
    assert line["ended"] == "its purpose was fulfilled"
    code, _, err = run(capsys, *words, "--rounds", "2024-09,x")
    assert code == 2
    assert "round 2024-09 is after the series' end" in err
    assert "round 'x'" in err


def test_wrong_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(play_of(tmp_path))
    assert run(capsys, file)[0] == 2
    assert run(capsys, file, "--roles", "a", "--new", "b")[0] == 2
    code, _, err = run(capsys, file, "--roles", str(tmp_path / "none"))
    assert code == 2
    assert "no " in err
    assert "`--new` makes one for every role" in err


def test_turns_cover_the_way_of_every_role(combination: Combination, tmp_path: Path) -> None:
    """What `status` tells each role to do is what `play` does."""
    plans = dict.fromkeys(combination.suppliers, tmp_path)
    papers = papers_of(tmp_path / "x.yaml", combination, plans, {}, {})
    taken = {(turn.role, turn.step) for turn in [*turns(combination, papers, "2024-07"), *last_turns(combination)]}
    taken |= {("CA", "process"), ("CA", "export"), *((user, "apply-export") for user in combination.users)}
    for name in (*combination.parties, "KMA", "CA"):
        assert {(name, stage.step) for stage in stages(name, combination, "2024-07")} <= taken
