"""How like its origin a synthetic table is (quality), and how near to single records (privacy). Figures alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from transforms.draws import Draws
from transforms.identifiers import encode_ids
from transforms.synthesis.coded import Coded, Matrix, coded
from transforms.synthesis.trees import SynthesisRefused

# Records whose nearest neighbour is looked for, and records among which it is.
LOOKED_AT, AMONG = 1_000, 20_000
FOLDS = 5


def figures(real: pa.Table, synthetic: pa.Table, draws: Draws) -> dict[str, Any]:
    """Quality and privacy of `synthetic` against `real`, the pseudonymized records that it was made of.

    Quality: for each column the largest distance of the two distribution functions (numbers, 0 … 1) or the
    total variation distance (categories); the largest and the mean difference of correlations; pMSE, the
    mean square by which a tree (cross-validated) tells the two apart: 0 not at all, 0.25 always.
    Privacy: the share of synthetic records that equal a real one, and a real one that is the only one of its
    kind; distances to the closest record (share of columns that differ, numbers by their share of the
    range), beside the same distances among the real records.
    """
    if real.schema.names != synthetic.schema.names:
        raise SynthesisRefused("tables of different columns; allowed: the same columns in the same order")
    both = coded(pa.concat_tables([real, synthetic]))
    count = real.num_rows
    return {
        "quality": {
            "columns": _columns(both, count),
            "correlations": _correlations(both, count),
            "pmse": _pmse(both, count, draws),
        },
        "privacy": {**_copies(both, count), "closest": _closest(both, count, draws)},
    }


def _columns(both: Coded, count: int) -> dict[str, dict[str, Any]]:
    found = {}
    for place, name in enumerate(both.names):
        left, right = both.cells[:count, place], both.cells[count:, place]
        values = np.unique(both.cells[:, place])
        if both.numeric[place]:
            shares = [np.searchsorted(np.sort(one), values, side="right") / len(one) for one in (left, right)]
            distance, measure = np.abs(shares[0] - shares[1]).max(), "kolmogorov-smirnov"
        else:
            counts = [np.searchsorted(values, one) for one in (left, right)]
            shares = [np.bincount(one, minlength=len(values)) / len(one) for one in counts]
            distance, measure = np.abs(shares[0] - shares[1]).sum() / 2, "total-variation"
        found[name] = {"measure": measure, "distance": round(float(distance), 6)}
    return found


def _correlations(both: Coded, count: int) -> dict[str, float]:
    with np.errstate(invalid="ignore", divide="ignore"):
        left, right = (np.nan_to_num(np.corrcoef(part.T)) for part in (both.cells[:count], both.cells[count:]))
    pairs = np.abs(left - right)[np.triu_indices(len(both.names), 1)]
    return {"largest_difference": round(float(pairs.max()), 6), "mean_difference": round(float(pairs.mean()), 6)}


def _pmse(both: Coded, count: int, draws: Draws) -> float:
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    origin = np.arange(len(both.cells)) >= count
    seed = int(draws.below(encode_ids([pa.array([0])]), 2**31 - 1, round=60_010)[0])
    tree = DecisionTreeClassifier(min_samples_leaf=max(20, len(origin) // 100), random_state=seed)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    told = cross_val_predict(tree, both.cells, origin, cv=folds, method="predict_proba")[:, 1]
    return round(float(((told - origin.mean()) ** 2).mean()), 6)


def _copies(both: Coded, count: int) -> dict[str, float]:
    _, kinds = np.unique(both.cells, axis=0, return_inverse=True)
    kinds = kinds.reshape(-1)
    among_real = np.bincount(kinds[:count], minlength=int(kinds.max()) + 1)[kinds[count:]]
    return {
        "exact_copies": round(float((among_real > 0).mean()), 6),
        "copies_of_single_records": round(float((among_real == 1).mean()), 6),
    }


def _closest(both: Coded, count: int, draws: Draws) -> dict[str, float]:
    scaled = _scaled(both)
    real, synthetic = scaled[:count], scaled[count:]
    among = real[_some(len(real), AMONG, 60_011, draws)]
    new = _nearest(synthetic[_some(len(synthetic), LOOKED_AT, 60_012, draws)], among, both.numeric, 0)
    # A real record's own copy is the nearest one: the next counts.
    own = _nearest(among[:LOOKED_AT], among, both.numeric, 1)
    return {
        f"{name}_{part}": round(float(np.quantile(distances, share)), 6)
        for name, distances in (("synthetic", new), ("real", own))
        for part, share in (("5_percent", 0.05), ("median", 0.5))
    }


def _scaled(both: Coded) -> Matrix:
    low, high = both.cells.min(axis=0), both.cells.max(axis=0)
    span = np.where(np.array(both.numeric) & (high > low), high - low, 1.0)
    scaled: Matrix = (both.cells - low) / span
    return scaled


def _some(count: int, most: int, round_: int, draws: Draws) -> Any:
    bits = draws.bits(encode_ids([pa.array(np.arange(count))]), round_)
    return np.argsort(bits[:, 0], kind="stable")[:most]


def _nearest(looked_at: Matrix, among: Matrix, numeric: tuple[bool, ...], rank: int) -> Matrix:
    """Each record's distance to its nearest one (rank 0) or the next (rank 1)."""
    found = np.empty(len(looked_at))
    for place, record in enumerate(looked_at):
        apart = np.abs(among - record)
        apart[:, ~np.array(numeric)] = apart[:, ~np.array(numeric)] > 0
        found[place] = np.partition(apart.mean(axis=1), rank)[rank]
    return found
