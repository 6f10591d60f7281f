"""The kinds of identification numbers and addresses that are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class IdentifierKind:
    """One kind. `legal` is what a plan must mark its columns with; `chance` is the largest share of other numbers of
    the same form that passes for it (what a wrong find looks like); `person`: does it tell a natural person?
    `check`: of numbers that pass wrongly, the share whose check digit holds all the same (None: it has none, or asks
    for it to pass at all)."""

    name: str
    korean: str
    english: str
    legal: Literal["rrn", "unique-24"] | None
    chance: float
    person: bool = True
    check: float | None = None


KINDS: Final = {
    kind.name: kind
    for kind in (
        IdentifierKind("rrn", "주민등록번호", "resident registration number", "rrn", 0.015, check=1 / 11),
        IdentifierKind("foreigner", "외국인등록번호", "foreigner registration number", "unique-24", 0.015),
        IdentifierKind("passport", "여권번호", "passport number", "unique-24", 0.25),
        IdentifierKind("licence", "운전면허번호", "driver's licence number", "unique-24", 0.2),
        IdentifierKind("card", "카드번호", "card number", None, 0.06),
        IdentifierKind("account", "계좌번호", "account number", None, 0.3),
        IdentifierKind("phone", "전화번호", "telephone number", None, 0.1),
        IdentifierKind("e-mail", "전자우편주소", "e-mail address", None, 0.0),
        IdentifierKind("vehicle", "차량번호", "vehicle registration number", None, 0.05),
        IdentifierKind("business", "사업자등록번호", "business registration number", None, 0.1, person=False),
        IdentifierKind("corporate", "법인등록번호", "corporate registration number", None, 0.1, person=False),
    )
}
