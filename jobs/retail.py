"""The guideline's retail customers, made: 222 columns, skewed, with the worked customer planted 20 times.

Pure and columnar: chunk `number` of a table of `customers` under a `seed` is always the same, whoever
makes it. Source of the columns and of the worked customer: guideline, appendix 2 (L3323-3668).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jobs.storage import conf_path

CHUNK = 10_000
PLANTED = 20
CATEGORIES = {
    "travel": "여행용품", "food": "식품류", "clothes": "의류", "hobby": "취미용품", "living": "생활용품",
    "baby": "유아용품", "etc": "기타",
}  # fmt: skip
MONTHS = tuple(f"{year}{month:02d}" for year in (2019, 2021) for month in range(1, 13))
GRADES = ("VIP", "S", "A", "B", "C", "D", "E", "F")
_GRADE_SHARES = (0.01, 0.04, 0.10, 0.20, 0.25, 0.20, 0.12, 0.08)
# of each category: log of the middle amount in won, share of customers who buy nothing in a month
_LEVELS = {
    "travel": (11.8, 0.60), "food": (10.6, 0.15), "clothes": (10.8, 0.35), "hobby": (10.9, 0.50),
    "living": (10.7, 0.30), "baby": (10.2, 0.75), "etc": (10.9, 0.40),
}  # fmt: skip
_SPREAD = 1.5
_ROADS = (
    "연서로", "중앙로", "시민로", "평화로", "번영로", "충장로", "세종로", "한강로", "남부로", "북부로",
    "동문로", "서문로", "역전로", "시장길", "학교로", "은행로", "강변로", "산성로", "솔밭로", "새터로",
)  # fmt: skip
# the worked customer of L3517-3556; 2021-12 lists no travel amount, and its total leaves 0 for it
_WORKED_ID = 232578
_WORKED_ADDRESS = "서울시 은평구 연서로 29길 245"
_WORKED_AGE, _WORKED_SEX, _WORKED_GRADE = 36, "M", "S"
_WORKED_AMOUNTS = {
    "201901": (0, 248_240, 180_000, 740_000, 562_500, 360_000, 715_000),
    "202112": (0, 362_150, 0, 24_300, 478_130, 452_300, 782_350),
}


def schema() -> pa.Schema:
    """The 222 columns in the guideline's order; amounts in won."""
    fields = [
        ("customer_id", pa.string()),
        ("age", pa.int32()),
        ("address", pa.string()),
        ("sex", pa.string()),
    ]
    for month in MONTHS:
        fields += [(f"amount_{category}_{month}", pa.int64()) for category in CATEGORIES]
        fields += [(f"total_{month}", pa.int64()), (f"preferred_{month}", pa.string())]
    return pa.schema([*fields, ("grade_2019", pa.string()), ("grade_2021", pa.string())])


def districts() -> tuple[str, ...]:
    """The Korean districts (시군구) of the hierarchy that the retail plans use."""
    with conf_path("hierarchies/region.csv").open(encoding="utf-8", newline="") as file:
        return tuple(dict.fromkeys(row["sigungu"] for row in csv.DictReader(file)))


