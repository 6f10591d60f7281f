"""Controlled rounding: sums stay, the largest residues go up, ties by draws; under any partitioning."""

import random
from collections import Counter, defaultdict
from decimal import Decimal

import pyarrow as pa
import pytest

from transforms.pipeline.engine import PassFailed

# Guideline L2042-2050.
AGES = [33, 61, 50, 72, 43, 44, 23, 67, 68, 49]
CONTROLLED = [30, 60, 50, 70, 40, 50, 20, 70, 70, 50]


def text_of(head, parameters):
    return f"""{head}\
source: {{table: people, row_key: [id], subject: id}}
columns:
  id: {{kind: identifier, apply: serial-number}}
  name: {{kind: attribute, apply: keep}}
  group: {{kind: quasi-identifier, apply: keep}}
  side: {{kind: quasi-identifier, apply: keep}}
  amount: {{kind: attribute, apply: {{controlled-rounding: {parameters}}}}}
"""


def source_of(amounts, groups=None, sides=None):
    count = len(amounts)
    return pa.table(
        {
            "id": [f"P-{n:05d}" for n in range(count)],
            "name": [f"{n}" for n in range(count)],
            "group": groups or ["g"] * count,
            "side": sides or ["s"] * count,
            "amount": pa.array(amounts, pa.int64()),
        }
    )


def amounts_of(rows):
    """Delivered amounts in the order of the source."""
    found = {int(row["name"]): row["amount"] for row in rows.to_pylist()}
    return [found[n] for n in range(len(found))]


@pytest.fixture
def many():
    draw = random.Random(2)
    amounts = [None if draw.random() < 0.05 else draw.randrange(-500, 5000) for _ in range(2000)]
    groups = [draw.choice("abcdefgh") if n else "alone" for n in range(2000)]
    return source_of(amounts, groups, [draw.choice("xyz") for _ in range(2000)])


def test_guideline_ages(case, plan_head):
    for total in ("nearest", "exact"):
        _, rows, _ = case(text_of(plan_head, f"{{unit: 10, total: {total}}}"), source_of(AGES)).run()
        assert amounts_of(rows) == CONTROLLED
        assert sum(CONTROLLED) == sum(AGES) == 510


def check_by_definition(before, after, groups, unit):
    """Each class: neighbours, the sum's nearest multiple; none goes up with a smaller residue than one that stays."""
    members = defaultdict(list)
    for old, new, group in zip(before, after, groups, strict=True):
        assert (old is None) == (new is None)
        if old is not None:
            members[group].append((old, new))
    for pairs in members.values():
        floors = [(old - old % unit if old % unit >= 0 else old - old % unit - unit) for old, _ in pairs]
        assert all(
            new in (floor, floor + unit * (old != floor)) for floor, (old, new) in zip(floors, pairs, strict=True)
        )
        apart = sum(new for _, new in pairs) - sum(old for old, _ in pairs)
        assert -unit < 2 * apart <= unit
        up = [old % unit for old, new in pairs if new > old]
        down = [old % unit for old, new in pairs if new <= old]
        assert not up or not down or min(up) >= max(down)


@pytest.mark.parametrize(("unit", "passes"), [(2, 2), (10, 2), (1000, 1)])
def test_each_class_keeps_its_sum_under_any_partitioning(case, plan_head, many, unit, passes):
    """Among 1,000 residues no two stand at a cut of these classes: nothing is left for a second pass."""
    one = case(text_of(plan_head, f"{{unit: {unit}, by: [group]}}"), many)
    prepared, rows, _ = one.run()
    check_by_definition(many["amount"].to_pylist(), amounts_of(rows), many["group"].to_pylist(), unit)
    assert [text for text in prepared.passes if "class facts" in text] == [
        "class facts, pass 1",
        "class facts, pass 1, refined 1",
    ][:passes]
    turn = list(range(2000))
    random.Random(5).shuffle(turn)
    assert one.run(source=many.take(pa.array(turn)), units=7, buckets=5)[1].equals(rows)


def test_decimals_are_exact(case, plan_head):
    cents = pa.array([Decimal(n * 7 % 300).scaleb(-2) for n in range(400)], pa.decimal128(9, 2))
    source = source_of([0] * 400)
    source = source.set_column(source.column_names.index("amount"), "amount", cents)
    after = amounts_of(case(text_of(plan_head, "{unit: 0.25}"), source).run(units=3)[1])
    check_by_definition(cents.to_pylist(), after, ["all"] * 400, Decimal("0.25"))


