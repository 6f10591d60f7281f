"""A combination of two parties and its agencies on tiny tables, and the commands that their roles take."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.combination import entries
from jobs.combination.layout import make_roles, roles_in
from jobs.combination.packages import draft
from jobs.combination.rounds import Round
from jobs.combination.secret_store import round_secret
from jobs.combination_job import main
from jobs.decide import main as decide
from jobs.environment import Environment
from jobs.reviewer import new_reviewer
from jobs.runs import RunFolder
from jobs.storage import private_folder
from jobs.tables import write_source
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination
from transforms.combination.serials import serial_draws, serials
from transforms.plan_loader import load_plan

JULY, AUGUST = "2024-07", "2024-08"
COMMITTEE = ("김위원", "이위원", "박위원")
OPERATOR = "한운영"
PEOPLE = 12

COMBINATION = """\
combination: cars-homes
roles: {key_agency: KMA, combining_agency: CA}
parties:
  A: {supplies: fuel-a, uses: true}
  B: {supplies: housing-b}
key: {columns: [name, phone], algorithm: SHA-256, salt_bytes: 32}
series: {every: month, first: 2024-07, last: 2024-09, keys_due: 5, attributes_due: 12}
outputs: [{user: A, join: inner-single, link_id: true, plan: output.yaml}]
export: {reviewers: 3, simplified: when-unchanged}
"""
PLAN_A = """\
format: 1
plan: fuel-a
application: {number: 2024-101}
purpose:
  kind: scientific-research
  statement: 주유금액과 보증금의 지역별 상관관계
  legal_basis: 개인정보 보호법 제28조의2
use: {form: third-party, recipient: CA, place: closed, from: 2024-01-01, until: 2098-12-31}
source:
  table: a/fuel
  row_key: [member_no]
  subject: member_no
  stop_requests: {table: a/stops, key: member_no}
excluded: [cust_nm, hp]
combination: {name: cars-homes, party: A, subject: member_no, key: {name: cust_nm, phone: hp}}
columns:
  member_no: {kind: identifier, apply: combination-serial}
  town: {label: 지역, kind: quasi-identifier, apply: keep}
  fuel: {label: 주유금액, unit: 원, kind: attribute, apply: {rounding: {unit: 1000, direction: down}}}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
output: {table: fuel}
"""
OUTPUT = """\
format: 1
plan: cars-homes-a
application: {number: 2024-201}
purpose:
  kind: scientific-research
  statement: 주유금액과 보증금의 지역별 상관관계
  legal_basis: 개인정보 보호법 제28조의2
use: {form: third-party, recipient: A, place: closed, from: 2024-01-01, until: 2098-12-31}
people: {author: 정작성, operator: 한운영, users: [조이용]}
source: {table: combinations/cars-homes/A, row_key: [record], period: {column: round, every: month}}
excluded: [record, round]
columns:
  link: {label: 반복결합연결정보, kind: attribute, apply: keep}
  A_town: {label: 지역, kind: quasi-identifier, apply: keep}
  A_fuel: {label: 주유금액, kind: attribute, apply: keep}
  B_deposit: {label: 보증금, kind: attribute, apply: {rounding: {unit: 100, direction: down}}}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
output: {table: fuel-homes}
"""
FORM = """\
format: 1
applicant:
  organisation: A사
  registration: 123-45-67890
  address: 서울시
  representative: 최대표
  contact: 조신청
  reach: 02-123-4567
file: fuel-homes
purpose: {kind: scientific-research, statement: 주유금액과 보증금의 지역별 상관관계}
information: pseudonymous
receive: online
environment: {form: internal-other-department, place: closed, method: 통계 분석}
attachments: {safety: [safety.pdf]}
"""


def fuel() -> pa.Table:
    """A's source: 12 members in two towns, with the names and telephone numbers that make their keys."""
    numbers = list(range(1, PEOPLE + 1))
    return pa.table(
        {
            "member_no": pa.array(numbers, pa.int64()),
            "cust_nm": [f"이름{n}" for n in numbers],
            "hp": [f"0101111{n:04d}" for n in numbers],
            "town": ["은평구" if n % 2 else "마포구" for n in numbers],
            "fuel": pa.array([n * 10_400 for n in numbers], pa.int64()),
        }
    )


