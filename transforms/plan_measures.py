"""`adequacy:` of a plan, as far as it is about sensitive columns within classes: l, t and their kin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from transforms.complaint import complain, complaint
from transforms.technique import Model


class OfClasses(Model):
    """`of` are delivered sensitive columns (those of kind sensitive where not said), each judged alone; `columns` the
    quasi-identifiers whose classes count (as for k-anonymity where not said)."""

    of: tuple[str, ...] | None = Field(default=None, min_length=1)
    columns: tuple[str, ...] | None = None


class LDiversity(OfClasses):
    """l-diversity (l-다양성): distinct values, entropy, or recursive with `c`. Machanavajjhala et al. 2007."""

    l: float = Field(gt=1)  # noqa: E741 - as the measure is called everywhere
    kind: Literal["distinct", "entropy", "recursive"] = "distinct"
    c: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> LDiversity:
        if self.kind != "entropy" and self.l != int(self.l):
            raise complain([complaint(f"l of {self.l}", "a whole number; fractions for `kind: entropy`", loc=("l",))])
        if (self.c is not None) != (self.kind == "recursive"):
            found = "no `c`" if self.c is None else f"`c` with kind {self.kind}"
            raise complain([complaint(found, "`c` for `kind: recursive`, and there alone", loc=("c",))])
        return self


class TCloseness(OfClasses):
    """t-closeness (t-근접성). `ordered` are columns whose distance is over ranks: numbers, dates and times where it is
    not said; others have equal distances. Li et al. 2007."""

    t: float = Field(ge=0, lt=1)
    ordered: tuple[str, ...] | None = None


class AlphaKAnonymity(OfClasses):
    """(α, k)-anonymity: no value has a larger share of a class than `alpha`. Wong et al. 2006."""

    alpha: float = Field(gt=0, lt=1)
    k: int = Field(ge=2)


class BetaLikeness(OfClasses):
    """β-likeness: no value's share gains more than `beta` of it; enhanced: nor more than -ln p. Cao, Karras 2012."""

    beta: float = Field(gt=0)
    kind: Literal["basic", "enhanced"] = "basic"


class DeltaDisclosure(OfClasses):
    """δ-disclosure privacy: |ln(q / p)| below `delta` for the values of each class. Brickell, Shmatikov 2008."""

    delta: float = Field(gt=0)


Measure = LDiversity | TCloseness | AlphaKAnonymity | BetaLikeness | DeltaDisclosure
MEASURES = ("l_diversity", "t_closeness", "alpha_k_anonymity", "beta_likeness", "delta_disclosure")


def measures_of(adequacy: object) -> Iterator[tuple[str, Measure]]:
    """The measures that a plan's `adequacy` asks for, by their name in the plan."""
    for name in MEASURES:
        asked = getattr(adequacy, name, None)
        if asked is not None:
            yield name.replace("_", "-"), asked


__all__ = [
    "AlphaKAnonymity",
    "BetaLikeness",
    "DeltaDisclosure",
    "LDiversity",
    "Measure",
    "OfClasses",
    "TCloseness",
    "measures_of",
]
