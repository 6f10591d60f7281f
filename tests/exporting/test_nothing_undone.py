"""Nothing leaves the agency that may still be undone, and nothing stays of a round that is over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.combination.combining_agency import export
from jobs.combination.packages import draft
from jobs.decide import main as decide
from jobs.ledger_job import main as ledger
from jobs.runs import RunFolder

from .run_by_hand import run_by_hand
from .stage import AUGUST, COMBINATION, COMMITTEE, JULY, OUTPUT, Stage, called
from .test_export_flow import exported

FIRST, SECOND, THIRD = COMMITTEE


@pytest.fixture
def two_users(stage: Stage) -> Stage:
    """July for A and B, processed and applied for."""
    text = COMBINATION.replace("{supplies: housing-b}", "{supplies: housing-b, uses: true}")
    text = text.replace("output.yaml}]", "output.yaml}, {user: B, join: inner-single, plan: output-b.yaml}]")
    (stage.folder / "combination.yaml").write_text(text, "utf-8")
    plan = OUTPUT.replace("-a\n", "-b\n").replace("homes/A", "homes/B").replace("recipient: A", "recipient: B")
    plan = "\n".join(line for line in plan.replace("2024-201", "2024-202").splitlines() if "  link:" not in line)
    (stage.folder / "output-b.yaml").write_text(plan, "utf-8")
    stage.combined()
    files = {"A": "output.yaml", "B": "output-b.yaml"}
    runs = {user: run_by_hand(stage.roles["CA"], stage.folder / file, JULY) for user, file in files.items()}
    stage.round("CA").record("process", {"outputs": runs})
    for user in files:
        assert stage.take(user, "apply-export", "--application", stage.file("form.yaml"))[0] == 0
    return stage


def approved(stage: Stage, user: str) -> None:
    """Both bodies have approved a user's output."""
    for name in COMMITTEE:
        assert stage.vote(name, "--user", user)[0] == 0
        words = [stage.run(user).run, "--reviewer", name, "--key", stage.file(f"{name}.pem"), "--outcome", "approved"]
        words += ["--reason", "표본", "--conflicts", "none"]
        words += ["--environment", stage.file("CA.yaml"), "--json", "--quiet"]
        code, _, said = called(decide, words)
        assert code == 0, said


def arrived(stage: Stage, user: str) -> bool:
    return (stage.roles[user].exchange.inbox / "cars-homes" / JULY / "export").exists()


def test_nothing_leaves_before_every_output_is_decided(two_users: Stage) -> None:
    """A vote that comes while another output is undecided still counts: nothing went out that it could not undo."""
    approved(two_users, "A")
    code, _, said = two_users.take("CA", "export")
    assert (code, "B: 3 more vote(s) of 3" in said) == (5, True)
    assert not arrived(two_users, "A")
    assert two_users.vote(THIRD, "--user", "A", "--reason", "목적과 무관", outcome="rejected")[0] == 0
    approved(two_users, "B")
    code, told, said = two_users.take("CA", "export")
    assert (code, told["outputs"]) == (0, {"A": "rejected", "B": "exported"}), said
    assert (arrived(two_users, "A"), arrived(two_users, "B")) == (False, True)


def test_what_went_out_can_not_be_undone(two_users: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """`export` is killed when A's package is on its way and B's is not: only its completion is allowed."""
    whole = export._output

    def killed(call: Any, judged: Any) -> Mapping[str, Any]:
        if judged.case.user == "B":
            raise RuntimeError("killed")
        return whole(call, judged)

    for user in "AB":
        approved(two_users, user)
    with monkeypatch.context() as patch:
        patch.setattr(export, "_output", killed)
        assert two_users.take("CA", "export")[0] == 4
    assert (arrived(two_users, "A"), arrived(two_users, "B")) == (True, False)
    code, _, said = two_users.vote(THIRD, "--user", "A", "--reason", "목적과 무관", outcome="rejected")
    assert (code, "exported already" in said) == (3, True)
    two_users.linked(two_users.serials_a(), [f"serial-of-b-{n}" for n in range(12)], revision=2)
    for words in (("combine",), ("close", "--cancel", "늦음")):
        code, _, said = two_users.take("CA", *words)
        assert (code, "went out to A; allowed: `export` again" in said) == (3, True), said
    code, told, said = two_users.take("CA", "export")
    assert (code, told["outputs"]) == (0, {"A": "exported", "B": "exported"}), said


@pytest.mark.parametrize("kind", ["linking", "attributes", "void"])
def test_what_came_since_it_was_combined_stops_the_export(processed: Stage, kind: Any) -> None:
    """Somebody who withdrew must not go out only because nobody called `combine` again."""
    processed.applied()
    processed.voted()
    processed.decided()
    sender, revision = ("KMA" if kind == "linking" else "A"), (1 if kind == "void" else 2)
    package = draft(
        processed.roles[sender], processed.combination, round=JULY, kind=kind, receiver="CA", revision=revision
    )
    package.finish([package.sealer.write(pa.table({"serial": processed.serials_a()[:1]}))])
    code, _, said = processed.take("CA", "export")
    assert (code, f"{kind} of {sender}, revision {revision}" in said) == (3, True), said
    assert not arrived(processed, "A")
    (told,) = processed.take("CA", "status")[1]["rounds"]
    assert f"{kind} of {sender}, revision {revision}: `combine` again takes it in" in told["new"]


def test_a_member_may_take_the_other_form_after_all(processed: Stage) -> None:
    """A member who voted in writing and then in the meeting has voted in the meeting."""
    exported(processed)
    processed.applied(AUGUST)
    processed.decided(AUGUST)
    assert processed.vote(FIRST, round=AUGUST, form="written")[0] == 0
    for name in (SECOND, THIRD):
        assert processed.vote(name, round=AUGUST)[0] == 0
    code, _, said = processed.take("CA", "export", round=AUGUST)
    assert (code, "allowed: one form" in said) == (3, True)
    assert processed.vote(FIRST, round=AUGUST)[0] == 0
    assert processed.take("CA", "export", round=AUGUST)[0] == 0
    done = processed.round("CA", AUGUST).done("export")
    assert done is not None
    assert done["outputs"]["A"]["form"] == "meeting"


def test_close_ends_runs_by_plans_that_were_changed_since(processed: Stage) -> None:
    """Their tables hold the round's rows as well; so do those of a `process` that was killed before its record."""
    changed = OUTPUT.replace("unit: 100,", "unit: 500,")
    (processed.folder / "output.yaml").write_text(changed, "utf-8")
    agency = processed.roles["CA"]
    older, newer = processed.run(), run_by_hand(agency, processed.folder / "output.yaml", JULY)["run"]
    august = processed.run(round=AUGUST)
    assert newer != older.run
    assert processed.take("CA", "close", "--cancel", "자료 없음")[0] == 0
    for folder in (older, RunFolder(agency, newer)):
        assert not folder.staging.exists()
        assert folder.read("release.json")["state"] == "cancelled"
    words = ["verify", "--environment", processed.file("CA.yaml"), "--json", "--quiet"]
    assert called(ledger, words)[1]["verdict"] == "holds"
    left = {path.name for path in Path(str(agency.zone("staging"))).iterdir() if not path.name.startswith(".")}
    assert left == {august.run}
