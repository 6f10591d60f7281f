"""Plays the year by the roles' own commands, each in its own environment, all in this process."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.combination import entries
from jobs.combination.layout import make_roles
from jobs.combination.rounds import Round
from jobs.combination_job import main
from jobs.conflicts import NO_CONFLICT
from jobs.decide import main as decide
from jobs.environment import Environment
from jobs.reviewer import new_reviewer
from jobs.tables import write_source
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination

from .files import write_files
from .world import (
    LATE_ATTRIBUTES,
    LATE_KEYS,
    RESENT,
    ROUNDS,
    STOPS,
    TWICE,
    WITHDRAWER,
    WITHDRAWN,
    happened,
    table,
)  # fmt: skip

NAMES = ("A", "B", "C", "KMA", "CA")
COMMITTEE = ("김위원", "이위원", "박위원")
USERS = ("A", "B")
# Moments of a round at which tests look at what the roles hold.
HANDED, FULLEST = "salts are handed over", "all is there, nothing destroyed yet"


@dataclass
class Year:
    """All roles below a folder. `seen`: called at two moments of each round."""

    folder: Path
    roles: Mapping[str, Environment]
    seen: Callable[[Year, str, str], None]
    said: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def begin(cls, folder: Path, seen: Callable[[Year, str, str], None]) -> Year:
        write_files(folder)
        year = cls(folder, make_roles(folder, NAMES), seen)
        for party in "ABC":
            year.register(party, first_delivery=True)
            year.stops(party)
        for name in COMMITTEE:
            new_reviewer(year.roles["CA"], name, folder / f"{name}.pem")
        return year

    @property
    def combination(self) -> Combination:
        return load_combination(self.folder / "year.yaml")

    def register(self, party: str, *, first_delivery: bool = False) -> None:
        """The party's whole table."""
        rows = [row for name in ROUNDS for row in happened(party, name, first_delivery=first_delivery)]
        write_source(table(party, rows), self.roles[party].zone("source") / "register", mode="replace")

    def stops(self, party: str, *members: int) -> None:
        """Who asked this party to stop."""
        asked = pa.Table.from_pylist([{"member": one} for one in members], STOPS)
        write_source(asked, self.roles[party].zone("source") / "stops", mode="replace")

    def run(self, role: str, step: str, round_: str, *words: str) -> tuple[int, dict[str, Any]]:
        """A step by its command: exit code, the object of --json."""
        argv = [step, str(self.folder / "year.yaml"), "--round", round_, *words]
        if step in ("apply", "keys", "attributes", "void"):
            argv += ["--plan", str(self.folder / f"{role}.plan.yaml")]
        return _called(main, [*argv, "--environment", self.file(role), "--json", "--quiet"])

    def take(self, role: str, step: str, round_: str, *words: str, code: int = 0) -> dict[str, Any]:
        """A step that must end with this exit code; in TWICE each is called twice, which changes nothing."""
        for _ in range(2 if round_ == TWICE else 1):
            found, told = self.run(role, step, round_, *words)
            assert found == code, f"{step} of {role} in {round_}: exit {found}, {told.get('error')}"
        self.said[role, step, round_] = told
        return told

    def file(self, role: str) -> str:
        return str(self.folder / f"{role}.yaml")

    def play(self) -> None:
        """All rounds, one after the other, and the end of the series."""
        for name in ROUNDS:
            self.play_round(name)
        ended = ["end", str(self.folder / "year.yaml"), "--reason", "연구 종료", "--environment", self.file("KMA")]
        assert _called(main, [*ended, "--json", "--quiet"])[0] == 0

    def play_round(self, name: str) -> None:
        on_time = ("A", "B") if name == LATE_KEYS else ("A", "B", "C")
        for party in "ABC":
            self.take(party, "apply", name)
        self.take("CA", "receive", name)
        for party in on_time:
            self.take(party, "prove", name)
        self.take("KMA", "salt", name)
        self.seen(self, name, HANDED)
        for party in on_time:
            self.take(party, "keys", name)
        if name == WITHDRAWN:
            self.stops("A", 1_000 + WITHDRAWER)
            self.take("A", "void", name)
        self.take("KMA", "link", name, *(["--late"] if name == LATE_KEYS else []))
        for party in on_time:
            if (party, name) != ("C", LATE_ATTRIBUTES):
                self.take(party, "attributes", name)
        self.take("CA", "combine", name, *(["--late"] if name == LATE_ATTRIBUTES else []))
        if name == RESENT:
            self.take("CA", "process", name, code=5)
            self._resend(name)
        self.take("CA", "process", name, code=5)
        self._judged(name)
        self.take("CA", "export", name)
        self.seen(self, name, FULLEST)
        for user in USERS:
            self.take(user, "take", name)
        self.take("CA", "close", name)
        self.take("KMA", "close", name)
        for party in on_time:
            self.take(party, "forget", name)

    def _resend(self, name: str) -> None:
        """B puts its table right and sends keys and attributes again; the others' packages stay as they are."""
        self.register("B")
        self.take("KMA", "salt", name, "--party", "B", "--revision", "2")
        self.take("B", "keys", name, "--revision", "2")
        self.take("KMA", "link", name)
        self.take("B", "attributes", name, "--revision", "2")
        self.take("CA", "combine", name)

    def _judged(self, name: str) -> None:
        """Applications for export, three votes and three decisions for each user."""
        for user in USERS:
            self.take(user, "apply-export", name, "--application", str(self.folder / "form.yaml"))
        entries.forget()
        done = Round(self.roles["CA"], self.combination, name).done("process")
        assert done is not None
        for user in USERS:
            form = self.form_of(name)
            grades = [word for one in ("relevance", "identifiability", "safety") for word in (f"--{one}", "fit")]
            for member in COMMITTEE:
                key = ["--key", str(self.folder / f"{member}.pem"), "--outcome", "approved"]
                self.take("CA", "vote", name, "--user", user, "--member", member, *key, "--form", form, *grades)
                words = [done["outputs"][user]["run"], "--reviewer", member, *key, *NO_CONFLICT, "--reason", "적정"]
                code, told = _called(decide, [*words, "--environment", self.file("CA"), "--json", "--quiet"])
                assert code == 0, told

    @staticmethod
    def form_of(name: str) -> str:
        """A written vote does but for the first round, and where a party is missing, which changes the target."""
        return "meeting" if name in (ROUNDS[0], LATE_KEYS, LATE_ATTRIBUTES) else "written"


def _called(command: Callable[[list[str]], int], words: list[str]) -> tuple[int, dict[str, Any]]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command(words)
    return code, json.loads(out.getvalue().splitlines()[-1])
