"""What a review found of sensitive columns within classes: l, t and their kin, asked and found, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.technique import Language

_NAMES = {
    "expect_l_diversity": ("l-다양성", "l-diversity"),
    "expect_t_closeness": ("t-근접성", "t-closeness"),
    "expect_alpha_k_anonymity": ("(α, k)-익명성", "(α, k)-anonymity"),
    "expect_beta_likeness": ("β-유사성", "β-likeness"),
    "expect_delta_disclosure": ("δ-노출 프라이버시", "δ-disclosure privacy"),
}
_KINDS = {
    "distinct": ("서로 다른 값", "distinct values"),
    "entropy": ("엔트로피", "entropy"),
    "recursive": ("재귀", "recursive"),
    "basic": ("기본", "basic"),
    "enhanced": ("강화", "enhanced"),
}
# Each limit with the sign between it and what is measured, and the name under which that is found.
_LIMITS = {
    "l": ("l", "≥"), "c": ("c", "<"), "t": ("t", "≤"), "alpha": ("α", "≤"), "k": ("k", "≥"), "beta": ("β", "≤"),
    "delta": ("δ", "<"), "entropy_l": ("l", ""),
}  # fmt: skip


@dataclass(frozen=True)
class MeasureRow:
    """One measure of one column: its name, what is asked, the figure of the worst class, classes that miss it."""

    name: str
    column: str
    asked: str
    found: str
    classes: int
    below: int
    holds: bool


def measure_rows(result: Mapping[str, Any], table: str, language: Language) -> Iterator[MeasureRow]:
    """Those of a table, from result.json."""
    turn = 0 if language == "ko" else 1
    for one in result.get("measures", ()):
        if one["table"] != table:
            continue
        asked: Mapping[str, Any] = one["asked"]
        limits = [f"{sign} {'=' if name == 'c' else way} {asked[name]:g}" for name, (sign, way) in _LIMITS.items()
                  if asked.get(name) is not None]  # fmt: skip
        kind = _KINDS[asked["kind"]][turn] if "kind" in asked else ""
        found = [f"{sign} = {one['found'][name]:g}" for name, (sign, _) in _LIMITS.items() if name in one["found"]]
        yield MeasureRow(
            name=_NAMES[one["type"]][turn] + (f" ({kind})" if kind else ""),
            column=one["column"],
            asked=", ".join(limits),
            found=", ".join(found) or "–",
            classes=one["classes"],
            below=one["classes_below"],
            holds=bool(one["success"]),
        )


__all__ = ["MeasureRow", "measure_rows"]
