"""Serials of a combination (결합 일련번호): what a party's attributes carry in place of the person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from transforms.technique import Language
from transforms.techniques.pseudonyms import Token


class CombinationSerial(Token):
    """Every id becomes its person's serial number (일련번호) in one round of a combination (가명정보 결합).

    As `keyed-token` in everything, 128 bits in 26 letters, with the key of the round: the party's join keys and
    its attributes carry the same serial, no two rounds have one in common, and nothing else is computed from that
    key. Stands in the subject's column alone, in a plan with `combination:`. Null stays null.

    Kept: whose rows belong together, within the round. Lost: the id, to anyone without the round's key; the linking
    table tells the combining agency which serials of two parties are one person, and nothing more. Attack: whoever
    has the round's key computes the serials of all known ids. What helps: the key is destroyed once the round is
    exported (`gamyeong combination forget`). Source: guideline L1401-1403 (일련번호).
    """

    name: ClassVar[str] = "combination-serial"
    korean: ClassVar[str] = "결합 일련번호"
    SET_ELSEWHERE: ClassVar[Mapping[str, str]] = {
        **Token.SET_ELSEWHERE,
        "length": "no length: the agencies expect 26 letters of every party",
        "when": "serials for all rows",
        "accept_frequency_leak": "nothing: it stands in the subject's column, an identifier",
    }

    def level_text(self, language: Language) -> str:
        if language == "ko":
            return "결합 회차별 일련번호(키가 있는 해시, AES-256-CMAC)"
        return "a serial for each person and round (keyed hash, AES-256-CMAC)"
