"""How a sample's n is divided among strata: whole numbers that add up exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

DIGITS = 60


@dataclass(frozen=True)
class Stratum:
    """A stratum as measured: `size` persons (N_h); count, sum and sum of squares of its numbers, exact."""

    size: int
    count: int = 0
    sum: int = 0
    squares: int = 0

    @property
    def variance(self) -> Fraction:
        """Of the numbers, with count - 1 below the line; 0 for fewer than two."""
        if self.count < 2:
            return Fraction(0)
        return Fraction(self.count * self.squares - self.sum**2, self.count * (self.count - 1))


def planned_size(fraction: float | None, n: int | None, count: int) -> int:
    """n of `count`: a number, or the share rounded down (the share as it is written)."""
    return n if n is not None else math.floor(count * Decimal(str(fraction)))


def proportional(n: int, sizes: Sequence[int]) -> list[int]:
    """n divided by N_h, by largest remainder; of equal remainders the first. n is at most the sum of sizes."""
    total = sum(sizes)
    if not total:
        return [0] * len(sizes)
    shares = [n * size // total for size in sizes]
    rest = [n * size % total for size in sizes]
    for place in sorted(range(len(sizes)), key=lambda one: -rest[one])[: n - sum(shares)]:
        shares[place] += 1
    return shares


def neyman(n: int, strata: Sequence[Stratum]) -> tuple[list[int], int]:
    """n divided by N_h x S_h, by largest remainder, and how many strata should have given more than they have.

    These give all, and the others divide the rest. Where what is left has no spread, it is divided by N_h.
    """
    given = [0] * len(strata)
    open_ = list(range(len(strata)))
    whole = 0
    with localcontext() as context:
        context.prec = DIGITS
        weights = [_deviation(one) * one.size for one in strata]
        while open_:
            rest = n - sum(given)
            total = sum((weights[place] for place in open_), Decimal(0))
            if not total:
                shares = proportional(rest, [strata[place].size for place in open_])
                for place, share in zip(open_, shares, strict=True):
                    given[place] = share
                break
            exact = {place: rest * weights[place] / total for place in open_}
            full = [place for place in open_ if exact[place] > strata[place].size]
            if not full:
                _round(given, exact, rest, strata)
                break
            for place in full:
                given[place] = strata[place].size
            whole += len(full)
            open_ = [place for place in open_ if place not in set(full)]
    return given, whole


def _deviation(stratum: Stratum) -> Decimal:
    variance = stratum.variance
    return (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()


def _round(given: list[int], exact: dict[int, Decimal], rest: int, strata: Sequence[Stratum]) -> None:
    """Whole numbers in place of `exact` ones that add up to `rest`; never more than a stratum has."""
    for place, share in exact.items():
        given[place] = math.floor(share)
    missing = rest - sum(given[place] for place in exact)
    by_remainder = sorted(exact, key=lambda place: math.floor(exact[place]) - exact[place])
    for place in [one for one in by_remainder if given[one] < strata[one].size][:missing]:
        given[place] += 1
