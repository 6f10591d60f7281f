"""A plan file (YAML 1.2) as a Plan, or every problem in it at once.

`extends: BASE` names another plan file, relative to this one: mappings are merged key by key down to a
column's rule, `null` takes a key of the base away, and lists and whatever stands under a rule's key
(`apply`, `derive` …) replace the base's. Hierarchy files are looked for beside the plan that names
them, in `hierarchies` there and one folder up, then in the folders that the caller gives. Files of
public keys lie beside the plan that names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from transforms.column_patterns import expand
from transforms.complaint import did_you_mean
from transforms.errors import PlanError, Problem
from transforms.expansion import expand_columns
from transforms.hierarchy import Hierarchy, parse_hierarchy
from transforms.plan import Plan
from transforms.plan_checks import check_sections
from transforms.plan_faults import problems_of
from transforms.plan_outliers import ParentCategory
from transforms.plan_places import beside, placed, places, read_text
from transforms.plan_salvage import sound_sections
from transforms.plan_sections import Sections, table_sections
from transforms.technique import ColumnTechnique
from transforms.techniques.categorization import Categorization
from transforms.yaml_nodes import Node, read_yaml

Rule = Callable[[Sections], Iterable[Problem]]


@dataclass(frozen=True)
class Loaded:
    """A plan, its hierarchies by the names that it uses, and where each of its keys stands.

    `lines` and `files` are by path (`columns.age.apply[0]`); `files` holds the paths that come from a base.
    """

    plan: Plan
    lines: Mapping[str, int]
    files: Mapping[str, str]
    hierarchies: Mapping[str, Hierarchy]
    file: Path

    def placed(self, error: PlanError) -> PlanError:
        """A later complaint about this plan (the compiler's), with the line and file of each problem."""
        main = self.file.name
        return PlanError([placed(problem, self.lines, self.files, main) for problem in error.problems])


def load_plan(path: str | Path) -> Plan:
    """The plan in a file; PlanError with every problem in it."""
    return load(path).plan


def load(
    path: str | Path,
    hierarchy_folders: Sequence[Path] = (),
    schemas: Mapping[str, pa.Schema] | None = None,
    rules: Sequence[Rule] = (),
) -> Loaded:
    """The plan in a file with its hierarchies and lines; PlanError with every problem in all of them.

    With `schemas` (by the plan's table names, "" for a single source) a plan that is wrong is also held
    against the names of the tables' columns; a plan that is right is held against them by `compile_plan`.
    `rules` are the caller's own, beside those of every plan.
    """
    file = Path(path)
    root, problems = _read(file, ())
    data = root.plain()
    main = file.name
    plan: Plan | None = None
    sections: dict[str, Any]
    try:
        plan = Plan.model_validate(data)
        sections = {name: getattr(plan, name) for name in Plan.model_fields}
    except ValidationError as error:
        problems += problems_of(error.errors(include_url=False), root, main)
        sections = sound_sections(data)
    lines, files = places(root, main)
    hierarchies, more = _hierarchies(sections, file, hierarchy_folders)
    problems += more + check_sections(sections)
    problems += [problem for rule in rules for problem in rule(sections)]
    if problems or plan is None:
        problems += _name_problems(sections, schemas or {})
        raise PlanError([placed(problem, lines, files, main) for problem in problems])
    return Loaded(plan, lines, files, hierarchies, file)


def source_tables(path: str | Path) -> dict[str, str]:
    """The source tables of a plan by its own names for them ("" for a single source).

    Of a plan that is wrong elsewhere too; PlanError only where it can't be read at all.
    """
    root, _ = _read(Path(path), ())
    return {table.name: table.table for table in table_sections(sound_sections(root.plain())) if table.table}


def _read(file: Path, bases: tuple[Path, ...]) -> tuple[Node, list[Problem]]:
    """The file's nodes over those of its base."""
    root, problems = read_yaml(read_text(file, "plan"), file.name)
    root = _with_key_files(root, file.parent)
    extends = root.value.pop("extends", None)
    if extends is None:
        return root, problems
    allowed = "a plan file, relative to this one, in its folder or one beside that"
    place = Problem("extends", "", allowed, extends.place, file=file.name)
    if not isinstance(extends.value, str):
        return root, [*problems, replace(place, found="no file name")]
    base_file = beside(file.parent, extends.value, file.resolve().parents[1])
    if base_file is None:
        near = did_you_mean(Path(extends.value).name, (one.name for one in file.parent.glob("*.y*ml")))
        return root, [*problems, replace(place, found=f"no file {extends.value!r}", hint=near)]
    if base_file.resolve() in (file.resolve(), *bases):
        return root, [*problems, replace(place, found="a circle of plans")]
    base, more = _read(base_file, (*bases, file.resolve()))
    return _merged(base, root, ()), problems + more


def _with_key_files(node: Node, folder: Path) -> Node:
    """Every `public_key: {file: NAME}` with the text of that file, so that the fingerprint covers it.

    One that can't be read stays as it is, for the technique to complain of.
    """
    if isinstance(node.value, tuple):
        return replace(node, value=tuple(_with_key_files(one, folder) for one in node.value))
    if not isinstance(node.value, dict):
        return node
    children = {key: _with_key_files(one, folder) for key, one in node.value.items()}
    key = children.get("public_key")
    if key is not None and isinstance(key.value, dict) and key.value.keys() == {"file"}:
        found = beside(folder, key.value["file"].value)
        try:
            text = read_text(found, "key") if found is not None else None
        except PlanError:
            text = None
        if text is None:
            return replace(node, value=children)
        children["public_key"] = replace(key, value=text.strip())
    return replace(node, value=children)


def _merged(base: Node, own: Node, keys: tuple[str, ...]) -> Node:
    inside_rule = (len(keys) > 2 and keys[-3] == "columns") or keys[-1:] in (("where",), ("coding",))
    if not isinstance(base.value, dict) or not isinstance(own.value, dict) or inside_rule:
        return own
    children = dict(base.value)
    for key, node in own.value.items():
        if node.value is None and key in children:
            del children[key]
        elif key in children:
            children[key] = _merged(children[key], node, (*keys, str(key)))
        else:
            children[key] = node
    return replace(own, value=children)


def _name_problems(sections: Sections, schemas: Mapping[str, pa.Schema]) -> list[Problem]:
    problems: list[Problem] = []
    for table in table_sections(sections):
        if table.name not in schemas:
            continue
        schema = schemas[table.name]
        # A rule that is wrong already may be of a new column: only its double matches are told.
        rules = {
            name: rule
            for name, rule in table.rules.items()
            if rule.apply is not None or rule.derive is not None or expand(name, schema.names)
        }
        try:
            expand_columns(rules, table.excluded, schema, table.table, prefix=table.prefix)
        except PlanError as error:
            problems += error.problems
    return problems


def _only_categories(step: object) -> bool:
    """Does a step turn values into categories and do nothing else, such as removing those that are not listed?"""
    return isinstance(step, ParentCategory) or (
        isinstance(step, Categorization) and step.unmatched in ("error", "keep")
    )


def _hierarchies(
    sections: Mapping[str, Any], file: Path, folders: Sequence[Path]
) -> tuple[dict[str, Hierarchy], list[Problem]]:
    """The hierarchies that the plan's steps name, and what is wrong with them."""
    found: dict[str, Hierarchy] = {}
    failed: set[str] = set()
    problems: list[Problem] = []
    sites: list[tuple[str, Any]] = [
        (path, step) for table in table_sections(sections) for path, _, step, _ in table.steps()
    ]
    sites += [site for table in table_sections(sections) for site in table.outlier_categories()]
    for path, step in sites:
        name = step.hierarchy_file() if isinstance(step, (ColumnTechnique, ParentCategory)) else None
        if name is None or name in failed:
            continue
        if name not in found:
            places = [file.parent, file.parent / "hierarchies", file.parent.parent / "hierarchies", *folders]
            existing = [found_file for place in places if (found_file := beside(place, name)) is not None]
            if not existing:
                failed.add(name)
                known = sorted({one.name for place in places if place.is_dir() for one in place.glob("*.csv")})
                problems.append(
                    Problem(
                        path,
                        f"no hierarchy file {name!r}",
                        "a CSV file beside the plan or in its `hierarchies` folder",
                        hint=did_you_mean(name, known),
                    )
                )
                continue
            try:
                found[name] = parse_hierarchy(existing[0].read_text("utf-8"), name)
            except PlanError as error:
                failed.add(name)
                problems += [replace(one, hint=f"the plan uses it at {path}") for one in error.problems]
                continue
            except UnicodeDecodeError:
                failed.add(name)
                problems.append(Problem(path, f"hierarchy file {name!r} is not UTF-8", "a file in UTF-8"))
                continue
        level = getattr(step, "level", None)
        if level is not None and level not in found[name].levels:
            problems.append(
                Problem(
                    f"{path}.level",
                    f"level {level!r}",
                    f"a level of {name}: {', '.join(found[name].levels)}",
                    hint=did_you_mean(level, found[name].levels),
                )
            )
        elif level is not None and level == found[name].own_level and _only_categories(step):
            problems.append(
                Problem(
                    f"{path}.level",
                    f"level {level!r}, at which every value is its own category",
                    f"a coarser level of {name}: {', '.join(found[name].levels[1:]) or 'it has none'}",
                )
            )
    return found, problems
