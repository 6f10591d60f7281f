"""What a sample needs of its table: columns that are there, types that can be counted, persons that stay countable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from transforms.errors import TechniqueError
from transforms.ordered import check_ordered
from transforms.pipeline_model import Chain, TablePipeline
from transforms.plan_sample import (
    QuotaSample,
    Sample,
    SimpleSample,
    StratifiedSample,
    SystematicSample,
    fixed_sizes,
    group_columns,
    measured_column,
    named_columns,
    size_cells,
    with_copies,
)
from transforms.yaml_nodes import path_text

# path, what was found, what is allowed, what to do
Fault = tuple[str, str, str, str | None]
# Steps that draw a pseudonym anew for each copy of a person.
BY_COPY = ("serial-number", "keyed-token", "pseudonym")


def sample_faults(table: TablePipeline, counts_persons: bool) -> Iterator[Fault]:
    """All that is wrong with a table's own sample; `counts_persons`: k of the delivered data is asked for."""
    sample = table.sample
    if sample is None or table.register is not None:
        return
    missing = {path: name for path, name in named_columns(sample).items() if name not in table.source_schema.names}
    for path, name in missing.items():
        yield path, f"column {name!r}, which table {table.source} does not have", "a column of the table", None
    if not missing:
        yield from _types(sample, table.source_schema)
    if with_copies(sample):
        yield from _copies(table, counts_persons)


def _types(sample: Sample, schema: pa.Schema) -> Iterator[Fault]:
    paths = {name: path for path, name in named_columns(sample).items()}
    exact = True
    for name in group_columns(sample):
        type_ = schema.field(name).type
        if pa.types.is_floating(type_):
            exact = False
            yield paths[name], f"column {name!r} of type {type_}", "columns with exact values", None
    if (column := measured_column(sample)) is not None:
        yield from _number(sample, column, schema.field(column).type)
    if exact and isinstance(sample, (StratifiedSample, QuotaSample)) and isinstance(fixed_sizes(sample), dict):
        yield from _cells(sample, schema)


def _number(sample: Sample, column: str, type_: pa.DataType) -> Iterator[Fault]:
    path = "sample.order_by" if isinstance(sample, SystematicSample) else "sample.allocation.neyman.of"
    if isinstance(sample, SystematicSample):
        try:
            check_ordered(type_)
        except TechniqueError as error:
            yield path, f"column {column!r} of type {type_}", error.allowed, error.hint
        return
    whole = pa.types.is_signed_integer(type_) or (pa.types.is_decimal128(type_) and type_.precision <= 18)
    if not whole:
        allowed = "whole numbers, and decimals of up to 18 digits, whose squares add up exactly"
        yield path, f"column {column!r} of type {type_}", allowed, None


def _cells(sample: StratifiedSample | QuotaSample, schema: pa.Schema) -> Iterator[Fault]:
    """Strata whose names their columns can't hold, and those that two names stand for."""
    sizes = fixed_sizes(sample)
    assert isinstance(sizes, Mapping)
    place = ("sample", "quota") if isinstance(sample, QuotaSample) else ("sample", "allocation", "fixed")
    seen: dict[tuple[object, ...], tuple[str, ...]] = {}
    for path, _ in size_cells(sizes):
        found: list[object] = []
        for name, cell in zip(sample.by, path, strict=True):
            type_ = schema.field(name).type
            try:
                found.append(pa.array([cell], pa.string()).cast(type_)[0].as_py())
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                yield path_text((*place, *path)), f"a cell that {name!r} ({type_}) can't hold", f"a {type_}", None
        if len(found) == len(path):
            if tuple(found) in seen:
                yield path_text((*place, *path)), "a stratum that is named before", "each stratum once", None
            seen[tuple(found)] = path


def persons_told_apart(table: TablePipeline) -> bool:
    """Can persons be counted in what is delivered: by their rows, or by a pseudonym that all of theirs share?"""
    sample = table.sample
    if isinstance(sample, SimpleSample) and with_copies(sample):
        own = _own(table)
        return own is not None and sample.copies == "linked" and not own.ranked
    return table.one_row_per_subject or table.by_subject


def _own(table: TablePipeline) -> Chain | None:
    """The subject's own delivered column."""
    return next((c for c in table.columns if isinstance(c, Chain) and c.name == table.subject), None)


def _copies(table: TablePipeline, counts_persons: bool) -> Iterator[Fault]:
    sample = table.sample
    assert isinstance(sample, SimpleSample)
    own = _own(table)
    if counts_persons and not persons_told_apart(table):
        yield (
            "adequacy.k-anonymity",
            "k of persons, where copies of one person can't be told from other persons",
            "`copies: linked` and a pseudonym other than a serial number in the subject's column",
            "or a sample without replacement",
        )
    if sample.copies != "apart" or own is None:
        return
    for step in own.steps:
        if step.technique.name not in BY_COPY:
            yield (
                step.site.path,
                f"{step.technique.name}, which is the same in all copies of a person",
                f"one of: {', '.join(BY_COPY)}",
                "the sample says `copies: apart`",
            )
    for column in table.columns:
        if isinstance(column, Chain) and column is not own and column.domain == own.domain:
            yield (
                column.steps[0].site.path,
                f"the person's pseudonym in {column.name!r} too, where each copy has its own",
                "`copies: linked`, or the pseudonym in the subject's column alone",
                None,
            )