@dataclass(frozen=True)
class Retail:
    """A table of `customers` rows under a `seed`; `regions` as `districts()` gives them."""

    customers: int
    seed: int
    regions: tuple[str, ...]

    @property
    def chunks(self) -> int:
        return -(-self.customers // CHUNK)

    def planted(self) -> npt.NDArray[np.int64]:
        """Rows of the worked customer: spread evenly, int64, ascending."""
        return (np.arange(PLANTED) * 2 + 1) * self.customers // (2 * PLANTED)

    def chunk(self, number: int) -> pa.RecordBatch:
        """Rows `number * CHUNK` and following, at most CHUNK, in `schema()`."""
        first = number * CHUNK
        count = min(CHUNK, self.customers - first)
        random = np.random.Generator(np.random.SFC64([self.seed, number]))
        rows = np.arange(first, first + count)
        worked = self.planted()
        worked = worked[(worked >= first) & (worked < first + count)] - first
        wealth = random.standard_normal(count, dtype=np.float32)
        columns = [self._ids(rows), self._ages(random, worked, count)]
        columns += [self._addresses(random, worked, count), self._sexes(random, worked, count)]
        for place, month in enumerate(MONTHS):
            columns += self._month(random, worked, wealth, month, place)
        columns += [self._grades(random, worked, wealth) for _ in range(2)]
        return pa.RecordBatch.from_arrays(columns, schema=schema())

    @cached_property
    def _digits(self) -> int:
        return max(6, len(str(self.customers)))

    def _ids(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """`EC-` and at least six digits, all different, in no order; the worked one on its row."""
        size = 10**self._digits
        step = 618_033  # odd and no multiple of 5: a bijection of the numbers below a power of ten
        start = _WORKED_ID - int(self.planted()[0]) * step
        numbers = (rows * step + start) % size
        text = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), self._digits, "0")
        return pc.binary_join_element_wise("EC", text, "-")

    def _ages(self, random: np.random.Generator, worked: npt.NDArray[np.int64], count: int) -> pa.Array:
        """10 to 97, most in their thirties, a long tail of the old."""
        years = np.arange(10, 98)
        shares = np.exp(-(((years - 36) / np.where(years < 36, 9, 18)) ** 2) / 2)
        ages = years[np.searchsorted(np.cumsum(shares / shares.sum()), random.random(count)).clip(0, 87)]
        ages[worked] = _WORKED_AGE
        return pa.array(ages.astype(np.int32))

    def _addresses(self, random: np.random.Generator, worked: npt.NDArray[np.int64], count: int) -> pa.Array:
        """District, road, side street, number: `서울시 은평구 연서로 29길 245`; cities have more people."""
        weights = np.array([_weight(name) for name in self.regions])
        places = np.searchsorted(np.cumsum(weights / weights.sum()), random.random(count))
        parts = [
            pa.array(self.regions).take(pa.array(places.clip(0, len(self.regions) - 1))),
            pa.array(_ROADS).take(pa.array(random.integers(0, len(_ROADS), count))),
            pc.binary_join_element_wise(pa.array(random.integers(1, 80, count)).cast(pa.string()), "길", ""),
            pa.array(random.integers(1, 400, count)).cast(pa.string()),
        ]
        return _planted(pc.binary_join_element_wise(*parts, " "), worked, _WORKED_ADDRESS)

    def _sexes(self, random: np.random.Generator, worked: npt.NDArray[np.int64], count: int) -> pa.Array:
        return _planted(
            pa.array(["M", "F"]).take(pa.array(random.integers(0, 2, count))), worked, _WORKED_SEX
        )

    def _month(
        self,
        random: np.random.Generator,
        worked: npt.NDArray[np.int64],
        wealth: npt.NDArray[np.float32],
        month: str,
        place: int,
    ) -> list[pa.Array]:
        """Seven amounts (multiples of 10, zero where nothing was bought), their total, the largest's name."""
        amounts = np.empty((len(CATEGORIES), len(wealth)), np.int64)
        season = np.float32(0.15 * np.cos(2 * np.pi * (place % 12 - 11) / 12))
        for row, (middle, idle) in enumerate(_LEVELS.values()):
            draw = random.standard_normal(len(wealth), dtype=np.float32)
            won = np.exp(draw * np.float32(_SPREAD) + np.float32(middle + season) + wealth * np.float32(0.4))
            np.multiply((won / 10).astype(np.int64), 10, out=amounts[row])
            amounts[row][draw < _normal_quantile(idle)] = 0
        if month in _WORKED_AMOUNTS:
            amounts[:, worked] = np.array(_WORKED_AMOUNTS[month])[:, None]
        total = amounts.sum(axis=0)
        largest = pa.array(amounts.argmax(axis=0), mask=total == 0)
        names = pa.array(list(CATEGORIES.values()))
        return [*(pa.array(row) for row in amounts), pa.array(total), names.take(largest)]

    def _grades(
        self, random: np.random.Generator, worked: npt.NDArray[np.int64], wealth: npt.NDArray[np.float32]
    ) -> pa.Array:
        """The wealthier, the better the grade, with some chance in it."""
        score = 0.9 * wealth + 0.43589 * random.standard_normal(len(wealth), dtype=np.float32)
        cuts = [_normal_quantile(1 - share) for share in np.cumsum(_GRADE_SHARES)[:-1]]
        rank = np.searchsorted(-np.array(cuts), -score)
        return _planted(pa.array(GRADES).take(pa.array(rank)), worked, _WORKED_GRADE)


def _planted(column: pa.Array, worked: npt.NDArray[np.int64], value: str) -> pa.Array:
    mask = np.zeros(len(column), dtype=bool)
    mask[worked] = True
    return pc.if_else(pa.array(mask), value, column)


def _weight(region: str) -> float:
    """People of a district, roughly: Seoul's most, then other wards (구), cities (시), counties (군)."""
    if region.startswith("서울"):
        return 3.0
    return 2.0 if region.endswith("구") else 1.6 if region.endswith("시") else 1.0


def _normal_quantile(share: float) -> float:
    return NormalDist().inv_cdf(share)
