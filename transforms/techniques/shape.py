"""What the column techniques of this package share: wording, images of finite sets, refused parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import pyarrow as pa

from transforms.errors import CellsRefused
from transforms.given import Given
from transforms.images import Finite, Image, Nothing, Union
from transforms.technique import ColumnTechnique, Language, Technique, Wording
from transforms.techniques.phrases import condition


class Worded(Technique):
    """A technique whose documents name it by its guideline term and a text of its level."""

    @abstractmethod
    def level_text(self, language: Language) -> str:
        """처리 수준: the parameters in words."""

    def wording(self, language: Language) -> Wording:
        return Wording(self.korean if language == "ko" else self.name.replace("-", " "), self.level_text(language))


class CellTechnique(Worded, ColumnTechnique):
    """A column technique that looks at each cell alone: equal cells in, equal cells out, null stays null."""

    # A parameter that may stand without its name: `pseudonym: member` is `pseudonym: {domain: member}`.
    SHORTHAND: ClassVar[str | None] = None

    # Parameters of the model that a plan may not give here, and where it says them instead.
    SET_ELSEWHERE: ClassVar[Mapping[str, str]] = {"by": "no classes: this technique works cell by cell"}

    def wording(self, language: Language) -> Wording:
        plain = super().wording(language)
        if self.when is None:
            return plain
        only = condition(self.when, language)
        level = f"{only}인 경우만: {plain.level}" if language == "ko" else f"only where {only}: {plain.level}"
        return Wording(plain.method, level)

    def image(self, before: Image, given: Given) -> Image:
        if isinstance(before, Union):
            parts = tuple(self.image(part, given) for part in before.parts)
            return Union(nullable=any(part.nullable for part in parts), parts=parts)
        if isinstance(before, Nothing):
            return before
        if isinstance(before, Finite):
            return Finite(nullable=before.nullable, values=self._each(before.values, given))
        return self.spread(before, given)

    @abstractmethod
    def spread(self, before: Image, given: Given) -> Image:
        """`image` of a set that is not given by listing its values."""

    def _each(self, values: pa.Array, given: Given) -> pa.Array:
        """The listed values one by one; those that would be refused have no image."""
        try:
            return self.effect(values, given).drop_null()
        except CellsRefused:
            if len(values) <= 1:
                return self.effect(values.slice(0, 0), given)
        half = len(values) // 2
        return pa.concat_arrays([self._each(values.slice(0, half), given), self._each(values.slice(half), given)])
