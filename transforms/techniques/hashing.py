"""One-way hashes (일방향 암호화, 암호학적 해시함수): of a cell and a secret salt, or with a key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from transforms.complaint import complain, complaint
from transforms.enumerable import ENUMERABLE, few_values
from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given, KeyUse
from transforms.identifiers import encode_ids, whole
from transforms.images import Image, Matching, Nothing, Union
from transforms.technique import Language
from transforms.techniques.shape import CellTechnique

_FUNCTIONS = {
    "sha-256": (hashlib.sha256, 32),
    "sha-512": (hashlib.sha512, 64),
    "sha3-256": (hashlib.sha3_256, 32),
    "sha3-512": (hashlib.sha3_512, 64),
}


class OneWayHash(CellTechnique):
    """Every cell becomes the hash of itself and a secret salt, in hex: equal cells, equal hashes.

    `function`: `sha-256` (the default), `sha-512` (FIPS 180-4), `sha3-256`, `sha3-512` (FIPS 202). `form`: `salted`
    (솔트: cell, then a salt as long as the hash), `mac` (키가 있는 해시함수: HMAC, FIPS 198-1). `mdc`, a hash without
    salt or key, is refused. In: ids of any plain type (text in NFC; integers of any width alike, floats only if
    whole); what is hashed is the id with its type and length (transforms/identifiers.py). Out: text of 64 or 128 hex
    digits. Null stays null. Salt and key are the column's own in each run; columns that name the same `domain` share
    them, and with `stable_over` a series of runs does. About a million different cells a second and core; where
    nobody asks for a hash by its name, `keyed-token` is many times as fast and as good.

    Kept: which cells are equal, so also how often each occurs. Lost: the cell, to anyone without the salt. Attack:
    whoever has the salt (or key) hashes all possible cells and looks them up; where there are few, as with phone
    numbers, birth dates, resident registration numbers, that takes seconds. `gamyeong check --explain` and the
    documents warn of such columns. Frequencies (for columns that are no identifiers a reason is asked for:
    `accept_frequency_leak`). What helps: destroying the salt with the run's secret (`additional_information: {destroy:
    approved}`), serial numbers where nothing is joined.

    Refused: `form: mdc` (exit 3), floats that are not whole. Source: guideline L2103-2106 (일방향 암호화), L601 (salt).
    """

    name: ClassVar[str] = "one-way-hash"
    korean: ClassVar[str] = "일방향 암호화"

    function: Literal["sha-256", "sha-512", "sha3-256", "sha3-512"] = "sha-256"
    form: Literal["salted", "mac", "mdc"] = "salted"
    domain: str | None = Field(default=None, min_length=1)
    stable_over: str | None = Field(default=None, min_length=1)
    accept_frequency_leak: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _salted(self) -> Self:
        if self.form == "mdc":
            found = "a hash without salt or key: anybody can hash guesses and compare"
            raise complain([complaint(found, "`form: salted` or `form: mac`", None, ("form",), refused=True)])
        return self

    @property
    def _size(self) -> int:
        """Bytes of a hash, and of its salt."""
        return _FUNCTIONS[self.function][1]

    def key_use(self) -> KeyUse:
        kind = "HMAC" if self.form == "mac" else "salt"
        return KeyUse(f"{kind} {self.function}", self._size, self.domain, self.stable_over)

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if pa.types.is_nested(source) or pa.types.is_float16(source):
            raise TechniqueError(f"{self.name} on a column of type {source}", "ids of a plain type")
        return pa.string()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if given.key is None:
            raise CellsRefused("hashes need the run's keys", len(values))
        hashed = self._hash(given.key.secret.reveal())
        encoded = values.dictionary_encode()
        ids = encoded.dictionary
        if pa.types.is_floating(ids.type):
            ids = whole(ids)
        digests = b"".join(map(hashed, encode_ids([ids]).to_pylist())).hex().encode()
        offsets = np.arange(len(ids) + 1, dtype=np.int32) * (2 * self._size)
        texts = pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(digests))
        return texts.take(encoded.indices)

    def _hash(self, secret: bytes) -> Callable[[bytes], bytes]:
        function = _FUNCTIONS[self.function][0]
        if self.form == "mac":
            return lambda message: hmac.digest(secret, message, function)
        return lambda message: function(message + secret).digest()

    def image(self, before: Image, given: Given) -> Image:
        if isinstance(before, Union):
            parts = tuple(self.image(part, given) for part in before.parts)
            return Union(nullable=any(part.nullable for part in parts), parts=parts)
        return before if isinstance(before, Nothing) else self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        return Matching(nullable=before.nullable, pattern=f"[0-9a-f]{{{2 * self._size}}}")

    def warning(self, source: pa.DataType, names: tuple[str, ...], language: Language) -> str | None:
        return ENUMERABLE[language] if few_values(source, names) else None

    def level_text(self, language: Language) -> str:
        name = self.function.upper()
        if self.form == "mac":
            return f"키가 있는 해시(HMAC-{name})" if language == "ko" else f"keyed hash (HMAC-{name})"
        return f"솔트가 있는 해시({name})" if language == "ko" else f"salted hash ({name})"
