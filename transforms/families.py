"""The families of techniques (기술 분류), as the guideline orders them (L1807-1853)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A family by its names, and the techniques in it as plans name them."""

    korean: str
    english: str
    names: tuple[str, ...]


# For a technique that no family names yet; a test finds it there.
OTHERS = Family("그 밖의 기술", "others", ())
FAMILIES = (
    Family("처리 없음", "nothing done", ("keep",)),
    Family(
        "삭제기술",
        "deletion",
        ("suppression", "partial-suppression", "record-suppression", "local-suppression", "masking"),
    ),
    Family("통계도구", "statistics", ("aggregation", "microaggregation")),
    Family(
        "일반화(범주화) 기술",
        "generalization",
        (
            "rounding",
            "graded-rounding",
            "random-rounding",
            "controlled-rounding",
            "top-coding",
            "bottom-coding",
            "local-generalization",
            "data-range",
            "categorization",
            "date-generalization",
            "age",
            "region",
        ),
    ),
    Family(
        "암호화",
        "encryption",
        (
            "two-way-encryption",
            "one-way-hash",
            "keyed-token",
            "order-preserving-encryption",
            "format-preserving-encryption",
            "homomorphic-encryption",
            "polymorphic-pseudonym",
            "pseudonym",
            "combination-serial",
        ),
    ),
    Family(
        "무작위화 기술",
        "randomization",
        ("noise", "date-shift", "permutation", "tokenization", "random-replacement", "serial-number"),
    ),
    Family(
        "기타 기술: 표와 표본",
        "tables",
        ("anatomization", "secret-sharing", "differential-privacy"),
    ),
    OTHERS,
)


def family_of(name: str) -> Family:
    """The family that names a technique."""
    return next((family for family in FAMILIES if name in family.names), OTHERS)
