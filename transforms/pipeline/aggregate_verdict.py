"""The verdict on one staged aggregate table: all but the noise itself is recomputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from transforms.aggregates import Aggregate
from transforms.pipeline.verdict import Difference, TableVerdict


def judge_aggregate(
    aggregate: Aggregate, exact: Mapping[str, Sequence[int]], noised: Mapping[str, Sequence[int]], staged: pa.Table
) -> TableVerdict:
    """Are the staged cells those of the noised numbers, and these the recomputed ones with noise of the plan's scale?

    Noise beyond its extreme quantile (less than once in 10^12 runs) is a difference; so are other groups, cells,
    columns, types or another order of the rows.
    """
    wanted = aggregate.finished(noised)
    differences = _schema(wanted.schema, staged.schema)
    if not differences and staged.num_rows != wanted.num_rows:
        differences.append(Difference("rows", "groups", abs(staged.num_rows - wanted.num_rows)))
    if not differences:
        for name in wanted.column_names:
            pairs = zip(wanted[name].to_pylist(), staged[name].to_pylist(), strict=True)
            if wrong := sum(mine != theirs for mine, theirs in pairs):
                differences.append(Difference("cells", name, wrong))
    numbers = sum(len(noised[measure.name]) for measure in aggregate.measures)
    for measure in aggregate.measures:
        limit = measure.noise_limit(numbers)
        pairs_ = zip(exact[measure.name], noised[measure.name], strict=True)
        if wrong := sum(abs(mine - theirs) > limit for mine, theirs in pairs_):
            differences.append(Difference("noise", measure.name, wrong))
    rows = {"recomputed": wanted.num_rows, "staged": staged.num_rows}
    return TableVerdict(aggregate.name, tuple(differences), rows, len(wanted.column_names))


def _schema(wanted: pa.Schema, staged: pa.Schema) -> list[Difference]:
    if wanted.names != staged.names:
        names = sorted(set(wanted.names) ^ set(staged.names))
        return [Difference("schema", name) for name in names] or [Difference("schema", "order of the columns")]
    return [Difference("schema", field.name) for field in wanted if staged.field(field.name).type != field.type]


__all__ = ["judge_aggregate"]
