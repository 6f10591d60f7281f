"""People and papers of a rehearsal: demonstration reviewers, their signatures, applications for export, made data.

In real use each reviewer reads the reports and signs with a key that nobody else has, and users write their own
applications; a rehearsal has these only where `play --new` made its environments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from jobs.combination.votes import CRITERIA
from jobs.combination_data import usual_table
from jobs.conflicts import NO_CONFLICT
from jobs.environment import Environment
from jobs.reviewers import load_reviewers
from jobs.storage import private_folder
from jobs.tables import exists
from transforms.combination.model import Combination
from transforms.plan import Plan

REVIEWERS = ("시연 검토위원 1", "시연 검토위원 2", "시연 검토위원 3")
KEYS, PAPERS = "demonstration-keys", "demonstration-papers"
# Combinations that data can be made for: their name for `gamyeong generate combination`.
DATA: Mapping[str, str] = {"mobility-housing-health": "mobility", "generated": "generated", "nafld": "nafld"}
Command = tuple[str, ...]


def is_demonstration(agency: Environment) -> bool:
    """True where `play --new` made the combining agency's reviewers."""
    return _keys(agency).is_dir()


def data_commands(
    combination: Combination, party: str, environment: Environment, subjects: str | None
) -> list[Command]:
    """What makes a party's table where it has none yet; nothing for a combination without made data."""
    name = DATA.get(combination.combination)
    if name is None or exists(environment.zone("source") / usual_table(name, party)):
        return []
    size = ("--subjects", subjects) if subjects is not None and name != "nafld" else ()
    return [("generate", "combination", name, "--party", party, *size)]


def reviewer_commands(agency: Environment) -> Iterator[Command]:
    """What makes and pins the demonstration reviewers that are not pinned yet."""
    folder = private_folder(_keys(agency))
    pinned = {one.name for one in load_reviewers(agency) if one.revoked is None}
    for name, key in _people(agency):
        if name not in pinned:
            key.unlink(missing_ok=True)  # of a start that was killed before it was pinned
            yield ("reviewer", "new", name, "--key", str(folder / key.name))


def decisions(agency: Environment, run: str, decided: set[str]) -> Iterator[Command]:
    """Approvals of a run by those who have not decided yet."""
    for name, key in _people(agency):
        if name not in decided:
            yield ("decide", run, "--reviewer", name, "--key", str(key), *NO_CONFLICT, "--outcome", "approved")


def votes(agency: Environment, user: str, voted: set[str]) -> Iterator[Command]:
    """Words of `vote` by those who have not voted yet: approved in a meeting."""
    grades = [word for name in CRITERIA for word in (f"--{name}", "fit")]
    for name, key in _people(agency):
        if name not in voted:
            yield ("--user", user, "--member", name, "--key", str(key), *grades, "--outcome", "approved",
                   "--form", "meeting")  # fmt: skip


def export_application(user: Environment, folder: Path, plan: Plan) -> Path:
    """Writes a demonstration application for export by the output's plan, with a safety plan beside it."""
    papers = private_folder(folder / PAPERS)
    name, safety = user.exchange.name, papers / "safety-plan.txt"
    safety.write_text("Demonstration: no safety plan was looked at.\n", encoding="utf-8")
    content: dict[str, Any] = {
        "format": 1,
        "applicant": {
            "organisation": user.organisation,
            "registration": "demonstration",
            "address": "demonstration",
            "representative": f"{name} (demonstration)",
            "contact": f"{name} (demonstration)",
            "reach": "demonstration",
        },
        "file": plan.plan,
        "purpose": {"kind": plan.purpose.kind, "statement": plan.purpose.statement},
        "information": "pseudonymous",
        "receive": "online",
        "environment": {"form": plan.use.form, "place": plan.use.place, "method": "demonstration"},
        "attachments": {"safety": [safety.name]},
    }
    path = papers / "export-application.yaml"
    with path.open("w", encoding="utf-8") as text:
        YAML().dump(content, text)
    return path


def _people(agency: Environment) -> list[tuple[str, Path]]:
    return [(name, _keys(agency) / f"reviewer-{number}.pem") for number, name in enumerate(REVIEWERS, 1)]


def _keys(agency: Environment) -> Path:
    return agency.reviewers.parent / KEYS
