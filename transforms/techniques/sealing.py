"""Two-way encryption (양방향 암호화): cells that the holder of the key, and nobody else, can read again."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from transforms.errors import CellsRefused
from transforms.facts import Fact
from transforms.given import Given, KeyUse, SiteKey
from transforms.identifiers import encode_ids
from transforms.images import Anything, Image, Matching
from transforms.kernels.aes import Bytes
from transforms.kernels.base64 import from_text, to_text
from transforms.kernels.gcm import GCM, NONCE, TAG
from transforms.kernels.siv import SIV
from transforms.present_fact import Present
from transforms.technique import Language
from transforms.techniques import oaep
from transforms.techniques.chance import DrawnTechnique
from transforms.techniques.homomorphic import KeyText
from transforms.techniques.parameters import refuse
from transforms.techniques.plaintexts import from_bytes, kind_of, to_bytes

FEW = 10_000
_WRITE = "write `public_key: {file: NAME}` with a PEM file beside the plan"
_LETTER = "[A-Za-z0-9_-]"


class TwoWayEncryption(DrawnTechnique):
    """Every cell becomes a ciphertext, which `additional-information reveal` turns back while the key lives.

    `algorithm`: `aes-siv` (AES-256-SIV: equal cells of the column give equal ciphertexts, so rows can still be
    joined and counted by it), `aes-gcm` (AES-256-GCM: equal cells give different ones), `rsa-oaep` (for at most
    10,000 cells of a table: the recipient of `public_key`, an RSA key of 2,048 bits or more in a PEM file beside
    the plan, decrypts alone, with no key of ours). In: any plain type. Out: text (base 64, RFC 4648 section 5), or
    with `output: binary` the bytes: 16 more than the cell has with aes-siv, 28 with aes-gcm; numbers and times have
    8, decimals 16. Null stays null. Each column of a run has its own key, and ciphertexts are bound to
    organisation, run, recipient and column: moved elsewhere they don't decrypt. Columns that name the same
    `domain` share a key; with `stable_over` a series of runs does.

    Nothing is drawn that a retry could draw anew: the nonce of aes-gcm is the keyed draw (AES-256-CMAC, 96 bits)
    of row id and cell together, so a nonce comes twice only for the same row with the same cell, whose ciphertext
    is then the same, or by chance, with probability below n² / 2^97 for n cells: SP 800-38D allows random nonces to
    n = 2^32 on the same ground. The seed of rsa-oaep comes likewise.

    Kept: with aes-siv which cells are equal, so also how often each occurs; with all, the length of texts. Lost:
    everything else, to anyone without the key. Attack: the key (so it lies in the keys zone, apart); with aes-siv
    frequencies (for columns that are no identifiers a reason is asked for: `accept_frequency_leak`); lengths of
    texts. What helps: aes-gcm where nothing is joined, categories in place of free text, and a one-way technique
    where nobody needs the way back.

    Refused: ARIA (aria: the library that we keep has none), `when` (revealing could not tell which cells are
    encrypted), NaN. Source: guideline L2098-2101 (양방향 암호화); RFC 5297; NIST SP 800-38D; RFC 8017 section 7.1.
    """

    name: ClassVar[str] = "two-way-encryption"
    korean: ClassVar[str] = "양방향 암호화"

    algorithm: Literal["aes-siv", "aes-gcm", "rsa-oaep", "aria"] = "aes-siv"
    output: Literal["text", "binary"] = "text"
    public_key: KeyText | None = Field(default=None)
    domain: str | None = Field(default=None, min_length=1)
    stable_over: str | None = Field(default=None, min_length=1)
    accept_frequency_leak: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.algorithm == "aria":
            refuse(
                "ARIA, which the cryptography library that we keep does not have",
                "aes-siv, aes-gcm, rsa-oaep",
                "AES is the other block cipher that the guideline names (L2101)",
                "algorithm",
            )
        if self.when is not None:
            refuse("`when` with two-way-encryption", "all cells of the column", None, "when")
        if self.algorithm == "rsa-oaep":
            if self.public_key is None:
                refuse("rsa-oaep without `public_key`", "the recipient's public key", _WRITE, "public_key")
            if problem := oaep.problem_of(self.public_key):
                refuse(problem, "an RSA public key of 2048 bits or more (PEM)", _WRITE, "public_key")
            for name in ("domain", "stable_over"):
                if getattr(self, name) is not None:
                    refuse(f"`{name}` with rsa-oaep", "no such name: it uses no key of ours", None, name)
        elif self.public_key is not None:
            refuse(f"`public_key` with {self.algorithm}", "it with rsa-oaep only", None, "public_key")
        return self

    @property
    def randomized(self) -> bool:
        """Do equal cells give different ciphertexts?"""
        return self.algorithm != "aes-siv"

    @property
    def draws_by(self) -> Literal["row", "subject"] | None:
        return "row" if self.randomized else None

    def key_use(self) -> KeyUse | None:
        if self.algorithm == "rsa-oaep":
            return None
        name, length = ("AES-SIV-CMAC-512", 64) if self.algorithm == "aes-siv" else ("AES-256-GCM", 32)
        return KeyUse(name, length, self.domain, self.stable_over)

    def needs(self, source: pa.DataType) -> dict[str, Fact]:
        return {"cells": Present()} if self.algorithm == "rsa-oaep" else {}

    def output_type(self, source: pa.DataType) -> pa.DataType:
        kind_of(source, self.name)
        return pa.string() if self.output == "text" else pa.binary()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        sealed = self._sealed(to_bytes(values), values, given)
        result = to_text(sealed) if self.output == "text" else sealed
        return result if values.null_count == 0 else pc.if_else(values.is_valid(), result, pa.scalar(None, result.type))

    def _sealed(self, plain: pa.BinaryArray, values: pa.Array, given: Given) -> pa.BinaryArray:
        if self.algorithm == "rsa-oaep":
            if (cells := given.facts["cells"]) > FEW:
                raise CellsRefused(f"rsa-oaep is for at most {FEW:,} cells of a table", cells)
            assert self.public_key is not None
            label = kind_of(values.type, self.name).encode()
            return oaep.seal(self.public_key, label, plain, values.is_valid(), self._drawn_bytes(plain, given, 2))
        key, bound = self._key(given, len(values)), self._bound(values.type, given)
        if self.algorithm == "aes-siv":
            return SIV(key.secret.reveal(), bound).seal(plain)
        nonces = self._drawn_bytes(plain, given, 1)[:, :NONCE]
        return GCM(key.secret.reveal(), b"".join(bound)).seal(plain, nonces)

    def _drawn_bytes(self, plain: pa.BinaryArray, given: Given, blocks: int) -> Bytes:
        """Bytes that are drawn by row and cell together, 16 × `blocks` for each."""
        ids = encode_ids([self.ids(given, len(plain)), plain])
        draws = self.drawn(given, len(plain))
        return np.concatenate([draws.bits(ids, one).astype(">u8").view(np.uint8) for one in range(blocks)], axis=1)

    def _key(self, given: Given, count: int) -> SiteKey:
        if given.key is None:
            raise CellsRefused("encryption needs the run's keys", count)
        return given.key

    def _bound(self, type_: pa.DataType, given: Given) -> list[bytes]:
        """What ciphertexts are bound to: the names of their key, and the kind of cell. JSON ends at its last brace."""
        assert given.key is not None
        return [given.key.context, kind_of(type_, self.name).encode()]

    def inverse(self, values: pa.Array, source: pa.DataType, given: Given) -> pa.Array:
        """See `Reversible`. With rsa-oaep `given.key` holds the recipient's private key (PEM)."""
        present = values.drop_null()
        sealed, readable = from_text(present) if self.output == "text" else (present, np.ones(len(present), np.bool_))
        key = self._key(given, len(present))
        if self.algorithm == "rsa-oaep":
            plain, right = oaep.open_(key.secret, kind_of(source, self.name).encode(), sealed)
        elif self.algorithm == "aes-siv":
            plain, right = SIV(key.secret.reveal(), self._bound(source, given)).open(sealed)
        else:
            plain, right = GCM(key.secret.reveal(), b"".join(self._bound(source, given))).open(sealed)
        if wrong := int((~(right & readable)).sum()):
            raise CellsRefused("values that are no ciphertexts of this column under this key", wrong)
        cells = from_bytes(plain, source)
        if values.null_count == 0:
            return cells
        return pc.replace_with_mask(pa.nulls(len(values), source), values.is_valid(), cells)

    def spread(self, before: Image, given: Given) -> Image:
        if self.output == "binary":
            return Anything(nullable=before.nullable)
        least = {"aes-siv": 16, "aes-gcm": NONCE + TAG}.get(self.algorithm) or oaep.size(self.public_key or "")
        ending = f"(?:{_LETTER}{{4}}|{_LETTER}{{3}}=|{_LETTER}{{2}}==)"
        whole = -(-least // 3) - 1
        times = f"{{{whole}}}" if self.algorithm == "rsa-oaep" else f"{{{whole},}}"
        return Matching(nullable=before.nullable, pattern=f"(?:{_LETTER}{{4}}){times}{ending}")

    def level_text(self, language: Language) -> str:
        names = {"aes-siv": "AES-256-SIV", "aes-gcm": "AES-256-GCM", "rsa-oaep": "RSA-OAEP(SHA-256)"}
        name = names[self.algorithm]
        if language == "ko":
            return f"{name}, 같은 값도 다른 암호문" if self.randomized else f"{name}, 같은 값은 같은 암호문"
        return f"{name}, equal values {'differ' if self.randomized else 'stay equal'}"
