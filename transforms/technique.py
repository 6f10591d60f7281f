"""The shapes of a technique (처리 기법): two, no third.

A technique is a small frozen model of its parameters that knows its effect, the image of its effect
(for the review) and its wording. It is a pure function of Arrow arrays; it never calls Spark.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given, KeyUse
from transforms.images import Image
from transforms.predicate import Predicate
from transforms.repeats import repeated

if TYPE_CHECKING:
    from transforms.class_facts import ClassFact
    from transforms.facts import Fact

Language = Literal["ko", "en"]
Nulls = Literal["keep", "error", "remove"]


class Model(BaseModel):
    """Frozen, nothing unknown allowed; YAML names have dashes where Python's have underscores."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        arbitrary_types_allowed=True,
        alias_generator=lambda name: name.rstrip("_"),
    )


@dataclass(frozen=True)
class Wording:
    """How documents name a step: `method` (처리 방법, "라운딩") and `level` (처리 수준, "10 단위로 내림")."""

    method: str
    level: str


@dataclass(frozen=True)
class Example:
    """Runs as a test and stands in the docs: parameters as in a plan, values in, values out.

    `type` is an Arrow type's name ("int64", "string", "decimal128(12,2)"); `facts` and `columns` are
    what the step is given; a fact that loads pandas when it is made stands there as a function that makes it.
    """

    parameters: Any
    values: list[Any]
    expected: list[Any]
    type: str = "int64"
    facts: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, list[Any]] = field(default_factory=dict)
    source: str = ""


class Technique(Model, ABC):
    """What every technique has. Subclasses set `name` (as in plans) and `korean`."""

    name: ClassVar[str]
    korean: ClassVar[str]
    EXAMPLES: ClassVar[tuple[Example, ...]] = ()

    def needs(self, source: pa.DataType) -> Mapping[str, Fact]:
        """Facts about the values that enter this step, by the name under which `Given` returns them."""
        return {}

    def columns(self) -> frozenset[str]:
        """Source columns that it reads besides its own (conditions, classes)."""
        return frozenset()

    def key_use(self) -> KeyUse | None:
        """The subkey that the pipeline hands as `given.key`; None: this technique needs none."""
        return None

    @abstractmethod
    def wording(self, language: Language) -> Wording:
        """For the documents; never a measured value."""


class ColumnTechnique(Technique):
    """Values in, as many values out.

    `when` restricts it to the cells whose row meets a condition on source columns; `nulls` says what
    a null cell does: keep (stays null), error (the run stops), remove (the record is removed; only in
    a column's first step). `by` names class columns, where it works within classes.
    """

    # Must all rows of a class (by the `by` columns; none: the whole table) come together? Then it is a column's last
    # step, `given.classes` tells the rows' classes, and no `when:` is possible.
    whole_classes: ClassVar[bool] = False

    # Is a cell's result made of that cell alone, null for null, and dear enough to be made once for equal cells?
    once_each: ClassVar[bool] = False

    when: Predicate | None = Field(default=None)
    nulls: Nulls = Field(default="keep")
    by: tuple[str, ...] = ()

    def class_needs(self, source: pa.DataType) -> Mapping[str, ClassFact]:
        """Figures of each class of the values that enter this step, by the name under which `Given` returns them."""
        return {}

    # A hierarchy's file name, if this step uses one; the compiler puts the hierarchy into `Given`.
    def hierarchy_file(self) -> str | None:
        return None

    def warning(self, source: pa.DataType, names: tuple[str, ...], language: Language) -> str | None:
        """What whoever reads the plan should know of this step on a column of this type and these names."""
        return None

    def columns(self) -> frozenset[str]:
        named = self.when.columns() if self.when is not None else frozenset()
        return frozenset(self.by) | named

    @abstractmethod
    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Type of the result; raises TechniqueError for a type that it can't take."""

    @abstractmethod
    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        """The result for every value; null in, null out unless the class's docstring says otherwise."""

    @abstractmethod
    def image(self, before: Image, given: Given) -> Image:
        """All that can come out when what goes in lies in `before`: what the review checks against.

        Images compose along a chain: a rounded cut-off is not below the cut-off, but it is in the
        image of the chain. A technique with a keyed or unpredictable result gives the shape of it
        (a pattern, a range).
        """

    def apply(self, values: pa.Array, given: Given) -> pa.Array:
        """`effect` under `nulls` and `when`: what the pipeline calls."""
        if self.nulls == "error" and values.null_count:
            raise CellsRefused(f"{self.name}: null found, and the plan says `nulls: error`", values.null_count)
        if self.when is None:
            return self._effect(values, given)
        chosen = pc.fill_null(self.when.evaluate(given.columns), False)
        changed = self._effect(values.filter(chosen), given.chosen(chosen))
        return pc.replace_with_mask(values, chosen, changed)

    def _effect(self, values: pa.Array, given: Given) -> pa.Array:
        repeats = repeated(values) if self.once_each else None
        if repeats is None:
            return self.effect(values, given)
        try:
            return self.effect(repeats.dictionary, given).take(repeats.indices)
        except CellsRefused:  # it counts different cells: all are counted below
            return self.effect(values, given)

    def applied_type(self, source: pa.DataType) -> pa.DataType:
        """`output_type` under `when`: cells left alone and cells changed must fit one column."""
        result = self.output_type(source)
        if self.when is not None and result != source:
            raise TechniqueError(
                f"`when` with a step that turns {source} into {result}",
                "`when` only where the type stays as it is",
                "leave `when` away, or cast in an own step",
            )
        return result

    def applied_image(self, before: Image, given: Given) -> Image:
        """`image` under `nulls` and `when`."""
        after = self.image(before, given)
        if self.when is not None:
            after = after.union(before)
        return after.without_null() if self.nulls == "error" else after


@runtime_checkable
class Reversible(Protocol):
    """A technique whose effect the holder of its key can undo (`additional-information reveal`)."""

    def inverse(self, values: pa.Array, source: pa.DataType, given: Given) -> pa.Array:
        """The cells, of type `source`, that the effect turned into `values`; null stays null.

        CellsRefused, with their number, for cells that are none of this step's.
        """


class RowTechnique(Technique):
    """Which rows stay."""

    nulls: Nulls = Field(default="keep")

    @abstractmethod
    def keeps(self, batch: pa.RecordBatch, given: Given) -> pa.BooleanArray:
        """True for the rows that stay; `batch` holds at least `columns()`."""
