"""A shop's members, their purchases and visits, and who asked to stop: made, one person in several tables.

Pure: the same number of members and seed always give the same tables. The member's number is a whole number in the
register and text where the shop's other systems keep it, as happens. Every visit lasts some minutes, and purchases
fall on days of visits, so that shifted dates can be held against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MEMBERS, PURCHASES, VISITS, STOPS = "crm/members", "shop/purchases", "shop/visits", "crm/stops"
FEWEST = 100
_SIDO = (
    "서울시", "부산시", "대구시", "인천시", "광주시", "대전시", "울산시", "세종시", "경기도", "강원도",
    "충청북도", "충청남도", "전라북도", "전라남도", "경상북도", "경상남도", "제주도",
)  # fmt: skip
_SHARES = (18, 6, 5, 6, 3, 3, 2, 1, 26, 3, 3, 4, 3, 4, 5, 6, 2)
_CATEGORIES = ("식품류", "의류", "생활용품", "유아용품", "취미용품")
_GRADES = ("VIP", "우수", "일반")
_FIRST_DAY = 19_358  # 2023-01-01
_DAYS = 365
_MINUTE = 60_000_000
_VISITS_OF_A_MEMBER = 6


@dataclass(frozen=True)
class Shop:
    """The tables of so many members under a seed; times are local, to the minute."""

    members: int
    seed: int

    def tables(self) -> Mapping[str, pa.Table]:
        """All tables, by their usual names in the source zone."""
        random = np.random.Generator(np.random.SFC64([self.seed]))
        numbers = 100_000 + random.permutation(self.members)
        visitors, days = self._visits_made(random)
        return {
            MEMBERS: self._register(random, numbers),
            VISITS: self._visits(random, numbers[visitors], days),
            PURCHASES: self._purchases(random, numbers[visitors], days),
            STOPS: self._stops(numbers),
        }

    def _visits_made(self, random: np.random.Generator) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Which member comes on which day; a few never do."""
        counts = random.poisson(_VISITS_OF_A_MEMBER, self.members)
        visitors = np.repeat(np.arange(self.members), counts)
        random.shuffle(visitors)
        return visitors, _FIRST_DAY + random.integers(0, _DAYS, len(visitors))

    def _register(self, random: np.random.Generator, numbers: npt.NDArray[np.int64]) -> pa.Table:
        shares = np.array(_SHARES) / sum(_SHARES)
        joined = _FIRST_DAY - random.integers(1, 3_000, self.members)
        return pa.table(
            {
                "member_no": pa.array(numbers, pa.int64()),
                "name": [f"회원 {number}" for number in numbers],
                "phone": [f"010-{number // 10_000:04d}-{number % 10_000:04d}" for number in numbers],
                "sido": np.array(_SIDO)[random.choice(len(_SIDO), self.members, p=shares)],
                "sex": np.array(["M", "F"])[random.integers(0, 2, self.members)],
                "birth_year": pa.array(random.integers(1944, 2004, self.members), pa.int32()),
                "joined_on": pa.array(joined.astype(np.int32), pa.date32()),
                "grade": np.array(_GRADES)[random.choice(len(_GRADES), self.members, p=[0.05, 0.25, 0.7])],
            }
        )

    def _visits(
        self, random: np.random.Generator, visitors: npt.NDArray[np.int64], days: npt.NDArray[np.int64]
    ) -> pa.Table:
        entered = days * 1440 + random.integers(10 * 60, 20 * 60, len(days))
        left = entered + random.integers(5, 120, len(days))
        return pa.table(
            {
                "visit_id": pa.array(np.arange(1, len(days) + 1)),
                "cust_id": visitors.astype(str),
                "entered_at": pa.array(entered * _MINUTE, pa.timestamp("us")),
                "left_at": pa.array(left * _MINUTE, pa.timestamp("us")),
            }
        )

    def _purchases(
        self, random: np.random.Generator, visitors: npt.NDArray[np.int64], days: npt.NDArray[np.int64]
    ) -> pa.Table:
        bought = random.random(len(days)) < 0.6
        count = int(bought.sum())
        return pa.table(
            {
                "receipt": pa.array(np.arange(1, count + 1)),
                "member_no": visitors[bought].astype(str),
                "bought_on": pa.array(days[bought].astype(np.int32), pa.date32()),
                "category": np.array(_CATEGORIES)[random.integers(0, len(_CATEGORIES), count)],
                "amount": pa.array((np.exp(random.normal(10.3, 0.9, count)) // 10 * 10).astype(np.int64)),
            }
        )

    def _stops(self, numbers: npt.NDArray[np.int64]) -> pa.Table:
        """One member in a hundred."""
        asked = np.sort(numbers)[::100]
        return pa.table(
            {
                "member_no": pa.array(asked, pa.int64()),
                "requested_at": pa.array(
                    np.full(len(asked), (_FIRST_DAY + _DAYS) * 1440 * _MINUTE), pa.timestamp("us")
                ),
            }
        )
