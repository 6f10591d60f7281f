"""Mutants of YAML files: what a careless or hostile hand may make of a plan, each by its number, always the same.

Two ways in turn: the file's own structure with values, keys and branches changed (so that most of it still makes
sense, and what lies deep is reached), and its bytes (what a broken editor, or someone who knows YAML, sends).
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from ruamel.yaml import YAML


class Raw(str):
    """YAML that is written as it stands."""


SPLIT = "\u2028"
# Names that lead out, and files that never end; `link.csv`, `linked` and `pipe.csv` lie beside the mutant.
PATHS = (
    "../outside/secret.csv", "{outside}/secret.csv", "link.csv", "linked/secret.csv", "pipe.csv", "/dev/zero",
    "/proc/self/environ", "/etc/passwd", "..", ".", "/", "~/x", "file:///etc/passwd", "..\\..\\x", "%2e%2e/x",
    "a/../../outside/secret.csv", "hierarchies/../../outside/secret.csv", "C:\\x", "a\0b.csv", "secret.csv\0.csv",
)  # fmt: skip
CODE = (
    "'; DROP TABLE x; --", "`) OR 1=1 --", '"); SELECT 1; --', "{{ 7*7 }}", "{% include '/etc/passwd' %}",
    "{{ var.value.key }}", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "${jndi:ldap://x/a}",
    "$(id)", "`id`", "{0.__class__}", "%s%n", "=cmd|' /C calc'!A0", "--environment", "-", "a,b", "x=1;y=2",
)  # fmt: skip
TEXTS = (
    "", " ", "\n", "\t", "\x1b[2J", "\x07", "\u202egnp.exe", "\u200b", "\ufeff", "\ud800", "\U0010ffff", "\x85", SPLIT,
    "가", "가", "１２", "İ", "A" * 300, "b" * 20_000, "null", "no", "2024-02-30", "9999-12-31", "{a}{b}{c}{d}{e}{f}",
    "*" * 60, "{month}_{month}", "[", "\\", "(a+)+$", ".release.json", "_delta_log",
)  # fmt: skip
SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 0.1, -0.0, 1e308, 5e-324,
    Raw("9" * 5000), Raw("0x" + "f" * 5000), Raw("-" + "1" * 4301), Raw("1e999"), Raw(".inf"), Raw("-.inf"),
    Raw(".nan"), Raw("1e-999"), Raw("0o777"), Raw("012"), Raw("1_000"), Raw("12:30:45"), Raw("2024-01-01"),
    Raw("!!python/object/apply:os.system [id]"), Raw("!!binary aGk="), Raw("!x 1"), Raw("*nothing"), Raw("&a b"),
    Raw("&a [*a]"), Raw("'open"), Raw("{{ x }}"), Raw("[" * 60), Raw("[" * 40 + "]" * 40), Raw("|\n  block\n  text"),
)  # fmt: skip
BRANCHES: tuple[Any, ...] = ([], {}, [[]], [{}], {"": ""}, {"a": {"a": {"a": {}}}}, [None], ["keep"], list(range(300)))


def mutant(text: str, number: int, kind: str, outside: str) -> bytes:
    """Mutant `number` of a file's text. `outside` is a folder that no name may reach."""
    draw = random.Random(f"{kind} {number}")  # the same for everyone: no secret is at stake
    if number % 3 == 2:
        return _of_bytes(text, draw)
    data = copy.deepcopy(_parsed(text))
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        _change(data, draw, outside)
    return _written(data).encode("utf-8", "surrogatepass")


_READ: dict[str, Any] = {}


def _parsed(text: str) -> Any:
    if text not in _READ:
        _READ[text] = YAML(typ="safe", pure=True).load(text)
    return _READ[text]


def _hostile(draw: random.Random, outside: str) -> Any:
    kind = draw.randrange(5)
    if kind < 3:
        return draw.choice((PATHS, CODE, TEXTS)[kind]).replace("{outside}", outside)
    return copy.deepcopy(draw.choice(SCALARS if kind == 3 else BRANCHES))


def _places(node: Any) -> list[tuple[Any, Any]]:
    keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [place for key in keys for place in [(node, key), *_places(node[key])]]


