"""Categorization (문자데이터 범주화): values become the category they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import InitErrorDetails

from transforms.complaint import complain, complaint
from transforms.errors import CellsRefused, TechniqueError
from transforms.facts import Fact
from transforms.given import Given
from transforms.images import Anything, Bools, Finite, Image, Union
from transforms.rare_fact import MOST, Rare
from transforms.technique import Example, Language, Model
from transforms.techniques.parameters import refuse
from transforms.techniques.shape import CellTechnique

Code = str | int
Categories = tuple[tuple[Code, tuple[Code, ...]], ...]
_ALLOWED = "a mapping of a category to the values that belong to it: {1: [VIP, S, A], 2: [B, C]}"

_UNCOVERED = (
    "values that no category covers; allowed: values that the mapping or hierarchy lists; list them, or set "
    "`unmatched` to keep, null or {value: …}"
)


def _is_code(raw: object) -> bool:
    return isinstance(raw, (str, int)) and not isinstance(raw, bool)


def _categories(raw: object) -> Categories:
    if isinstance(raw, (list, tuple)) and all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in raw):
        raw = dict(raw)  # pairs, as JSON needs them to tell 1 from "1"
    if not isinstance(raw, Mapping) or not raw:
        refuse("no categories", _ALLOWED)
    complaints: list[InitErrorDetails] = []
    seen: dict[Code, Code] = {}
    for code, values in raw.items():
        if not _is_code(code) or not isinstance(values, (list, tuple)) or not values or not all(map(_is_code, values)):
            complaints.append(complaint("no list of texts or whole numbers", _ALLOWED, None, (str(code),)))
            continue
        for place, value in enumerate(values):
            if value in seen:
                complaints.append(
                    complaint(
                        f"a value that category {seen[value]!r} has already",
                        "each value in one category",
                        None,
                        (str(code), place),
                    )
                )
            seen.setdefault(value, code)
    if not complaints and (len(set(map(type, raw))) > 1 or len(set(map(type, seen))) > 1):
        complaints.append(complaint("texts and numbers mixed", "categories of one kind, values of one kind"))
    if complaints:
        raise complain(complaints)
    return tuple((code, tuple(values)) for code, values in raw.items())


class Stead(Model):
    """`unmatched: {value: 기타}`: the category of all values that are not listed."""

    value: Annotated[
        Code,
        PlainValidator(lambda raw: raw if _is_code(raw) else refuse("no category", "a text or a whole number")),
    ]


@dataclass(frozen=True)
class Except(Image):
    """A set without some listed values (those that the step would have changed)."""

    inner: Image = field(default_factory=Anything)
    values: pa.Array = None

    def holds(self, values: pa.Array) -> Bools:
        return self.inner.holds(values) & ~Finite(values=self.values).holds(values)


class Categorization(CellTechnique):
    """Every value becomes its category, by a mapping in the plan or by a level of a hierarchy file.

    In: text or integers. Out: integers (int64) where all categories are whole numbers, else text; a
    hierarchy gives text. A value that nothing covers is an error, or by `unmatched` stays (`keep`, same
    type only), becomes null (`null`) or a category (`{value: 기타}`). With `below`, only values that fewer
    records hold become their category (판사, 검사 → 법조인), all others stay; counted in records of the
    delivered target data, in this column alone. Null stays null.

    Kept: the category; with `below`, the frequent values too. Lost: the value in it. Attack: a category
    of one common and one rare value, or one that few people hold, tells the value; a category with its
    own amounts or dates may do so too; with `below`, who is in a category is known to hold something rare.
    What helps: categories that many share, k-anonymity with the other quasi-identifiers. Refused: a value
    in two categories, a hierarchy with a hole or with two parents of one value, uncovered values, `below`
    where the type changes or more than 200,000 values are distinct.
    Source: guideline L2081-2090 (문자데이터 범주화), L2350-2370 (단일 속성으로 대체), L640 (고객 등급).
    """

    name: ClassVar[str] = "categorization"
    korean: ClassVar[str] = "범주화"
    SHORTHAND: ClassVar[str | None] = "mapping"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            {1: ["VIP", "S", "A"], 2: ["B", "C"], 3: ["D", "E", "F"]},
            ["S", "VIP", "C", "F", None],
            [1, 1, 2, 3, None],
            type="string",
            source="guideline L640",
        ),
        Example(
            {"육아용품": ["분유", "기저귀", "젖병", "샤워타올", "욕실화"]},
            ["분유", "욕실화"],
            ["육아용품", "육아용품"],
            type="string",
            source="guideline L2081-2090",
        ),
        Example(
            {"mapping": {"법조인": ["판사", "검사"]}, "unmatched": "keep"},
            ["변호사", "판사", None],
            ["변호사", "법조인", None],
            type="string",
            source="guideline L2350-2370",
        ),
        Example(
            {"mapping": {"법조인": ["변호사", "판사", "검사"]}, "below": 2},
            ["변호사", "판사", "검사", "변호사", None],
            ["변호사", "법조인", "법조인", "변호사", None],
            type="string",
            facts={"rare": ("검사", "판사")},
            source="guideline L2350-2370",
        ),
    )

    mapping: (
        Annotated[
            Categories,
            PlainValidator(_categories),
            PlainSerializer(lambda one: [list(pair) for pair in one]),
            WithJsonSchema({"type": "object", "additionalProperties": {"type": "array"}}),
        ]
        | None
    ) = None
    hierarchy: str | None = None
    level: str | None = None
    unmatched: Literal["error", "keep"] | Stead | None = "error"
    below: int | None = Field(default=None, ge=2)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.mapping is None) == (self.hierarchy is None):
            refuse(
                "both a mapping and a hierarchy" if self.mapping else "no categories",
                "either a mapping or `hierarchy` and `level`",
            )
        if (self.hierarchy is None) != (self.level is None):
            refuse(
                "`hierarchy` without `level`" if self.hierarchy else "`level` without `hierarchy`",
                "`hierarchy: FILE` and `level: NAME` together",
            )
        return self

    def needs(self, source: pa.DataType) -> Mapping[str, Fact]:
        return {} if self.below is None else {"rare": Rare(self.below)}

    def hierarchy_file(self) -> str | None:
        return self.hierarchy

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if not pa.types.is_string(source) and not pa.types.is_signed_integer(source):
            raise TechniqueError(
                f"categorization on a column of type {source}",
                "text or integers",
                "use data-range or rounding for other numbers",
            )
        if self.mapping is not None:
            self._listed(source)
        codes = [code for code, _ in self.mapping or ()] + self._stead()
        output = pa.int64() if codes and all(isinstance(code, int) for code in codes) else pa.string()
        if (self.mapping is None and output != pa.string()) or len(set(map(type, codes))) > 1:
            raise TechniqueError("categories of texts and numbers in one column", "categories of one kind")
        kept = "unmatched: keep" if self.unmatched == "keep" else "below" if self.below is not None else None
        if kept is not None and output != source:
            raise TechniqueError(
                f"`{kept}` where {source} becomes {output}",
                f"`{kept}` only where the type stays as it is",
                "use `unmatched: {value: …}`, `null` or `error`" if self.unmatched == "keep" else None,
            )
        return output

    def _stead(self) -> list[Code]:
        return [self.unmatched.value] if isinstance(self.unmatched, Stead) else []

    def _listed(self, source: pa.DataType) -> pa.Array:
        listed = [value for _, values in self.mapping or () for value in values]
        if pa.types.is_string(source) != isinstance(listed[0], str):
            raise TechniqueError(
                f"listed values that are no values of type {source}",
                "values of the column's type",
                "quote them to make them text" if pa.types.is_string(source) else None,
            )
        try:
            return pa.array(listed, source)
        except (pa.ArrowException, OverflowError):
            raise TechniqueError(
                f"a listed value that type {source} can't hold", "values of the column's type"
            ) from None

    def _lookup(self, values: pa.Array, given: Given) -> pa.Array:
        """Category of each value; null where nothing covers it."""
        if self.mapping is None:
            assert given.hierarchy is not None
            assert self.level is not None
            return given.hierarchy.lookup(values, self.level)
        codes = [code for code, members in self.mapping for _ in members]
        return pa.array(codes).take(pc.index_in(values, value_set=self._listed(values.type)))

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if self.below is None:
            return self._categorized(values, given)
        rare = pc.is_in(values, value_set=self._rare(given, values.type), skip_nulls=True)
        return pc.replace_with_mask(values, rare, self._categorized(values.filter(rare), given))

    def _rare(self, given: Given, type_: pa.DataType) -> pa.Array:
        """The values to change, as they were counted."""
        rare = given.facts["rare"]
        if rare is None:
            raise CellsRefused("distinct values, too many to count each", MOST)
        return pa.array(rare, type_)

    def _categorized(self, values: pa.Array, given: Given) -> pa.Array:
        result = self._lookup(values, given)
        missed = result.null_count - values.null_count
        if missed == 0 or self.unmatched is None:
            return result
        if self.unmatched == "error":
            raise CellsRefused(_UNCOVERED, missed)
        if self.unmatched == "keep":
            return pc.coalesce(result, values)
        return pc.if_else(pc.is_valid(values), pc.fill_null(result, self.unmatched.value), result)

    def spread(self, before: Image, given: Given) -> Image:
        nullable = before.nullable or self.unmatched is None
        if self.below is not None:
            return self._spread_of_rare(before, given, nullable)
        if self.mapping is None:
            assert given.hierarchy is not None
            assert self.level is not None
            codes: list[Code] = [*given.hierarchy.level_values(self.level)]
        else:
            codes = list(dict.fromkeys(code for code, _ in self.mapping))
        known = Finite(nullable=nullable, values=pa.array(codes + self._stead()))
        if self.unmatched != "keep":
            return known
        kept = before
        if self.mapping is not None:
            kept = Except(nullable=nullable, inner=before, values=pa.array([v for _, vs in self.mapping for v in vs]))
        return Union(nullable=nullable, parts=(known, kept))

    def _spread_of_rare(self, before: Image, given: Given, nullable: bool) -> Image:
        """The categories of the rare values, and all values that are not rare."""
        plain = pa.array(given.facts["rare"] or ())
        rare = plain if len(plain) else pa.array([], pa.string() if self.mapping is None else _type_of(self.mapping))
        categories = Finite(nullable=nullable, values=self._each(rare, given))
        return Union(nullable=nullable, parts=(categories, Except(nullable=nullable, inner=before, values=rare)))

    def image(self, before: Image, given: Given) -> Image:
        after = super().image(before, given)
        return after.with_null() if self.unmatched is None else after

    def level_text(self, language: Language) -> str:
        if self.mapping is None:
            text = (
                f"{self.hierarchy}의 {self.level} 수준"
                if language == "ko"
                else f"level {self.level} of {self.hierarchy}"
            )
        else:
            text = "; ".join(f"{', '.join(map(str, values))} → {code}" for code, values in self.mapping)
        if self.below is not None:
            few = f"{self.below}건 미만인 값만" if language == "ko" else f"only values of under {self.below} records"
            text = f"{few}: {text}"
        if self.unmatched == "keep":
            return f"{text}; {'그 외는 그대로' if language == 'ko' else 'others stay'}"
        if self.unmatched == "error":
            return text
        stead = self._stead()[0] if self._stead() else ("값 없음" if language == "ko" else "null")
        return f"{text}; {'그 외' if language == 'ko' else 'others'} → {stead}"


def _type_of(mapping: Categories) -> pa.DataType:
    """The type of listed values."""
    return pa.string() if isinstance(mapping[0][1][0], str) else pa.int64()
