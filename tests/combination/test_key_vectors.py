"""Public vectors: right keys pass, and of wrong ones the usual causes are named."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

import pyarrow as pa
import pytest

from transforms.combination.key_spec import KeySpec
from transforms.combination.key_vectors import (
    WRITTEN,
    difference,
    expected_keys,
    fingerprint,
    made_keys,
    numbers,
    vector_table,
)

SALT = bytes(range(32))


def spec_of(**fields: Any) -> KeySpec:
    return KeySpec.model_validate({"columns": ["name", "phone", "birth"], **fields})


def columns_of(spec: KeySpec, table: pa.Table | None = None) -> list[pa.Array]:
    table = vector_table(spec) if table is None else table
    return [table.column(column.name).combine_chunks() for column in spec.columns]


SPECS = [
    spec_of(),
    spec_of(encoding="CP949"),
    spec_of(algorithm="SHA-512"),
    spec_of(algorithm="SHA3-384"),
    spec_of(algorithm="HMAC-SHA-256"),
    KeySpec.model_validate({"columns": ["birth", "name"]}),
    KeySpec.model_validate({"columns": [{"name": "plate", "form": "text"}, "phone"], "encoding": "CP949"}),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.algorithm} {spec.encoding} {len(spec.columns)}")
def test_our_own_key_making_is_right(spec: KeySpec) -> None:
    keys, inputs = made_keys(spec, columns_of(spec))
    assert difference(spec, keys) is None
    assert inputs.faults == {}
    assert any(key is not None for key in keys)


def test_the_first_vector_by_hand() -> None:
    assert expected_keys(spec_of())[0] == hashlib.sha256("홍길동0101234567819800101".encode() + SALT).hexdigest()
    missing = [number for number, (_, form) in enumerate(WRITTEN["name"]) if form is None]
    assert [place for place, key in enumerate(expected_keys(spec_of())) if key is None] == missing


def test_a_system_of_cp949_gets_the_vectors_that_it_can_hold() -> None:
    assert set(numbers(spec_of())) - set(numbers(spec_of(encoding="CP949"))) == {8}
    for cells in vector_table(spec_of(encoding="CP949")).select(["name", "phone", "birth"]).to_pydict().values():
        for cell in cells:
            (cell or "").encode("cp949")


def test_specs_that_differ_have_different_fingerprints() -> None:
    assert len({fingerprint(spec) for spec in SPECS}) == len(SPECS)


def changed(spec: KeySpec, way: Any) -> list[str | None]:
    """Keys of a party that makes them in its own way, written here anew."""
    found: list[str | None] = []
    for number in numbers(spec):
        parts = [WRITTEN[column.form][number - 1][1] for column in spec.columns]
        found.append(None if None in parts else way(*parts))
    return found


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


MISTAKES = {
    "encoding CP949, not UTF-8": lambda n, p, b: sha((n + p + b).encode("cp949") + SALT),
    "normal form NFD, not NFC": lambda n, p, b: sha(unicodedata.normalize("NFD", n + p + b).encode() + SALT),
    "the order of columns name, birth, phone": lambda n, p, b: sha((n + b + p).encode() + SALT),
    "'|' between the columns": lambda n, p, b: sha(f"{n}|{p}|{b}".encode() + SALT),
    "the salt before the columns": lambda n, p, b: sha(SALT + (n + p + b).encode()),
    "no salt": lambda n, p, b: sha((n + p + b).encode()),
    "the salt as hex text": lambda n, p, b: sha((n + p + b + SALT.hex()).encode()),
}


@pytest.mark.parametrize("cause", MISTAKES)
def test_a_usual_mistake_is_named(cause: str) -> None:
    told = difference(spec_of(), changed(spec_of(), MISTAKES[cause]))
    assert told is not None
    assert f"likely cause: {cause}" in told


@pytest.mark.parametrize(
    ("written", "read"), [("utf-8", "latin-1"), ("cp949", "latin-1"), ("utf-8", "cp949"), ("cp949", "utf-8")]
)
def test_vectors_that_were_read_in_a_wrong_encoding(written: str, read: str) -> None:
    """What `prove --table` finds where the party's way of loading data spoils them."""
    spec = spec_of(encoding="CP949")
    right = vector_table(spec).column("name").to_pylist()
    names = [None if name is None else name.encode(written).decode(read, "replace") for name in right]
    columns = columns_of(spec)
    keys, inputs = made_keys(spec, [pa.array(names), *columns[1:]])
    told = difference(spec, keys)
    assert told is not None
    assert "the keys of vectors 1, " in told
    assert "no key" in told  # U+FFFD, or letters that CP949 lacks
    assert sum(inputs.faults.values()) > 0
    assert "홍" not in told


def test_keys_of_another_length_and_another_number() -> None:
    assert "keys of 64 bytes; allowed: 32, by SHA-256" in str(difference(spec_of(), expected_keys(SPECS[2])))
    assert "9 keys; allowed: 10" in str(difference(spec_of(), expected_keys(spec_of())[:-1]))


def test_one_wrong_key_is_found() -> None:
    keys = expected_keys(spec_of())
    keys[2] = sha(b"another")
    assert difference(spec_of(), keys) == "the keys of vectors 3 differ"
