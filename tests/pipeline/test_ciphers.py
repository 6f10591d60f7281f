"""Order-preserving and homomorphic encryption, polymorphic pseudonyms and shares in a whole plan, in any pieces."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs import retail
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.kernels.paillier import generate
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.parts import prepare_part
from transforms.pipeline.recompute import StagedUnit
from transforms.pipeline.review import image_of
from transforms.pipeline.run import Options, Prepared, finish, prepare
from transforms.pipeline.transform import ToBatches
from transforms.pipeline.verdict import Claim, Ways, verify_table
from transforms.plan_loader import load
from transforms.run_keys import RunKeys
from transforms.techniques.secret_sharing import SecretSharing
from transforms.uniqueness import generalizes

PLANS = Path(__file__).resolve().parents[2] / "conf/plans"
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


def run(case: Any, name: str, source: pa.Table, units: int, buckets: int) -> tuple[Prepared, pa.Table, LocalEngine]:
    """One table of the plan from a source in pieces: what was measured, its rows, and the pieces."""
    table = case.pipeline.table(name)
    size = -(-source.num_rows // units)
    pieces = [source.slice(first, size) for first in range(0, source.num_rows, size)]
    engine = LocalEngine([TableUnit(n, piece, source.schema, n * size) for n, piece in enumerate(pieces)])
    options = Options(buckets=buckets, rows_hint=source.num_rows)
    part = prepare_part(prepare(table.whole, case.keys, engine, options), table, case.keys, engine, options)
    rows = [pa.ipc.open_stream(blob).read_all() for blob in finish(part, engine, ToBatches(), options).outputs]
    return part, pa.concat_tables(rows), engine


@pytest.mark.parametrize("name", ["people", "rents_1", "rents_2", "rents_3"])
def test_pieces_and_order_of_the_source_change_no_cell(small: Any, name: str) -> None:
    places = list(range(small.source.num_rows))
    random.Random(5).shuffle(places)
    expected = small.pipeline.apply_table(small.source, small.keys, name)
    assert run(small, name, small.source.take(pa.array(places)), 7, 3)[1].equals(expected)


@pytest.mark.parametrize("name", ["people", "rents_2"])
def test_verify_recomputes_every_cell_and_review_finds_it_in_the_image(small: Any, name: str) -> None:
    table = small.pipeline.table(name)
    prepared, rows, engine = run(small, name, small.source, 2, 1)

    def verdict(staged: pa.Table) -> Any:
        both = LocalEngine([*engine.units, StagedUnit(TableUnit(0, staged, staged.schema, 0))])
        ways = Ways(engine, both, Draws(Secret(b"v" * 32)), staged.schema)
        return verify_table(Claim.of(table, small.keys, prepared.facts), ways)

    assert verdict(rows).equal
    for chain in table.chains:
        assert image_of(table, chain, prepared.facts).contains(rows.column(chain.name).combine_chunks()).all()
    last = rows.column_names[-1]
    cells = rows.column(last).to_pylist()
    place = next(number for number, cell in enumerate(cells) if cell is not None)
    cells[place] = cells[place] - 1 if isinstance(cells[place], int) else cells[place][::-1]
    wrong = rows.set_column(
        rows.num_columns - 1, rows.schema.field(last), pa.array(cells, rows.schema.field(last).type)
    )
    assert {one.place for one in verdict(wrong).differences if one.what == "cells"} == {last}


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


def test_shares_of_rounded_amounts_are_not_asked_to_be_alike(small: Any) -> None:
    """Every share is unique, whatever the amounts: a warning of unsuitable rounding would be wrong."""
    (shared,) = [chain for chain in small.pipeline.table("rents_1").chains if chain.name == "amount_rent"]
    assert [step.technique.name for step in shared.steps] == ["rounding", "share"]
    assert not generalizes(shared)
    assert generalizes(replace(shared, steps=shared.steps[:1]))


def test_another_recipient_gets_other_pseudonyms_of_the_same_series(small: Any) -> None:
    other = RunKeys(Secret(bytes(31) + b"x"), "organisation", "later run", "another recipient", small.keys.series)
    same = RunKeys(Secret(bytes(31) + b"x"), "organisation", "later run", "recipient", small.keys.series)
    ours, theirs, again = (
        set(small.pipeline.apply_table(small.source, keys)["id"].to_pylist()) for keys in (small.keys, other, same)
    )
    assert ours == again
    assert not ours & theirs


def test_the_example_plan_keeps_what_it_says(keys: RunKeys) -> None:
    """Made customers: sums of 2019 by any two share tables, and 2021's months in order, also with each other."""
    loaded = load(PLANS / "retail-encrypted.yaml", [PLANS.parent / "hierarchies"])
    made = retail.Retail(300, 1, retail.districts()).chunk(0)
    source = pa.Table.from_batches([made])
    pipeline = compile_plan(loaded.plan, source.schema, loaded.hierarchies, loaded.lines)
    series = RunKeys(keys.secret, "organisation", "run", "recipient", {"retail-customers": Secret(bytes(32))})
    january = [(one + 5_000) // 10_000 * 10_000 for one in source["total_201901"].to_pylist()]
    shares = {one: pipeline.apply_table(source, series, f"totals_{one}")["total_201901"].to_pylist() for one in (2, 3)}
    sums = {number: pa.array([sum(cells) % (2**61 - 1)]) for number, cells in shares.items()}
    sharing = loaded.plan.further["totals"]
    assert isinstance(sharing, SecretSharing)
    assert sharing.restored(sums).to_pylist() == [sum(january)]
    main = pipeline.apply_table(source, series)
    months = ["total_202101", "total_202112"]
    plain = sorted(
        (min(one, 10_000_000) + 5_000) // 10_000 * 10_000 for name in months for one in source[name].to_pylist()
    )
    ciphers = sorted(one for name in months for one in main[name].to_pylist())
    assert [a == b for a, b in pairwise(plain)] == [a == b for a, b in pairwise(ciphers)]
