"""Homomorphic secret sharing (동형비밀분산): a number becomes shares that tell nothing one by one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from transforms.column_patterns import expand
from transforms.complaint import did_you_mean
from transforms.errors import CellsRefused, PlanError, Problem, TechniqueError
from transforms.further import Delivered, FurtherRecords, Layout
from transforms.given import Given
from transforms.images import Image, Numbers, Piece
from transforms.kernels import shares as kernel
from transforms.technique import Language, Wording
from transforms.techniques.cells import is_long_decimal, numbers_of
from transforms.techniques.parameters import Unit, refuse
from transforms.techniques.phrases import number
from transforms.techniques.shape import CellTechnique

Scheme = Literal["additive", "shamir"]


class Share(CellTechnique):
    """A number becomes one of its shares. Not for plans: `secret-sharing` under `further` gives each table its own.

    In: integers, decimals of up to 18 digits. Out: int64 from 0 to 2^61 - 2; null stays null. Chance comes from draws
    keyed to the column and the row, the same for all shares of a cell.
    """

    name: ClassVar[str] = "share"
    korean: ClassVar[str] = "쉐어로 대체"
    draws_by: ClassVar[Literal["row"]] = "row"

    scheme: Scheme
    share: int
    shares: int
    needed: int
    largest: Unit

    def output_type(self, source: pa.DataType) -> pa.DataType:
        exact = pa.types.is_signed_integer(source) or pa.types.is_decimal128(source)
        if not exact or is_long_decimal(source):
            allowed = "integers, decimals of up to 18 digits"
            raise TechniqueError(f"secret sharing of a column of type {source}", allowed)
        self._largest(source)
        return pa.int64()

    def _largest(self, source: pa.DataType) -> int:
        """The largest magnitude in the column's smallest unit."""
        scaled = Decimal(self.largest).scaleb(source.scale if pa.types.is_decimal(source) else 0)
        if scaled > kernel.LARGEST:
            raise TechniqueError(f"`largest` of {number(self.largest)}", "less than 2^60 of the column's smallest unit")
        return int(scaled)

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if given.draws is None or given.rows is None:
            raise CellsRefused("shares need the run's keys and the rows' ids", len(values))
        numbers = numbers_of(values)[0].astype(np.int64)
        most = self._largest(values.type)
        if beyond := int(((numbers > most) | (numbers < -most)).sum()):
            raise CellsRefused("numbers beyond `largest`", beyond)
        chance = [
            given.draws.below(given.rows, kernel.PRIME, round=place).astype(np.uint64)
            for place in range(self.needed - 1)
        ]
        made = (kernel.additive_share if self.scheme == "additive" else kernel.polynomial_share)(
            kernel.to_field(numbers), chance, self.share
        )
        nulls = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
        return pa.array(made.astype(np.int64), pa.int64(), mask=nulls)

    def image(self, before: Image, given: Given) -> Image:
        return self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        return Numbers(nullable=before.nullable, pieces=(Piece(low=0, high=kernel.PRIME - 1, unit=1),))

    def level_text(self, language: Language) -> str:
        if language == "ko":
            return f"{_named(self.scheme, language)} 쉐어 {self.shares}개 중 {self.share}번, {self.needed}개로 복원"
        return f"share {self.share} of {self.shares} ({_named(self.scheme, language)}); {self.needed} restore"


