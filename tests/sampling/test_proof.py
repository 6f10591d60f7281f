"""verify finds a sample that is not the plan's, whatever of its facts or rows was changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from transforms.sample_facts import SampleFacts, StratumFacts

STRATA = "{technique: stratified, by: [town], fraction: 0.25}"
QUOTA = "{technique: quota, by: [town], quota: {서울: 20, 부산: 30}}"
CLUSTER = "{technique: cluster, cluster: family, n: 40}"
SYSTEMATIC = "{technique: systematic, order_by: joined, n: 90}"
AGAIN = "{technique: simple, replacement: true, copies: linked, n: 500}"


def moved(strata: tuple[StratumFacts, ...], persons: int) -> tuple[StratumFacts, ...]:
    """The first stratum gives so many more, the second as many fewer."""
    first, second, *rest = strata
    return (
        replace(first, drawn=first.drawn + persons),
        replace(second, drawn=second.drawn - persons),
        *rest,
    )


def test_persons_moved_from_one_stratum_to_another(desk: Any, everybody: pa.Table) -> None:
    found = desk.run(STRATA, everybody)
    wrong = found.wrong(strata=moved(found.prepared.facts.sample.strata, 3))
    assert {"subjects within the thresholds of strata", "allocation to strata"} <= wrong


def test_an_allocation_that_is_carried_out_but_not_the_plans(
    desk: Any, everybody: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that divides n wrongly and then draws accordingly: every count agrees but the allocation."""
    from transforms.pipeline import sample_strata

    true = sample_strata.proportional
    monkeypatch.setattr(
        sample_strata, "proportional", lambda n, sizes: [p + d for p, d in zip(true(n, sizes), (2, -2, 0, 0, 0, 0),
                                                                               strict=True)]
    )  # fmt: skip
    found = desk.run(STRATA, everybody)
    assert found.wrong() == {"allocation to strata"}


def test_a_threshold_moved_by_one_person(desk: Any, everybody: pa.Table) -> None:
    found = desk.run(QUOTA, everybody)
    strata = found.prepared.facts.sample.strata
    place = next(n for n, one in enumerate(strata) if one.drawn)
    high, low = strata[place].threshold
    less = replace(strata[place], threshold=(high - 1, low))
    wrong = found.wrong(strata=(*strata[:place], less, *strata[place + 1 :]))
    assert "subjects within the thresholds of strata" in wrong


@pytest.mark.parametrize(("change", "place"), [({"short": 1}, "allocation"), ({"unlisted": 0}, "allocation"),
                                               ({"persons": 49}, "number of subjects drawn"),
                                               ({"subjects": 899}, "number of subjects"),
                                               ({"drawn": 51}, "number of subjects drawn")])  # fmt: skip
def test_wrong_counts_of_strata(desk: Any, everybody: pa.Table, change: dict[str, int], place: str) -> None:
    assert any(place in one for one in desk.run(QUOTA, everybody).wrong(**change))


def test_a_stratum_that_is_missing(desk: Any, everybody: pa.Table) -> None:
    found = desk.run(STRATA, everybody)
    assert "number of subjects by stratum" in found.wrong(strata=found.prepared.facts.sample.strata[1:])


@pytest.mark.parametrize(("change", "place"), [({"clusters": (1, 40)}, "clusters within"),
                                               ({"cluster_threshold": (1 << 63, 0)}, "number of clusters to draw"),
                                               ({"persons": 7}, "subjects of the clusters drawn")])  # fmt: skip
def test_wrong_clusters(desk: Any, everybody: pa.Table, change: dict[str, Any], place: str) -> None:
    assert any(place in one for one in desk.run(CLUSTER, everybody).wrong(**change))


@pytest.mark.parametrize("sample", [SYSTEMATIC, AGAIN])
def test_other_persons_than_their_rank_tells(
    desk: Any, everybody: pa.Table, sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose choice of ranks is wrong, though it draws as many: verify counts by the place in the order."""
    from transforms.pipeline import sample_ranks

    true = sample_ranks.chooser

    class First:
        """The first ones instead of every k-th."""

        def __init__(self, n: int) -> None:
            self.n = n

        def times(self, first: int, count: int) -> Any:
            return (np.arange(first, first + count) < self.n).astype(np.int64)

    monkeypatch.setattr(sample_ranks, "chooser", lambda work, n, count: First(n))
    found = desk.run(sample, everybody)
    assert "subjects drawn by their rank" in found.wrong()
    monkeypatch.setattr(sample_ranks, "chooser", true)
    assert desk.run(sample, everybody).wrong() == set()


def test_rows_of_somebody_else_are_found(desk: Any, everybody: pa.Table) -> None:
    found = desk.run(SYSTEMATIC, everybody)
    other = desk.run(SYSTEMATIC.replace("90", "91"), everybody)
    assert "rows" in {one.what for one in found.verified(rows=other.rows).differences}


def test_facts_without_a_sample_can_not_be_recomputed(desk: Any, everybody: pa.Table) -> None:
    found = desk.run(STRATA, everybody)
    verdict = found.verified(replace(found.prepared.facts, sample=None))
    assert [(one.what, one.place) for one in verdict.differences] == [("sample", "threshold")]


def test_the_facts_hold_no_cell(desk: Any, everybody: pa.Table) -> None:
    """Strata are named by keyed draws: who reads the facts without the keys learns sizes alone."""
    text = str(desk.run(STRATA, everybody).prepared.facts.to_json())
    assert "서울" not in text
    assert "나주" not in text


def test_facts_come_back_from_their_file() -> None:
    facts = SampleFacts(3, (StratumFacts((1, 2), 5, 2, (7, 8)), StratumFacts((3, 4), 5, 0, None)), 1, 2, (9, 3),
                        (5, 6), ((1, 1), (2, 2)))  # fmt: skip
    assert SampleFacts.from_json(facts.to_json()) == facts