def test_ties_are_drawn_by_chance_and_exactly(case, plan_head):
    """2,000 times 5 with unit 10: exactly 1,000 go up, not the first ones, and another 1,000 with other keys."""
    one = case(text_of(plan_head, "{unit: 10}"), source_of([5] * 2000))
    found = amounts_of(one.run(units=3)[1])
    assert Counter(found) == {10: 1000, 0: 1000}
    assert 400 < found[:1000].count(10) < 600


def test_a_window_that_misses_is_widened(case, plan_head, monkeypatch):
    """Windows of no width hold no threshold: then all draws are looked at, with the same result."""
    one = case(text_of(plan_head, "{unit: 10}"), source_of([5] * 2000))
    _, expected, _ = one.run()
    monkeypatch.setattr("transforms.techniques.residues.deviations", lambda classes: -1.0)
    prepared, rows, _ = one.run()
    assert "class facts, pass 1, refined 2" in prepared.passes
    assert rows.equals(expected)


def test_a_rounding_behind_another_still_draws_the_ties_of_the_first(case, plan_head):
    """The second step's classes are measured on what the first one leaves: that needs the rows' keys too."""
    text = text_of(plan_head, "{unit: 10}")
    step = "{controlled-rounding: {unit: 10}}"
    text = text.replace(step, f"[{step}, {{controlled-rounding: {{unit: 100}}}}]")
    _, rows, _ = case(text, source_of([5] * 2000)).run(units=3)
    assert Counter(amounts_of(rows)) == {100: 100, 0: 1900}


def test_margins_of_two_columns_stay(case, plan_head, many):
    one = case(text_of(plan_head, "{unit: 100, by: [group, side], sums: margins}"), many)
    _, rows, _ = one.run()
    before, after = many["amount"].to_pylist(), amounts_of(rows)
    groups, sides = many["group"].to_pylist(), many["side"].to_pylist()
    for names in (groups, sides, list(zip(groups, sides, strict=True)), ["all"] * 2000):
        sums = defaultdict(lambda: [0, 0])
        for old, new, name in zip(before, after, names, strict=True):
            assert old is None or new in (old // 100 * 100, -(-old // 100) * 100)
            sums[name] = [sums[name][0] + (old or 0), sums[name][1] + (new or 0)]
        assert all(abs(new - old) < 100 for old, new in sums.values())
    turn = list(range(2000))
    random.Random(5).shuffle(turn)
    assert one.run(source=many.take(pa.array(turn)), units=6, buckets=2)[1].equals(rows)


def test_margins_have_the_least_change_of_all_tables(case, plan_head):
    """A 3 x 3 table against every choice of ups and downs that keeps its margins."""
    draw = random.Random(9)
    amounts = [draw.randrange(100) for _ in range(9)]
    groups, sides = ["a", "b", "c"] * 3, ["x"] * 3 + ["y"] * 3 + ["z"] * 3
    source = source_of(amounts, groups, sides)
    after = amounts_of(case(text_of(plan_head, "{unit: 10, by: [group, side], sums: margins}"), source).run()[1])

    def fits(new):
        for names in (groups, sides, ["all"] * 9):
            for name in set(names):
                old_sum = sum(a for a, n in zip(amounts, names, strict=True) if n == name)
                if abs(sum(a for a, n in zip(new, names, strict=True) if n == name) - old_sum) >= 10:
                    return False
        return True

    def change(new):
        return sum(abs(one - old) for one, old in zip(new, amounts, strict=True))

    choices = [
        [old // 10 * 10 + 10 * (mask >> n & 1 and old % 10 > 0) for n, old in enumerate(amounts)] for mask in range(512)
    ]
    assert fits(after)
    assert change(after) == min(change(new) for new in choices if fits(new))


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("{unit: 10, total: exact, by: [group]}", "sums of classes that are no multiple of the unit"),
        ("{unit: 10, total: exact, by: [group, side], sums: margins}", "margins that are no multiple of the unit"),
    ],
)
def test_impossible_cases_are_refused_with_the_reason(case, plan_head, parameters, reason):
    with pytest.raises(PassFailed, match=reason) as failed:
        case(text_of(plan_head, parameters), source_of([33, 61, 52])).run()
    assert "33" not in str(failed.value)


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ("{unit: 0.5}", "a whole number"),
        ("{unit: 10, sums: margins, by: [group]}", "two class columns"),
        ("{unit: 10, when: {side: {equals: s}}}", "works on whole classes"),
    ],
)
def test_bad_parameters_are_problems_of_the_plan(case, plan_head, parameters, problem):
    from transforms.errors import PlanError

    with pytest.raises(PlanError, match=problem):
        case(text_of(plan_head, parameters), source_of([1]))
