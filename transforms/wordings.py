"""How documents name the pipeline's own stages: derived columns."""

from __future__ import annotations

from transforms.plan import LargestOf, SumOf
from transforms.technique import Language, Wording


def derivation_wording(derive: SumOf | LargestOf, language: Language) -> Wording:
    """파생 항목: `derive:` of a column, computed from final cells."""
    korean = language == "ko"
    if isinstance(derive, SumOf):
        operands = _names(derive.sum)
        nulls = {"null": "", "zero": " (값 없음은 0)" if korean else " (null counts as 0)"}[derive.nulls]
        level = f"처리된 {operands}의 합계{nulls}" if korean else f"sum of the processed {operands}{nulls}"
        return Wording("파생(합계)" if korean else "derived (sum)", level)
    operands = _names(derive.largest)
    if korean:
        ties = {"first": "앞선 항목", "last": "뒤의 항목"}[derive.ties]
        none = "값 없음" if derive.none is None else derive.none
        level = f"처리된 {operands} 중 최댓값의 항목; 동점은 {ties}; 모두 0이면 {none}"
        return Wording("파생(최댓값 항목)", level)
    none = "null" if derive.none is None else derive.none
    level = f"name of the largest of the processed {operands}; ties: the {derive.ties}; all zero: {none}"
    return Wording("derived (largest)", level)


def _names(operands: str | tuple[str, ...]) -> str:
    return operands if isinstance(operands, str) else ", ".join(operands)
