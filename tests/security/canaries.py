"""Values that nothing else contains, in tables that are else as the examples' are: persons, retail, parties."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count

import pyarrow as pa
import pyarrow.compute as pc

from jobs.party_tables import PartyTable
from jobs.retail import Retail, districts

# An id of the source, a Korean name, a phone number, a resident registration number, a street, an amount.
IDS = r"EC-9\d{5}|가나다라9\d{5}|9000-?001090-?\d{4}|880808-?1909\d{3}|나비골9\d{5}길|97531864209\d\d"
WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
RICH = 3


def name(number: int) -> str:
    """A Korean name."""
    return f"가나다라9{number:05}"


def phone(number: int, dash: str = "-") -> str:
    """A phone number of fourteen digits, so that no other run of digits is one by chance."""
    return f"9000{dash}001090{dash}{number % 10_000:04}"


def rrn(number: int) -> str:
    """One of a hundred resident registration numbers with the right check digit."""
    digits = f"8808081909{number % 100:02}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return f"{digits[:6]}-{digits[6:]}{(11 - total % 11) % 10}"


def streets(addresses: pa.Array, numbers: Iterable[int]) -> pa.Array:
    """The addresses, each with a street of its own behind its district."""
    made = pa.array([f"나비골9{number:05}길" for number in numbers])
    return pc.binary_join_element_wise(pc.extract_regex(addresses, r"^(?P<at>\S+ \S+)").field("at"), made, " ")


def persons() -> pa.Table:
    """Two hundred, for a plan of six columns."""
    n = 200
    return pa.table(
        {
            "id": [f"EC-9{number:05}" for number in range(n)],
            "name": [name(number) for number in range(n)],
            "phone": [90000010900000 + number for number in range(n)],
            "age": [20 + number * 7 % 60 for number in range(n)],
            "town": ["은평구" if number % 29 else "가평군" for number in range(n)],
            "paid": [number * 997 % 50_000 for number in range(n)],
        }
    )


def retail(customers: int) -> pa.Table:
    """The guideline's 222 columns, with name, phone and registration number besides; three people bought a lot."""
    made = Retail(customers, 1, districts())
    table = pa.Table.from_batches([made.chunk(number) for number in range(made.chunks)])
    numbers = range(customers)
    amounts = table.column("amount_food_202101").to_pylist()
    for row in range(RICH):
        amounts[row * customers // RICH] = 9_753_186_420_900 + row
    changed = {
        "customer_id": pa.array([f"EC-9{number:05}" for number in numbers]),
        "address": streets(table.column("address").combine_chunks(), numbers),
        "amount_food_202101": pa.array(amounts, pa.int64()),
    }
    for column, values in changed.items():
        table = table.set_column(table.column_names.index(column), column, values)
    for column, make in {"name": name, "phone": phone, "rrn": rrn}.items():
        table = table.append_column(column, pa.array([make(number) for number in numbers]))
    return table


def party(which: str, subjects: int, known: dict[str, int]) -> pa.Table:
    """A party's table of `subjects`; `known` tells who has which phone, and so is the same person in the other's."""
    table = pa.Table.from_batches(list(PartyTable(which, subjects, 1, districts()).chunk(0)))
    names, phones, address = {"A": ("cust_nm", "hp", "address"), "B": ("name", "mobile", "dwelling")}[which]
    strangers = count(90_000)
    told = [None if one is None else re.sub(r"\D", "", one) for one in table.column(phones).to_pylist()]
    numbers = [next(strangers) if one is None else known.setdefault(one, len(known)) for one in told]
    dash = "-" if which == "A" else ""
    changed = {
        names: pa.array([name(number) for number in numbers]),
        phones: pa.array([None if one is None else phone(n, dash) for one, n in zip(told, numbers, strict=True)]),
        address: streets(table.column(address).combine_chunks(), numbers),
    }
    for column, values in changed.items():
        table = table.set_column(table.column_names.index(column), column, values)
    return table
