"""A draft plan: `check` names every empty place, and takes the draft once they are filled."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.identity.numbers_by_hand import birthday, resident
from tests.profiling.test_proposal import proposed
from transforms.compiler import compile_plan
from transforms.errors import PlanError
from transforms.plan_loader import load
from transforms.plan_warnings import plan_warnings
from transforms.profiling.draft import FILL, draft

ROWS = 300
RANDOM = random.Random(2)
TABLE: dict[str, list[Any]] = {
    "order_no": [f"O-{number}" for number in range(ROWS)],
    "고객번호": [f"P-{number % 40}" for number in range(ROWS)],
    "주민번호": [resident(birthday(RANDOM), "1", RANDOM) for _ in range(ROWS)],
    "e-mail": [f"someone{number}@example.com" for number in range(ROWS)],
    "나이": [20 + number % 60 for number in range(ROWS)],
    "no": ["M", "F", None] * (ROWS // 3),
    "진단명": ["I10", "E11", "J45"] * (ROWS // 3),
    "금액 {원}": [number % 7 * 1000 for number in range(ROWS)],
    **{f"m{month:02d}": [number % month for number in range(ROWS)] for month in range(1, 13)},
}
FILLED = {
    "number": "2026-001", "kind": "statistics", "statement": "연령대별 진단과 금액의 차이 통계",
    "legal_basis": "개인정보 보호법 제28조의2", "form": "internal-other-department", "recipient": "통계팀",
    "place": "closed", "from": "2026-01-01", "until": "2027-12-31",
}  # fmt: skip


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "draft.yaml"
    path.write_text(text, "utf-8")
    return path


def filled(text: str) -> str:
    """The draft as an author would fill it in."""
    lines = []
    for line in text.splitlines():
        if FILL in line:
            before = line[: line.index(FILL)].rstrip()
            key = re.sub(r"[^a-z_]", "", before.strip().split("{")[-1].split(":")[0])
            if line.startswith("    "):
                before += " 차이를 보는 항목"
            elif before.endswith("}"):
                before = before.replace("number: ", f"number: {FILLED['number']}")
            else:
                before += f" {FILLED[key]}"
            lines.append(before)
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def test_every_empty_place_is_named_by_the_check(tmp_path: Path) -> None:
    text = draft("shop/orders", proposed(TABLE))
    with pytest.raises(PlanError) as caught:
        load(written(tmp_path, text))
    empty = [number for number, line in enumerate(text.splitlines(), 1) if FILL in line]
    assert len(empty) > 10
    assert {problem.line for problem in caught.value.problems} == set(empty)


def test_filled_in_it_compiles_against_its_table(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, filled(draft("shop/orders", proposed(TABLE)))))
    pipeline = compile_plan(loaded.plan, pa.table(TABLE).schema, loaded.hierarchies, loaded.lines)
    assert plan_warnings(pipeline, "en") == []
    table = pipeline.table()
    assert (table.row_key, table.subject) == (("order_no",), "고객번호")
    assert set(table.excluded) == {"주민번호", "e-mail"}
    assert set(table.quasi_identifiers) == {"나이"}
    rules = loaded.plan.columns
    assert rules["진단명"].legal == "sensitive-23"
    assert rules["m*"].kind == "attribute"
    assert [step.name for step in rules["order_no"].apply or ()] == ["serial-number"]
    assert [step.name for step in rules["고객번호"].apply or ()] == ["keyed-token"]


def test_a_pattern_meets_the_columns_it_stands_for_and_no_other() -> None:
    """`m*` would meet `memo` too: then each column has an entry of its own."""
    assert '"m*":' in draft("t", proposed(TABLE))
    with_memo = {**TABLE, "memo": ["x", "y", "z"] * (ROWS // 3)}
    text = draft("t", proposed(with_memo))
    assert '"m*":' not in text
    assert "  m01: #" in text


def test_no_value_stands_in_it() -> None:
    text = draft("shop/orders", proposed(TABLE))
    assert not any(str(value) in text for name in ("주민번호", "e-mail") for value in TABLE[name])
    assert "I10" not in text


def test_a_table_without_key_or_people(tmp_path: Path) -> None:
    columns = {"grade": ["A", "B", "A"], "amount": [1, 1, 2]}
    text = filled(draft("9 odd name!", proposed(columns)))
    loaded = load(written(tmp_path, text.replace('"9 odd name!"', "odd")))
    assert (loaded.plan.plan, loaded.plan.source is not None) == ("draft", True)
    pipeline = compile_plan(loaded.plan, pa.table(columns).schema, {}, loaded.lines)
    assert (pipeline.table().row_key, pipeline.table().subject) == (None, None)


def test_without_quasi_identifiers_it_still_meets_the_floor_of_third_parties(tmp_path: Path) -> None:
    table = {"id": [str(number) for number in range(ROWS)], "v": ["x"] * ROWS}
    loaded = load(written(tmp_path, filled(draft("shop/orders", proposed(table)))))
    assert not [rule for rule in loaded.plan.columns.values() if rule.kind == "quasi-identifier"]
    assert loaded.plan.adequacy.k_anonymity is not None
    assert loaded.plan.adequacy.k_anonymity.k >= 3
