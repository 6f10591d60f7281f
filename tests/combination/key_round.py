"""A round at the key agency whose keys the tests make themselves: who has whom is known to the row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.combination import entries
from jobs.combination.notices import notify
from jobs.combination.packages import Package, draft, received
from jobs.combination.rounds import Round
from jobs.combination.salts import make_salts
from jobs.combination_job import main
from jobs.environment import Environment
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination

from .conftest import Roles
from .linking_bench import key_of, package
from .sample_file import written

ROUND, NEXT = "2024-07", "2024-08"
# A few persons are not ten thousand: no optional step is made but where a test asks for it.
WITHOUT_OPTIONS = (
    "options:\n  mock: {rounds: [2024-07]}\n  join_rate: {floor: 0.05, asks: 1}\n"
    "  extraction: {cover: equal, rest_over: 1000}\n"
)
Subjects = Sequence[str] | Sequence[tuple[str, str]]


def named(party: str, subjects: Subjects) -> list[tuple[str, str]]:
    """(subject, serial): "kim" of party A has the serial A-kim, where none is said."""
    return [one if isinstance(one, tuple) else (one, f"{party}-{one}") for one in subjects]


@dataclass
class KeyRound:
    """Roles, the combination file, and commands of the key agency."""

    roles: Roles
    file: Path
    environments: Mapping[str, Environment]
    capsys: pytest.CaptureFixture[str]
    revisions: dict[tuple[str, str, str], int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        roles: Roles,
        folder: Path,
        capsys: pytest.CaptureFixture[str],
        options: str,
        *changes: tuple[str, str],
        rounds: Sequence[str] = (ROUND, NEXT),
    ) -> KeyRound:
        file = written(folder, (WITHOUT_OPTIONS, options), *changes)
        made = cls(roles, file, roles(("A", "B", "C", "KMA", "CA")), capsys)
        for round_ in rounds:
            made.salted(round_)
        return made

    @property
    def combination(self) -> Combination:
        return load_combination(self.file)

    def salted(self, round_: str) -> None:
        """As `salt` leaves the key agency."""
        entries.forget()
        agency = self.environments["KMA"]
        make_salts(agency, self.combination)
        Round(agency, self.combination, round_).record("salt", {"spec": self.combination.fingerprint})

    def keys(self, party: str, subjects: Subjects, round_: str = ROUND) -> None:
        """A party's keys; again: a new revision."""
        self.send(party, "keys", package(named(party, subjects)), round_)

    def void(self, party: str, *serials: str, round_: str = ROUND) -> None:
        """Serials of who withdrew."""
        self.send(party, "void", pa.table({"serial": pa.array(serials, pa.string())}), round_)

    def send(self, party: str, kind: Any, table: pa.Table, round_: str = ROUND) -> None:
        """A package to the key agency."""
        entries.forget()
        revision = self.revisions[party, kind, round_] = self.revisions.get((party, kind, round_), 0) + 1
        made = draft(
            self.environments[party], self.combination, round=round_, kind=kind, receiver="KMA", revision=revision,
            receipt="2024-017",
        )  # fmt: skip
        made.finish([made.sealer.write(table, random=True)])

    def run(self, step: str, *arguments: str, round_: str | None = ROUND) -> tuple[int, dict[str, Any], str]:
        """Exit code, the line of --json, and what a person reads."""
        named_round = [] if round_ is None else ["--round", round_]
        capture = self.capsys
        capture.readouterr()
        call = [step, str(self.file), *named_round, "--environment", self.roles.file("KMA"), "--json", *arguments]
        code = main(call)
        said = capture.readouterr()
        *text, line = said.out.strip().splitlines()
        return code, json.loads(line), "\n".join(text) + said.err

    def got(self, receiver: str, kind: Any, round_: str = ROUND) -> Package | None:
        """The newest package that a role has from the key agency."""
        entries.forget()
        return received(self.environments[receiver], self.combination, round=round_, kind=kind, sender="KMA")

    def linking(self, round_: str = ROUND) -> list[tuple[str | None, ...]]:
        """The newest linking table at CA: serials side by side, sorted."""
        found = self.got("CA", "linking", round_)
        assert found is not None
        table = found.table()
        names = [name for name in table.column_names if name.startswith("serial_")]
        rows = zip(*(table.column(name).to_pylist() for name in names), strict=True)
        return sorted(rows, key=lambda row: [one or "" for one in row])

    def closed_at_ca(self, round_: str = ROUND) -> None:
        """The combining agency's notice."""
        entries.forget()
        notify(Round(self.environments["CA"], self.combination, round_), "KMA", {"about": "closed"})


def bytes_of(folder: Path) -> bytes:
    """All that lies below a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def some_keys(*subjects: str) -> list[bytes]:
    """The join keys of subjects."""
    return [key_of(one) for one in subjects]
