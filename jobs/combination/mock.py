"""Mock combination (모의결합, L1428-1443): is the combination worth while? A few subjects, another salt, nothing kept.

It is made before serials are (L1403), so a number of the mock's own stands for each subject. The combining agency
chooses among them and adds as many others, so that a party doesn't learn from the choice who is known to the others
(practice).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.combination.packages import Package
from jobs.combination.parcels import Kind
from jobs.combination.step import Call
from jobs.errors import Refused, Waiting
from transforms.combination.joins import Patterns, meeting, needed, patterns_of, rules_of
from transforms.combination.matching import JOIN_KEY, KEYS_SCHEMA
from transforms.combination.model import Combination, Mock
from transforms.combination.words import word_arrays, words_of
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.identifiers import encode_ids

# Purposes of a round's secrets; each role has its own.
SALT_OF_MOCK, SERIAL_OF_MOCK, CHOICE = "mock-salt", "mock-serial", "mock-choice"
SERIAL = "serial"
DRAWN = ("\x00drawn0", "\x00drawn1")
# So many keys of each party are looked at for each that may be chosen.
LOOKED_AT = 20
_KEYED = pa.schema([*KEYS_SCHEMA, *((name, pa.uint64()) for name in DRAWN)])


def require_mock(call: Call) -> Mock:
    """The mock's options; Refused for a round without one."""
    mock = call.combination.options.mock
    rounds = () if mock is None else mock.rounds
    if mock is None or call.round.name not in rounds:
        named = ", ".join(rounds) or "none"
        raise Refused(f"round {call.round.name} has no mock combination; rounds with one (options.mock): {named}")
    return mock


def without_argument(parser: argparse.ArgumentParser) -> None:
    """`--without-optional`."""
    parser.add_argument(
        "--without-optional", action="store_true", help="go on without optional parties that sent nothing"
    )


def those_there(call: Call, kind: Kind, what: str, parties: Sequence[str]) -> dict[str, Package]:
    """The parties' packages of a kind; Waiting for what is missing, but that no party's lateness ends a round here."""
    found = {party: call.received(kind, party) for party in parties}
    missing = [party for party, package in found.items() if package is None]
    optional = all(call.combination.parties[party].optional for party in missing)
    if missing and not (optional and call.arguments.without_optional):
        hint = " (optional: `--without-optional` goes on)" if optional else ""
        raise Waiting(f"round {call.round.name} waits for the {what} of {', '.join(missing)}{hint}")
    there = {party: package for party, package in found.items() if package is not None}
    if len(there) < 2:
        raise Refused(f"round {call.round.name}: {what} of {len(there)} party; allowed: two or more")
    return there


def require_no_mock(call: Call) -> None:
    """Refused while something of the round's mock combination still lies here: it goes before the real one (L1443)."""
    if call.round.done("mock-choose") is not None and call.round.done("mock-destroy") is None:
        raise Refused(
            f"round {call.round.name}: its mock combination is not destroyed yet (guideline L1443); first: "
            "`gamyeong combination mock-destroy`"
        )


@dataclass(frozen=True)
class Sample:
    """The keys that all parties were asked about: by party a table of join key and number, and whole packages' rows."""

    keys: Mapping[str, pa.Table]
    rows: Mapping[str, int]

    def patterns(self) -> Patterns:
        """Who has each of the joined rows, one bit for each party."""
        joined = self.joined()
        return patterns_of({party: joined.column(f"serial_{party}") for party in self.keys}, tuple(self.keys))

    def joined(self) -> pa.Table:
        """One row for each sampled key in keyed order: `serial_<PARTY>` (null: not there), and its draws."""
        found: pa.Table | None = None
        for party, table in self.keys.items():
            own = table.rename_columns({SERIAL: f"serial_{party}"})
            names = [JOIN_KEY, *DRAWN]
            found = own if found is None else found.join(own, names, join_type="full outer", use_threads=False)
        assert found is not None
        return found.sort_by([(name, "ascending") for name in DRAWN])


def sample(packages: Mapping[str, Package], secret: Secret, most: int) -> Sample:
    """About LOOKED_AT × `most` keys of each party, all parties the same ones: those with the lowest keyed draws."""
    largest = max(package.manifest.rows for package in packages.values())
    share = min(1.0, LOOKED_AT * most / max(1, largest))
    limit = np.uint64(min(int(share * 2.0**64), 2**64 - 1))
    draws = Draws(secret)
    keys = {}
    for party, package in packages.items():
        chosen = [_KEYED.empty_table()]
        for unit in package.units():
            for batch in unit.batches([JOIN_KEY, SERIAL]):
                words = draws.bits(encode_ids([batch.column(JOIN_KEY)]))
                below = pa.array(words[:, 0] <= limit)
                rows = pa.Table.from_batches([batch]).filter(below)
                drawn = [one.filter(below) for one in word_arrays(words)]
                for name, array in zip(DRAWN, drawn, strict=True):
                    rows = rows.append_column(name, array)
                chosen.append(rows)
        keys[party] = _once(pa.concat_tables(chosen))
    return Sample(keys, {party: package.manifest.rows for party, package in packages.items()})


def _once(rows: pa.Table) -> pa.Table:
    """Rows whose key no other row has: two subjects of a party under one key are both left out."""
    rows = rows.sort_by([(name, "ascending") for name in DRAWN]).combine_chunks()
    words = words_of(rows, DRAWN)
    same = (words[1:] == words[:-1]).all(axis=1)
    alone = ~(np.concatenate([[False], same]) | np.concatenate([same, [False]]))
    return rows.filter(pa.array(alone[: len(words)]))


def chosen(sampled: Sample, combination: Combination, most: int) -> dict[str, pa.Table]:
    """By party the numbers it is asked for: of subjects that some output takes, and as many others; `most` at most.

    Their order tells nothing: sorted by the number.
    """
    rules = rules_of(combination.outputs, tuple(sampled.keys))
    wanted = needed(rules) | meeting(rules)
    joined, pattern = sampled.joined(), sampled.patterns()
    several = np.array([one.bit_count() > 1 for one in range(len(wanted))])
    meet = (wanted & several)[pattern]
    taken = pa.array(np.flatnonzero(meet)[: most // 2])
    asked = {}
    for party in sampled.keys:
        column = joined.column(f"serial_{party}").combine_chunks()
        mine = column.take(taken).drop_null()
        others = column.filter(pa.array(~meet)).drop_null()
        cover = others[: min(len(mine), most - len(mine))]
        numbers = pa.concat_arrays([mine, cover])
        asked[party] = pa.table({SERIAL: numbers.take(pc.sort_indices(numbers))})
    return asked
