"""What a plan must heed where steps work on whole classes, or by figures of classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from transforms.errors import TechniqueError
from transforms.pipeline_model import Chain, Derived, Step
from transforms.techniques.cells import check_numeric
from transforms.techniques.microaggregation import Microaggregation

Found = tuple[str, str, str, str | None]


def class_problems(columns: Iterable[Chain | Derived], schema: pa.Schema) -> Iterator[Found]:
    """(path, found, allowed, hint) of all that is wrong with the columns of a table."""
    columns = list(columns)
    classed = {one.name for one in columns if isinstance(one, Chain) and one.classed}
    for column in columns:
        if isinstance(column, Derived):
            for name in sorted(classed & set(column.inputs)):
                yield (
                    column.site.path,
                    f"{name!r} as an operand, whose cells are made from all rows of a class",
                    "columns whose cells come from their own row",
                    "derive the column in the source, and give it the same technique",
                )
            continue
        for step in column.steps:
            yield from _step(column, step, schema)


def _step(chain: Chain, step: Step, schema: pa.Schema) -> Iterator[Found]:
    technique = step.technique
    if technique.whole_classes and step is not chain.steps[-1]:
        yield (
            step.site.path,
            f"{technique.name} before another step",
            "it as the column's last step, for it needs all rows of a class together",
            "put the other steps before it",
        )
    if not technique.whole_classes and not step.class_facts:
        return
    for name in technique.by:
        if name in schema.names and pa.types.is_floating(schema.field(name).type):
            yield (
                step.site.path,
                f"class column {name!r} of type {schema.field(name).type}",
                "class columns with exact values: texts, integers, decimals, dates, booleans",
                None,
            )
        if name == chain.name:
            yield step.site.path, f"the column {name!r} itself under `by`", "other columns of the source", None
    if technique.when is not None:
        yield step.site.path, f"`when` for {technique.name}", "no condition: it works on whole classes", None
    if isinstance(technique, Microaggregation) and technique.columns_:
        yield from _together(chain, step, technique.columns_, schema)


def _together(chain: Chain, step: Step, names: tuple[str, ...], schema: pa.Schema) -> Iterator[Found]:
    """The columns in which microaggregation looks for groups: this one among them, each once, all of numbers."""
    allowed = "numeric columns of the source, this one among them, each once"
    if chain.name not in names:
        yield step.site.path, f"`columns` without {chain.name!r} itself", allowed, None
    if len(set(names)) < len(names):
        yield step.site.path, "`columns` with a name twice", allowed, None
    for name in names:
        if name in schema.names:
            try:
                check_numeric(schema.field(name).type, f"{name!r} under `columns`: {step.technique.name}")
            except TechniqueError as error:
                yield step.site.path, error.found, allowed, None
