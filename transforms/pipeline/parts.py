"""A table whose columns were dealt out (transforms/further.py): measured once as a whole, then made table by table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transforms.pipeline.engine import Engine
from transforms.pipeline.measure import bucket_of
from transforms.pipeline.outlier_gather import needed_columns
from transforms.pipeline.outliers import DeliveredTask
from transforms.pipeline.run import Options, Prepared
from transforms.pipeline.states import unpack
from transforms.pipeline.work import BINS, make_work
from transforms.pipeline_model import TablePipeline
from transforms.run_keys import RunKeys


def prepare_part(whole: Prepared, part: TablePipeline, keys: RunKeys, engine: Engine, options: Options) -> Prepared:
    """What was measured on all columns, for one delivered table: the same rows, facts and changes.

    A further table stands in an order of its own, so its rows are counted by bucket once more, where there is more
    than one bucket. Errors: PassFailed.
    """
    own = make_work(replace(part, whole=None), keys)
    work = whole.work.with_(
        table=own.table, order=own.order, order_rows=own.order_rows, steps=own.steps, keys=own.keys
    )
    if part.of is None:
        return replace(whole, work=work)
    if work.buckets == 1:
        return replace(whole, work=work, offsets=(0,))
    what = f"rows of {part.name} by order"
    order = np.zeros(BINS, np.int64)
    for blob in engine.each(DeliveredTask(work, needed_columns(work, len(part.outliers))), what):
        order += unpack(blob)[1]
    bins = bucket_of(np.arange(BINS, dtype=np.uint64) << np.uint64(48), work.buckets)
    counts = np.bincount(bins, weights=order, minlength=work.buckets).astype(np.int64)
    offsets = tuple(int(before) for before in np.concatenate([[0], np.cumsum(counts)[:-1]]))
    return replace(whole, work=work, offsets=offsets, passes=(*whole.passes, what))


__all__ = ["prepare_part"]