def _change(data: Any, draw: random.Random, outside: str) -> None:
    places = _places(data)
    if not places:
        return
    holder, key = draw.choice(places)
    value = holder[key]
    other_holder, other_key = draw.choice(places)
    match draw.randrange(9):
        case 0 | 1 | 2:
            holder[key] = _hostile(draw, outside)
        case 3:
            del holder[key]
        case 4:
            holder[key] = copy.deepcopy(other_holder[other_key])
        case 5:
            holder[key] = draw.choice(([value], {"of": value}, [value] * 50, str(value)))
        case 6 if isinstance(holder, dict):
            name = _hostile(draw, outside)
            # a scalar as key; what can't be one becomes a text
            holder[name if isinstance(name, (str, int, float)) else str(name)] = holder.pop(key)
        case 7 if isinstance(value, str):
            piece = str(_hostile(draw, outside))
            holder[key] = draw.choice((value + piece, piece + value, value.upper(), value[1:], value * 40))
        case _:
            holder[key] = draw.choice((0, -1, 1, 10**9, 0.5, "1", [], {}, None))


def _written(node: Any, indent: int = 0) -> str:
    """Block style, so that places have lines; texts as JSON's, which YAML reads alike."""
    pad = " " * indent
    if isinstance(node, dict) and node:
        return "".join(f"\n{pad}{_scalar(key)}: {_written(one, indent + 1)}" for key, one in node.items())
    if isinstance(node, list) and node:
        return "".join(f"\n{pad}- {_written(one, indent + 1)}" for one in node)
    return "{}" if node == {} and isinstance(node, dict) else "[]" if isinstance(node, list) else _scalar(node)


def _scalar(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    return json.dumps(value, ensure_ascii=True, default=str)


BOMB = "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9) if before else 'lol'}]\n"
    for before, name in zip(["", *"abcdefgh"], "abcdefghi", strict=True)
)


def _of_bytes(text: str, draw: random.Random) -> bytes:
    lines = text.splitlines(keepends=True)
    at, to = draw.randrange(len(lines)), draw.randrange(len(lines))
    spot = draw.randrange(len(text))
    line = lines[at]
    changes: tuple[Callable[[], str | bytes], ...] = (
        lambda: text[:spot] + text[spot + draw.randrange(1, 30) :],
        lambda: text[:spot] + draw.choice("\t:{}[]&*!|>'\"%@`#,-?\0\x1b\ufeff\ud800\u202e~") + text[spot:],
        lambda: text[:spot],
        lambda: text[:spot].encode() + bytes([draw.randrange(128, 256)]) + text[spot:].encode(),
        lambda: text.encode("utf-16"),
        lambda: "".join([*lines[:at], line, line, *lines[at + 1 :]]),
        lambda: "".join([*lines[:at], lines[to], *lines[at + 1 :]]),
        lambda: "".join([*lines[:at], f" {line}", *lines[at + 1 :]]),
        lambda: "".join([*lines[:at], f"\t{line}", *lines[at + 1 :]]),
        lambda: text + "---\n" + text,
        lambda: BOMB + text,
        lambda: text + BOMB.replace("a: &a", "spark: &a"),
        lambda: "x: &x\n  y: *x\n" + text,
        lambda: "<<: {format: 1}\n" + text,
        lambda: "%YAML 9.9\n---\n" + text,
        lambda: "%TAG ! tag:x,2000:\n---\n" + text,
        lambda: text + "a: " + "[" * draw.choice((45, 60, 5_000)),
        lambda: text + "".join(f"{' ' * depth}k:\n" for depth in range(draw.choice((45, 80, 900)))),
        lambda: text + "# " + "x" * 3_000_000,
        lambda: text + "".join(f"k{n}: {n}\n" for n in range(40_000)),
        lambda: text + "big: |\n" + " y" * 400_000,
        lambda: "? {a: b}\n: c\n" + text,
        lambda: "extends: ../outside/plan.yaml\n" + text,
        lambda: "",
        lambda: "\0" * 100,
        lambda: "[]",
        lambda: "text",
        lambda: "- " * 3_000,
        lambda: "{" * 3_000,
        lambda: "a: " + "'" * 10_001,
    )
    made = draw.choice(changes)()
    return made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass")
