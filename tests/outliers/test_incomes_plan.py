"""conf/plans/incomes.yaml on made persons: its four rules in order, by the counts of a plain reference."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.pipeline_model import Pipeline
from transforms.plan_loader import load
from transforms.run_keys import RunKeys

FILE = Path(__file__).resolve().parents[2] / "conf/plans/incomes.yaml"
ISLANDS = ["경상북도 울릉군", "전라남도 신안군", "인천광역시 옹진군"]
KEYS = RunKeys(Secret(bytes(range(32))), "organisation", "0123456789abcdef", "recipient")


@pytest.fixture(scope="module")
def people() -> pa.Table:
    """2,000 persons; among them two judges and a prosecutor, a doctor on each of three islands, two high incomes, two
    old persons."""
    draw = random.Random(11)
    count = 2000
    jobs = draw.choices(["변호사", "의사", "교사", "회사원", "자영업"], [5, 10, 20, 40, 25], k=count)
    regions = draw.choices(["서울특별시", "경기도", "강원특별자치도"], [5, 4, 2], k=count)
    incomes = [draw.randint(200, 900) for _ in range(count)]
    ages = [draw.randint(25, 59) for _ in range(count)]
    jobs[:3] = ["판사", "판사", "검사"]
    regions[:3] = ["서울특별시"] * 3
    jobs[10:13] = ["의사"] * 3
    regions[10:13] = ISLANDS
    for row, income in ((20, 6200), (21, 7300)):
        regions[row], jobs[row], incomes[row] = "경기도", "회사원", income
    ages[30], ages[31] = 104, 108
    return pa.table(
        {
            "person": [f"S{number:05d}" for number in range(count)],
            "region": regions,
            "job": jobs,
            "age": pa.array(ages, pa.int32()),
            "income": pa.array(incomes, pa.int32()),
        }
    )


@pytest.fixture(scope="module")
def pipeline(people: pa.Table) -> Pipeline:
    loaded = load(FILE)
    return compile_plan(loaded.plan, people.schema, loaded.hierarchies, loaded.lines)


def test_rare_jobs_become_their_field_and_only_the_region_of_the_rare_goes(pipeline: Any, people: pa.Table) -> None:
    done = pipeline.apply_table(people, KEYS)
    source, found = Counter(people["job"].to_pylist()), Counter(done["job"].to_pylist())
    assert found["법조인"] == source["판사"] + source["검사"] == 3
    assert {job: count for job, count in found.items() if job != "법조인"} == {
        job: count for job, count in source.items() if job not in ("판사", "검사")
    }
    regions = done["region"].to_pylist()
    # the islands' doctors are three where nobody tells on which island
    assert not set(ISLANDS) & set(regions)
    assert regions.count(None) == 3
    assert [job for region, job in zip(regions, done["job"].to_pylist(), strict=True) if region is None] == ["의사"] * 3
    assert all(count >= 3 for count in Counter(zip(regions, done["job"].to_pylist(), strict=True)).values())


def test_high_incomes_become_their_mean_and_high_ages_their_bound(pipeline: Any, people: pa.Table) -> None:
    done = pipeline.apply_table(people, KEYS)
    incomes = Counter(done["income"].to_pylist())
    assert incomes[6750] == 2
    rounded = Counter(int((Fraction(one, 10) + Fraction(1, 2)) // 1) * 10 for one in people["income"].to_pylist())
    assert {one: count for one, count in incomes.items() if one != 6750} == {
        one: count for one, count in rounded.items() if one < 1000
    }
    ages = sorted(one // 5 * 5 for one in people["age"].to_pylist())
    first, third = ages[499], ages[1499]
    bound = third + Fraction(3, 2) * (third - first)
    assert ages[-3] <= bound < ages[-2]
    texts = Counter(done["age"].to_pylist())
    assert texts[f"{int(bound // 10) * 10}초과"] == 2
    assert sum(texts.values()) == 2000


def test_explain_tells_rules_and_passes(pipeline: Any) -> None:
    text = pipeline.explain()
    for line in (
        "outlier rule 1: categorization: job becomes level field of jobs.csv where fewer than 3 persons share (job)",
        ("outlier rule 2: local suppression: region, job deleted (least important first: job 2, region 1) where fewer "
        "than 3 persons share (region, job)"),
        ("outlier rule 3: microaggregation: outliers become the mean of the outliers where income is more than 3 "
        "interquartile ranges beyond the quartiles upwards within (region)"),
        "outlier rule 1: reads job; a shuffle of classes (counted in the first pass where it can be)",
        ("outlier rule 3: reads income, region; two shuffles of values by class (coarse, then exact quantiles); "
        "a shuffle of the outliers; one more for what they become"),
        "[int32 → string]",
    ):
        assert line in text
