"""The guideline's worked customer (appendix 2): as the source has it, and what must come out (L3517-3649)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable

from jobs.storage import Location

SERIAL = "customer_id"
NUMBER = "232578"  # of EC-232578; the generator gives the same values to others too
# L3517-3556. 2021-12 lists no travel amount, and its total leaves 0 for it.
SOURCE: Mapping[str, Any] = {
    "age": 36, "address": "서울시 은평구 연서로 29길 245", "sex": "M",
    "amount_travel_201901": 0, "amount_food_201901": 248_240, "amount_clothes_201901": 180_000,
    "amount_hobby_201901": 740_000, "amount_living_201901": 562_500, "amount_baby_201901": 360_000,
    "amount_etc_201901": 715_000, "total_201901": 2_805_740, "preferred_201901": "취미용품",
    "amount_travel_202112": 0, "amount_food_202112": 362_150, "amount_clothes_202112": 0,
    "amount_hobby_202112": 24_300, "amount_living_202112": 478_130, "amount_baby_202112": 452_300,
    "amount_etc_202112": 782_350, "total_202112": 2_099_230, "preferred_202112": "기타",
    "grade_2021": "S",
}  # fmt: skip
# L3610-3649.
RESULT: Mapping[str, Any] = {
    "age": 30, "address": "서울시 은평구", "sex": "M",
    "amount_travel_201901": 0, "amount_food_201901": 250_000, "amount_clothes_201901": 180_000,
    "amount_hobby_201901": 740_000, "amount_living_201901": 560_000, "amount_baby_201901": 360_000,
    "amount_etc_201901": 710_000, "total_201901": 2_800_000, "preferred_201901": "취미용품",
    "amount_travel_202112": 0, "amount_food_202112": 360_000, "amount_clothes_202112": 0,
    "amount_hobby_202112": 30_000, "amount_living_202112": 480_000, "amount_baby_202112": 450_000,
    "amount_etc_202112": 780_000, "total_202112": 2_100_000, "preferred_202112": "기타",
    "grade_2021": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """Ids of source rows, the guideline's own first, and serials of published rows, that have these values."""

    source: tuple[str, ...]
    published: tuple[int, ...]


def find(source: Location, published: Location) -> Found:
    """Looks for the worked values in both tables: by value alone, since nothing links the two."""
    ids, serials = (_rows(place, values) for place, values in ((source, SOURCE), (published, RESULT)))
    return Found(
        tuple(sorted(ids, key=lambda one: (not one.endswith(NUMBER), one))), tuple(sorted(serials))
    )


def side_by_side(found: Found) -> str:
    """One line per column: the source row, and the published rows that equal the guideline's result."""
    rows = [("column", "source row", "published row"), (SERIAL, found.source[0], str(found.published[0]))]
    rows += [(name, _text(SOURCE[name]), _text(RESULT[name])) for name in SOURCE]
    first, second = (max(_width(row[place]) for row in rows) + 2 for place in (0, 1))
    return "\n".join(f"  {_padded(a, first)}{_padded(b, second)}{c}" for a, b, c in rows)


def _rows(place: Location, values: Mapping[str, Any]) -> list[Any]:
    table = DeltaTable(str(place), storage_options=dict(place.options.deltalake) or None)
    condition = ds.scalar(True)
    for name, value in values.items():
        condition = condition & (ds.field(name) == pa.scalar(value))
    found: list[Any] = table.to_pyarrow_dataset().to_table([SERIAL], filter=condition)[SERIAL].to_pylist()
    return found


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _width(text: str) -> int:
    """Columns on a terminal: a Korean letter takes two."""
    return sum(2 if "ᄀ" <= letter <= "힣" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