class SecretSharing(FurtherRecords):
    """Numbers become shares in tables of their own (동형비밀분산): one table tells nothing, enough together all.

    `columns` leave the main table; NAME_1, NAME_2 … hold a share of each, joined by the record id. `additive`: all
    `shares` are needed; `shamir`: any `needed` of up to 7. In: integers, decimals of up to 18 digits, none beyond
    `largest` (in the column's own unit). Out: int64, numbers of the field of 2^61 - 1. Null stays null in every share.
    Shares of a sum are the sums of shares modulo 2^61 - 1 (`transforms.measures.share_sums.share_sums`), so that
    holders add up without showing each other a row: right while the sum stays below 2^60 of the smallest unit, which
    2^60 / `largest` rows can't pass. `restored` puts shares, of rows or sums, together again.

    Kept: sums, for enough holders together; which cells are null. Lost: all else, to fewer holders than `needed`:
    their shares are as good as random numbers, whatever they compute (to whoever lacks the run's secret, which draws
    them: destroy it). Attack: holders who agree restore every row, not sums alone; a holder who changes shares
    changes the sum unseen; null cells show. What helps: each table to another party, in a place of its own.

    A share may look like a raw number, so review sees only the range; verify recomputes every share. Refused: a
    serial number, the subject's column, derived columns and their operands, columns of outlier rules, numbers beyond
    `largest`. Source: guideline L2233-2239 (동형비밀분산); Shamir 1979.
    """

    name: ClassVar[str] = "secret-sharing"
    korean: ClassVar[str] = "동형비밀분산"

    columns_: tuple[str, ...] = Field(min_length=1)
    scheme: Scheme
    shares: int = Field(ge=2, le=kernel.MOST_SHARES)
    needed: int | None = Field(default=None, ge=2)
    largest: Unit

    @model_validator(mode="after")
    def _threshold(self) -> Self:
        if self.scheme == "additive" and self.needed not in (None, self.shares):
            refuse(f"{self.needed} of {self.shares} additive shares", "all of them", "`scheme: shamir`", "needed")
        if self.scheme == "shamir" and (self.needed is None or self.needed > self.shares):
            found = "no `needed`" if self.needed is None else f"{self.needed} of {self.shares} shares"
            refuse(found, f"`needed` from 2 to {self.shares}", None, "needed")
        return self

    def layout(self, name: str, columns: Mapping[str, Delivered]) -> Layout:
        problems: list[Problem] = []
        shared: dict[str, str] = {}
        for place, pattern in enumerate(self.columns_):
            path = f"columns[{place}]"
            matches = [match.column for match in expand(pattern, list(columns))]
            if not matches:
                hint = did_you_mean(pattern, columns)
                found = f"{pattern!r}, which the table does not deliver"
                problems.append(Problem(path, found, "its columns", hint=hint))
            for column in matches:
                if column in shared:
                    problems.append(Problem(path, f"column {column!r} a second time", "each column once"))
                shared[column] = path
                if columns[column].subject or columns[column].ranked or columns[column].operands:
                    what = "the subject's column, a serial number or derived"
                    problems.append(Problem(path, f"column {column!r}, which is {what}", "other columns of numbers"))
        for column, one in columns.items():
            problems += [
                Problem(shared[operand], f"column {operand!r}, of which {column!r} is derived", "other columns")
                for operand in one.operands
                if operand in shared
            ]
        if not problems and len(shared) == len(columns):
            problems.append(Problem("columns", "every column", "fewer: rows keep something in the main table"))
        if problems:
            raise PlanError(problems)
        main = {column: () for column in columns if column not in shared}
        held = [column for column in columns if column in shared]
        numbers = range(1, self.shares + 1)
        return Layout(main, {f"{name}_{one}": {column: (self._share(one),) for column in held} for one in numbers})

    def _share(self, one: int) -> Share:
        return Share(scheme=self.scheme, share=one, shares=self.shares, needed=self._least, largest=self.largest)

    @property
    def _least(self) -> int:
        return self.shares if self.needed is None else self.needed

    def restored(self, shares: Mapping[int, pa.Array], scale: int = 0) -> pa.Array:
        """The numbers (or sums) from shares by their numbers, rows in one order: int64, or decimal(19, `scale`).

        Null where a share is null. ValueError for too few shares, other numbers, or shares outside of the field.
        """
        if len(shares) < self._least or not shares.keys() <= set(range(1, self.shares + 1)):
            raise ValueError(f"shares {sorted(shares)}; allowed: {self._least} or more of 1 to {self.shares}")
        chosen = {one: shares[one] for one in sorted(shares)[: self._least]}
        missing = np.zeros(len(next(iter(chosen.values()))), np.bool_)
        fields = {}
        for one, array in chosen.items():
            missing |= array.is_null().to_numpy(zero_copy_only=False)
            values = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
            if ((values < 0) | (values >= kernel.PRIME)).any():
                raise ValueError(f"share {one} holds numbers that are no shares; allowed: 0 to 2^61 - 2")
            fields[one] = values.astype(np.uint64)
        additive = self.scheme == "additive"
        secret = kernel.additive_secret(list(fields.values())) if additive else kernel.polynomial_secret(fields)
        numbers = pa.array(kernel.from_field(secret), pa.int64(), mask=missing)
        if scale == 0:
            return numbers
        cells = [None if one is None else Decimal(one).scaleb(-scale) for one in numbers.to_pylist()]
        return pa.array(cells, pa.decimal128(19, scale))

    def wording(self, language: Language) -> Wording:
        listed = ", ".join(self.columns_)
        if language == "ko":
            kind = _named(self.scheme, language)
            text = f"{listed} 항목을 {kind} 쉐어 {self.shares}개로 대체, {self._least}개로 복원"
            return Wording(self.korean, text)
        text = f"{listed} as {self.shares} shares ({_named(self.scheme, language)}), of which {self._least} restore"
        return Wording("secret sharing", text)


def _named(scheme: Scheme, language: Language) -> str:
    if scheme == "additive":
        return "덧셈" if language == "ko" else "additive"
    return "Shamir"


__all__ = ["SecretSharing", "Share"]
