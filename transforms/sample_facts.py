"""What a run measured of its sample (additional information): who is in it follows from this and the run's keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Draw = tuple[int, int]


@dataclass(frozen=True)
class StratumFacts:
    """A stratum by its keyed draw: persons in it, persons drawn, and the largest draw among these (None: nobody)."""

    stratum: Draw
    size: int
    drawn: int
    threshold: Draw | None


@dataclass(frozen=True)
class SampleFacts:
    """`persons` are different persons drawn. The rest is there where the technique has it.

    `short`: strata that gave fewer than they should; `unlisted`: strata left out because the plan does not name
    them; `clusters`: how many there are and how many were drawn, `cluster_threshold` the largest draw among these;
    `splits`: places in the order of persons at which verify counts.
    """

    persons: int
    strata: tuple[StratumFacts, ...] = ()
    short: int = 0
    unlisted: int = 0
    clusters: tuple[int, int] | None = None
    cluster_threshold: Draw | None = None
    splits: tuple[Draw, ...] = ()

    def counts(self) -> dict[str, int]:
        """Numbers that reviewers may see: no size of a single stratum or cluster."""
        found = {"persons": self.persons, "strata": len(self.strata), "short": self.short, "unlisted": self.unlisted}
        if self.clusters is not None:
            found |= {"clusters": self.clusters[0], "clusters_drawn": self.clusters[1]}
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "persons": self.persons,
            "strata": [[_hex(one.stratum), one.size, one.drawn, _hex(one.threshold)] for one in self.strata],
            "short": self.short,
            "unlisted": self.unlisted,
            "clusters": list(self.clusters) if self.clusters is not None else None,
            "cluster_threshold": _hex(self.cluster_threshold),
            "splits": [_hex(split) for split in self.splits],
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> SampleFacts:
        clusters = raw["clusters"]
        return cls(
            raw["persons"],
            tuple(
                StratumFacts(_draw(stratum), size, drawn, _draw(threshold) if threshold is not None else None)
                for stratum, size, drawn, threshold in raw["strata"]
            ),
            raw["short"],
            raw["unlisted"],
            (clusters[0], clusters[1]) if clusters is not None else None,
            _draw(raw["cluster_threshold"]) if raw["cluster_threshold"] is not None else None,
            tuple(_draw(split) for split in raw["splits"]),
        )


def _hex(draw: Draw | None) -> list[str] | None:
    return [f"{word:016x}" for word in draw] if draw is not None else None


def _draw(raw: list[str]) -> Draw:
    return int(raw[0], 16), int(raw[1], 16)
