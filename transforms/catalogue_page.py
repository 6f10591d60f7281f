"""The catalogue of techniques as a page: `python -m transforms.catalogue_page > transforms/techniques/README.md`.

It is made from the classes' own docstrings, parameters and EXAMPLES, so it can't say anything else than they do.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.families import FAMILIES, OTHERS, family_of
from transforms.predicate import OPERATORS
from transforms.technique import ColumnTechnique, Example, Technique
from transforms.techniques import TECHNIQUES
from transforms.techniques.parsing import parameter_names

_HEAD = """# The techniques (처리 기법)

Made by `python -m transforms.catalogue_page` from the classes in this folder; a test keeps it current. The examples
are run as tests. The families are those of the guideline (L1807-1853); L123 is a line of its text.

A step stands under a column's `apply`, alone or in a list, in the order in which it works:

```yaml
apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]
```

Every technique for cells also takes

- `nulls`: what a null cell does: `keep` (stays null, the default), `error` (the run stops, exit 1), `remove` (the
  record is removed; only in a column's first step);
- `when`: a condition on source columns; other rows' cells stay as they are.

A condition is `{COLUMN: {OPERATOR: VALUE}}`, such as `{age: {below: 20}}`. Operators: OPERATORS. `all`, `any` and
`not` put conditions together. It is never SQL text.

Sampling (표본추출, L2192-2198) is no step but the plan's section `sample`; outliers (특이정보, L2249-2438), with local
suppression and local generalization, are its section `outliers`: see [conf/README.md](../../conf/README.md).
Synthetic data (재현데이터, L2227-2231) are made of a published table by `gamyeong synthesize`: see
[jobs/README.md](../../jobs/README.md).
""".replace("OPERATORS", ", ".join(f"`{one}`" for one in OPERATORS))


def page() -> str:
    """The page as Markdown."""
    members = {family: [name for name in family.names if name in TECHNIQUES] for family in FAMILIES}
    members[OTHERS] = [name for name in TECHNIQUES if family_of(name) == OTHERS]
    parts = [_HEAD, *_index(members)]
    for family, names in members.items():
        if names:
            parts += [f"## {family.korean} ({family.english})\n", *(_section(name, TECHNIQUES[name]) for name in names)]
    return "\n".join(parts)


def _index(members: Mapping[Any, list[str]]) -> list[str]:
    """All techniques at a glance, family by family."""
    lines = ["| family | technique | | guideline |", "|---|---|---|---|"]
    for family, names in members.items():
        for name in names:
            technique = TECHNIQUES[name]
            places = dict.fromkeys(re.findall(r"L[0-9]+(?:-[0-9]+)?", parts_of(technique).labels.get("Source", "")))
            lines.append(f"| {family.korean} | [{name}](#{name}) | {technique.korean} | {', '.join(places)} |")
    return [*lines, ""]


@dataclass(frozen=True)
class Parts:
    """A technique's docstring: what it does, then what stands under each of LABELS."""

    first: str
    body: tuple[str, ...]
    labels: Mapping[str, str]


LABELS = ("Kept", "Lost", "Nulls", "Attack", "Refused", "Source")
_LABEL = re.compile(rf"(?:^|(?<=\s))({'|'.join(LABELS)}):\s")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"])")


def parts_of(technique: type[Technique]) -> Parts:
    """The parts of a technique's docstring. Under "Nulls" stand the sentences that begin with null."""
    first, *rest = re.split(r"\n\s*\n", inspect.cleandoc(technique.__doc__ or ""))
    body: list[str] = []
    labels: dict[str, str] = {}
    for number, paragraph in enumerate((first, *rest)):
        plain, *labelled = _LABEL.split(_joined(paragraph))
        labels |= dict(zip(labelled[::2], map(str.strip, labelled[1::2]), strict=True))
        sentences = _SENTENCE.split(plain.strip())
        nulls = [one for one in sentences if re.match(r"(?:A null|Nulls?)\b", one)]
        if nulls:
            labels["Nulls"] = " ".join([*([labels["Nulls"]] if "Nulls" in labels else []), *nulls])
        left = " ".join(one for one in sentences if one not in nulls)
        if left or number == 0:
            body.append(left)
    if "Nulls" not in labels:
        told = [one for text in body for one in _SENTENCE.split(text) if re.search(r"\bnulls?\b", one)]
        labels |= {"Nulls": " ".join(told)} if told else {}
    return Parts(body[0], tuple(body[1:]), labels)


