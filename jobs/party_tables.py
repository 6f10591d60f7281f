"""What three made parties of a combination hold: fuel bought (A), housing (B), health checks (C).

Pure and columnar: chunk `number` of a party's table under a seed is always the same. Each party writes the
key columns (name, phone, birth) in a way of its own, as happens: other column names, digits with and without
dashes, dates and texts, and in B some names in decomposed letters (NFD). In B and C one phone in 1,000 is missing.
A also keeps a list of who asked it to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jobs.population import Membership, Numbers, Population, fixed_texts, shares

CHUNK = 50_000
FIRST_YEAR, FIRST_MONTH = 2024, 7
FIRST_MEMBER = 100_000
MONTH = "reference_on"
TABLES = {"A": "fuel/members", "B": "housing/residents", "C": "health/examinees"}
STOPS, MOST_STOPS = "fuel/stops", 100
STOPS_SCHEMA = pa.schema([("member_no", pa.int64()), ("requested_on", pa.date32())])
_NO_PHONE, _DECOMPOSED = 0.001, 0.02

Random = np.random.Generator
Columns = dict[str, pa.Array]


@dataclass(frozen=True)
class PartyTable:
    """A party's table: so many subjects, of whom a share `overlap` is in the other parties too.

    With `months` each subject has a row for each month of membership, from July 2024 on; without, one row.
    """

    party: str
    subjects: int
    seed: int
    regions: tuple[str, ...]
    months: int = 0
    overlap: float = 0.6
    skew: float = 0.0
    duplicates: float = 0.0

    @property
    def chunks(self) -> int:
        """How many chunks it has."""
        return -(-self.subjects // CHUNK)

    def schema(self) -> pa.Schema:
        """The subject's number, key columns, the month where there are months, ten attributes."""
        fields = [*_KEYS[self.party], *([(MONTH, pa.date32())] if self.months else []), *_ATTRIBUTES[self.party]]
        return pa.schema(fields)

    def chunk(self, number: int) -> Iterator[pa.RecordBatch]:
        """The subjects `number * CHUNK` and following, at most CHUNK of them, month by month."""
        rows = np.arange(number * CHUNK, min((number + 1) * CHUNK, self.subjects))
        persons = self._membership.persons(rows)
        people = Population(self.seed, self.skew)
        keys = _WRITERS[self.party](people, persons, rows)
        for month in range(max(self.months, 1)):
            random = np.random.Generator(np.random.SFC64([self.seed, ord(self.party), number, month]))
            own = {} if not self.months else {MONTH: pa.repeat(pa.scalar(first_day(month)), len(rows))}
            columns = {**keys, **own, **_MAKERS[self.party](random, persons, self)}
            batch = pa.RecordBatch.from_arrays([columns[name] for name in self.schema().names], schema=self.schema())
            there = people.present(persons, month, self.months) if self.months else np.ones(len(rows), bool)
            yield batch.filter(pa.array(there))

    @property
    def _membership(self) -> Membership:
        """A is the first persons; B begins where the overlap with A does, C half way between."""
        apart = int(self.subjects * (1 - self.overlap))
        start = {"A": 0, "B": apart, "C": apart // 2}[self.party]
        return Membership(self.subjects, start, self.duplicates)


def stop_requests(subjects: int, first: int, last: int) -> pa.Table:
    """Requests to stop (처리정지 요구, §37) of A's members from the `first` to before the `last` of them, one a day."""
    numbers = np.arange(first, last)
    rows = numbers * (subjects // MOST_STOPS)
    days = np.datetime64(first_day(0), "D") + numbers
    return pa.table([pa.array(FIRST_MEMBER + rows), pa.array(days)], schema=STOPS_SCHEMA)


def first_day(month: int) -> date:
    """The first day of the month with this number, from 0."""
    years, months = divmod(FIRST_MONTH - 1 + month, 12)
    return date(FIRST_YEAR + years, months + 1, 1)


def _keys_a(people: Population, persons: Numbers, rows: Numbers) -> Columns:
    return {
        "member_no": pa.array(FIRST_MEMBER + rows),
        "cust_nm": people.names(persons),
        "hp": people.phones(persons, "010-####-####"),
        "birth_dt": pa.array(people.births(persons)),
    }


def _keys_b(people: Population, persons: Numbers, rows: Numbers) -> Columns:
    names = people.names(persons)
    decomposed = pa.array(shares(persons, people.seed, 20) < _DECOMPOSED)
    return {
        "resident": pc.binary_join_element_wise("R", pa.array(rows).cast(pa.string()), "-"),
        "name": pc.if_else(decomposed, pc.utf8_normalize(names, form="NFD"), names),
        "mobile": _some_missing(people.phones(persons, "010########"), persons, people.seed, 21),
        "birthday": _day_texts(people.births(persons), dashes=False),
    }


def _keys_c(people: Population, persons: Numbers, rows: Numbers) -> Columns:
    return {
        "examinee": pa.array(rows * 7 + 3),
        "person_name": people.names(persons),
        "tel": _some_missing(people.phones(persons, "010 #### ####"), persons, people.seed, 22),
        "born": _day_texts(people.births(persons), dashes=True),
    }


def _some_missing(texts: pa.Array, persons: Numbers, seed: int, purpose: int) -> pa.Array:
    return pc.if_else(pa.array(shares(persons, seed, purpose) < _NO_PHONE), None, texts)


def _day_texts(days: npt.NDArray[np.datetime64], *, dashes: bool) -> pa.Array:
    """19850312 or 1985-03-12."""
    letters = np.frombuffer(days.astype("S10").tobytes(), np.uint8).reshape(-1, 10)
    return fixed_texts(letters if dashes else letters[:, [0, 1, 2, 3, 5, 6, 8, 9]])


def _attributes_a(random: Random, persons: Numbers, table: PartyTable) -> Columns:
    litres = np.round(random.gamma(2.0, 30.0, len(persons)), 1)
    return {
        "sex": _fixed(("M", "F"), persons, table.seed, 30),
        "address": _addresses(persons, table, 31),
        "car": _fixed(("경차", "소형", "중형", "중형", "대형", "SUV", "SUV"), persons, table.seed, 32),
        "displacement": pa.array(800 + 100 * (shares(persons, table.seed, 33) * 38).astype(np.int32)),
        "fuel": _fixed(("휘발유", "휘발유", "경유", "LPG", "전기"), persons, table.seed, 34),
        "joined_on": _days_back(persons, table.seed, 35, 5_000),
        "visits": pa.array(random.poisson(4.0, len(persons)).astype(np.int32)),
        "litres": pa.array(litres),
        "amount": pa.array((litres * 1_650).astype(np.int64) // 10 * 10),
        "mileage": pa.array((litres * random.uniform(8, 16, len(persons))).astype(np.int32)),
    }


def _attributes_b(random: Random, persons: Numbers, table: PartyTable) -> Columns:
    tenure = (shares(persons, table.seed, 41) * 3).astype(np.int64)  # owner, deposit, rent
    area = 20 + 10 * (shares(persons, table.seed, 42) * 14).astype(np.int32)
    deposit = np.where(tenure == 0, 0, np.where(tenure == 1, 250, 30) * area.astype(np.int64) // 100 * 100)
    rent = np.where(tenure == 2, area * 8 // 10, 0).astype(np.int32)
    return {
        "dwelling": _addresses(persons, table, 43),
        "housing": _fixed(("아파트", "아파트", "연립주택", "단독주택", "오피스텔"), persons, table.seed, 44),
        "tenure": pa.array(["자가", "전세", "월세"]).take(pa.array(tenure)),
        "area": pa.array(area),
        "deposit": pa.array(deposit),
        "rent": pa.array(rent),
        "built": pa.array((1975 + shares(persons, table.seed, 45) * 49).astype(np.int32)),
        "household": pa.array((1 + shares(persons, table.seed, 46) * 5).astype(np.int32)),
        "moved_in": _days_back(persons, table.seed, 47, 7_000),
        "fee": pa.array((area * random.uniform(1_500, 3_500, len(persons))).astype(np.int64) // 10 * 10),
    }


def _attributes_c(random: Random, persons: Numbers, table: PartyTable) -> Columns:
    count = len(persons)
    height = np.round(150 + 40 * shares(persons, table.seed, 51), 1)
    weight = np.round(height * height * random.normal(23.5, 2.5, count).clip(15, 45) / 10_000, 1)
    return {
        "sex": _fixed(("M", "F"), persons, table.seed, 30),
        "height": pa.array(height),
        "weight": pa.array(weight),
        "bmi": pa.array(np.round(weight / (height * height) * 10_000, 1)),
        "systolic": pa.array(random.normal(122, 14, count).clip(80, 220).astype(np.int32)),
        "diastolic": pa.array(random.normal(77, 10, count).clip(40, 140).astype(np.int32)),
        "glucose": pa.array(random.normal(98, 18, count).clip(50, 350).astype(np.int32)),
        "cholesterol": pa.array(random.normal(192, 36, count).clip(80, 450).astype(np.int32)),
        "smoking": _fixed(("비흡연", "비흡연", "과거흡연", "흡연"), persons, table.seed, 52),
        "exercise": pa.array(random.integers(0, 8, count).astype(np.int32)),
    }


def _fixed(words: tuple[str, ...], persons: Numbers, seed: int, purpose: int) -> pa.Array:
    """A word for each person, the same in all months."""
    return pa.array(words).take(pa.array((shares(persons, seed, purpose) * len(words)).astype(np.int64)))


def _addresses(persons: Numbers, table: PartyTable, purpose: int) -> pa.Array:
    """District, road and number: `서울시 은평구 중앙로 12`."""
    place = (shares(persons, table.seed, purpose) * len(table.regions)).astype(np.int64)
    number = (1 + shares(persons, table.seed, purpose + 100) * 300).astype(np.int64)
    parts = [pa.array(table.regions).take(pa.array(place)), "중앙로", pa.array(number).cast(pa.string())]
    return pc.binary_join_element_wise(*parts, " ")


def _days_back(persons: Numbers, seed: int, purpose: int, most: int) -> pa.Array:
    days = (shares(persons, seed, purpose) * most).astype(np.int64)
    return pa.array(np.datetime64("2024-06-30", "D") - days)


_TEXT, _DAY, _INT, _LONG, _FLOAT = pa.string(), pa.date32(), pa.int32(), pa.int64(), pa.float64()
_KEYS: Mapping[str, list[tuple[str, pa.DataType]]] = {
    "A": [("member_no", _LONG), ("cust_nm", _TEXT), ("hp", _TEXT), ("birth_dt", _DAY)],
    "B": [("resident", _TEXT), ("name", _TEXT), ("mobile", _TEXT), ("birthday", _TEXT)],
    "C": [("examinee", _LONG), ("person_name", _TEXT), ("tel", _TEXT), ("born", _TEXT)],
}
_ATTRIBUTES: Mapping[str, list[tuple[str, pa.DataType]]] = {
    "A": [("sex", _TEXT), ("address", _TEXT), ("car", _TEXT), ("displacement", _INT), ("fuel", _TEXT),
          ("joined_on", _DAY), ("visits", _INT), ("litres", _FLOAT), ("amount", _LONG), ("mileage", _INT)],
    "B": [("dwelling", _TEXT), ("housing", _TEXT), ("tenure", _TEXT), ("area", _INT), ("deposit", _LONG),
          ("rent", _INT), ("built", _INT), ("household", _INT), ("moved_in", _DAY), ("fee", _LONG)],
    "C": [("sex", _TEXT), ("height", _FLOAT), ("weight", _FLOAT), ("bmi", _FLOAT), ("systolic", _INT),
          ("diastolic", _INT), ("glucose", _INT), ("cholesterol", _INT), ("smoking", _TEXT), ("exercise", _INT)],
}  # fmt: skip
_WRITERS: Mapping[str, Callable[[Population, Numbers, Numbers], Columns]] = {"A": _keys_a, "B": _keys_b, "C": _keys_c}
_MAKERS: Mapping[str, Callable[[Random, Numbers, PartyTable], Columns]] = {
    "A": _attributes_a, "B": _attributes_b, "C": _attributes_c,
}  # fmt: skip
