"""How documents name the sample (표본추출), in Korean and English; of a secret size only that there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from transforms.pipeline_model import TablePipeline
from transforms.plan_sample import (
    ClusterSample,
    FixedAllocation,
    NeymanAllocation,
    QuotaSample,
    Sample,
    SimpleSample,
    SizedSample,
    StratifiedSample,
    SystematicSample,
    measured_column,
    size_cells,
    stable_series,
    with_copies,
)
from transforms.technique import Language, Wording

# More strata than this are told by their number alone.
MOST_NAMED = 12


def sample_wording(sample: Sample, language: Language) -> Wording:
    """표본추출: `sample:` of a plan. Only what the plan declares, never what was measured."""
    korean = language == "ko"
    parts = [_how(sample, korean), _size(sample, korean)]
    if stable_series(sample) is not None:
        parts.append(
            "회차가 바뀌어도 이미 뽑힌 대상 유지(표본 크기는 확률에 따름)"
            if korean
            else "whoever was drawn stays drawn in later rounds (the size depends on chance)"
        )
    return Wording("표본추출" if korean else "sampling", ", ".join(part for part in parts if part))


def counts_text(counts: Mapping[str, int], drawn: int, language: Language) -> str:
    """What became of a sample, beside N and n: strata and clusters by their number, copies; often nothing."""
    korean = language == "ko"
    parts = []
    if counts["persons"] != drawn:
        there = counts["persons"]
        parts.append(f"서로 다른 {there:,}명" if korean else f"{there:,} different persons")
    if "clusters" in counts:
        there, chosen = counts["clusters"], counts["clusters_drawn"]
        parts.append(f"집락 {there:,}개 중 {chosen:,}개" if korean else f"{chosen:,} of {there:,} clusters")
    for name, ko, en in (
        ("strata", "층 {:,}개", "{:,} strata"),
        ("short", "인원이 모자라 전원을 뽑은 층 {:,}개", "{:,} strata with too few persons, taken whole"),
        ("unlisted", "계획에 없어 제외한 층 {:,}개", "{:,} strata left out, not named by the plan"),
    ):
        if counts[name]:
            parts.append((ko if korean else en).format(counts[name]))
    return "; ".join(parts)


def _how(sample: Sample, korean: bool) -> str:
    if isinstance(sample, SimpleSample):
        if not sample.replacement:
            return "단순 무작위 비복원추출" if korean else "simple random sampling without replacement"
        linked = sample.copies == "linked"
        if korean:
            copies = "같은 사람의 사본은 같은 가명" if linked else "사본마다 다른 가명"
            return f"단순 무작위 복원추출({copies})"
        copies = "copies of a person share a pseudonym" if linked else "each copy of a person has its own pseudonym"
        return f"simple random sampling with replacement ({copies})"
    if isinstance(sample, SystematicSample):
        if korean:
            order = f"{sample.order_by} 순서" if sample.order_by is not None else "무작위 순서"
            return f"계통추출({order}, 무작위 시작점)"
        order = f"in the order of {sample.order_by}" if sample.order_by is not None else "in random order"
        return f"systematic sampling {order} from a random start"
    if isinstance(sample, ClusterSample):
        if korean:
            return f"집락추출({sample.cluster} 단위, 뽑힌 집락의 정보주체 전원)"
        return f"cluster sampling by {sample.cluster}, all persons of the clusters drawn"
    by = ", ".join(sample.by)
    if isinstance(sample, QuotaSample):
        if korean:
            return f"할당추출({by}별, 할당 내 무작위)"
        return f"quota sampling by {by}, at random within each quota"
    return _stratified(sample, by, korean)


def _stratified(sample: StratifiedSample, by: str, korean: bool) -> str:
    if isinstance(sample.allocation, NeymanAllocation):
        of = sample.allocation.neyman.of
        how = f"{of} 기준 네이만 배분" if korean else f"Neyman allocation by {of}"
    elif isinstance(sample.allocation, FixedAllocation):
        how = "고정 배분" if korean else "fixed allocation"
    else:
        how = "비례 배분" if korean else "proportional allocation"
    return f"층화추출({by}별, {how})" if korean else f"stratified sampling by {by}, {how}"


def _size(sample: Sample, korean: bool) -> str:
    if sample.secret:
        return "표본 크기 비공개" if korean else "size not published"
    if isinstance(sample, QuotaSample):
        return _cells(sample.quota, korean)
    if isinstance(sample, StratifiedSample) and isinstance(sample.allocation, FixedAllocation):
        fixed = sample.allocation.fixed
        if isinstance(fixed, int):
            return f"층마다 {fixed:,}명" if korean else f"{fixed:,} persons of each stratum"
        return _cells(fixed, korean)
    return _one_size(sample, korean)


def _one_size(sample: SizedSample | StratifiedSample, korean: bool) -> str:
    clusters = isinstance(sample, ClusterSample)
    if sample.n is not None:
        if clusters:
            return f"집락 {sample.n:,}개" if korean else f"{sample.n:,} clusters"
        if isinstance(sample, SimpleSample) and sample.replacement:
            return f"{sample.n:,}회 추출" if korean else f"{sample.n:,} draws"
        return f"{sample.n:,}명" if korean else f"{sample.n:,} persons"
    percent = f"{Decimal(str(sample.fraction)) * 100:f}"
    percent = percent.rstrip("0").rstrip(".") if "." in percent else percent
    if korean:
        return f"{'집락' if clusters else '정보주체'}의 {percent}%"
    return f"{percent}% of all {'clusters' if clusters else 'persons'}"


def _cells(sizes: dict[str, object], korean: bool) -> str:
    cells = list(size_cells(sizes))
    if len(cells) > MOST_NAMED:
        total = sum(number for _, number in cells)
        return f"{len(cells)}개 층 합계 {total:,}명" if korean else f"{total:,} persons of {len(cells)} strata"
    unit = "명" if korean else ""
    return ", ".join(f"{'·'.join(path)} {number:,}{unit}" for path, number in cells)


def sample_passes(table: TablePipeline, narrow: Sequence[str]) -> Iterator[str]:
    """The passes that draw a table's own sample, one line each, for `check --explain`; `narrow` columns are read."""
    sample = table.sample
    reads = ", ".join(narrow)
    measured = measured_column(sample)
    more = reads if measured is None or measured in narrow else f"{reads}, {measured}"
    shuffle = "" if table.one_row_per_subject else "; a shuffle of draws (subjects have many rows)"
    if isinstance(sample, (StratifiedSample, QuotaSample)):
        yield f"strata: reads {more}{shuffle}"
        yield f"thresholds of strata: reads {more}{shuffle}"
    elif isinstance(sample, ClusterSample):
        yield f"clusters: reads {reads}; a shuffle of clusters{_twice(sample)}"
        yield f"subjects: reads {reads}{shuffle}"
    elif isinstance(sample, SystematicSample) or with_copies(sample):
        if measured is not None:
            yield f"order of subjects: reads {more}"
        yield f"subjects in order: reads {more}{shuffle}"
        yield f"subjects drawn in order: reads {more}; a shuffle of draws by their order"
    else:
        yield f"subjects: reads {reads}{shuffle}"


def _twice(sample: ClusterSample) -> str:
    return "" if sample.stable_over is not None else ", twice (the second time for the threshold)"
