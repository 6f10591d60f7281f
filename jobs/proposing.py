"""Proposed levels of a plan's quasi-identifiers: the classes of its target data, searched, written as a draft plan."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, Operational
from jobs.keys import passing_secret
from jobs.plans import open_plan
from jobs.progress import Progress
from jobs.pseudonymization import bare
from jobs.session import require_encryption, spark_session, watched
from jobs.sources import engine_for, pinned_sources
from transforms.compiler import compile_plan
from transforms.complaint import did_you_mean
from transforms.errors import DataRefused, TechniqueError
from transforms.hierarchy import Hierarchy
from transforms.levels.classes import Classes
from transforms.levels.ladder import Rung, climb
from transforms.levels.lattice import Asked, Found, Search
from transforms.measures.class_table import ClassTable, class_table
from transforms.pipeline.apply import delivered_frame
from transforms.pipeline.engine import PassFailed
from transforms.pipeline.feed import Damaged
from transforms.pipeline.run import Options, prepare
from transforms.pipeline_model import Chain, TablePipeline
from transforms.plan import ColumnRule, Plan
from transforms.plan_loader import Loaded
from transforms.run_keys import RunKeys, series_names

KEPT = ColumnRule.model_validate({"kind": "attribute", "apply": "keep"})


@dataclass(frozen=True)
class Question:
    """What is asked of the classes, of which table (None: the only one), and how columns may be made coarser.

    `sensitive` None: the plan's columns of that kind; `hierarchies` by column of text that has none in the plan.
    """

    asked: Asked
    table: str | None = None
    sensitive: tuple[str, ...] | None = None
    units: Mapping[str, tuple[int, ...]] | None = None
    hierarchies: Mapping[str, Hierarchy] | None = None


@dataclass(frozen=True)
class Proposal:
    """The levels found, by column: `ladders` and the chosen place on each. `rows` is the size of the target data."""

    loaded: Loaded
    table: TablePipeline
    columns: tuple[str, ...]
    ladders: tuple[tuple[Rung, ...], ...]
    question: Question
    rows: int
    combinations: int
    evaluated: int
    found: Found | None

    @property
    def nodes(self) -> int:
        """All combinations of levels."""
        product = 1
        for rungs in self.ladders:
            product *= len(rungs)
        return product

    def chosen(self) -> dict[str, Rung]:
        """The rung of each column. ValueError where nothing was found."""
        if self.found is None:
            raise ValueError("no levels were found")
        return {
            name: rungs[level]
            for name, rungs, level in zip(self.columns, self.ladders, self.found.levels, strict=True)
        }


def proposed(environment: Environment, file: Path, question: Question, progress: Progress) -> Proposal:
    """Searches the levels of least loss for a plan's target data: behind row rules and sample, before outlier rules.

    The sample is drawn anew, by a key that is forgotten; stop requests are left aside. Errors: PlanError (2 or 3),
    BadInput (2), DataFailed (1), Operational (4).
    """
    loaded = open_plan(file, environment)
    snapshots = pinned_sources(loaded.plan, environment)
    schemas = {name: bare(snapshot.schema) for name, snapshot in snapshots.items()}
    pipeline = compile_plan(loaded.plan, schemas.get("", schemas), loaded.hierarchies, loaded.lines)
    table = _table({name: one.whole or one for name, one in pipeline.tables.items() if one.of is None}, question)
    chains = {chain.name: chain for chain in table.chains if chain.by_row}
    columns = tuple(name for name in table.quasi_identifiers if name in chains)
    if not columns:
        raise BadInput(f"table {table.name} delivers no quasi-identifier; allowed: a plan with columns of that kind")
    for option, named in (("--units", question.units or {}), ("--hierarchy", question.hierarchies or {})):
        _known(option, tuple(named), columns)
    sensitive = _sensitive(question, chains)
    persons = table.subject if table.subject is not None and not table.one_row_per_subject else None
    snapshot = snapshots["" if "" in snapshots else table.name]
    keys = RunKeys(
        passing_secret(),
        environment.organisation,
        "propose",
        "nobody",
        {name: passing_secret() for name in series_names(loaded.plan)},
    )
    spark = spark_session(environment, f"levels of {file.name}")
    require_encryption(spark)
    engine, rows = engine_for(
        spark, snapshot, table, f"propose {table.name}", None, partial(watched, spark, progress)
    )
    options = Options(cores=spark.sparkContext.defaultParallelism, rows_hint=rows)
    try:
        bare_table = _bare(table, chains, [*columns, *sensitive], persons)
        frame = delivered_frame(engine, prepare(bare_table, keys, engine, options))
        counted = class_table(frame, columns, [*sensitive, *([persons] if persons else [])])
        return _searched(loaded, table, columns, counted, persons, question, progress)
    except Damaged as error:
        raise Operational(str(error)) from None
    except PassFailed as error:
        raise (Operational if error.damaged else DataFailed)(str(error)) from None
    except DataRefused as error:
        raise DataFailed(str(error)) from None


def _searched(
    loaded: Loaded,
    table: TablePipeline,
    columns: tuple[str, ...],
    counted: ClassTable,
    persons: str | None,
    question: Question,
    progress: Progress,
) -> Proposal:
    ladders = tuple(_ladder(loaded, table, name, counted, question) for name in columns)
    search = Search(Classes.of(counted, persons), ladders, question.asked)
    progress.say(f"searches {' × '.join(str(len(rungs)) for rungs in ladders)} levels, {len(counted):,} combinations")
    try:
        found = search.run()
    except ValueError as error:
        raise BadInput(f"{error}; name fewer --units, or exclude a column") from None
    return Proposal(
        loaded, table, columns, ladders, question, counted.rows, len(counted), search.evaluated, found
    )


def _table(tables: Mapping[str, TablePipeline], question: Question) -> TablePipeline:
    if question.table is None and len(tables) == 1:
        return next(iter(tables.values()))
    if question.table is not None and question.table in tables:
        return tables[question.table]
    found = f"--table {question.table}" if question.table else "a plan of several tables"
    raise BadInput(f"{found}; allowed: --table with one of {', '.join(tables)}")


def _sensitive(question: Question, chains: Mapping[str, Chain]) -> tuple[str, ...]:
    if question.asked.l is None and question.asked.t is None:
        return ()
    own = tuple(name for name, chain in chains.items() if chain.rule.kind == "sensitive")
    named = own if question.sensitive is None else question.sensitive
    for name in named:
        if name not in chains:
            raise BadInput(f"--sensitive {name}: no such column; allowed: {', '.join(chains)}")
    if not named:
        raise BadInput("--l and --t look at sensitive columns, and the plan has none; allowed: --sensitive A,B,…")
    return named


def _bare(
    table: TablePipeline, chains: Mapping[str, Chain], names: Sequence[str], persons: str | None
) -> TablePipeline:
    """The table with these columns alone, as their steps give them, and the persons' ids as they are."""
    columns = [replace(chains[name], treated=None) for name in names]
    if persons is not None:
        type_ = table.source_schema.field(persons).type
        columns.append(Chain(persons, type_, (), KEPT, {}, f"{table.name}.{persons}"))
    return replace(table, columns=tuple(columns), outliers=(), hidden=(), register=None, of=None, whole=None)


