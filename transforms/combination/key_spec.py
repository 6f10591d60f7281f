"""The key spec (결합키 생성 항목·인코딩·알고리즘): what all parties of a combination must do alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from transforms.complaint import complain, complaint, did_you_mean
from transforms.technique import Model

Form = Literal["name", "digits", "date", "text"]
Encoding = Literal["UTF-8", "CP949"]
Algorithm = Literal[
    "SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512",
    "HMAC-SHA-256", "HMAC-SHA-384", "HMAC-SHA-512",
]  # fmt: skip
# Columns whose canonical form their name tells.
USUAL: dict[str, Form] = {"name": "name", "phone": "digits", "birth": "date"}
_WEAK = frozenset({"MD4", "MD5", "SHA", "SHA-1", "SHA1", "SHA-224", "SHA224", "SHA3-224", "HMAC-MD5", "HMAC-SHA-1"})
LONGEST_SALT = 64
# Told to editors; an empty list is told by our own rules, for pydantic takes a wrong entry for none.
AT_LEAST_ONE: Any = Field(json_schema_extra={"minItems": 1})


class KeyColumn(Model):
    """A column of the join key. `form`: a person's name, digits alone, a date as YYYYMMDD, or a text."""

    name: str = Field(min_length=1)
    form: Form


def _column(raw: object) -> object:
    """A name alone stands for a column whose form the name tells."""
    if isinstance(raw, str):
        raw = {"name": raw}
    if not isinstance(raw, dict) or "form" in raw or not isinstance(raw.get("name"), str):
        return raw
    if raw["name"] in USUAL:
        return {**raw, "form": USUAL[raw["name"]]}
    found = f"column {raw['name']!r} without a form"
    allowed = f"{', '.join(USUAL)}, or {{name: {raw['name']}, form: FORM}} with {', '.join(get_args(Form))}"
    raise complain([complaint(found, allowed, did_you_mean(raw["name"], USUAL))])


def _algorithm(raw: object) -> object:
    if isinstance(raw, str) and raw.upper() in _WEAK:
        allowed = f"SHA-256 or stronger: {', '.join(get_args(Algorithm))}"
        raise complain([complaint(f"{raw!r}, which is weaker than SHA-256", allowed, refused=True)])
    return raw


class Duplicates(Model):
    """One join key of several subjects of a party: all of them are left out, up to this share of its keys."""

    exclude: Literal["all"] = "all"
    limit: float = Field(default=0.001, ge=0, lt=1)


class KeySpec(Model):
    """How a join key (결합키) is made of columns, in this order, and the salt (guideline L1375-1400).

    `algorithm`: a digest of the columns and then the salt, or an HMAC under the salt. The salt is at least
    as long as the digest. `missing: no-key`: a subject without one of the parts has no key and is counted.
    """

    columns: tuple[Annotated[KeyColumn, BeforeValidator(_column)], ...] = AT_LEAST_ONE
    encoding: Encoding = "UTF-8"
    normal: Literal["NFC"] = "NFC"
    algorithm: Annotated[Algorithm, BeforeValidator(_algorithm)] = "SHA-256"
    salt_bytes: int = Field(le=LONGEST_SALT)
    missing: Literal["no-key"] = "no-key"
    duplicates: Duplicates = Duplicates()

    @property
    def digest_bytes(self) -> int:
        """Length of a join key: 32, 48 or 64 bytes."""
        return int(self.algorithm[-3:]) // 8

    @property
    def keyed(self) -> bool:
        """True for an HMAC."""
        return self.algorithm.startswith("HMAC-")

    @model_validator(mode="before")
    @classmethod
    def _salt_where_not_said(cls, raw: Any) -> Any:
        """As long as the digest."""
        if not isinstance(raw, dict) or "salt_bytes" in raw:
            return raw
        algorithm = raw.get("algorithm", "SHA-256")
        return {**raw, "salt_bytes": int(algorithm[-3:]) // 8 if algorithm in get_args(Algorithm) else 32}

    @model_validator(mode="after")
    def _rules(self) -> KeySpec:
        faults = [] if self.columns else [complaint("no column", "one or more", loc=("columns",))]
        if self.salt_bytes < self.digest_bytes:
            found = f"{self.salt_bytes}, shorter than the digest of {self.algorithm}"
            allowed = f"{self.digest_bytes} to {LONGEST_SALT} bytes"
            faults.append(complaint(found, allowed, loc=("salt_bytes",), refused=True))
        names = [column.name for column in self.columns]
        for number, name in enumerate(names):
            if name in names[:number]:
                faults.append(complaint(f"column {name!r} again", "each column once", loc=("columns", number)))
        if faults:
            raise complain(faults)
        return self
