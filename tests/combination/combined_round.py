"""A round at the combining agency whose packages the tests make themselves: what comes in is known to the row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.combination.packages import draft
from jobs.combination.rounds import Round
from jobs.combination_job import main
from jobs.environment import Environment
from jobs.tables import pinned
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination
from transforms.pipeline.feed import SourceFile, pack_units

from .conftest import Roles
from .sample_file import written

ROUND, NEXT = "2024-07", "2024-08"
# No plan of a round runs here, so no option is asked for.
WITHOUT_OPTIONS = (
    "options:\n  mock: {rounds: [2024-07]}\n  join_rate: {floor: 0.05, asks: 1}\n"
    "  extraction: {cover: equal, rest_over: 1000}\n"
)
APPLICATION = """\
applicant: {organisation: 한국교통연구원, contact: 홍길동, phone: 02-123-4567}
purpose: {kind: scientific-research, statement: 주거형태별 통행량과 만성질환의 관계 연구, legal_basis: 제28조의3}
repeated: series
recipient: 한국교통연구원
subject: {name: 통행·주거·건강, content: 주유금액 주거형태 만성질환, from: 2024-07-01, until: 2099-12-31}
"""
REPORTS = {"verify": {"verdict": "equal"}, "review": {"verdict": "fit"}}


def serial(party: str, subject: str) -> str:
    """26 letters that nothing else in a test is."""
    return hashlib.sha256(f"{party} {subject}".encode()).hexdigest()[:26]


def attributes(party: str, subjects: Mapping[str, int] | Sequence[tuple[str, int]], column: str = "x") -> pa.Table:
    """A party's rows: who, and what is known of them."""
    pairs = list(subjects.items() if isinstance(subjects, Mapping) else subjects)
    return pa.table({"serial": [serial(party, name) for name, _ in pairs], column: [value for _, value in pairs]})


def linking(**known: str) -> pa.Table:
    """Which subjects (one letter each) a party has: each row one subject, with a link id that names it."""
    everyone = sorted(set("".join(known.values())))
    columns: dict[str, Any] = {
        f"serial_{party}": pa.array([serial(party, one) if one in has else None for one in everyone], pa.string())
        for party, has in known.items()
    }
    columns["link_A"] = pa.array([one.encode() * 16 for one in everyone], pa.binary(16))
    return pa.table(columns)


@dataclass
class CombinedRound:
    """Roles, the combination file, and commands of the combining agency."""

    roles: Roles
    folder: Path
    file: Path
    environments: Mapping[str, Environment]
    said: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, roles: Roles, folder: Path, *changes: tuple[str, str]) -> CombinedRound:
        file = written(folder, (WITHOUT_OPTIONS, ""), *changes)
        (folder / "application.yaml").write_text(APPLICATION, encoding="utf-8")
        return cls(roles, folder, file, roles(("A", "B", "C", "KMA", "CA")))

    @property
    def combination(self) -> Combination:
        return load_combination(self.file)

    def send(
        self, sender: str, kind: Any, table: pa.Table, revision: int = 1, round_: str = ROUND, **content: Any
    ) -> None:
        """A package to CA."""
        made = draft(
            self.environments[sender], self.combination, round=round_, kind=kind, receiver="CA", revision=revision,
            inputs=hashlib.sha256(str(table.to_pydict()).encode()).hexdigest(),
        )  # fmt: skip
        files = [made.sealer.write(part, "rows") for part in (table[:2], table[2:]) if part.num_rows]
        made.finish(files or [made.sealer.write(table, "rows")], content or (REPORTS if kind == "attributes" else {}))

    def take(self, capsys: Any, name: str, step: str, *words: str, round_: str = ROUND) -> tuple[int, dict[str, Any]]:
        """A role's step by the command; its exit code and JSON line."""
        argv = [step, str(self.file), "--round", round_, "--environment", self.roles.file(name), "--json", *words]
        code = main(argv)
        out = capsys.readouterr()
        return code, json.loads(out.out.strip().splitlines()[-1]) | {"err": out.err, "out": out.out}

    def begin(self, round_: str = ROUND) -> None:
        """As if all had applied and CA had given the receipt (test_applications.py shows how that is done)."""
        Round(self.environments["CA"], self.combination, round_).record("receive", {"receipt": "CA-1"})

    def rows(self, name: str = "A", combination: str = "mobility-housing-health") -> list[dict[str, Any]]:
        """The combined table as it lies at CA."""
        place = self.environments["CA"].zone("source") / f"combinations/{combination}/{name}"
        snapshot = pinned(place)
        files = [SourceFile(file.uri, file.partition) for file in snapshot.files]
        schema = pa.schema([(one.name, one.type) for one in snapshot.schema])
        batches = [batch for unit in pack_units(files, schema, 1) for batch in unit.batches(schema.names)]
        return pa.Table.from_batches(batches, schema).to_pylist()
