"""Plays the year of tests/year by Airflow: the roles' steps are tasks; here stand only people, and what goes wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deltalake import DeltaTable

from jobs.combination import entries
from jobs.combination.layout import roles_in
from jobs.combination.rounds import Round
from jobs.combination_job import main as combination
from jobs.decide import main as decide
from tests.dags.running import ENDED, Airflow, kill_job
from tests.year.reference import records
from tests.year.world import LATE_ATTRIBUTES, LATE_KEYS, RESENT, WITHDRAWER, WITHDRAWN
from tests.year.year import COMMITTEE, USERS, Year

DAG = "year"
ROLES = ("A", "B", "C", "KMA", "CA")
SCHEDULE = f"""schedule: {DAG}
combination: ../year/year.yaml
environments: {{{", ".join(f"{role}: ../year/{role}.yaml" for role in ROLES)}}}
plans: {{{", ".join(f"{party}: ../year/{party}.plan.yaml" for party in "ABC")}}}
export_applications: {{A: ../year/form.yaml, B: ../year/form.yaml}}
owner: office
start: 2024-07-01
catch_up: false
retry_minutes: 0.1
look_again_minutes: 0.1
late_after_hours: 0.02
"""
GRADES = [word for name in ("relevance", "identifiability", "safety") for word in (f"--{name}", "fit")]
SLOW = 3000.0


@dataclass
class Played:
    """The year below `folder`, and the Airflow that takes its steps. `killed`: the round whose link is killed."""

    airflow: Airflow
    year: Year
    killed: str
    begun: set[str] = field(default_factory=set)
    signed: set[tuple[str, str]] = field(default_factory=set)
    done: dict[str, str] = field(default_factory=dict)
    looked_at: dict[tuple[str, str], object] = field(default_factory=dict)

    @classmethod
    def begin(cls, folder: Path, killed: str, airflow: Airflow) -> Played:
        return cls(airflow, Year(folder, roles_in(folder, ROLES), lambda *_: None), killed)

    def backfill(self, rounds: Sequence[str]) -> None:
        """Starts the rounds by one backfill and sees them through, one at a time; people act when they are asked."""
        body = {
            "dag_id": DAG,
            "from_date": f"{rounds[0]}-01T00:00:00Z",
            "to_date": f"{rounds[-1]}-01T00:00:00Z",
            "max_active_runs": 1,
        }
        self.airflow.backfill(DAG, body)
        self.airflow.on(DAG)
        self.airflow.on(f"{DAG}.resend")
        since = time.monotonic()
        while set(self.done) != set(rounds):
            before = len(self.done)
            runs = {one["data_interval_start"][:7]: one for one in self.airflow.runs(DAG)}
            active = [name for name, one in runs.items() if one["state"] == "running"]
            assert len(active) <= 1, f"rounds at the same time: {active}"
            for name, one in sorted(runs.items()):
                if one["state"] in ENDED:
                    self.done[name] = one["state"]
                elif one["state"] == "running":
                    self._watch(name, one["dag_run_id"])
            since = time.monotonic() if len(self.done) > before else since
            ids = [runs[name]["dag_run_id"] for name in active]
            assert time.monotonic() - since < SLOW, [self.airflow.states(DAG, one) for one in ids]
            time.sleep(0.5)

    def _watch(self, name: str, run: str) -> None:
        if name not in self.begun:
            self.begun.add(name)
            self._hide(name == LATE_KEYS)
            if name == WITHDRAWN:
                self.year.stops("A", 1_000 + WITHDRAWER)
        states = self.airflow.states(DAG, run)
        if name == LATE_ATTRIBUTES and states["C.keys"] == "success":
            self._hide(True)
        if name == self.killed and states["KMA.link"] == "running" and (name, "kill") not in self.signed:
            self.signed.add((name, "kill"))
            kill_job("link")
        if states.get("CA.mock_analysed") == "awaiting_input" and (name, "mock") not in self.signed:
            self.signed.add((name, "mock"))
            self._look_at_mock(name)
            self.airflow.answer(DAG, run, "CA.mock_analysed", "Approve")
        if states["CA.adequacy"] == "awaiting_input" and (name, "adequacy") not in self.signed:
            if name == RESENT:
                self._resend(name)
            self.signed.add((name, "adequacy"))
            self._decide(name)
        for user in USERS:
            if states[f"CA.votes_{user}"] == "awaiting_input" and (name, user) not in self.signed:
                self.signed.add((name, user))
                self._vote(name, user)

    def _hide(self, hidden: bool) -> None:
        """C's table is not there from when on it is late in a round: from the beginning, or once its keys are sent."""
        place = self.year.roles["C"].zone("source").local
        names = ("register", "later") if hidden else ("later", "register")
        if (place / names[0]).exists():
            (place / names[0]).rename(place / names[1])

    def _resend(self, name: str) -> None:
        """B puts its table right and sends again."""
        self.year.register("B")
        run = self.airflow.start(f"{DAG}.resend", round=name, party="B", revision=2)
        assert self.airflow.ended(f"{DAG}.resend", run, 2400) == "success"

    def _look_at_mock(self, name: str) -> None:
        """Rows of the mock's tables, by user."""
        made = Round(self.year.roles["CA"], self.year.combination, name).done("mock-combine")
        assert made is not None
        for user, told in made["outputs"].items():
            self.looked_at[name, user] = sum(bool(rows) for rows in told["tables"].values())

    def _decide(self, name: str) -> None:
        entries.forget()
        done = Round(self.year.roles["CA"], self.year.combination, name).done("process")
        assert done is not None
        for user in USERS:
            for member in COMMITTEE:
                words = [done["outputs"][user]["run"], "--reviewer", member, *self._key(member), "--conflicts", "none"]
                assert decide([*words, "--environment", self.year.file("CA"), "--quiet"]) == 0

    def _vote(self, name: str, user: str) -> None:
        for member in COMMITTEE:
            words = ["vote", str(self.year.folder / "year.yaml"), "--round", name, "--user", user, "--member", member]
            form = ["--form", "meeting", *GRADES, *self._key(member)]
            assert combination([*words, *form, "--environment", self.year.file("CA"), "--quiet"]) == 0

    def _key(self, member: str) -> list[str]:
        return ["--key", str(self.year.folder / f"{member}.pem"), "--outcome", "approved"]

    def require_reference(self, rounds: Sequence[str]) -> None:
        """What each user has, over all rounds, is what the rounds at one go give."""
        for user in USERS:
            place = self.year.roles[user].zone("published") / "year" / "year"
            table = DeltaTable(str(place)).to_pyarrow_table()
            names = [f"{party}_{cell}" for party in "ABC" for cell in ("grp", "mark")]
            found = Counter(
                (row["period"], *(row[name] for name in names)) for row in table.select(["period", *names]).to_pylist()
            )
            expected = Counter((name, *cells) for name in rounds for cells in records(user, name).values())
            assert found == expected, user
            assert len(expected) > 10 * len(rounds)