def _section(name: str, technique: type[Technique]) -> str:
    parts = parts_of(technique)
    lines = [f"### {name}", "", f"**{technique.korean}**. {parts.first}", ""]
    for paragraph in parts.body:
        lines += [paragraph, ""]
    lines += [f"- **{label}**: {parts.labels[label]}" for label in LABELS if label in parts.labels]
    lines += ["", *_parameters(technique), *_examples(technique)]
    return "\n".join(lines)


def _joined(paragraph: str) -> str:
    """One paragraph in one line."""
    return " ".join(paragraph.split())


def _parameters(technique: type[Technique]) -> list[str]:
    shared = {"when", "nulls"} if issubclass(technique, ColumnTechnique) else set()
    schema = technique.model_json_schema()
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    names = [name for name in parameter_names(technique) if name not in shared]
    if not names:
        return []
    lines = ["| parameter | values | default |", "|---|---|---|"]
    for name in names:
        rule = schema["properties"][name]
        values = " or ".join(dict.fromkeys(_values(rule, definitions)))
        default = "needed" if name in schema.get("required", ()) else _default(rule)
        lines.append(f"| `{name}` | {values} | {default} |")
    short = getattr(technique, "SHORTHAND", None)
    if short is not None:
        lines += ["", f"`{technique.name}: X` is short for `{technique.name}: {{{short}: X}}`."]
    return [*lines, ""]


def _default(rule: Mapping[str, Any]) -> str:
    default = rule.get("default")
    return "" if default in (None, [], {}, "") else f"`{default}`"


def _values(rule: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    """What a parameter may be, in words, from its JSON Schema."""
    if "anyOf" in rule:
        for one in rule["anyOf"]:
            # Null as the default means "not given"; beside another default it is a value to be asked for.
            if one.get("type") != "null" or rule.get("default") is not None:
                yield from _values(one, definitions)
    elif "enum" in rule or "const" in rule:
        yield from (f"`{one}`" for one in rule.get("enum", [rule.get("const")]))
    elif "$ref" in rule:
        model = definitions[rule["$ref"].rsplit("/", 1)[1]]
        yield f"{{{', '.join(model['properties'])}}}"
    elif rule.get("type") == "null":
        yield "`null`"
    elif rule.get("type") == "array":
        kinds = rule.get("prefixItems", [rule.get("items", {})])
        each = " or ".join(dict.fromkeys(word for kind in kinds for word in _values(kind, definitions)))
        yield f"a list of {len(kinds)}, each {each}" if "prefixItems" in rule else f"a list, each {each}"
    elif rule.get("type") == "object":
        yield "a condition" if "condition" in rule.get("description", "") else "a mapping"
    else:
        kinds = rule.get("type", "text")
        named = " or ".join(_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
        yield named + "".join(f", {word} {rule[key]}" for key, word in _LIMITS.items() if key in rule)


_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "text": "a text",
    "boolean": "true or false",
}
_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def _examples(technique: type[Technique]) -> list[str]:
    if not technique.EXAMPLES:
        return []
    lines = ["| in a plan | in | out | source |", "|---|---|---|---|"]
    for example in technique.EXAMPLES:
        step = f"{technique.name}: {_flow(example.parameters)}" if example.parameters else technique.name
        lines.append(
            f"| {_text(step)} | {_listed(example.values)} | {_listed(example.expected)} | {_source(example)} |"
        )
    return [*lines, ""]


def _source(example: Example) -> str:
    measured = "; with a measured fact" if example.facts else ""
    return example.source + measured


def _listed(values: list[Any]) -> str:
    return " · ".join("null" if value is None else _text(value) for value in values)


def _text(value: Any) -> str:
    return f"`{value}`".replace("|", "\\|") if value != "" else "(empty)"


def _flow(raw: Any) -> str:
    """Plain data as YAML in one line."""
    if isinstance(raw, Mapping):
        return f"{{{', '.join(f'{_flow(key)}: {_flow(value)}' for key, value in raw.items())}}}"
    if isinstance(raw, (list, tuple)):
        return f"[{', '.join(map(_flow, raw))}]"
    plain = not isinstance(raw, str) or _PLAIN.fullmatch(raw)
    return str(raw) if plain and raw is not None else json.dumps(raw, ensure_ascii=False)


_PLAIN = re.compile(r"[^\W\d_]\w*(-\w+)*")


if __name__ == "__main__":
    print(page(), end="")
