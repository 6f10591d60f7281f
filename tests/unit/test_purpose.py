"""A purpose must say what is studied, and in what respect (guideline L306-308)."""

from __future__ import annotations

import pytest

from transforms.purpose import is_vague, telling_words

# The guideline's own: L308 (the fit example), L329, L3331-3333, L489 (a wrong use, but for another reason).
SPECIFIC = [
    (
        "○○제품의 성능 개선을 위해 개인별 ○○○특성에 대한 설문조사를 토대로 개인별 특성과 성능 요인의 연관성에 대한 "
        "과학적 연구 수행"
    ),
    "성별과 지역에 따른 구매액 상관관계를 분석하고자 함",
    "코로나 이전과 코로나 이후의 상품군별 판매추이에 대한 통계작성",
    "시군구별 재방문율",
    "Survival of patients with fatty liver by age",
    # The guideline's examples of statistics and research, L253-270, shortened.
    "연령에 따른 편의시설 확대를 위해 편의시설의 이용 통계를 작성하고자 함",
    "주간, 월간 단위로 재고를 관리하기 위해 판매상품에 대한 지역별 통계 작성",
    "월별 시간대별 차량 평균속도, 상습 정체구간에 대한 통계 작성",
    "생활패턴과 코로나19 감염률의 상관성에 대한 가설 검증",
    "특정 관광지의 활성화를 위해 주변 상권과 유동인구 분석을 통한 지원 대책 연구",
]
VAGUE = [
    "신제품 개발을 위한 과학적 연구 수행",  # L306: the unfit example
    "우리 회사의 더 나은 신제품 개발을 위한 과학적 연구를 수행하려고 합니다",  # the same, with more words
    "신제품 R&D",
    "신상품 개발",
    "데이터 분석 및 신규 서비스 개발",
    "연구 목적의 데이터 활용",
    "통계작성",
    "new product research",
    "Research for the improvement of our services",
    "빅데이터 기반 인공지능 기술 개발 및 비즈니스 가치 창출",
    "서비스 경쟁력 강화를 위한 데이터 기반 전략 도출",
    "향후 프로젝트 추진",
    "AI and machine learning for industrial innovation",
    "Big data insights for better business strategy",
    "We will make a new platform from data",
    "TBD",
    "미정",
    "○○○",
    "  ",
    "",
]


@pytest.mark.parametrize("statement", SPECIFIC)
def test_a_specific_purpose(statement: str) -> None:
    assert not is_vague(statement)


@pytest.mark.parametrize("statement", VAGUE)
def test_a_vague_purpose(statement: str) -> None:
    assert is_vague(statement)


def test_general_words_do_not_count_whatever_their_particles() -> None:
    assert telling_words("데이터분석을 통한 서비스의 개선") == []
    assert telling_words("구매액의 개선") == ["구매액의"]


def test_saying_one_thing_twice_is_saying_it_once() -> None:
    assert is_vague("구매액 구매액 연구")
