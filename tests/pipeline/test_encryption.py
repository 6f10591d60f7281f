"""Encrypted columns in a pipeline: each with a key of its own, the same whatever the partitioning."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from transforms.derivation import Secret, SecretStays, for_broadcast
from transforms.errors import PlanError
from transforms.pipeline.engine import PassFailed
from transforms.pipeline.run import Prepared
from transforms.pipeline.work import make_work
from transforms.plan_loader import load
from transforms.run_facts import TableFacts
from transforms.run_keys import series_names

COLUMNS = """\
source: {table: people, row_key: [id], subject: id}
excluded: [id]
columns:
  siv: {kind: identifier, apply: two-way-encryption}
  siv_again: {kind: identifier, apply: two-way-encryption}
  gcm: {kind: identifier, apply: {two-way-encryption: {algorithm: aes-gcm}}}
  hash: {kind: identifier, apply: {one-way-hash: {form: mac}}}
  phone: {kind: identifier, apply: format-preserving-encryption}
  left: {kind: identifier, apply: {two-way-encryption: {domain: shared}}}
  right: {kind: identifier, apply: {two-way-encryption: {domain: shared}}}
  stable: {kind: identifier, apply: {format-preserving-encryption: {stable_over: panel}}}
"""
COUNT = 3000
TEXTS = [None if number % 50 == 0 else f"EC-{number * 7919 % 10**7:07d}" for number in range(COUNT)]


def people() -> pa.Table:
    names = ("siv", "siv_again", "gcm", "hash", "phone", "left", "right", "stable")
    return pa.table({"id": list(range(COUNT)), **{name: pa.array(TEXTS) for name in names}})


def rows(table: pa.Table) -> list[dict[str, Any]]:
    return table.to_pylist()


@pytest.fixture
def encrypted(case: Callable[..., Any], plan_head: str) -> Any:
    return case(plan_head + COLUMNS, people())


def test_partitions_buckets_and_order_of_the_source_change_nothing(encrypted: Any) -> None:
    _, plain, _ = encrypted.run()
    _, split, _ = encrypted.run(units=7, buckets=3)
    turned = encrypted.source.take(pa.array(range(COUNT - 1, -1, -1)))
    _, other, _ = encrypted.run(units=2, source=turned)
    assert rows(plain) == rows(split) == rows(other)
    assert plain.num_rows == COUNT


def test_each_column_has_a_key_of_its_own_unless_it_names_a_domain(encrypted: Any) -> None:
    _, made, _ = encrypted.run()
    cells = {name: made.column(name).drop_null().to_pylist() for name in made.column_names}
    assert not set(cells["siv"]) & set(cells["siv_again"])
    assert cells["left"] == cells["right"]
    assert not set(cells["left"]) & set(cells["siv"])
    distinct = len(set(TEXTS) - {None})
    assert {len(set(cells[name])) for name in ("siv", "hash", "phone", "gcm")} == {distinct}
    assert made.column("siv").null_count == COUNT // 50


def test_another_run_shares_what_is_stable_over_a_series_and_nothing_else(encrypted: Any) -> None:
    _, first, _ = encrypted.run()
    keys = replace(encrypted.keys, run="other", secret=Secret(bytes(range(100, 132))))
    _, second, _ = replace(encrypted, keys=keys).run()
    assert set(first.column("stable").to_pylist()) == set(second.column("stable").to_pylist())
    for name in ("siv", "gcm", "hash", "phone"):
        common = set(first.column(name).to_pylist()) & set(second.column(name).to_pylist())
        # of 10^7 texts of a form, some are met by chance
        assert len(common - {None}) < (30 if name == "phone" else 1)
    assert series_names(encrypted.pipeline.plan) == {"panel"}


def test_the_review_knows_the_forms_and_has_no_key(encrypted: Any) -> None:
    from transforms.pipeline.review import image_of

    prepared, made, _ = encrypted.run()
    table = encrypted.pipeline.table()
    facts: TableFacts = prepared.facts
    for chain in table.chains:
        image = image_of(table, chain, facts)
        assert image.contains(made.column(chain.name).combine_chunks()).all()
        if chain.name not in ("phone", "stable"):
            assert not image.contains(pa.array(["EC-1234567"])).any()


def test_keys_leave_only_in_a_broadcast(encrypted: Any) -> None:
    work = make_work(encrypted.pipeline.table(), encrypted.keys)
    assert len(work.keys) == 8
    assert "hidden" in repr(work.keys[("siv", 0)])
    with pytest.raises(SecretStays):
        pickle.dumps(work.keys)
    with for_broadcast():
        again = pickle.loads(pickle.dumps(work.keys))
    assert again[("siv", 0)].secret == work.keys[("siv", 0)].secret


def test_a_domain_below_a_million_names_the_place_in_the_plan(case: Callable[..., Any], plan_head: str) -> None:
    text = plan_head + "source: {table: people, row_key: [id]}\nexcluded: [id]\ncolumns:\n"
    text += "  pin: {kind: identifier, apply: format-preserving-encryption}\n"
    few = case(text, pa.table({"id": [1, 2], "pin": ["123456", "12345"]}))
    with pytest.raises(
        PassFailed, match=r"columns\.pin\.apply.*5 free characters.*1,000,000.*6 to 36.*\(1 cells\)"
    ) as caught:
        few.run()
    assert "12345 " not in str(caught.value)
    prepared: tuple[Prepared, pa.Table, Any] = case(text, pa.table({"id": [1, 2], "pin": ["123456", None]})).run()
    assert prepared[1].column("pin").null_count == 1


REFUSED = [
    ("phone", "format-preserving-encryption", "attribute", "shows how often"),
    ("phone", "one-way-hash", "quasi-identifier", "shows how often"),
    ("phone", "two-way-encryption", "attribute", "shows how often"),
    ("phone", "{one-way-hash: {form: mdc}}", "identifier", "without salt"),
    ("phone", "{format-preserving-encryption: {length: 4}}", "identifier", "10^4 texts"),
]


@pytest.mark.parametrize(("column", "apply", "kind", "found"), REFUSED)
def test_what_the_rules_forbid(
    compiled: Callable[..., Any], plan_head: str, column: str, apply: str, kind: str, found: str
) -> None:
    text = plan_head + "source: {table: people, row_key: [id]}\nexcluded: [id]\ncolumns:\n"
    text += f"  {column}: {{kind: {kind}, apply: {apply}}}\n"
    with pytest.raises(PlanError) as caught:
        compiled(text, pa.schema([("id", pa.int64()), (column, pa.string())]))
    (problem,) = caught.value.problems
    assert found in problem.found
    assert problem.refused
    assert problem.path.startswith(f"columns.{column}.apply")
    assert problem.line is not None


def test_what_does_not_repeat_needs_no_reason(compiled: Callable[..., Any], plan_head: str) -> None:
    text = plan_head + "source: {table: people, row_key: [id]}\nexcluded: [id]\ncolumns:\n"
    text += "  paid: {kind: attribute, apply: {two-way-encryption: {algorithm: aes-gcm}}}\n"
    schema = pa.schema([("id", pa.int64()), ("paid", pa.int64())])
    assert compiled(text, schema).table().chains[0].type == pa.string()


def test_a_public_key_is_read_from_a_file_beside_the_plan(tmp_path: Path, plan_head: str) -> None:
    key = rsa.generate_private_key(65537, 2048).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "recipient.pem").write_bytes(key.public_bytes(serialization.Encoding.PEM, form))
    text = plan_head + "source: {table: people, row_key: [id]}\nexcluded: [id]\ncolumns:\n"
    text += "  name: {kind: identifier, apply: {two-way-encryption: {algorithm: rsa-oaep, public_key: {file: NAME}}}}\n"
    file = tmp_path / "plan.yaml"
    file.write_text(text.replace("NAME", "recipient.pem"), "utf-8")
    (step,) = load(file).plan.columns["name"].apply or ()
    assert "BEGIN PUBLIC KEY" in getattr(step, "public_key", "")
    file.write_text(text.replace("NAME", "nobody.pem"), "utf-8")
    with pytest.raises(PlanError, match=r"public_key: .*nobody\.pem"):
        load(file)
