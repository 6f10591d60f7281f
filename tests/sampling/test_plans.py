"""What a plan may say of its sample: every problem with its place, and what documents and `--explain` make of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from transforms.errors import PlanError
from transforms.expectations.sampled import as_planned, delivered_persons
from transforms.explain import explain
from transforms.pipeline_model import Pipeline
from transforms.plan import Plan
from transforms.plan_sample import Sample
from transforms.sample_wording import counts_text, sample_wording

PARSE = TypeAdapter(Sample)

WRONG = [
    ("{fraction: -0.5}", "sample.fraction", "-0.5; allowed: a number above 0"),
    ("{fraction: 1.5}", "sample.fraction", "at most 1"),
    ("{technique: simple}", "sample", "neither `fraction` nor `n`"),
    ("{fraction: 0.1, n: 3}", "sample", "both `fraction` and `n`"),
    ("{technique: systemtic, n: 3}", "sample.technique", "did you mean 'systematic'?"),
    ("{technique: systematic}", "sample", "neither `fraction` nor `n`"),
    ("{technique: [systematic], n: 3}", "sample.technique", "allowed: simple, systematic"),
    ("{technique: systematic, n: 3, by: [sex]}", "sample.by", "unknown key 'by'; allowed: fraction, n, of, secret"),
    ("{technique: systematic, n: 3, order_by: joind}", "sample.order_by", "did you mean 'joined'?"),
    ("{technique: systematic, n: 3, order_by: town}", "sample.order_by", "column 'town' of type string"),
    ("{replacement: true, n: 3}", "sample", "`replacement: true` without `copies`"),
    ("{copies: apart, n: 3}", "sample.copies", "`copies` without `replacement: true`"),
    ("{replacement: true, copies: apart, fraction: 0.5, stable_over: p}", "sample.stable_over", "beside"),
    ("{n: 3, stable_over: p}", "sample.n", "allowed: `fraction`; who is drawn must not depend"),
    ("{technique: cluster, cluster: family, n: 3, stable_over: p}", "sample.n", "beside `stable_over`"),
    ("{technique: cluster, n: 3}", "sample.cluster", "must be there"),
    ("{technique: cluster, cluster: house, n: 3}", "sample.cluster", "column 'house', which the plan does not know"),
    ("{technique: stratified, by: [], n: 3}", "sample.by", "at least 1 entry"),
    ("{technique: stratified, n: 3}", "sample.by", "must be there"),
    ("{technique: stratified, by: [twn], n: 3}", "sample.by[0]", "did you mean 'town'?"),
    ("{technique: stratified, by: [town]}", "sample", "neither `fraction` nor `n`"),
    ("{technique: stratified, by: [town], n: 3, allocation: neyman}", "sample.allocation", "neyman without `of`"),
    ("{technique: stratified, by: [town], n: 3, allocation: {neyman: {}}}", "sample.allocation.neyman.of",
     "must be there"),
    ("{technique: stratified, by: [town], n: 3, allocation: {neyman: {of: sex}}}", "sample.allocation.neyman.of",
     "column 'sex' of type string; allowed: whole numbers"),
    ("{technique: stratified, by: [town], n: 3, allocation: evenly}", "sample.allocation", "no known allocation"),
    ("{technique: stratified, by: [town], n: 3, allocation: {fixed: 4}}", "sample", "a size beside fixed numbers"),
    ("{technique: stratified, by: [town], allocation: {fixed: 0}}", "sample.allocation.fixed", "above 0"),
    ("{technique: stratified, by: [town, sex], allocation: {fixed: {서울: 4}}}", "sample.allocation.fixed.서울",
     "a stratum of 1 cells; allowed: one cell for each of: town, sex"),
    ("{technique: stratified, by: [town], n: 3, short: ignore}", "sample.short", "refuse or report"),
    ("{technique: quota, by: [sex]}", "sample.quota", "must be there"),
    ("{technique: quota, by: [sex], quota: 5}", "sample.quota", "a mapping"),
    ("{technique: quota, by: [sex], quota: {F: -3}}", "sample.quota.F", "above 0"),
    ("{technique: quota, by: [sex], quota: {F: 1, null: 3}}", "sample.quota", "nothing as a stratum"),
    ("{technique: quota, by: [family], quota: {many: 3}}", "sample.quota.many", "a cell that 'family' (int32)"),
    ("{technique: quota, by: [family], quota: {1: 3, '01': 4}}", "sample.quota.01", "a stratum that is named before"),
    ("{technique: quota, by: [sex], quota: {F: {M: 3}}}", "sample.quota.F.M", "a stratum of 2 cells"),
    ("{technique: quota, by: [sex], quota: {F: 3}, n: 3}", "sample.n", "unknown key 'n'"),
    ("{technique: quota, by: [sex], quota: {F: 3}, secret: [n]}", "sample.secret[0]", "quota"),
    ("{n: 3, of: member}", "sample.of", "there is one table"),
]  # fmt: skip


@pytest.mark.parametrize(("sample", "path", "words"), WRONG)
def test_a_wrong_sample_is_told_with_its_place(desk: Any, sample: str, path: str, words: str) -> None:
    with pytest.raises(PlanError) as caught:
        desk.table(sample)
    found = {one.path: str(one) for one in caught.value.problems}
    assert path in found, found
    assert words in found[path]
    assert re.match(r"line \d+", found[path])


def test_a_stratum_of_floats_is_refused(desk: Any, everybody: pa.Table) -> None:
    schema = everybody.schema.set(5, pa.field("paid", pa.float64()))
    for sample in ("{technique: stratified, by: [paid], n: 3}", "{technique: cluster, cluster: paid, n: 3}"):
        with pytest.raises(PlanError, match="column 'paid' of type double; allowed: columns with exact values"):
            desk.table(sample, schema)


RIGHT = {
    "{fraction: 0.5}": ("단순 무작위 비복원추출, 정보주체의 50%",
                        "simple random sampling without replacement, 50% of all persons"),
    "{fraction: 0.000123}": ("정보주체의 0.0123%", "0.0123% of all persons"),
    "{fraction: 1}": ("정보주체의 100%", "100% of all persons"),
    "{n: 4100000}": ("4,100,000명", "4,100,000 persons"),
    "{fraction: 0.5, secret: [fraction]}": ("표본 크기 비공개", "size not published"),
    "{n: 5, replacement: true, copies: apart}": ("복원추출(사본마다 다른 가명), 5회 추출", "5 draws"),
    "{fraction: 0.2, stable_over: panel}": ("이미 뽑힌 대상 유지", "whoever was drawn stays drawn"),
    "{technique: systematic, order_by: joined, n: 5}": ("계통추출(joined 순서, 무작위 시작점), 5명",
                                                        "systematic sampling in the order of joined"),
    "{technique: stratified, by: [town], allocation: {neyman: {of: paid}}, n: 5}": (
        "층화추출(town별, paid 기준 네이만 배분), 5명", "stratified sampling by town, Neyman allocation by paid"),
    "{technique: stratified, by: [sex], allocation: {fixed: {F: 1000, M: 2}}}": ("F 1,000명, M 2명", "F 1,000, M 2"),
    "{technique: stratified, by: [sex], allocation: {fixed: 30}, secret: [allocation]}": (
        "고정 배분), 표본 크기 비공개", "fixed allocation, size not published"),
    "{technique: cluster, cluster: family, fraction: 0.1}": ("집락의 10%", "10% of all clusters"),
    "{technique: quota, by: [town, sex], quota: {서울: {F: 30}}}": (
        "할당추출(town, sex별, 할당 내 무작위), 서울·F 30명", "at random within each quota, 서울·F 30"),
}  # fmt: skip


@pytest.mark.parametrize("sample", RIGHT)
def test_documents_say_how_and_how_many(desk: Any, sample: str) -> None:
    found = desk.table(sample).sample
    assert sample_wording(found, "ko").method == "표본추출"
    assert RIGHT[sample][0] in sample_wording(found, "ko").level
    assert RIGHT[sample][1] in sample_wording(found, "en").level


@pytest.mark.parametrize("sample", RIGHT)
def test_a_plan_comes_back_from_its_canonical_form(desk: Any, sample: str) -> None:
    """Also through JSON: what plan.json keeps of a run is the same sample."""
    found = desk.table(sample).sample
    assert PARSE.validate_python(json.loads(PARSE.dump_json(found))) == found


def test_many_quotas_are_told_by_their_sum(desk: Any) -> None:
    quota = ", ".join(f"{number}: 3" for number in range(1, 21))
    found = desk.table(f"{{technique: quota, by: [family], quota: {{{quota}}}}}").sample
    assert "20개 층 합계 60명" in sample_wording(found, "ko").level
    assert "60 persons of 20 strata" in sample_wording(found, "en").level


PASSES = {
    "{n: 5}": ["subjects: reads id"],
    "{technique: stratified, by: [town], n: 5}": ["strata: reads id, town", "thresholds of strata: reads id, town"],
    "{technique: systematic, order_by: joined, n: 5}": ["order of subjects", "subjects in order", "drawn in order"],
    "{technique: cluster, cluster: family, n: 5}": ["clusters: reads family, id", "subjects: reads family, id"],
    "{replacement: true, copies: apart, n: 5}": ["subjects in order: reads id; a shuffle", "subjects drawn in order"],
}


@pytest.mark.parametrize("sample", PASSES)
def test_explain_prints_the_passes_that_run(desk: Any, everybody: pa.Table, sample: str) -> None:
    table = desk.table(sample)
    plan = Plan.model_construct(plan="members")
    text = explain(Pipeline(plan, "00", {"members": table}))
    assert f"sample of subjects: {sample_wording(table.sample, 'en').level}" in text
    for line in PASSES[sample]:
        assert line in text
    ran = [name.split(",")[0] for name in desk.run(sample, everybody).prepared.passes]
    printed = [line.strip().split(":")[0] for line in text[text.index("passes over") :].splitlines()[1:]]
    assert list(dict.fromkeys(ran))[:-1] == [name for name in printed if name in ran][: len(set(ran)) - 1]


def test_what_became_of_a_sample_in_words() -> None:
    counts = {"persons": 7, "strata": 3, "short": 1, "unlisted": 0}
    assert counts_text(counts, 7, "ko") == "층 3개; 인원이 모자라 전원을 뽑은 층 1개"
    assert counts_text(counts | {"clusters": 40, "clusters_drawn": 4, "strata": 0, "short": 0}, 9, "en") == (
        "7 different persons; 4 of 40 clusters"
    )
    assert counts_text({"persons": 7, "strata": 0, "short": 0, "unlisted": 0}, 7, "en") == ""


REVIEWED = [
    "{fraction: 0.3}",
    "{fraction: 0.3, stable_over: panel}",
    "{replacement: true, copies: linked, n: 700}",
    "{technique: systematic, n: 100}",
    "{technique: stratified, by: [town], fraction: 0.25}",
    "{technique: stratified, by: [town], allocation: {fixed: 60}, short: report}",
    "{technique: quota, by: [town], quota: {서울: 20, 부산: 30}}",
    "{technique: cluster, cluster: family, n: 40}",
    "{technique: cluster, cluster: family, fraction: 0.1, stable_over: panel}",
]


@pytest.mark.parametrize("sample", REVIEWED)
def test_review_follows_the_technique(desk: Any, everybody: pa.Table, sample: str) -> None:
    """The facts of an honest run are as planned; one person, stratum or cluster more or less is not."""
    found = desk.run(sample, everybody)
    facts = found.prepared.facts
    table = found.table
    assert as_planned(table, facts)
    assert delivered_persons(table, facts) == len(set(found.rows["id"].to_pylist()))
    assert not as_planned(table, replace(facts, drawn=facts.drawn + 1))
    assert not as_planned(table, replace(facts, sample=None))
    assert not as_planned(table, replace(facts, subjects=3))
    own = facts.sample
    wrong = [replace(own, persons=own.persons + 900)]
    if own.strata:
        wrong.append(replace(own, strata=own.strata[1:]))
        first = replace(own.strata[0], drawn=own.strata[0].drawn + 2)
        second = replace(own.strata[1], drawn=own.strata[1].drawn - 2)
        wrong.append(replace(own, strata=(first, second, *own.strata[2:])))
    if own.clusters:
        wrong.append(replace(own, clusters=(own.clusters[0], own.clusters[1] + 200)))
    for one in wrong:
        assert not as_planned(table, replace(facts, sample=one))


def test_copies_that_stand_apart_count_each_in_the_delivered_data(desk: Any, everybody: pa.Table) -> None:
    for copies, pseudonym, many in (("apart", "keyed-token", True), ("linked", "serial-number", True),
                                    ("linked", "keyed-token", False)):  # fmt: skip
        found = desk.run(f"{{replacement: true, copies: {copies}, n: 1000}}", everybody, pseudonym=pseudonym)
        delivered = len(set(found.rows["id"].to_pylist()))
        assert delivered_persons(found.table, found.prepared.facts) == delivered
        assert (delivered == 1000) == many

