"""YAML 1.2 with lines: the core schema, duplicate keys told, nothing executed or aliased."""

from __future__ import annotations

from typing import Any

import pytest

from transforms.errors import PlanError
from transforms.yaml_nodes import DEEPEST, path_text, read_yaml


@pytest.mark.parametrize(
    ("written", "value"),
    [
        # YAML 1.2, 10.3.2; in YAML 1.1 `no` was false, 012 ten, 1:30 ninety, 2026-01-01 a date
        ("no", "no"), ("012", 12), ("1:30", "1:30"), ("2026-01-01", "2026-01-01"), ("1_000", "1_000"),
        ("0o17", 15), ("0x1F", 31), ("-7", -7), ("1.5e3", 1500.0), ("-.inf", float("-inf")), (".5", 0.5),
        ("true", True), ("True", True), ("yes", "yes"), ("~", None), ("null", None), ("", None),
        ("'12'", "12"), ('"null"', "null"), ("!!str 12", "12"), ("시군구", "시군구"),
    ],
)  # fmt: skip
def test_scalars_of_the_core_schema(written: str, value: Any) -> None:
    root, problems = read_yaml(f"key: {written}\n", "f.yaml")
    assert root.plain() == {"key": value}
    assert type(root.plain()["key"]) is type(value)
    assert not problems


def test_lines_are_those_of_the_keys() -> None:
    root, _ = read_yaml("a:\n  b: 1\n  c:\n    - x\n    - y: 2\n", "f.yaml")
    lines = {path_text(loc): node.place for loc, node in root.walk() if loc}
    assert lines == {"a": 1, "a.b": 2, "a.c": 3, "a.c[0]": 4, "a.c[1]": 5, "a.c[1].y": 5}


def test_duplicate_keys_are_all_told_and_the_first_counts() -> None:
    root, problems = read_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\n", "f.yaml")
    assert root.plain() == {"a": 1, "b": {"c": 1}}
    assert [(problem.line, problem.path) for problem in problems] == [(2, "b.c"), (3, "a")]
    assert "first in line 1" in problems[1].found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: &x 1\n", "an anchor"),
        ("a: &x [1]\nb: *x\n", "an alias"),
        ("a: !!python/object:os.system 1\n", "the tag"),
        ("a: !secret 1\n", "the tag"),
        ("? [1, 2]\n: 3\n", "a key that is a list"),
    ],
)
def test_what_yaml_can_and_a_plan_may_not(text: str, found: str) -> None:
    _, problems = read_yaml(text, "f.yaml")
    assert any(found in problem.found for problem in problems)


def test_a_bomb_of_aliases_is_not_unfolded() -> None:
    levels = "".join(f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 40))
    root, problems = read_yaml("l0: &l0 [x]\n" + levels, "f.yaml")
    assert sum(1 for _ in root.walk()) < 200
    assert problems


def test_no_yaml_is_told_with_its_line() -> None:
    with pytest.raises(PlanError) as caught:
        read_yaml("a: 1\nb: [1, 2\nc: 3\n", "f.yaml")
    assert caught.value.problems[0].line == 3


def test_a_place_in_words() -> None:
    assert path_text(("columns", "amount_{c}_*", "apply", 1, "rounding")) == "columns.amount_{c}_*.apply[1].rounding"
    assert path_text(("columns", "case.id")) == "columns['case.id']"
    assert path_text(()) == "plan"


def nested(levels: int) -> tuple[str, str]:
    """A value in so many lists and mappings: on one line, and each in a line of its own."""
    return "a: " + "[" * (levels - 1) + "x" + "]" * (levels - 1), "\n".join(" " * at + "a:" for at in range(levels))


def test_values_in_fifty_lists_and_mappings_are_read() -> None:
    for text in nested(DEEPEST):
        root, problems = read_yaml(text, "f.yaml")
        assert (max(len(loc) for loc, _ in root.walk()), problems) == (DEEPEST, [])


@pytest.mark.parametrize("levels", [DEEPEST + 1, 700])
def test_deeper_is_a_problem_with_its_line(levels: int) -> None:
    for text, line in zip(nested(levels), (1, DEEPEST + 1), strict=True):
        with pytest.raises(PlanError) as caught:
            read_yaml(text, "f.yaml")
        (problem,) = caught.value.problems
        told = f"f.yaml, line {line}, plan: nested deeper than 50; allowed: values in at most 50 lists and mappings"
        assert (str(problem), problem.refused) == (told, False)


def test_a_folded_text_is_one_line_without_marks() -> None:
    """YAML 1.2, section 8.1.3: line folding gives a space; the parser's own mark of the fold is gone."""
    root, problems = read_yaml("text: >-\n  one\n  two\n\n  three\n", "plan.yaml")
    assert problems == []
    assert root.plain() == {"text": "one two\nthree"}
