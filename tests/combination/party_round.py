"""A round at applicants and the key agency, with registers of a few people whom the tests name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.combination import entries
from jobs.combination.packages import Package, received
from jobs.combination.rounds import Round
from jobs.combination_job import main
from jobs.environment import Environment
from jobs.tables import write_source
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination

from .conftest import Roles
from .sample_file import written

ROUND, NEXT = "2024-07", "2024-08"
PLANS = {"A": "fuel-a", "B": "housing-b", "C": "health-c"}
PLAN = """\
format: 1
plan: {plan}
application: {{number: 2024-031, applicant: 연구팀, date: 2024-06-03, stage: new}}
purpose: {{kind: scientific-research, statement: 주거형태와 주유금액의 관계 연구, legal_basis: 제28조의3}}
use: {{form: third-party, recipient: 연구팀, place: closed, from: 2024-06-03, until: 2099-12-31}}
people: {{author: 김작성, operator: 이처리}}
source:
  table: crm/members
  row_key: [member]
  subject: member
  stop_requests: {{table: crm/stops, key: member, at: asked, max_age: 1d}}
combination:
  name: mobility-housing-health
  party: {party}
  subject: member
  key: {{name: nm, phone: hp, birth: born}}
excluded: [nm, hp, born]
columns:
  member: {{label: 일련번호, kind: identifier, apply: combination-serial}}
  sex: {{label: 성별, kind: quasi-identifier, apply: keep}}
  spent: {{label: 금액, kind: attribute, apply: keep}}
adequacy: {{k-anonymity: {{k: 3}}, on_failure: stop}}
additional_information: {{destroy: approved}}
output: {{table: members}}
"""
TEXTS = ("nm", "hp", "born", "sex")
SCHEMA = pa.schema([("member", pa.int64()), *((name, pa.string()) for name in TEXTS), ("spent", pa.int64())])
STOPS = pa.schema([("member", pa.int64()), ("asked", pa.timestamp("us", "UTC"))])


def member(
    number: int, name: str | None = "홍길동", phone: str | None = None, born: str | None = "19800101"
) -> dict[str, Any]:
    """A row of the register; each number has a phone of its own."""
    phone = phone or f"010{number:08d}"
    return {"member": number, "nm": name, "hp": phone, "born": born, "sex": "F", "spent": number * 10}


@dataclass
class PartyRound:
    """Roles, the combination file, registers, and everybody's commands."""

    roles: Roles
    folder: Path
    file: Path
    environments: Mapping[str, Environment]
    capsys: pytest.CaptureFixture[str]

    @classmethod
    def of(cls, roles: Roles, folder: Path, capsys: pytest.CaptureFixture[str]) -> PartyRound:
        made = cls(roles, folder, written(folder), roles(("A", "B", "C", "KMA", "CA")), capsys)
        for party, plan in PLANS.items():
            (folder / f"{party}.plan.yaml").write_text(PLAN.format(plan=plan, party=party), encoding="utf-8")
        return made

    @property
    def combination(self) -> Combination:
        return load_combination(self.file)

    def register(self, party: str, rows: list[dict[str, Any]], stops: tuple[int, ...] = ()) -> None:
        """The party's table of members, and who asked to stop."""
        zone = self.environments[party].zone("source")
        write_source(pa.Table.from_pylist(rows, SCHEMA), zone / "crm/members", mode="replace")
        asked = [{"member": one, "asked": 0} for one in stops]
        write_source(pa.Table.from_pylist(asked, STOPS), zone / "crm/stops", mode="replace")

    def applied(self, *parties: str, round_: str = ROUND) -> None:
        """As if they had applied (test_applications.py shows how that is done)."""
        for party in parties:
            entries.forget()
            Round(self.environments[party], self.combination, round_).record("apply", {"purpose": "research"})

    def run(self, name: str, step: str, *words: str, round_: str = ROUND) -> tuple[int, dict[str, Any], str]:
        """A role's step: exit code, the line of --json, and what a person reads."""
        self.capsys.readouterr()
        plan = ["--plan", str(self.folder / f"{name}.plan.yaml")] if step == "keys" else []
        where = ["--round", round_, "--environment", self.roles.file(name), "--json"]
        code = main([step, str(self.file), *where, *plan, *words])
        said = self.capsys.readouterr()
        *text, line = said.out.strip().splitlines()
        return code, json.loads(line), "\n".join(text) + said.err

    def done(self, name: str, step: str, *words: str, round_: str = ROUND) -> dict[str, Any]:
        """The same for a step that must succeed."""
        code, summary, text = self.run(name, step, *words, round_=round_)
        assert code == 0, text
        return summary

    def salted(self, *parties: str, round_: str = ROUND) -> None:
        """These have applied and proved, and have got the salt."""
        self.applied(*parties, round_=round_)
        for party in parties:
            self.done(party, "prove", round_=round_)
        self.done("KMA", "salt", *(word for party in parties for word in ("--party", party)), round_=round_)

    def keys(self, party: str, round_: str = ROUND, revision: int | None = None) -> dict[bytes, str]:
        """Serial by join key, as they came to the key agency."""
        package = self.got("KMA", "keys", party, round_, revision)
        assert package is not None
        table = package.table("keys")
        return dict(zip(table["join_key"].to_pylist(), table["serial"].to_pylist(), strict=True))

    def got(
        self, receiver: str, kind: Any, sender: str, round_: str = ROUND, revision: int | None = None
    ) -> Package | None:
        entries.forget()
        return received(
            self.environments[receiver], self.combination, round=round_, kind=kind, sender=sender, revision=revision
        )

    def everything(self, *names: str) -> dict[Path, bytes]:
        """All bytes of these roles: zones, scratch, inboxes."""
        folders = [place for name in names for place in (self.folder / name, self.folder / "exchange" / name)]
        return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
