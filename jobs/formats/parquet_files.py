"""Parquet: types by the files' own footers, one unit some row groups of a file."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.errors import BadInput, Operational
from jobs.formats.common import Batches, Options, Problems, Survey, allowed_types, cast_safely, checked_names
from jobs.parquet import ROW_GROUP_BYTES
from jobs.storage import Location

SUFFIXES = (".parquet",)
ROWS = 65_536


def survey(files: list[Location], options: Options) -> Survey:
    """Columns and types by the first footer; every file must have these columns. Nested ones are BadInput."""
    units: list[dict[str, Any]] = []
    columns: dict[str, pa.DataType] = {}
    problems: list[str] = []
    for file in files:
        with _opened(file) as parquet:
            found = allowed_types(_types(parquet), file)
            checked_names(list(found), file)
            columns = columns or found
            problems += [f"{file}: column {name} is missing" for name in columns if name not in found]
            problems += [f"{file}: column {name} is not in {files[0]}" for name in found if name not in columns]
            units += _units(parquet, file)
    if problems:
        raise BadInput("\n".join([*problems, "allowed: files with the same columns"]))
    return Survey(columns, units)


def read(unit: dict[str, Any], schema: pa.Schema, options: Options) -> Batches:
    """The rows of one unit in `schema`. Problems for values that a column's type can't hold."""
    file = Location.of(unit["file"])
    with _opened(file) as parquet:
        try:
            for batch in parquet.iter_batches(ROWS, row_groups=unit["groups"], columns=schema.names):
                columns = [
                    cast_safely(_plain(batch.column(f.name)), f.type, f"{file}, column {f.name}") for f in schema
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)
        except (pa.ArrowInvalid, OSError) as error:
            raise Problems([f"{file} is damaged ({type(error).__name__})"], operational=True) from None


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _opened(file: Location) -> pq.ParquetFile:
    filesystem, path = file.filesystem()
    try:
        # nanoseconds would wrap 9999-12-31
        return pq.ParquetFile(path, filesystem=filesystem, coerce_int96_timestamp_unit="us")
    except (pa.ArrowInvalid, OSError) as error:
        raise Operational(f"{file} is no Parquet file, or damaged ({type(error).__name__})") from None


def _types(parquet: pq.ParquetFile) -> dict[str, pa.DataType]:
    """Arrow's types, with INT96 as the instants that Spark and Hive write by it."""
    leaves = parquet.schema
    instants = {leaves.column(at).path for at in range(len(leaves)) if leaves.column(at).physical_type == "INT96"}
    return {
        field.name: pa.timestamp("us", "UTC") if field.name in instants else field.type
        for field in parquet.schema_arrow
    }


def _units(parquet: pq.ParquetFile, file: Location) -> list[dict[str, Any]]:
    """Neighbouring row groups together, up to the size of one of ours."""
    units: list[dict[str, Any]] = []
    size = 0
    for group in range(parquet.metadata.num_row_groups):
        size += parquet.metadata.row_group(group).total_byte_size
        if units and size <= ROW_GROUP_BYTES:
            units[-1]["groups"].append(group)
        else:
            units.append({"file": str(file), "groups": [group]})
            size = parquet.metadata.row_group(group).total_byte_size
    return units
