"""Combining equals a plain-Python join, whatever the partitioning; nothing of a serial is left in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pytest

from transforms.combination.combine_tasks import deal
from transforms.combination.joins import JoinRule
from transforms.pipeline.engine import LocalEngine, PassFailed

PARTIES = ("A", "B", "C")
COLUMNS = ("amount", "city", "share")
RULES = [
    JoinRule("inner-single", PARTIES),
    JoinRule("inner-multi", PARTIES, "B", ("C",)),
    JoinRule("inner-full", PARTIES),
    JoinRule("outer-single", PARTIES, "C"),
    JoinRule("anti-inner-single", PARTIES, "A"),
]


def joined(case: Any, rule: JoinRule) -> tuple[list[tuple[Any, ...]], dict[str, list[tuple[Any, ...]]]]:
    """Row by row, by dictionaries: the records, and the rows of parties that have several of a subject."""
    rows: dict[str, dict[str, list[tuple[Any, ...]]]] = {party: defaultdict(list) for party in rule.parties}
    for party in rule.parties:
        voided = case.voids[party].to_pylist() if party in case.voids else []
        for row in case.attributes[party].to_pylist():
            if row["serial"] not in voided:
                rows[party][row["serial"]].append(tuple(row[name] for name in COLUMNS))
    records, own = [], defaultdict(list)
    for link in case.linking.to_pylist():
        found = {party: rows[party].get(link[f"serial_{party}"], []) for party in rule.parties}
        has = {party for party in rule.parties if found[party]}
        others = has - {rule.base}
        takes = {
            "inner-single": len(has) == len(rule.parties),
            "inner-full": len(has) > 1,
            "outer-single": rule.base in has,
            "anti-inner-single": has == {rule.base},
            "inner-multi": rule.base in has and bool(others) and set(rule.parties) - {rule.base} - others <= {"C"},
        }[rule.kind]
        if takes:
            shown = [party for party in rule.shown if party not in case.many]
            cells = [cell for party in shown for cell in (found[party][0] if found[party] else (None,) * len(COLUMNS))]
            records.append((link["link_U"].hex(), *cells))
            for party in case.many & set(rule.shown):
                own[party] += [(link["link_U"].hex(), *cells) for cells in found[party]]
    return records, own


def plain(rows: list[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((tuple(value for name, value in row.items() if name != "record") for row in rows), key=repr)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_equals_the_reference(rule: JoinRule, drawn_case: Callable[..., Any]) -> None:
    case = drawn_case(PARTIES, 300)
    tables, counts = case.combine(rule, link="link_U")
    records, _ = joined(case, rule)
    assert 0 < len(records) < 300
    assert plain(tables[""]) == sorted(records, key=repr)
    assert counts["records"] == len(records)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_several_rows_of_a_subject_stay_a_table_of_their_own(rule: JoinRule, drawn_case: Callable[..., Any]) -> None:
    case = drawn_case(PARTIES, 200, many=["A", "C"])
    tables, _ = case.combine(rule, link="link_U")
    records, own = joined(case, rule)
    assert plain(tables[""]) == sorted(records, key=repr)
    link_of = {row["record"]: row["link"] for row in tables[""]}
    for party in ("A", "C"):
        if party not in rule.shown:
            assert party not in tables
            continue
        found = [(link_of[row["record"]], *(row[f"{party}_{name}"] for name in COLUMNS)) for row in tables[party]]
        assert sorted(found, key=repr) == sorted(own[party], key=repr)
        ids = [row["row"] for row in tables[party]]
        assert len(set(ids)) == len(ids)
        assert not set(ids) & set(link_of)


@pytest.mark.parametrize(("buckets", "pieces"), [(1, 1), (2, 5), (7, 3)])
def test_partitions_and_order_of_the_source_change_nothing(
    buckets: int, pieces: int, case: Callable[..., Any], drawn_case: Callable[..., Any]
) -> None:
    drawn = drawn_case(PARTIES, 200, many=["C"])
    rule = JoinRule("outer-single", PARTIES, "A")
    once, _ = drawn.combine(rule, link="link_U", buckets=3, pieces=2)
    again, _ = drawn.combine(rule, link="link_U", buckets=buckets, pieces=pieces)
    assert again == once
    # Tasks end in any order.
    assert drawn.combine(rule, link="link_U", pieces=4, engine=lambda units: LocalEngine(units[::-1]))[0] == once
    turned = case(
        {party: table if party == "C" else table[::-1] for party, table in drawn.attributes.items()},
        drawn.linking[::-1],
        drawn.many,
    )
    assert turned.combine(rule, link="link_U")[0] == once


def test_order_and_ids_are_those_of_the_rounds_secret(drawn_case: Callable[..., Any]) -> None:
    case = drawn_case(("A", "B"), 400)
    rule = JoinRule("inner-single", ("A", "B"))
    tables, _ = case.combine(rule, link="link_U")
    others, _ = case.combine(rule, link="link_U", secret=b"d" * 32)
    ids = [row["record"] for row in tables[""]]
    assert ids == sorted(ids, key=lambda one: one.translate(str.maketrans("234567", "{|}~\x7f\x80")))
    assert not set(ids) & {row["record"] for row in others[""]}
    assert plain(tables[""]) == plain(others[""])
    assert [row["link"] for row in tables[""]] != [row["link"] for row in others[""]]


def test_two_users_records_have_no_id_in_common(drawn_case: Callable[..., Any]) -> None:
    case = drawn_case(("A", "B"), 300, many=["B"])
    rule = JoinRule("inner-single", ("A", "B"))
    one, other = (case.combine(rule, user=user)[0] for user in ("U", "V"))
    assert len(one[""]) == len(other[""]) > 50
    for table, column in (("", "record"), ("B", "record"), ("B", "row")):
        assert not {row[column] for row in one[table]} & {row[column] for row in other[table]}
    assert [row["A_share"] for row in one[""]] != [row["A_share"] for row in other[""]]


def test_no_serial_is_left(drawn_case: Callable[..., Any]) -> None:
    case = drawn_case(PARTIES, 100, many=["B"])
    tables, _ = case.combine(JoinRule("inner-full", PARTIES), link="link_U")
    cells = {cell for rows in tables.values() for row in rows for cell in row.values()}
    serials = {serial for party in PARTIES for serial in case.attributes[party].column("serial").to_pylist()}
    assert len(serials) > 100
    assert not cells & serials


def test_voided_serials_are_as_if_never_sent(case: Callable[..., Any], drawn_case: Callable[..., Any]) -> None:
    drawn = drawn_case(PARTIES, 200)
    rule = JoinRule("outer-single", PARTIES, "A")
    voids = {party: drawn.linking.column(f"serial_{party}").drop_null()[:20].combine_chunks() for party in ("A", "B")}
    voided = case(drawn.attributes, drawn.linking, voids=voids)
    tables, counts = voided.combine(rule, link="link_U")
    records, _ = joined(voided, rule)
    assert plain(tables[""]) == sorted(records, key=repr)
    assert counts["without rows A"] == counts["without rows B"] == 20


def test_rows_that_nobody_links_are_counted_and_dropped(case: Callable[..., Any]) -> None:
    attributes = {
        "A": pa.table({"serial": ["a1", "a2", "a3"], "x": [1, 2, 3]}),
        "B": pa.table({"serial": ["b1", "b2"], "y": [1, 2]}),
    }
    linking = pa.table({"serial_A": ["a1", "a2", "a9"], "serial_B": ["b1", None, None]})
    tables, counts = case(attributes, linking).combine(JoinRule("outer-single", ("A", "B"), "A"))
    assert sorted((row["A_x"], row["B_y"]) for row in tables[""] if row["B_y"]) == [(1, 1)]
    assert sorted(row["A_x"] for row in tables[""]) == [1, 2]
    assert (counts["unlinked A"], counts["unlinked B"]) == (1, 1)
    assert counts["linked"] == 3
    assert counts["without rows A"] == 1


A = pa.table({"serial": ["a1", "a2", "a3"], "x": [1, 2, 3]})
B = pa.table({"serial": ["b1", "b2"], "y": [1, 2]})
LINKS = pa.table({"serial_A": ["a1", "a2"], "serial_B": ["b1", "b2"]})


@pytest.mark.parametrize(
    ("a", "b", "links", "said"),
    [
        (pa.concat_tables([A, A[:1]]), B, LINKS, r"attributes of A: rows with the serial of another row.*at least 1"),
        (pa.concat_tables([A, A[2:]]), B, LINKS, r"attributes of A: rows with the serial of another row.*at least 1"),
        (A, pa.concat_tables([B, B[:1]]), LINKS, r"attributes of B: rows with the serial of another row.*at least 1"),
        (A, B, pa.concat_tables([LINKS, LINKS[:1]]), r"linking table: serials of [AB] that stand in several rows"),
        (A, B, pa.table({"serial_A": ["a1", None], "serial_B": ["b1", "b1"]}), "serials of B that stand in several"),
        (pa.table({"serial": ["a1", None], "x": [1, 2]}), B, LINKS, r"attributes of A: rows without a serial"),
    ],
)
def test_what_no_package_may_hold_is_an_error_by_count(
    a: pa.Table, b: pa.Table, links: pa.Table, said: str, case: Callable[..., Any]
) -> None:
    with pytest.raises(PassFailed, match=said) as caught:
        case({"A": a, "B": b}, links).combine(JoinRule("outer-single", ("A", "B"), "A"))
    assert not any(serial in str(caught.value) for serial in ("a1", "a2", "b1"))


def test_records_of_parties_that_were_left_out_are_nobodys(
    drawn_case: Callable[..., Any], case: Callable[..., Any]
) -> None:
    """The linking table still has serials of C, whose attributes never came."""
    drawn = drawn_case(PARTIES, 200)
    without = case({party: drawn.attributes[party] for party in "AB"}, drawn.linking)
    rule = JoinRule("inner-full", ("A", "B"))
    tables, counts = without.combine(rule, link="link_U")
    assert plain(tables[""]) == sorted(joined(without, rule)[0], key=repr)
    only_c = sum(row["serial_A"] is None and row["serial_B"] is None for row in drawn.linking.to_pylist())
    assert counts["linked"] == drawn.linking.num_rows - only_c < drawn.linking.num_rows


def test_nobody_at_all(case: Callable[..., Any]) -> None:
    tables, counts = case({"A": A, "B": B}, LINKS[:0]).combine(JoinRule("inner-single", ("A", "B")))
    assert tables == {"": []}
    assert (counts["unlinked A"], counts["unlinked B"], counts.get("records", 0)) == (3, 2, 0)


def test_deal_takes_each_chosen_row_once() -> None:
    import numpy as np

    from transforms.combination.words import OWN, with_words
    from transforms.pipeline.transform import from_blobs

    words = np.arange(20, dtype=np.uint64).reshape(10, 2) << np.uint64(60)
    batch = with_words(pa.record_batch({"x": pa.array(range(10))}), words, OWN)
    dealt = list(deal(batch, words, 4, 5, np.array([1, 3, 8])))
    assert sorted(from_blobs([blob for _, _, blob in dealt]).column("x").to_pylist()) == [1, 3, 8]
    assert {kind for _, kind, _ in dealt} == {5}
