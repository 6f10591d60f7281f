"""Order-preserving and homomorphic encryption, polymorphic pseudonyms and shares in a whole plan, in any pieces."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from transforms.derivation import Secret
from transforms.kernels.paillier import generate
from transforms.run_keys import RunKeys
from transforms.techniques.secret_sharing import SecretSharing

KEY = generate(2048, random.Random(11).getrandbits)
PLAN = """\
source: {table: people, row_key: [id], subject: id}
excluded: [name]
columns:
  id: {kind: identifier, apply: {polymorphic-pseudonym: {domain: member, stable_over: panel}}}
  age: {kind: quasi-identifier, apply: {order-preserving-encryption: {accept_leak: order, between: [0, 150]}}}
  region: {kind: quasi-identifier, apply: keep}
  amount_food: {kind: attribute, apply: {homomorphic-encryption: {public_key: 'PUBLIC'}}}
  amount_rent: {kind: attribute, apply: {rounding: {unit: 100, direction: down}}}
further:
  rents: {secret-sharing: {columns: [amount_rent], scheme: shamir, shares: 3, needed: 2, largest: 100000000}}
""".replace("PUBLIC", KEY.public.to_text())


@pytest.fixture
def small(case: Any, plan_head: str) -> Any:
    """The plan on 150 persons."""
    whole = case(plan_head + PLAN)
    return type(whole)(whole.pipeline, whole.source.slice(0, 150), whole.keys)


def sorted_rows(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=str)


def test_pieces_and_order_of_the_source_change_no_cell(small: Any) -> None:
    """Further tables are run apart, so the main table's own columns are looked at here."""
    turned = small.source.take(pa.array(range(small.source.num_rows - 1, -1, -1)))
    whole = small.pipeline.apply_table(small.source, small.keys)
    assert whole.equals(small.pipeline.apply_table(turned, small.keys))
    some = [small.pipeline.apply_table(small.source.slice(first, 50), small.keys) for first in (0, 50, 100)]
    assert sorted_rows(pa.concat_tables(some)) == sorted_rows(whole)


def test_the_key_holder_gets_the_sum_and_order_is_kept(small: Any) -> None:
    whole = small.pipeline.apply_table(small.source, small.keys)
    cells = whole["amount_food"].drop_null().to_pylist()
    plain = [one for one in small.source["amount_food"].to_pylist() if one is not None]
    assert len(cells) == len(plain)
    assert KEY.decrypt([KEY.public.add(cells)]) == [sum(plain)]
    assert whole["age"].type == pa.int64()
    ages = sorted(small.source["age"].to_pylist())
    ranks = sorted(whole["age"].to_pylist())
    assert [a == b for a, b in pairwise(ages)] == [a == b for a, b in pairwise(ranks)]


def test_two_share_tables_give_the_rows_and_their_sum_back(small: Any) -> None:
    """Joined by the record id: what rounding left of each person's rent."""
    sharing = small.pipeline.plan.further["rents"]
    assert isinstance(sharing, SecretSharing)
    tables = {number: small.pipeline.apply_table(small.source, small.keys, f"rents_{number}") for number in (1, 2, 3)}
    for table in tables.values():
        assert table.column_names == ["record_id", "amount_rent"]
    joined = {number: table.sort_by("record_id")["amount_rent"].combine_chunks() for number, table in tables.items()}
    expected = sorted(rent // 100 * 100 for rent in small.source["amount_rent"].to_pylist())
    for pair in ((1, 2), (1, 3), (2, 3)):
        assert sorted(sharing.restored({one: joined[one] for one in pair}).to_pylist()) == expected
    sums = {one: pa.array([sum(joined[one].to_pylist()) % (2**61 - 1)]) for one in (1, 3)}
    assert sharing.restored(sums).to_pylist() == [sum(expected)]
    assert "amount_rent" not in small.pipeline.apply_table(small.source, small.keys).column_names


def test_another_recipient_gets_other_pseudonyms_of_the_same_series(small: Any) -> None:
    other = RunKeys(Secret(bytes(31) + b"x"), "organisation", "later run", "another recipient", small.keys.series)
    same = RunKeys(Secret(bytes(31) + b"x"), "organisation", "later run", "recipient", small.keys.series)
    ours, theirs, again = (
        set(small.pipeline.apply_table(small.source, keys)["id"].to_pylist()) for keys in (small.keys, other, same)
    )
    assert ours == again
    assert not ours & theirs
