"""Random replacement: the same value gets the same stand-in, from a list or of its own shape."""

from __future__ import annotations

import re
from collections import Counter
from math import sqrt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.derivation import Secret
from transforms.distinct_fact import Distinct
from transforms.draws import Draws
from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.facts import conclusion_from_json, conclusion_to_json
from transforms.given import Given
from transforms.hierarchy import parse_hierarchy
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

DRAWS = Draws(Secret(bytes(range(32))))
SITE = Site("t", "c", 0, "p")
JOBS = ["상인", "어부", "화가", "기자", "간호사", "목수"]


def replaced(parameters: Any, values: pa.Array, draws: Draws = DRAWS, **more: Any) -> list[Any]:
    (step,) = parse_steps({"random-replacement": parameters})
    assert isinstance(step, ColumnTechnique)
    facts = {name: fact.conclude(fact.observe(values)) for name, fact in step.needs(values.type).items()}
    here = Given(SITE, draws=draws, facts=facts, **more)
    result = step.apply(values, here)
    assert result.type == step.output_type(values.type)
    assert step.applied_image(Anything(), here).contains(result).all()
    cells: list[Any] = result.to_pylist()
    return cells


@over(st.lists(st.none() | st.sampled_from(["교수", "의사", "판사", "검사", "변호사"])))
def test_equal_values_get_equal_stand_ins_from_the_list(values: list[str | None]) -> None:
    made = replaced({"values": JOBS}, pa.array(values, pa.string()))
    pairs = dict(zip(values, made, strict=True))
    assert all(pairs[value] == result for value, result in zip(values, made, strict=True))
    assert all((result is None) == (value is None) for value, result in pairs.items())
    assert {result for result in made if result is not None} <= set(JOBS)


def test_every_stand_in_is_drawn_as_often_and_the_key_decides() -> None:
    ids = pa.array(range(6_000))
    made = replaced({"values": JOBS}, ids)
    assert all(abs(count - 1_000) < 4 * sqrt(1_000) for count in Counter(made).values())
    other = replaced({"values": JOBS}, ids, Draws(Secret(bytes(32))))
    same = sum(one == two for one, two in zip(made, other, strict=True))
    assert abs(same - 1_000) < 4 * sqrt(1_000)


def test_numbers_in_place_of_text() -> None:
    made = replaced({"values": [10, 20, 30]}, pa.array([*(str(number) for number in range(60)), None]))
    assert set(made) == {10, 20, 30, None}
    assert made[-1] is None


def test_the_list_may_be_a_hierarchy_file() -> None:
    names = parse_hierarchy("name\n가람\n나래\n다솜\n", "names.csv")
    made = replaced({"hierarchy": "names.csv", "level": "name"}, pa.array(["김철수", "이영희"] * 5), hierarchy=names)
    assert set(made) <= {"가람", "나래", "다솜"}
    assert made == made[:2] * 5


@over(st.lists(st.sampled_from("가나다라마바"), min_size=1), st.integers(0, 255))
def test_distinct_values_get_distinct_stand_ins(values: list[str], key: int) -> None:
    made = replaced({"values": JOBS, "distinct": True}, pa.array([*values, None]), Draws(Secret(bytes([key] * 32))))
    pairs = dict(zip(values, made, strict=False))
    assert len(set(pairs.values())) == len(pairs)
    assert made == [*(pairs[value] for value in values), None]


def test_all_assignments_are_drawn() -> None:
    """Two values, three stand-ins: six ways, each about as often over many keys."""
    ways = Counter(
        tuple(replaced({"values": ["x", "y", "z"], "distinct": True}, pa.array(["a", "b"]), Draws(Secret(bytes(key)))))
        for key in (number.to_bytes(32, "big") for number in range(600))
    )
    assert len(ways) == 6
    assert all(abs(count - 100) < 4 * sqrt(100) for count in ways.values())


