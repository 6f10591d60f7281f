"""The records of an extraction (가명정보 추출): fewer than were reviewed, so their classes are counted again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from jobs.errors import DataFailed
from jobs.frames import read
from jobs.run_plan import load_compiled
from jobs.runs import RunFolder, StagedTable
from transforms.pipeline_model import TablePipeline

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def require_k(
    spark: Any, folder: RunFolder, staged: StagedTable, table: TablePipeline, serial: str, chosen: pa.Array
) -> None:
    """DataFailed where the chosen persons alone stand in classes below the plan's k; `serial` is their column."""
    from transforms.measures.k_anonymity import anonymity

    asked = load_compiled(folder).plan.adequacy.k_anonymity
    columns = list((asked.columns if asked is not None else None) or table.quasi_identifiers)
    if asked is None or not columns:
        return
    listed: DataFrame = spark.createDataFrame(pa.table({serial: chosen}))
    frame = read(spark, folder.staged(staged.name), staged.version).join(listed, on=serial, how="left_semi")
    found = anonymity(frame, columns, asked.k, serial)
    if found.below:
        raise DataFailed(
            f"{staged.name}: {found.below} classes of the extracted records are below k = {asked.k} (columns "
            f"{', '.join(columns)}), where all records of the run were fit; nothing is sent; allowed: coarser steps in "
            "the plan"
        )
