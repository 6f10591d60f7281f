"""What is valid in a plan that is not: so that the rules can tell what else is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from transforms.plan import ColumnRule, Plan, TablePlan


def sound_sections(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Plan that are valid taken alone; of sections and rules in part wrong, what is right."""
    sections: dict[str, Any] = {}
    for name, field in Plan.model_fields.items():
        raw = data.get(field.alias or name)
        if raw is None:
            continue
        if name == "columns":
            sections[name] = _rules(raw)
        elif name == "tables" and isinstance(raw, Mapping):
            sections[name] = {str(table): part for table, one in raw.items() if (part := _table(one)) is not None}
        elif (value := sound(type_of(field), raw)) is not None:
            sections[name] = value
    return sections


def _rules(raw: object) -> dict[str, ColumnRule]:
    """Every rule that the plan writes, so that its column counts as known; a wrong one has no effect."""
    if not isinstance(raw, Mapping):
        return {}
    rules = {}
    for name, one in raw.items():
        rule = sound(ColumnRule, one) or ColumnRule.model_construct()
        rules[str(name)] = rule if hasattr(rule, "kind") else rule.model_copy(update={"kind": "attribute"})
    return rules


def _table(raw: object) -> TablePlan | None:
    if not isinstance(raw, Mapping):
        return None
    table: TablePlan | None = sound(TablePlan, {**raw, "columns": {}})
    if table is None or not all(hasattr(table, name) for name in ("source", "row_key")):
        return None
    return table.model_copy(update={"columns": _rules(raw.get("columns"))})


def sound(annotation: Any, raw: object) -> Any:
    """The value; of a model its valid fields alone (the others raise AttributeError); else None."""
    try:
        return TypeAdapter(annotation).validate_python(raw)
    except ValidationError:
        pass
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    models = [one for one in members if _is_model(one)]
    if not models or not isinstance(raw, Mapping):
        return None
    fields = {}
    for name, field in models[0].model_fields.items():
        key = field.alias or name
        if key in raw and (value := sound(type_of(field), raw[key])) is not None:
            fields[name] = value
    return models[0].model_construct(**fields)


def type_of(field: FieldInfo) -> Any:
    """A field's type with its validators, which pydantic keeps apart."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