def test_a_list_that_is_too_short_is_refused() -> None:
    with pytest.raises(CellsRefused, match="more distinct values") as caught:
        replaced({"values": ["x", "y"], "distinct": True}, pa.array(["a", "b", "c"]))
    assert "'a'" not in str(caught.value)


def test_the_same_text_in_two_forms_is_one_value() -> None:
    composed, decomposed = "한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"
    for parameters in ({"values": JOBS}, {"values": JOBS, "distinct": True}, {"shape": "same"}):
        one, two = replaced(parameters, pa.array([composed, decomposed]))
        assert one == two


@over(st.lists(st.text(st.sampled_from("0189AZazGg가힣-. ("), max_size=12)))
def test_shape_keeps_classes_and_places(values: list[str]) -> None:
    made = replaced({"shape": "same"}, pa.array(values, pa.string()))
    pairs = dict(zip(values, made, strict=True))
    for value, result in zip(values, made, strict=True):
        assert result == pairs[value]
        assert [shape(letter) for letter in result] == [shape(letter) for letter in value]


def shape(letter: str) -> str:
    for name, pattern in (("digit", "[0-9]"), ("upper", "[A-Z]"), ("lower", "[a-z]"), ("hangul", "[가-힣]")):
        if re.fullmatch(pattern, letter):
            return name
    return letter


def test_shape_draws_each_letter_evenly_and_apart() -> None:
    made = replaced({"shape": "same"}, pa.array([f"{number:06d}" for number in range(5_000)]))
    for place in range(6):
        counts = Counter(text[place] for text in made)
        assert set(counts) == set("0123456789")
        assert all(abs(count - 500) < 4.5 * sqrt(500) for count in counts.values())
    pairs = Counter(text[:2] for text in made)
    assert len(pairs) == 100


def test_letters_of_other_scripts_are_refused_not_left_open() -> None:
    with pytest.raises(CellsRefused, match="neither digits") as caught:
        replaced({"shape": "same"}, pa.array(["Kim", "Müller", "金", "ok-1"]))
    assert caught.value.count == 2


def test_distinct_values_are_a_fact_that_verify_can_prove() -> None:
    fact, left, right = Distinct(3), pa.array(["b", None, "a"]), pa.array(["a", "c"])
    state = fact.merge(fact.observe(left), fact.observe(right))
    claim = fact.conclude(state)
    assert claim == ("a", "b", "c")
    assert conclusion_from_json(conclusion_to_json(claim)) == claim
    counts: dict[str, Any] = {}
    for part in (left, right):
        for name, count in fact.audit(part, claim).items():
            counts[name] = counts.get(name, 0) + count
    assert fact.accepts(counts, claim)
    for wrong in (("a", "b"), ("a", "b", "c", "d"), ("a", "b", "d"), None):
        counts = {}
        for part in (left, right):
            for name, count in fact.audit(part, wrong).items():
                counts[name] = counts.get(name, 0) + count
        assert not fact.accepts(counts, wrong)
    assert fact.conclude(fact.merge(state, fact.observe(pa.array(["d"])))) is None


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"values": []},
        {"values": ["a", "a"]},
        {"values": ["a", 1]},
        {"values": [True, False]},
        {"values": ["a"], "shape": "same"},
        {"hierarchy": "names.csv"},
        {"shape": "same", "distinct": True},
    ],
)
def test_bad_parameters(parameters: Any) -> None:
    with pytest.raises(ValidationError):
        parse_steps({"random-replacement": parameters})


@pytest.mark.parametrize(("parameters", "type_"), [({"shape": "same"}, pa.int64()), ({"values": ["a"]}, pa.float64())])
def test_types_that_do_not_fit(parameters: Any, type_: pa.DataType) -> None:
    (step,) = parse_steps({"random-replacement": parameters})
    assert isinstance(step, ColumnTechnique)
    with pytest.raises(TechniqueError):
        step.output_type(type_)
