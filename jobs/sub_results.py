"""The six sub-results (세부결과) of a reviewer's sheet (적정성 검토 결과서, guideline L3191)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from jobs.errors import BadInput

SUB_RESULTS: Final = {
    "purpose": ("가명정보 목적 적합성", "purpose"),
    "items": ("가명정보 이용항목 적합성", "items used"),
    "risk": ("식별위험성 검토 결과 보고서 적정성", "identification-risk report"),
    "method": ("가명처리 방법 및 수준 정의표 적정성", "methods and levels"),
    "result": ("처리 수준에 따른 처리 결과의 정확성", "result as planned"),
    "utility": ("처리 결과의 목적 달성 가능성", "purpose attainable"),
}
FIT, INSUFFICIENT = "fit", "insufficient"


def sub_results(insufficient: Sequence[str], outcome: str | None) -> dict[str, str]:
    """Fit or insufficient, by name. BadInput for an unknown name, or where an approval finds one insufficient."""
    unknown = [name for name in insufficient if name not in SUB_RESULTS]
    if unknown:
        raise BadInput(f"no sub-result {', '.join(unknown)}; allowed: {', '.join(SUB_RESULTS)}")
    if insufficient and outcome == "approved":
        raise BadInput("approved, though something is insufficient; allowed: --outcome conditional, or rejected")
    return {name: INSUFFICIENT if name in insufficient else FIT for name in SUB_RESULTS}
