"""The catalogue of techniques as a page: `python -m transforms.catalogue_page > transforms/techniques/README.md`.

It is made from the classes' own docstrings, parameters and EXAMPLES, so it can't say anything else than they do.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from transforms.predicate import OPERATORS
from transforms.technique import ColumnTechnique, Example, Technique
from transforms.techniques import TECHNIQUES
from transforms.techniques.parsing import parameter_names

_HEAD = """# The techniques (처리 기법)

Made by `python -m transforms.catalogue_page` from the classes in this folder; a test keeps it current. The examples
are run as tests.

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
""".replace("OPERATORS", ", ".join(f"`{one}`" for one in OPERATORS))


def page() -> str:
    """The page as Markdown."""
    parts = [_HEAD, *(_section(name, technique) for name, technique in TECHNIQUES.items())]
    return "\n".join(parts)


def _section(name: str, technique: type[Technique]) -> str:
    first, *rest = re.split(r"\n\s*\n", inspect.cleandoc(technique.__doc__ or ""))
    lines = [f"## {name}", "", f"**{technique.korean}**. {_joined(first)}", ""]
    for paragraph in rest:
        lines += [_joined(paragraph), ""]
    lines += _parameters(technique)
    lines += _examples(technique)
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
