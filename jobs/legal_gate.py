"""No unique identification number is processed unnoticed: found in a column that is not marked so, it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from jobs.errors import DataFailed, Operational
from jobs.progress import Progress
from jobs.session import watched
from jobs.sources import engine_for
from jobs.tables import Snapshot
from transforms.column_patterns import expand, is_pattern
from transforms.errors import PlanError, Problem
from transforms.identity.legal import Unmarked, unmarked
from transforms.pipeline.engine import Engine, LocalEngine, PassFailed
from transforms.pipeline.feed import Damaged
from transforms.pipeline.number_search import NumberSearch, held, searched
from transforms.pipeline_model import Pipeline, TablePipeline
from transforms.plan import ColumnRule, Plan
from transforms.plan_loader import Loaded
from transforms.predicate import Predicate
from transforms.yaml_nodes import path_text

# Rows that this process reads sooner than Spark would begin.
_SMALL = 50_000


def refuse_unmarked(
    spark: Any,
    loaded: Loaded,
    pipeline: Pipeline,
    snapshots: Mapping[str, Snapshot],
    windows: Mapping[str, Predicate | None],
    progress: Progress,
) -> None:
    """PlanError (refused) with each column that surely holds such numbers and lacks `legal`; see `find_unmarked`."""
    found = find_unmarked(spark, loaded.plan, pipeline, snapshots, windows, progress)
    if problems := legal_problems(loaded, found):
        raise PlanError(problems)


def legal_problems(loaded: Loaded, found: Mapping[str, Sequence[Unmarked]]) -> tuple[Problem, ...]:
    """What was found as refusals, with the plan's lines."""
    return loaded.placed(PlanError([one.problem() for columns in found.values() for one in columns])).problems


def find_unmarked(
    spark: Any,
    plan: Plan,
    pipeline: Pipeline,
    snapshots: Mapping[str, Snapshot],
    windows: Mapping[str, Predicate | None],
    progress: Progress,
) -> dict[str, tuple[Unmarked, ...]]:
    """By table, the columns that may not be processed as the plan has them: one pass over texts alone.

    Looked at are the columns that the plan processes, of the rows of the run's period. Operational for damaged files.
    """
    unmarked_in = {}
    for name, table in pipeline.wholes.items():
        rules = _rules(table, plan)
        snapshot = snapshots["" if "" in snapshots else name]
        label = f"search {name}"
        watch = partial(watched, spark, progress)
        try:
            over, rows = engine_for(spark, snapshot, table, label, windows.get(name), watch)
            processed = pa.schema([one for one in table.source_schema if one.name in rules])
            columns = searched(processed, over.units)
            small = rows <= _SMALL and over.frame is None
            engine: Engine = LocalEngine(over.units, over.window) if small else over
            found = held(engine.each(NumberSearch(columns), "unique identification numbers"))
        except Damaged as error:
            raise Operational(str(error)) from None
        except PassFailed as error:
            raise (Operational if error.damaged else DataFailed)(str(error)) from None
        unmarked_in[name] = tuple(unmarked(rules, found))
    return unmarked_in


def _rules(table: TablePipeline, plan: Plan) -> dict[str, tuple[str, ColumnRule]]:
    """The rules of the source columns that steps read, each with the plan's path to it."""
    own = "" if plan.source is not None else f"{path_text(('tables', table.name))}."
    keys = plan.columns if plan.source is not None else plan.tables[table.name].columns
    return {chain.name: (own + path_text(("columns", _key(keys, chain.name))), chain.rule) for chain in table.chains}


def _key(keys: Iterable[str], column: str) -> str:
    """The rule's name in the plan: the column's own, or the pattern that meets it."""
    return next(key for key in sorted(keys, key=is_pattern) if expand(key, [column]))
