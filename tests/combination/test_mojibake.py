"""Names that were read in a wrong encoding are told before keys are made of them; sound names never are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from transforms.combination.mojibake import misread

from .conftest import Roles
from .party_round import PartyRound, member

KOREAN = [
    "홍길동",
    "김철수",
    "이순신",
    "박서연",
    "최영희",
    "남궁민수",
    "황보 관",
    "뷁쉛",
    "金철수",
    "李舜臣",
    "정한별1",
]
LATIN = [
    "José", "JOSÉ", "María-José Ñíguez", "João", "JOÃO", "SÃO", "Åsa", "ÅÄÖ", "Ærø", "Zoë", "Łukasz", "Đặng", "Øyvind",
    "O’Brien", "D'Ávila", "M.ª Àngels", "Nº 3", "GAL·LA", "«CAFÉ»", "„VÄÄ“", "é”…", "«IRMû",
    "Straße", "ÀÉÈÊ", "ÆØÅÄÖ", "Ångström½",
]  # fmt: skip
VIETNAMESE = ["Nguyễn Văn Ánh", "Trần Thị Bích Ngọc", "Phạm Đức", "LÊ THỊ HỒNG", "Đỗ Quỳnh Như", "Võ Ý"]
JAPANESE = ["山田太郎", "すずき", "タナカ", "ﾀﾅｶ", "佐々木", "髙橋", "渡邉 葵", "・ー"]
OTHERS = ["Иванов", "Ελένη", "محمد", "王小明", "𠮷野家", "", " ", None, "e\u0301", "a\u00adb", "a\u0085b", "ｋｉｍ"]
MANY = (
    "김이박최정강조윤장임한오서신권황안송류홍전고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함"
    "변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국어은편용"
)


def found(texts: list[str | None]) -> list[bool]:
    return [bool(one) for one in misread(pa.array(texts, pa.string()))]


@pytest.mark.parametrize("names", [KOREAN, LATIN, VIETNAMESE, JAPANESE, OTHERS], ids=lambda names: str(names[0]))
def test_sound_names_are_no_mojibake(names: list[str | None]) -> None:
    assert [one for one, told in zip(names, found(names), strict=True) if told] == []


def test_no_korean_name_of_two_or_three_common_syllables_is() -> None:
    names: list[str | None] = [a + b + c for a in MANY[:20] for b in MANY for c in (*MANY, "")]
    assert not any(found(names))


WAYS: dict[str, Callable[[str], str]] = {
    "UTF-8 as Latin-1": lambda name: name.encode().decode("latin-1"),
    "UTF-8 as Windows-1252": lambda name: name.encode().decode("cp1252", errors="ignore"),
    "CP949 as Latin-1": lambda name: name.encode("cp949").decode("latin-1"),
}


@pytest.mark.parametrize("way", WAYS)
def test_nearly_all_names_of_a_misread_column_are_told(way: str) -> None:
    names: list[str | None] = [WAYS[way](a + b + c) for a in MANY[:20] for b in MANY[20:40] for c in MANY[40:60]]
    assert sum(found(names)) > 0.9 * len(names)


@pytest.mark.parametrize("name", ["José", "Łukasz", "Nguyễn", "山田太郎", "すずき", "Иванов"])
def test_misread_names_of_other_languages(name: str) -> None:
    assert found([name.encode().decode("latin-1")]) == [True]


def test_utf8_that_was_read_as_cp949() -> None:
    wrong: list[str | None] = []
    for name in [a + b for a in MANY for b in MANY]:  # an odd number of syllables leaves a byte over: U+FFFD
        try:
            wrong.append(name.encode().decode("cp949"))
        except UnicodeDecodeError:  # what stood there is lost, which U+FFFD tells
            continue
    assert wrong
    mixed = [one for one in wrong if one and re.search("[\u4e00-\u9fff\uf900-\ufaff]", one)]
    assert len(mixed) > 10
    assert sum(found([*mixed])) > 0.9 * len(mixed)


def test_private_use_and_c1_controls() -> None:
    assert found(["김\ue000수", "A\x81B", "a\U000f0000"]) == [True, True, True]


def test_keys_of_misread_names_are_not_sent(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = PartyRound.of(roles, tmp_path, capsys)
    wrong = WAYS["UTF-8 as Latin-1"]("홍길동")
    at.register("A", [*(member(number) for number in range(1, 9)), member(9, wrong), member(10, wrong)])
    at.salted("A", "B")
    code, _, text = at.run("A", "keys")
    assert code == 1
    assert "name: 2 cells were read in a wrong encoding" in text
    assert wrong not in text
    assert at.got("KMA", "keys", "A") is None
