"""YAML 1.2 as values that know their line: what error messages need and a plain loader throws away.

The core schema of YAML 1.2 (section 10.3.2) is applied here: `no` is a text, `012` is 12, dates are
texts. Duplicate keys are collected, not raised; anchors, tags, several documents, and what
`transforms.yaml_limits` names are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from transforms.complaint import Location
from transforms.errors import PlanError, Problem
from transforms.yaml_limits import LARGEST, LONGEST_NUMBER, SIZE, UNSEEN, unseen

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# What the parser itself gives to scalars; which of these a scalar is we decide by the schema's own rules.
_CORE_TAGS = frozenset({"str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge", "value"})
_PLAIN_WORD = re.compile(r"[\w\-{}*]+")
DEEPEST = 50
Key = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    """A value with its line: `value` is a scalar, a tuple of nodes or a dict of nodes by key.

    `key_line` is the line of the key under which it stands, if any; `file` the name of its file.
    """

    value: Any
    line: int
    file: str
    key_line: int | None = field(default=None)

    def plain(self) -> Any:
        """The value alone: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def child(self, part: str | int) -> tuple[Key, Node] | None:
        """The node under a key or index, with the key as it is written; keys also meet by their text."""
        if isinstance(self.value, tuple):
            inside = isinstance(part, int) and 0 <= part < len(self.value)
            return (part, self.value[part]) if inside else None  # type: ignore[index]
        if isinstance(self.value, dict):
            for key, node in self.value.items():
                if key == part or str(key) == str(part):
                    return key, node
        return None

    def walk(self, loc: Location = ()) -> Iterator[tuple[Location, Node]]:
        """Every node below, and this one, with its place."""
        yield loc, self
        if isinstance(self.value, dict):
            for key, node in self.value.items():
                yield from node.walk((*loc, key if isinstance(key, int) else str(key)))
        elif isinstance(self.value, tuple):
            for number, node in enumerate(self.value):
                yield from node.walk((*loc, number))

    @property
    def place(self) -> int:
        """The line to point at: where its key stands, else where it begins."""
        return self.key_line or self.line


def path_text(loc: Location) -> str:
    """A place as the messages write it: `columns.age.apply[1].rounding.unit`."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_WORD.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text or "plan"


class _TooDeep(Exception):
    """A value stands deeper than DEEPEST; `line` is where."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _Composer(Composer):
    """Stops at DEEPEST: ruamel, and whoever reads the nodes, goes down by recursion."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self._depth > DEEPEST:
            raise _TooDeep(self.parser.peek_event().start_mark.line + 1)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def read_yaml(text: str, file: str) -> tuple[Node, list[Problem]]:
    """The document's root and the problems found on the way (duplicate keys, tags, anchors).

    Raises PlanError where the text is not YAML at all, too long, not one mapping, or nested deeper than DEEPEST.
    """
    if len(text) > LARGEST:
        raise PlanError([Problem("plan", f"{len(text):,} characters", SIZE, file=file)])
    # The round-trip loader keeps the style of scalars ('12' or 12) and every duplicate key.
    yaml = YAML(typ="rt", pure=True)
    yaml.Composer = _Composer
    try:
        roots = list(yaml.compose_all(text))
    except _TooDeep as error:
        found, allowed = f"nested deeper than {DEEPEST}", f"values in at most {DEEPEST} lists and mappings"
        raise PlanError([Problem("plan", found, allowed, error.line, file=file)]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        found = f"no YAML here ({error.problem or error.context})"
        raise PlanError([Problem("plan", found, "YAML 1.2", line, file=file)]) from None
    except YAMLError:
        raise PlanError([Problem("plan", "characters that YAML can't hold", "YAML 1.2", file=file)]) from None
    if len(roots) != 1 or not isinstance(roots[0], MappingNode):
        found = f"{len(roots)} documents" if len(roots) != 1 else "no mapping"
        raise PlanError([Problem("plan", found, "one mapping (`key: value` lines)", 1, file=file)])
    problems: list[Problem] = []
    return _convert(roots[0], (), file, problems, set()), problems


def _convert(raw: Any, loc: Location, file: str, problems: list[Problem], seen: set[int]) -> Node:
    line = raw.start_mark.line + 1
    if id(raw) in seen:
        problems.append(Problem(path_text(loc), "an alias (*name)", "the value written out", line, file=file))
        return Node(None, line, file)
    seen.add(id(raw))
    if raw.anchor:
        problems.append(Problem(path_text(loc), "an anchor (&name)", "the value written out", line, file=file))
    if isinstance(raw, ScalarNode):
        return Node(_scalar(raw, loc, file, problems), line, file)
    _refuse_tag(raw, loc, file, problems)
    if isinstance(raw, SequenceNode):
        parts = (_convert(one, (*loc, number), file, problems, seen) for number, one in enumerate(raw.value))
        return Node(tuple(parts), line, file)
    children: dict[Key, Node] = {}
    for raw_key, raw_value in raw.value:
        key_line = raw_key.start_mark.line + 1
        if not isinstance(raw_key, ScalarNode):
            found = "a key that is a list or mapping"
            problems.append(Problem(path_text(loc), found, "texts as keys", key_line, file=file))
            continue
        key = _scalar(raw_key, loc, file, problems)
        here = (*loc, key if isinstance(key, int) else str(key))
        node = replace(_convert(raw_value, here, file, problems, seen), key_line=key_line)
        if key in children:
            found = f"key again (first in line {children[key].key_line})"
            problems.append(Problem(path_text(here), found, "each key once", key_line, file=file))
        children.setdefault(key, node)
    return Node(children, line, file)


def _refuse_tag(raw: Any, loc: Location, file: str, problems: list[Problem]) -> None:
    tag = str(raw.tag or "")
    if tag and tag.removeprefix("tag:yaml.org,2002:") not in _CORE_TAGS:
        problems.append(Problem(path_text(loc), f"the tag {tag!r}", "no tags", raw.start_mark.line + 1, file=file))


def _scalar(raw: Any, loc: Location, file: str, problems: list[Problem]) -> Key:
    _refuse_tag(raw, loc, file, problems)
    text: str = raw.value
    if raw.style == ">":
        text = text.replace("\a", "")  # where ruamel would fold the line again
    if (hidden := unseen(text)) is not None:
        found = f"the character {hidden}, which nobody sees"
        problems.append(Problem(path_text(loc), found, "text that shows as it is", raw.start_mark.line + 1, file=file))
        text = UNSEEN.sub("", text)
    if raw.style or raw.tag == "tag:yaml.org,2002:str":
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        if len(text) > LONGEST_NUMBER:
            found, allowed = f"a number of {len(text):,} digits", f"at most {LONGEST_NUMBER} digits"
            problems.append(Problem(path_text(loc), found, allowed, raw.start_mark.line + 1, file=file))
            return None
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
