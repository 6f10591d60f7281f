"""The per-item plan as a page of its own: phases, rules, and what was not selected."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from transforms.pipeline_model import Chain

PHASES = [
    "처리정지 요구 제외", "항목 선택", "표본추출", "행 단위 처리", "항목별 처리", "특이정보 처리", "파생 항목", "순서",
]  # fmt: skip


def test_phases_stand_in_their_fixed_order(run: Any) -> None:
    page = run.write()["plan.html"]
    found = re.findall(r'<td class="middle" rowspan="1">(\d)</td><td rowspan="1">([^<]+)</td>', page)
    assert found == [(str(number), name) for number, name in enumerate(PHASES, 1)]
    assert "단순 무작위 비복원추출, 정보주체의 50%" in page
    assert "특이정보 처리 한도: 칸 5%, 행 1%" in page


def test_wording_comes_from_the_techniques(run: Any) -> None:
    pages = run.write()
    for chain in run.pipeline.table().chains:
        assert isinstance(chain, Chain)
        for step in chain.steps:
            for language, name in (("ko", "plan.html"), ("en", "plan.en.html")):
                words = step.technique.wording(language)
                escaped = words.level.replace("'", "&#39;")
                assert f"<td>{words.method}</td><td>{escaped}</td>" in pages[name]


def test_captures_tell_which_columns_an_item_has(run: Any) -> None:
    page = run.write()["plan.html"]
    assert "<code>{category}</code>: travel, food, clothes, hobby, living, baby, etc</span>" in page
    assert "<code>{month}</code>: 201901~201912, 202101~202112</span>" in page


def test_columns_that_are_not_selected_are_named(small_run: Callable[..., Any]) -> None:
    columns = {"id": {"kind": "identifier", "apply": "serial-number"}}
    schema = pa.schema([("id", pa.int64()), ("phone", pa.string())])
    page = small_run(columns, schema, excluded=["phone"]).write()["plan.html"]
    assert "<td>선택하지 않음</td><td>phone</td>" in page
    assert "k-익명성 요구 없음" in page
    assert "공개 후 파기" in page


def test_kept_additional_information_says_why_and_until_when(small_run: Callable[..., Any]) -> None:
    columns = {"id": {"kind": "identifier", "apply": "serial-number"}}
    kept = {"keep": {"reason": "시계열 분석", "until": "2027-06-30"}}
    schema = pa.schema([("id", pa.int64())])
    page = small_run(columns, schema, additional_information=kept).write()["plan.html"]
    assert "암호화하여 2027-06-30까지 보관: 시계열 분석" in page
