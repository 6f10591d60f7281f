"""A pipeline in words: phases, steps, passes over the data and shuffles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from transforms.outlier_wordings import outlier_wording
from transforms.pipeline_model import Chain, Derived, Pipeline, TablePipeline
from transforms.plan import SumOf
from transforms.plan_outliers import (
    Frequency,
    LocalGeneralization,
    Microaggregation,
    OutlierRule,
    RareCombinations,
    ThreeSigma,
)
from transforms.sample_wording import sample_passes, sample_wording
from transforms.techniques.tokens import vaulted

# Of a table of hundreds of columns most are told by their number.
MOST_NAMED = 6


def explain(pipeline: Pipeline) -> str:
    """What `gamyeong check --explain` prints: no value, no key, no measured figure."""
    lines = [f"plan {pipeline.plan.plan}, fingerprint {pipeline.fingerprint}"]
    for table in pipeline.tables.values():
        lines += ["", f"table {table.source} → {table.name}: {len(table.columns)} columns delivered", *_table(table)]
    for aggregate in pipeline.aggregates.values():
        words = aggregate.technique.wording("en")
        lines += ["", f"table {aggregate.table.source} → {aggregate.name}: {words.method}: {words.level}"]
        lines.append(f"  columns: {', '.join(aggregate.schema.names)}")
        shuffle = "" if aggregate.table.one_row_per_subject else "; a shuffle by person"
        lines.append(f"  passes over the data: one, of the columns that it reads{shuffle}; noise on the driver")
    return "\n".join(lines)


def _table(table: TablePipeline) -> Iterator[str]:
    yield "phases:"
    for number, phase in enumerate(_phases(table), 1):
        yield f"  {number}. {phase}"
    yield "columns:"
    alike: dict[str, list[str]] = {}
    for column in table.columns:
        alike.setdefault(_rule_key(column), []).append(column.name)
    for key, names in alike.items():
        yield f"  {names[0] if len(names) == 1 else f'{names[0]} … {names[-1]} ({len(names)} columns)'}: {key}"
    if table.excluded:
        yield f"  not delivered: {_some(table.excluded)}"
    yield "passes over the data:"
    yield from (f"  {line}" for line in _passes(table))


def _some(names: Sequence[str]) -> str:
    """The names, or of many the number, the first ones and the last."""
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    return f"{len(names)} columns: {', '.join(names[: MOST_NAMED - 1])} … {names[-1]}"


def _phases(table: TablePipeline) -> Iterator[str]:
    yield "stop requests left out" if table.subject is not None else "all rows (no subject is named)"
    if table.sample is not None and table.register is None:
        yield f"sample of subjects: {sample_wording(table.sample, 'en').level}"
    elif table.register is not None:
        yield f"only whom the register of {table.register} lists (its sample, where one is drawn); others are refused"
    for rule in table.row_rules:
        yield f"rows: {rule.technique.wording('en').method}: {rule.technique.wording('en').level}"
    if table.fact_depth():
        yield "facts about the target data (cut-offs, means)"
    yield "column techniques"
    for number, outlier in enumerate(table.outliers, 1):
        words = outlier_wording(outlier, "en")
        yield f"outlier rule {number}: {words.method}: {words.level}"
    if table.derived:
        yield "derived columns, from final cells"
    yield "keyed order" + (" and serial numbers" if table.has_serial else "")


def _rule_key(column: Chain | Derived) -> str:
    if isinstance(column, Derived):
        kind = "sum" if isinstance(column.derive, SumOf) else "largest"
        return f"derived: {kind} of {len(column.inputs)} columns ({column.type})"
    steps = " → ".join(f"{s.technique.wording('en').method} ({s.technique.wording('en').level})" for s in column.steps)
    return f"{steps} [{column.source_type} → {column.type}]"


def _outlier_passes(rule: OutlierRule, number: int) -> str:
    """How often a rule reads its columns, each time with a shuffle of classes."""
    find, treat = rule.find.one, rule.treat.one
    match find:
        case Frequency():
            passes = "a shuffle of classes" + (" (counted in the first pass where it can be)" if number == 1 else "")
            return passes + ("; a second one for ranges" if isinstance(treat, LocalGeneralization) else "")
        case RareCombinations():
            sizes = min(find.size, len(find.columns))
            return f"{sizes} shuffles of combinations, one for each size, until nothing is rare; a pass that counts"
        case ThreeSigma():
            bounds = "a shuffle of exact sums by class"
        case _:
            bounds = "two shuffles of values by class (coarse, then exact quantiles)"
    more = isinstance(treat, (LocalGeneralization, Microaggregation))
    return f"{bounds}; a shuffle of the outliers" + ("; one more for what they become" if more else "")


def _passes(table: TablePipeline) -> Iterator[str]:
    if table.of is not None:
        yield f"sample, facts and outlier rules: measured with table {table.of}"
        yield "rows by order, where there are several buckets"
        yield "transform: reads its columns once; one shuffle by a keyed order of its own; writes"
        return
    table = table.whole or table
    narrow = sorted(table.key_columns() | table.condition_columns()) or ["row numbers"]
    if table.sample is not None and table.register is None:
        yield from sample_passes(table, narrow)
    depth = max(1, table.fact_depth())
    for number in range(1, depth + 1):
        wanted = [c.name for c in table.chains if any(s.facts and s.depth == number for s in c.steps)]
        yield f"facts, pass {number} of {depth}: reads {', '.join(narrow)} and {len(wanted)} more columns"
        if classes := [c.name for c in table.chains if any(s.class_facts and s.depth == number for s in c.steps)]:
            yield (
                f"class facts of {', '.join(classes)}: reads them, their class columns and {', '.join(narrow)}; a "
                "shuffle of classes; once more where draws decide"
            )
    for number, rule in enumerate(table.outliers, 1):
        yield f"outlier rule {number}: reads {', '.join(rule.columns())}; {_outlier_passes(rule, number)}"
    if table.has_serial and table.by_subject and not table.one_row_per_subject:
        yield "delivered subjects: a shuffle of draws, for serial numbers"
    if tokens := [c.name for c in table.chains if c.steps and vaulted(c.steps[-1].technique)]:
        read = "every column once" if table.outliers else ", ".join([*narrow, *(n for n in tokens if n not in narrow)])
        yield f"vault of {', '.join(tokens)}: reads {read}; a shuffle of tokens; writes, encrypted"
    for group in table.class_groups:
        yield (
            f"class pass of {', '.join(chain.name for chain in group.chains)}, with the transform: reads them and "
            f"{', '.join(narrow)}; a shuffle of rows by {', '.join(group.by) or 'parts of the table'}, then by keyed "
            "order"
        )
    yield "transform: reads every column once; one shuffle by keyed order; writes"
