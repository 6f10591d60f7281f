"""What a package's manifest says: the one thing that its sender signs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from jobs.combination.sealed_files import PackedFile, schema_from
from jobs.names import folder_name
from transforms.derivation import canonical_json

Kind = Literal[
    "application", "receipt", "salt", "proof", "keys", "duplicates", "rate", "extraction", "attributes", "linking",
    "void", "mock-salt", "mock-keys", "mock-chosen", "mock-attributes", "export", "notice",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
FORMAT = 1
# As `Sealer.write` names them.
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.parquet\.sealed")


@dataclass(frozen=True)
class Address:
    """Which package this is: no two have the same."""

    combination: str
    round: str
    kind: Kind
    sender: str
    receiver: str
    revision: int

    @property
    def name(self) -> str:
        """What the ledgers call it, and what its files are bound to."""
        return f"{self.combination}/{self.round}/{self.kind}/{self.sender}>{self.receiver}/r{self.revision}"

    @property
    def folder(self) -> str:
        """Its place below the receiver's inbox."""
        return f"{versions_folder(self.combination, self.round, self.kind, self.sender)}/r{self.revision}"


def versions_folder(combination: str, round: str, kind: Kind, sender: str) -> str:
    """The place of all revisions of a package below the receiver's inbox."""
    return f"{folder_name(combination)}/{round}/{kind}/{sender}"


@dataclass(frozen=True)
class Manifest:
    """The content of manifest.json. `spec` is the combination file's fingerprint, `key` the data key (hex) as it
    is sealed to the receiver, `content` small facts (counts, never cells), `inputs` a digest of what it was made
    from."""

    address: Address
    spec: str
    receipt: str | None
    created: str
    key: str
    files: tuple[PackedFile, ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)
    inputs: str = ""

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its tables."""
        return tuple(sorted({file.label for file in self.files}))

    @property
    def substance(self) -> str:
        """SHA-256 (hex) of what it says, whenever and under whichever data key it was packed."""
        labels = {label: sum(one.rows for one in self.files if one.label == label) for label in self.labels}
        schemas = {file.label: file.schema for file in self.files}
        return hashlib.sha256(
            canonical_json([asdict(self.address), self.spec, self.receipt, self.inputs, self.content, labels, schemas])
        ).hexdigest()

    def encoded(self) -> bytes:
        """The bytes of manifest.json, which the signature covers."""
        schemas = {file.label: file.schema for file in self.files}
        body = {
            "format": FORMAT,
            **asdict(self.address),
            "spec": self.spec,
            "receipt": self.receipt,
            "created": self.created,
            "key": self.key,
            "rows": self.rows,
            "schema": {label: _schema(text) for label, text in schemas.items()},
            "files": [{name: value for name, value in asdict(file).items() if name != "schema"} for file in self.files],
            "content": self.content,
            "inputs": self.inputs,
        }
        return json.dumps(body, ensure_ascii=False, sort_keys=True, indent=1).encode()


def decoded(content: bytes) -> Manifest:
    """The manifest of these bytes; ValueError where they are none."""
    try:
        raw = json.loads(content)
        if raw["format"] != FORMAT or raw["kind"] not in KINDS:
            raise ValueError("another format or kind")
        schemas = {label: one["arrow"] for label, one in raw["schema"].items()}
        for text in schemas.values():
            schema_from(text)
        address = Address(**{name: raw[name] for name in Address.__dataclass_fields__})
        files = tuple(PackedFile(**one, schema=schemas[one["label"]]) for one in raw["files"])
        named = {name: raw[name] for name in ("spec", "receipt", "created", "key", "content", "inputs")}
        bytes.fromhex(named["key"])
        if not all(_FILE_NAME.fullmatch(file.name) for file in files) or len({one.name for one in files}) < len(files):
            raise ValueError("a file's name leads out of the package, or comes twice")
        manifest = Manifest(address, files=files, **named)
        if not _as_declared(manifest):
            raise ValueError("a field of another type than a manifest's")
        return manifest
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not the fields of a manifest ({type(error).__name__})") from None


def _as_declared(manifest: Manifest) -> bool:
    """Its sender is known, but may mean ill: a text where a number is expected would stop a step half way."""
    address = manifest.address
    texts: list[object] = [getattr(address, name) for name in Address.__dataclass_fields__ if name != "revision"]
    texts += [manifest.spec, manifest.created, manifest.key, manifest.inputs]
    texts += [] if manifest.receipt is None else [manifest.receipt]
    numbers: list[object] = [address.revision]
    for file in manifest.files:
        texts += [file.name, file.label, file.sha256, file.schema]
        numbers += [file.rows, file.bytes]
    whole = all(type(one) is int and 0 <= one < 1 << 62 for one in numbers)
    return whole and all(isinstance(one, str) for one in texts) and isinstance(manifest.content, Mapping)


def _schema(text: str) -> dict[str, Any]:
    """For people the columns and their types, for the reader all that Arrow knows of them."""
    schema = schema_from(text)
    return {"columns": {column.name: str(column.type) for column in schema}, "arrow": text}
