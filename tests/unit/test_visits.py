"""The made shop: the same arguments, the same tables; every row names a member of the register."""

from __future__ import annotations

import pyarrow as pa

from jobs.columns import type_problems
from jobs.visits import MEMBERS, PURCHASES, STOPS, VISITS, Shop

TABLES = Shop(500, 3).tables()


def test_the_same_seed_makes_the_same_people_and_another_one_others() -> None:
    again, other = Shop(500, 3).tables(), Shop(500, 4).tables()
    assert all(table.equals(again[name]) for name, table in TABLES.items())
    assert not any(TABLES[name].equals(other[name]) for name in (MEMBERS, VISITS, PURCHASES))


def test_all_types_can_be_delivered() -> None:
    assert [type_problems(table.schema, name) for name, table in TABLES.items()] == [[], [], [], []]


def test_rows_name_members_whatever_the_type() -> None:
    register = TABLES[MEMBERS].column("member_no").to_pylist()
    assert len(set(register)) == 500
    assert TABLES[VISITS].schema.field("cust_id").type == pa.string()
    assert set(TABLES[VISITS].column("cust_id").to_pylist()) <= {str(number) for number in register}
    assert set(TABLES[STOPS].column("member_no").to_pylist()) <= set(register)


def test_purchases_fall_on_days_of_visits_and_visits_end() -> None:
    visited = {(row["cust_id"], row["entered_at"].date()) for row in TABLES[VISITS].to_pylist()}
    assert {(row["member_no"], row["bought_on"]) for row in TABLES[PURCHASES].to_pylist()} <= visited
    assert all(row["entered_at"] < row["left_at"] for row in TABLES[VISITS].to_pylist())
