"""What a run measured (additional information, 추가정보): handed to review, proved by verify, then destroyed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.class_facts import ClassTable
from transforms.facts import conclusion_from_json, conclusion_to_json
from transforms.outlier_changes import RuleChange
from transforms.sample_facts import SampleFacts

Site = tuple[str, int]


@dataclass(frozen=True)
class TableFacts:
    """One table's facts. `subjects` and `drawn` are N and n of the sample (None where nothing is sampled).

    `threshold` is the largest draw that is in a simple sample, `sample` tells the rest; `seen` … `delivered` are rows
    after each phase; `concluded` holds facts by (column, step) and name; `splits` the parts of very large classes by
    class columns.
    """

    threshold: tuple[int, int] | None
    subjects: int | None
    drawn: int | None
    seen: int
    stopped_rows: int
    sampled_rows: int
    delivered: int
    buckets: int
    offsets: tuple[int, ...]
    concluded: Mapping[Site, Mapping[str, Any]] = field(default_factory=dict)
    rules: tuple[RuleChange, ...] = ()
    splits: Mapping[tuple[str, ...], ClassTable] = field(default_factory=dict)
    sample: SampleFacts | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "threshold": [f"{word:016x}" for word in self.threshold] if self.threshold else None,
            "subjects": self.subjects,
            "drawn": self.drawn,
            "sample": self.sample.to_json() if self.sample is not None else None,
            "rows": [self.seen, self.stopped_rows, self.sampled_rows, self.delivered],
            "buckets": self.buckets,
            "offsets": list(self.offsets),
            "concluded": [
                [column, step, {name: conclusion_to_json(value) for name, value in named.items()}]
                for (column, step), named in sorted(self.concluded.items())
            ],
            "rules": [rule.to_json() for rule in self.rules],
            "splits": [[list(by), table.to_json()] for by, table in sorted(self.splits.items())],
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> TableFacts:
        threshold = raw["threshold"]
        return cls(
            (int(threshold[0], 16), int(threshold[1], 16)) if threshold else None,
            raw["subjects"],
            raw["drawn"],
            **dict(zip(("seen", "stopped_rows", "sampled_rows", "delivered"), raw["rows"], strict=True)),
            sample=SampleFacts.from_json(raw["sample"]) if raw["sample"] is not None else None,
            buckets=raw["buckets"],
            offsets=tuple(raw["offsets"]),
            concluded={
                (column, step): {name: conclusion_from_json(value) for name, value in named.items()}
                for column, step, named in raw["concluded"]
            },
            rules=tuple(RuleChange.from_json(rule) for rule in raw["rules"]),
            splits={tuple(by): ClassTable.from_json(table) for by, table in raw["splits"]},
        )


@dataclass(frozen=True)
class RunFacts:
    """The facts of all tables of a run, by table name."""

    tables: Mapping[str, TableFacts]

    def to_json(self) -> dict[str, Any]:
        return {"format": 1, "tables": {name: facts.to_json() for name, facts in self.tables.items()}}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> RunFacts:
        return cls({name: TableFacts.from_json(one) for name, one in raw["tables"].items()})
