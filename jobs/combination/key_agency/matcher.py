"""All parties' keys against each other, on Spark or in this process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from jobs.combination.engines import cores_of, engine_of, failed
from jobs.combination.key_agency.inputs import Inputs
from jobs.combination.salts import LINK_SALT
from jobs.combination.secret_store import series_secret
from jobs.combination.step import Call
from transforms.combination.joins import JoinRule, rules_of
from transforms.combination.link_keys import LinkKeys
from transforms.combination.matching import COUNTS, KeysMap, Matching, Tally, bucket_count
from transforms.derivation import canonical_json
from transforms.pipeline.engine import Engine, PassFailed, ReduceTask
from transforms.pipeline.states import unpack


@dataclass(frozen=True)
class Matcher:
    """The keys of a round, ready to be matched."""

    work: Matching
    engine: Engine

    @classmethod
    def of(cls, call: Call, inputs: Inputs) -> Matcher:
        """With subkeys of the link salt (L), which nobody but the key agency holds."""
        combination, parties = call.combination, inputs.parties
        secret = series_secret(call.environment, combination, LINK_SALT)
        linked = [one.user for one in combination.outputs if one.link_id]
        keys = LinkKeys.of(
            secret, call.environment.organisation, combination.combination, call.round.name, parties, linked
        )
        label = f"combination {combination.combination} {call.round.name}"
        engine = engine_of(call.environment, inputs.units(), inputs.rows, label, call.progress)
        buckets = bucket_count(inputs.rows, cores_of(engine))
        rules = rules_of_round(call, inputs)
        return cls(Matching(parties, rules, keys, combination.key.digest_bytes, buckets, inputs.voided()), engine)

    def run(self, reduce_: ReduceTask, what: str, *, serials: bool) -> tuple[Tally, list[tuple[int, bytes]]]:
        """One shuffle of all keys; the counts of all buckets, and what else reduce yields."""
        map_ = KeysMap(self.work, serials)
        try:
            found = self.engine.shuffle(map_, reduce_, self.work.buckets, what, kinds=True)
        except PassFailed as error:
            raise failed(error) from None
        counts = [unpack(blob) for kind, blob in found if kind == COUNTS]
        tally = reduce(Tally.__add__, counts, Tally.none(len(self.work.parties)))
        return tally, [(kind, blob) for kind, blob in found if kind != COUNTS]


def rules_of_round(call: Call, inputs: Inputs) -> dict[str, JoinRule]:
    """The outputs' rules, over the parties that take part."""
    return rules_of(call.combination.outputs, inputs.parties)


def digest_of(content: Mapping[str, Any]) -> str:
    """As a package's manifest writes what it was made from."""
    return hashlib.sha256(canonical_json(content)).hexdigest()
