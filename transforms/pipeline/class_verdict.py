"""Class facts proved: counted once more, on another way, against what a run claims of each class."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pyarrow as pa

from transforms.class_facts import ClassTable
from transforms.pipeline.class_measure import (
    BUCKETS,
    ClassFactsMap,
    ClassFactsReduce,
    FactKey,
    added,
    class_facts_of,
    of_no_row,
    sites_of,
    splits_of,
)
from transforms.pipeline.engine import Engine
from transforms.pipeline.states import unpack
from transforms.pipeline.work import Work
from transforms.pipeline_model import TablePipeline


def place_of(table: TablePipeline, key: FactKey) -> str:
    """A class fact's place, for people."""
    (column, number), name = key
    (chain,) = [one for one in table.chains if one.name == column]
    return f"{chain.steps[number].site}: {name}"


def wrong_class_facts(work: Work, engine: Engine) -> list[str]:
    """Places of the class facts whose claims the counts of all classes do not prove."""
    facts = class_facts_of(work.table)
    if not facts:
        return []
    claims: dict[FactKey, ClassTable] = {(site, name): work.facts[site][name] for site, name in facts}
    counts: dict[FactKey, list[pa.Table]] = defaultdict(list)
    map_ = ClassFactsMap(work, facts, claims)
    reduce_ = ClassFactsReduce(facts, sites_of(work.table, facts), audited=True)
    for blob in engine.shuffle(map_, reduce_, BUCKETS, "class facts, counted"):
        key, counted = unpack(blob)
        counts[key].append(counted)
    wrong = []
    for key, fact in facts.items():
        claim = claims[key]
        if key in counts:
            found: Any = pa.concat_tables(counts[key])
        else:
            given, values = of_no_row(work, key)
            found = added(fact.audit(values, given, claim), fact.audit_keys)
        if not fact.accepts(found, claim):
            wrong.append(place_of(work.table, key))
    return wrong


def wrong_splits(work: Work, engine: Engine, rows: int) -> list[str]:
    """Are exactly those classes split that have too many of the `rows`?"""
    groups = {group.by for group in work.table.class_groups}  # of a table whose columns were dealt out, its own
    claimed = {by: split for by, split in work.splits.items() if by in groups}
    return [] if splits_of(work, engine, rows, []) == claimed else ["classes that were split"]
