"""From a plan and the source's schema to a pipeline of steps: printable, and checked before any data is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import pyarrow as pa

from transforms.class_checks import class_problems
from transforms.column_types import check_output_type
from transforms.combination.serials import round_series
from transforms.errors import PlanError, Problem, Site, TechniqueError
from transforms.expansion import BoundColumn, expand_columns, operands
from transforms.fingerprint import fingerprint
from transforms.further_aggregates import aggregates
from transforms.further_records import deal
from transforms.hierarchy import Hierarchy
from transforms.identifiers import in_domain
from transforms.measure_checks import measure_problems
from transforms.outlier_types import types_after
from transforms.pipeline_model import Chain, Derived, Pipeline, RowRule, Step, TablePipeline
from transforms.plan import LargestOf, Plan, TablePlan
from transforms.plan_outliers import OutlierRule, ParentCategory
from transforms.plan_review import against_of, judged_of, kinds_of
from transforms.plan_sample import Sample, with_copies
from transforms.predicate import Predicate
from transforms.sample_checks import sample_faults
from transforms.technique import ColumnTechnique, RowTechnique
from transforms.techniques.combination_serial import CombinationSerial
from transforms.techniques.pseudonyms import Pseudonym, SerialNumber
from transforms.techniques.suppression import RecordSuppression

Schemas: TypeAlias = pa.Schema | Mapping[str, pa.Schema]


def compile_plan(
    plan: Plan,
    schema: Schemas,
    hierarchies: Mapping[str, Hierarchy] | None = None,
    lines: Mapping[str, int] | None = None,
) -> Pipeline:
    """Bind a plan to its source schema (or schemas by table name); every problem is raised at once as PlanError."""
    compiler = _Compiler(plan, hierarchies or {}, lines or {})
    wholes = compiler.tables(schema)
    tables, torn = deal(plan, wholes)
    added, wrong = aggregates(plan, wholes, tables)
    unmeasured = [] if compiler.problems or torn else [*measure_problems(plan.adequacy, tables)]
    later = (*torn, *wrong, *unmeasured)
    problems = [*compiler.problems, *(replace(one, line=compiler._line(one.path)) for one in later)]
    if problems:
        raise PlanError(problems)
    return Pipeline(plan, fingerprint(plan, hierarchies or {}), tables, wholes, added)


class _Compiler:
    def __init__(self, plan: Plan, hierarchies: Mapping[str, Hierarchy], lines: Mapping[str, int]) -> None:
        self.plan, self.hierarchies, self.lines = plan, hierarchies, lines
        self.problems: list[Problem] = []
        self.register_types: dict[str, pa.DataType] = {}

    def tables(self, schema: Schemas) -> dict[str, TablePipeline]:
        if self.plan.source is not None:
            assert isinstance(schema, pa.Schema)
            source = self.plan.source
            own = TablePlan.model_construct(
                source=source.table,
                row_key=source.row_key,
                excluded=self.plan.excluded,
                rows=self.plan.rows,
                columns=self.plan.columns,
                outliers=self.plan.outliers,
            )
            subject: tuple[str | None, str] | None = (None, source.subject) if source.subject else None
            made = self._table(self.plan.output.table, own, schema, "", subject, self.plan.sample)
            return {} if made is None else {made.name: made}
        assert not isinstance(schema, pa.Schema)
        self._registers(schema)
        found = {}
        for name, table in self.plan.tables.items():
            subject = next(iter(table.subject.items()), None)
            of = self.plan.sample.of if self.plan.sample is not None else None
            drawn = self.plan.sample if subject is not None and of in (None, subject[0]) else None
            made = self._table(name, table, schema[name], f"tables.{name}.", subject, drawn)
            if made is not None:
                found[name] = made
        return found

    def _registers(self, schemas: Mapping[str, pa.Schema]) -> None:
        for name, subject in self.plan.subjects.items():
            for table, plan in self.plan.tables.items():
                if plan.source == subject.register_ and subject.key in schemas[table].names:
                    self.register_types[name] = schemas[table].field(subject.key).type
            if name not in self.register_types:
                self._problem(
                    f"subjects.{name}.register",
                    f"{subject.register_!r} with key {subject.key!r}",
                    "the source of one of `tables`, with its key column",
                    "deliver the register as a table of the plan, its other columns under `excluded`",
                )

    def _problem(
        self, path: str, found: str, allowed: str, hint: str | None = None, line: int | None = None
    ) -> None:
        self.problems.append(Problem(path, found, allowed, line or self._line(path), hint))

    def _line(self, path: str) -> int | None:
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path)

    def _table(
        self,
        name: str,
        table: TablePlan,
        schema: pa.Schema,
        prefix: str,
        subject: tuple[str | None, str] | None,
        sample: Sample | None,
    ) -> TablePipeline | None:
        try:
            bound = expand_columns(table.columns, table.excluded, schema, table.source, self.lines, prefix)
        except PlanError as error:
            self.problems += error.problems
            return None
        self._check_keys(table, schema, prefix, subject)
        place = _Place(name, prefix, schema)
        columns: list[Chain | Derived] = []
        for column in bound:
            if column.rule.derive is None:
                columns.append(self._chain(column, place))
        cells = self._treated(table.outliers, {c.name: c for c in columns if isinstance(c, Chain)}, prefix)
        columns = list(cells.values())
        for column in bound:
            if (
                column.rule.derive is not None
                and (derived := self._derived(column, cells, schema, place)) is not None
            ):
                columns.append(derived)
        turn = {column.name: number for number, column in enumerate(bound)}
        columns.sort(key=lambda column: turn[column.name])
        rules = self._row_rules(table, columns, place)
        for problem in class_problems(columns, schema):
            self._problem(*problem)
        delivered = tuple(columns)
        domain = None
        if subject is not None:
            domain = subject[0] or f"{name}.{subject[1]}"
            if subject[1] in schema.names:
                own = schema.field(subject[1]).type
                self._domain_type(subject[0], own, f"{prefix}subject", subject[1])
        made = TablePipeline(
            name=name,
            source=table.source,
            source_schema=schema,
            row_key=None if table.row_key == "row-number" else tuple(table.row_key),
            subject=subject[1] if subject is not None else None,
            subject_domain=domain,
            register=self._register(table, subject),
            columns=delivered,
            excluded=tuple(n for n in schema.names if n not in turn),
            row_rules=rules,
            sample=sample,
            outliers=table.outliers,
            hierarchies={
                one.hierarchy: self.hierarchies[one.hierarchy]
                for rule in table.outliers
                if isinstance(one := rule.treat.one, ParentCategory) and one.hierarchy in self.hierarchies
            },
            quasi_identifiers=tuple(c.name for c in delivered if c.rule.kind == "quasi-identifier"),
            subject_type=self.register_types.get(subject[0]) if subject is not None and subject[0] else None,
            subject_stable_over=self._stable_over(subject),
            unique_values=self.plan.adequacy.unique_values,
            against=against_of(self.plan.adequacy.leftovers, schema.names),
            judged=judged_of(self.plan.adequacy.utility, [one.name for one in delivered]),
            allowed_kinds=kinds_of(self.plan.adequacy.leftovers, [one.name for one in delivered]),
        )
        asked = self.plan.adequacy.k_anonymity is not None
        for fault in sample_faults(made, asked):
            self._problem(*fault)
        if asked and not with_copies(sample) and not made.one_row_per_subject and not made.by_subject:
            self._problem(
                "adequacy.k-anonymity",
                f"k of persons, where {name} has many rows of one and delivers no pseudonym of theirs",
                "a pseudonym or serial number in the subject's column, so that persons can be counted",
            )
        return made

    def _stable_over(self, subject: tuple[str | None, str] | None) -> str | None:
        """The series over which a person's pseudonyms are stable, and with them what is drawn for the person."""
        domain = self.plan.pseudonyms.get(subject[0] or "") if subject is not None else None
        return domain.stable_over if domain is not None else None

    def _register(self, table: TablePlan, subject: tuple[str | None, str] | None) -> str | None:
        """The subject's name if another table is its register: its rows then follow that table's sample."""
        if subject is None or subject[0] is None:
            return None
        register = self.plan.subjects.get(subject[0])
        if register is None or (register.register_ == table.source and register.key == subject[1]):
            return None
        return subject[0]

    def _check_keys(
        self, table: TablePlan, schema: pa.Schema, prefix: str, subject: tuple[str | None, str] | None
    ) -> None:
        root = prefix if prefix else "source."
        named = [] if table.row_key == "row-number" else [(key, f"{root}row_key") for key in table.row_key]
        if subject is not None:
            named.append((subject[1], f"{root}subject"))
        for key, path in named:
            if key not in schema.names:
                self._problem(
                    path, f"column {key!r}, which table {table.source} does not have", "a column of the table"
                )

    def _chain(self, column: BoundColumn, place: _Place) -> Chain:
        type_ = place.schema.field(column.name).type
        techniques = column.rule.apply or ()
        domain, stable_over = f"{place.table}.{column.name}", None
        steps: list[Step] = []
        depth = 0
        before = type_
        for number, technique in enumerate(techniques):
            assert isinstance(technique, ColumnTechnique)
            path = f"{column.path}.apply" + (f"[{number}]" if len(techniques) > 1 else "")
            site = Site(place.table, column.name, number, path, self._line(path))
            if isinstance(technique, Pseudonym):
                domain, stable_over, technique = self._pseudonym(technique, path)
                before = self._domain_type(domain, before, path, column.name)
            elif isinstance(technique, CombinationSerial) and self.plan.combination is not None:
                domain, stable_over = self.plan.combination.subject, round_series(self.plan.combination.name)
                before = self._domain_type(domain, before, path, column.name)
            step = self._step(technique, site, before, depth, place)
            steps.append(step)
            depth, before = max(depth, step.depth), step.after
        if any(isinstance(s.technique, SerialNumber) for s in steps) and len(steps) > 1:
            self._problem(f"{column.path}.apply", "serial-number beside other steps", "serial-number alone")
        self._check_type(before, column, place)
        return Chain(column.name, type_, tuple(steps), column.rule, column.captures, domain, stable_over)

    def _domain_type(self, domain: str | None, own: pa.DataType, path: str, column: str) -> pa.DataType:
        """The type of a person's ids, to which all columns that name the person are brought: the register's."""
        named = self.register_types.get(domain) if domain is not None else None
        if named is None or named == own:
            return own
        try:
            in_domain(pa.nulls(0, own), named)
        except pa.ArrowNotImplementedError:
            self._problem(
                path, f"column {column!r} of type {own}", f"ids that can be brought to the register's type {named}"
            )
        return named

    def _pseudonym(self, technique: Pseudonym, path: str) -> tuple[str, str | None, Pseudonym]:
        domain = self.plan.pseudonyms.get(technique.domain)
        if domain is None:
            known = ", ".join(self.plan.pseudonyms) or "none is declared"
            self._problem(
                path, f"pseudonym domain {technique.domain!r}", f"names under `pseudonyms`: {known}"
            )
            return technique.domain, None, technique
        return technique.domain, domain.stable_over, technique.of_length(domain.length)

    def _step(
        self, technique: ColumnTechnique, site: Site, before: pa.DataType, depth: int, place: _Place
    ) -> Step:
        after, facts, class_facts = before, {}, {}
        try:
            after = technique.applied_type(before)
            facts = dict(technique.needs(before))
            class_facts = dict(technique.class_needs(before))
        except TechniqueError as error:
            self._problem(
                site.path, f"{technique.name} on {site.column}: {error.found}", error.allowed, error.hint
            )
        for name in technique.columns():
            if name not in place.schema.names:
                self._problem(
                    site.path, f"column {name!r}, which the source does not have", "a column of the source"
                )
        self._check_condition(technique.when, site.path, place.schema)
        file = technique.hierarchy_file()
        hierarchy = self.hierarchies.get(file) if file is not None else None
        if file is not None and hierarchy is None:
            self._problem(site.path, f"hierarchy {file!r} was not read", "a hierarchy file beside the plan")
        depth += bool(facts or class_facts)
        return Step(technique, site, before, after, hierarchy, facts, depth, class_facts)

    def _check_condition(self, condition: Predicate | None, path: str, schema: pa.Schema) -> None:
        if condition is not None:
            for found in condition.check(schema):
                self._problem(path, found, "comparisons that fit the columns' types")

    def _check_type(self, type_: pa.DataType, column: BoundColumn, place: _Place) -> None:
        try:
            check_output_type(type_)
        except TechniqueError as error:
            self._problem(
                f"{column.path}",
                f"column {column.name} of {place.table} would be delivered as {error.found}",
                error.allowed,
                error.hint,
            )

    def _derived(
        self, column: BoundColumn, cells: Mapping[str, Chain], schema: pa.Schema, place: _Place
    ) -> Derived | None:
        rule = column.rule.derive
        assert rule is not None
        found = operands(rule, column.captures, list(cells))
        path = f"{column.path}.derive"
        site = Site(place.table, column.name, 0, path, self._line(path))
        types = {cells[match.column].type for match in found}
        wrong = [t for t in types if not _is_number(t)]
        if wrong:
            self._problem(path, f"operands of type {wrong[0]}", "numbers")
            return None
        if serials := [match.column for match in found if cells[match.column].ranked]:
            self._problem(path, f"the serial number {serials[0]!r} as an operand", "columns that hold data")
            return None
        labels: list[str] = []
        if isinstance(rule, LargestOf):
            for match in found:
                text = match.captures.get(rule.as_, match.column) if rule.as_ else match.column
                labels.append(rule.labels.get(text, text))
            missing = (
                sorted({m.captures.get(rule.as_, "") for m in found} - set(rule.labels)) if rule.as_ else []
            )
            if rule.labels and missing:
                self._problem(path, f"no label for {', '.join(missing)}", "a label for every captured text")
            type_ = pa.string()
        else:
            type_ = _sum_type(types)
        inputs = tuple(match.column for match in found)
        return Derived(column.name, type_, rule, inputs, tuple(labels), column.rule, column.captures, site)

    def _row_rules(
        self, table: TablePlan, columns: list[Chain | Derived], place: _Place
    ) -> tuple[RowRule, ...]:
        rules = []
        for number, technique in enumerate(table.rows):
            path = f"{place.prefix}rows[{number}]"
            assert isinstance(technique, RowTechnique)
            for name in technique.columns():
                if name not in place.schema.names:
                    self._problem(
                        path, f"column {name!r}, which the source does not have", "a column of the source"
                    )
            self._check_condition(getattr(technique, "where", None), path, place.schema)
            rules.append(RowRule(technique, Site(place.table, "rows", number, path, self._line(path))))
        for column in columns:
            rules += list(self._null_rules(column, place)) if isinstance(column, Chain) else []
        return tuple(rules)

    def _null_rules(self, chain: Chain, place: _Place) -> Iterator[RowRule]:
        """`nulls: remove` in a column's first step removes the records whose cell is null."""
        for number, step in enumerate(chain.steps):
            if step.technique.nulls != "remove":
                continue
            if number:
                self._problem(
                    step.site.path, "`nulls: remove` behind another step", "it in the column's first step"
                )
                continue
            technique = RecordSuppression.model_validate({"where": {chain.name: {"is": None}}})
            yield RowRule(technique, step.site)

    def _treated(
        self, rules: tuple[OutlierRule, ...], cells: Mapping[str, Chain], prefix: str
    ) -> Mapping[str, Chain]:
        """The chains with their types behind the outlier rules, which are checked on the way."""
        changed, problems = types_after(rules, cells, self.hierarchies, prefix)
        for problem in problems:
            self._problem(*problem)
        return {name: replace(chain, treated=changed.get(name)) for name, chain in cells.items()}


class _Place:
    def __init__(self, table: str, prefix: str, schema: pa.Schema) -> None:
        self.table, self.prefix, self.schema = table, prefix, schema


def _is_number(type_: pa.DataType) -> bool:
    return bool(pa.types.is_signed_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))


def _sum_type(types: set[pa.DataType]) -> pa.DataType:
    if any(pa.types.is_floating(t) for t in types):
        return pa.float64()
    decimals = [t for t in types if pa.types.is_decimal(t)]
    if decimals:
        scale = max(t.scale for t in decimals)
        return pa.decimal128(min(38, max(t.precision - t.scale for t in decimals) + scale + 4), scale)
    return pa.int64()