def _ladder(
    loaded: Loaded, table: TablePipeline, name: str, counted: ClassTable, question: Question
) -> tuple[Rung, ...]:
    chain = next(one for one in table.chains if one.name == name)
    written: list[dict[str, Any]] = chain.rule.model_dump(mode="json", by_alias=True)["apply"]
    base = [step if any(step.values()) else next(iter(step)) for step in written]
    own = chain.steps[-1].hierarchy if chain.steps else None
    hierarchy = own or (question.hierarchies or {}).get(name)
    try:
        return climb(counted.values[name], base, hierarchy, (question.units or {}).get(name, ()))
    except (ValueError, TechniqueError) as error:
        raise BadInput(f"column {name}: {error}") from None


def _known(option: str, named: Sequence[str], columns: Sequence[str]) -> None:
    for name in named:
        if name not in columns:
            near = did_you_mean(name, columns)
            hint = f"; {near}" if near else ""
            raise BadInput(f"{option} {name}: no quasi-identifier; allowed: {', '.join(columns)}{hint}")


def draft(proposal: Proposal, to: Path) -> str:
    """The draft plan: it extends the plan, with the levels found, the rule that removes what stays small, and k, l, t.

    BadInput where a column stands under a pattern of several: it has no rule of its own to change.
    """
    plan, found, asked = proposal.loaded.plan, proposal.found, proposal.question.asked
    assert found is not None
    rules, prefix = _rules(plan, proposal.table)
    changed: dict[str, Any] = {}
    for name, rung in proposal.chosen().items():
        if rung is proposal.ladders[proposal.columns.index(name)][0]:
            continue
        if name not in rules:
            raise BadInput(f"column {name} stands under a pattern; allowed: a rule of its own, as it gets a level")
        changed[name] = {"requirement": rung.wording("ko"), "apply": list(rung.steps)}
        if rules[name].coding:
            changed[name]["coding"] = None  # it told of other values
    body: dict[str, Any] = {"columns": changed} if changed else {}
    rule = {
        "find": {"frequency": {"columns": list(proposal.columns), "below": asked.k, "count": "subject"}},
        "treat": {"record-suppression": {}},
    }
    body["outliers"] = [rule] if plan.source is None or plan.source.subject is not None else [_by_rows(rule)]
    inner = body if not prefix else {"tables": {prefix: body}}
    whole = {
        "extends": proposal.loaded.file.name,
        "plan": f"{plan.plan}-proposed",
        **inner,
        "outlier_limits": {"rows": max(asked.suppressed, plan.outlier_limits.rows)},
        "adequacy": {"k-anonymity": {"k": asked.k}, **_of_classes(proposal)},
    }
    text = io.StringIO()
    writer = YAML()
    writer.default_flow_style = False
    writer.width = 120
    writer.dump(whole, text)
    return HEAD.format(plan=proposal.loaded.file.name) + text.getvalue()


def _of_classes(proposal: Proposal) -> dict[str, Any]:
    """What was asked of sensitive columns within classes, so that review measures it in the result."""
    asked, of = proposal.question.asked, proposal.question.sensitive
    named = {"of": list(of)} if of is not None else {}
    measures: dict[str, Any] = {}
    if asked.l is not None:
        # of another kind in the plan, it would be merged with this one
        measures["l-diversity"] = {"l": asked.l, "kind": "distinct", "c": None, **named}
    if asked.t is not None:
        measures["t-closeness"] = {"t": asked.t, "ordered": None, **named}
    return measures


HEAD = """# A draft by `gamyeong propose`, to be read and edited: what differs from {plan}.
# It proposes the levels of least loss of information; whether they serve the purpose is for people to judge.
"""


def _rules(plan: Plan, table: TablePipeline) -> tuple[Mapping[str, ColumnRule], str]:
    return (plan.columns, "") if plan.source is not None else (plan.tables[table.name].columns, table.name)


def _by_rows(rule: dict[str, Any]) -> dict[str, Any]:
    find = {name: value for name, value in rule["find"]["frequency"].items() if name != "count"}
    return {**rule, "find": {"frequency": find}}