@dataclass
class Stage:
    """All roles of the combination below a folder, and the commands that they take."""

    folder: Path
    roles: dict[str, Environment]

    @property
    def combination(self) -> Combination:
        return load_combination(self.folder / "combination.yaml")

    def round(self, role: str, name: str = JULY) -> Round:
        entries.forget()
        return Round(self.roles[role], self.combination, name)

    def take(self, role: str, step: str, *more: str, round: str = JULY) -> tuple[int, dict[str, Any], str]:
        """A step as a command: exit code, the object of --json, and what it said on stderr."""
        words = [step, str(self.folder / "combination.yaml"), "--round", round, *more]
        return called(main, [*words, "--environment", self.file(f"{role}.yaml"), "--json", "--quiet"])

    def file(self, name: str) -> str:
        return str(self.folder / name)

    def run(self, user: str = "A", round: str = JULY) -> RunFolder:
        done = self.round("CA", round).done("process")
        assert done is not None
        return RunFolder(self.roles["CA"], done["outputs"][user]["run"])

    def supplied(self, party: str, rows: pa.Table, round: str = JULY, revision: int = 1, **content: Any) -> None:
        """A party's attributes without Spark: what `attributes` would send of these rows (serials among them)."""
        good = {"verify": {"verdict": "equal"}, "review": {"verdict": "fit"}, "fingerprint": f"plan of {party}"}
        package = draft(
            self.roles[party], self.combination, round=round, kind="attributes", receiver="CA", revision=revision,
            inputs=rows.num_rows,
        )  # fmt: skip
        package.finish([package.sealer.write(rows)], {**good, **content})

    def linked(self, serials_a: Sequence[str], serials_b: Sequence[str], round: str = JULY, revision: int = 1) -> None:
        """The key agency's linking table: the n-th of A is the n-th of B; link ids are those of their place."""
        links = pa.array([n.to_bytes(16, "big") for n in range(1, len(serials_a) + 1)], pa.binary(16))
        table = pa.table({"serial_A": list(serials_a), "serial_B": list(serials_b), "link_A": links})
        package = draft(
            self.roles["KMA"], self.combination, round=round, kind="linking", receiver="CA", revision=revision,
            inputs=revision,
        )  # fmt: skip
        package.finish([package.sealer.write(table)])

    def serials_a(self, round: str = JULY) -> list[str]:
        """The serials of A's members, as `keys` would have sent them; the round's secret is made."""
        secret = round_secret(self.roles["A"], self.combination, round, make=True)
        draws = serial_draws(secret, self.roles["A"].organisation, load_plan(self.folder / "a.yaml"))
        return serials(fuel().column("member_no").combine_chunks(), draws).to_pylist()

    def combined(self, round: str = JULY, revision: int = 1, deposits: int = 1000) -> None:
        """Both parties' attributes and the linking table by hand, then the agency's own `combine`."""
        a, b = self.serials_a(round), [f"serial-of-b-{n}" for n in range(PEOPLE)]
        own = fuel().select(["town", "fuel"]).add_column(0, "serial", pa.array(a))
        self.supplied("A", own, round, revision)
        deposit = pa.array([deposits * n for n in range(PEOPLE)], pa.int64())
        self.supplied("B", pa.table({"serial": b, "deposit": deposit}), round, revision)
        self.linked(a, b, round, revision)
        if revision == 1:
            self.round("CA", round).record("receive", {"receipt": "test"})
        code, _, said = self.take("CA", "combine", round=round)
        assert code == 0, said

    def decided(self, round: str = JULY, outcome: str = "approved") -> None:
        """The adequacy decisions about the output's run, by the existing command."""
        for name in COMMITTEE:
            words = ["--reviewer", name, "--key", self.file(f"{name}.pem"), "--outcome", outcome, "--reason", "표본"]
            words += ["--conflicts", "none"]
            run = self.run(round=round).run
            code, _, said = called(decide, [run, *words, "--environment", self.file("CA.yaml"), "--json", "--quiet"])
            assert code == 0, said

    def vote(self, name: str, *more: str, round: str = JULY, form: str = "meeting", outcome: str = "approved") -> Any:
        """One member's vote, all grades fit."""
        grades = [word for one in ("relevance", "identifiability", "safety") for word in (f"--{one}", "fit")]
        who = ["--member", name, "--key", self.file(f"{name}.pem"), "--outcome", outcome, "--form", form]
        return self.take("CA", "vote", *who, *grades, *more, round=round)

    def voted(self, round: str = JULY, form: str = "meeting") -> None:
        for name in COMMITTEE:
            code, _, said = self.vote(name, round=round, form=form)
            assert code == 0, said

    def applied(self, round: str = JULY, *more: str) -> None:
        code, _, said = self.take("A", "apply-export", "--application", self.file("form.yaml"), *more, round=round)
        assert code == 0, said


def called(command: Callable[[list[str]], int], words: list[str]) -> tuple[int, dict[str, Any], str]:
    """A command in this process: exit code, the object of --json, and what it said on stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command(words)
    return code, json.loads(out.getvalue().splitlines()[-1]), err.getvalue()


def copied(stage: Stage, folder: Path) -> Stage:
    """The same, as far as it has come, in another folder: for tests that go on from one place in several ways."""
    shutil.copytree(stage.folder, folder, dirs_exist_ok=True, copy_function=shutil.copy2)
    for name in stage.roles:
        file = folder / f"{name}.yaml"
        file.write_text(file.read_text("utf-8").replace(str(stage.folder), str(folder)), "utf-8")
    return Stage(folder, roles_in(folder, stage.roles))


def made(folder: Path) -> Stage:
    """The roles, their files and sources, the committee's keys."""
    files = {"combination.yaml": COMBINATION, "a.yaml": PLAN_A, "output.yaml": OUTPUT, "form.yaml": FORM}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "safety.pdf").write_bytes(b"safety plan")
    roles = make_roles(folder, ["A", "B", "KMA", "CA"])
    for environment in roles.values():
        for zone in environment.zones.values():
            private_folder(zone.local)
    write_source(fuel(), roles["A"].zone("source") / "a/fuel")
    write_source(pa.table({"member_no": pa.array([], pa.int64())}), roles["A"].zone("source") / "a/stops")
    for name in (*COMMITTEE, OPERATOR):
        new_reviewer(roles["CA"], name, folder / f"{name}.pem")
    return Stage(folder, roles)
