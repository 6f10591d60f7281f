"""Ready queries on a published table, for Spark SQL, DuckDB and Polars."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyarrow as pa

from transforms.pipeline_model import TablePipeline


@dataclass(frozen=True)
class Queries:
    """The same question in three languages: rows, and the mean of a number, per class."""

    spark: str
    duckdb: str
    polars: str


def queries(table: TablePipeline, address: str) -> Queries:
    """Queries that run as they stand. The class is the first quasi-identifier, the number the first numeric
    attribute; a table that lacks one of them is asked for less."""
    by, number = _class_column(table), _number_column(table)
    return Queries(_spark(address, by, number), _duckdb(address, by, number), _polars(address, by, number))


def _class_column(table: TablePipeline) -> str | None:
    return next((c.name for c in table.columns if c.rule.kind == "quasi-identifier"), None)


def _number_column(table: TablePipeline) -> str | None:
    numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return next(
        (
            c.name
            for c in table.columns
            if c.rule.kind in ("attribute", "sensitive") and any(test(c.type) for test in numeric)
        ),
        None,
    )


def _select(source: str, by: str | None, number: str | None, quote: str) -> str:
    def quoted(name: str) -> str:
        return quote + name.replace(quote, quote * 2) + quote

    wanted = [*([quoted(by)] if by else []), f"count(*) AS {quoted('rows')}"]
    wanted += [f"avg({quoted(number)}) AS {quoted('mean')}"] if number else []
    lines = [f"SELECT {', '.join(wanted)}", f"FROM {source}"]
    lines += [f"GROUP BY {quoted(by)}", f"ORDER BY {quoted(by)}"] if by else []
    return "\n".join(lines)


def _spark(address: str, by: str | None, number: str | None) -> str:
    return _select("delta.`" + address.replace("`", "``") + "`", by, number, "`")


def _duckdb(address: str, by: str | None, number: str | None) -> str:
    sql = _select("released", by, number, '"').replace("\n", "\n    ")
    return "\n".join(
        [
            "import duckdb",
            "from deltalake import DeltaTable",
            "",
            f"released = DeltaTable({_text(address)}).to_pyarrow_dataset()",
            'result = duckdb.sql("""',
            f"    {_escaped(sql)}",
            '""")',
            "print(result)",
        ]
    )


def _polars(address: str, by: str | None, number: str | None) -> str:
    wanted = ['pl.len().alias("rows")']
    wanted += [f'pl.col({_text(number)}).mean().alias("mean")'] if number else []
    asked = ", ".join(wanted)
    steps = [f".group_by({_text(by)})", f".agg({asked})", f".sort({_text(by)})"] if by else [f".select({asked})"]
    return "\n".join(
        [
            "import polars as pl",
            "",
            "result = (",
            f"    pl.scan_delta({_text(address)})",
            *(f"    {step}" for step in steps),
            "    .collect()",
            ")",
            "print(result)",
        ]
    )


def _text(text: str) -> str:
    """A Python literal that keeps Korean readable."""
    return json.dumps(text, ensure_ascii=False)


def _escaped(sql: str) -> str:
    """SQL inside of a Python text in three quotes."""
    return sql.replace("\\", "\\\\").replace('"""', '\\"""')
