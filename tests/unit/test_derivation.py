"""Subkeys differ as soon as any name differs; secrets are values."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from transforms.derivation import Secret, canonical_json, subkey

SECRET = Secret(bytes(range(32)))
NAMES: dict[str, Any] = {
    "organisation": "구청",
    "run_or_series": "2f1c",
    "recipient": "연구원",
    "algorithm": "AES-256-CMAC",
    "domain": "member",
    "step": 1,
    "purpose": "order",
}


@pytest.mark.parametrize("name", NAMES)
def test_another_name_another_subkey(name: str) -> None:
    other = {**NAMES, name: 2 if name == "step" else "other"}
    assert subkey(SECRET, **NAMES) != subkey(SECRET, **other)


def test_names_do_not_run_into_each_other() -> None:
    left = {**NAMES, "domain": "member", "purpose": "order"}
    right = {**NAMES, "domain": "membe", "purpose": "rorder"}
    swapped = {**NAMES, "domain": "order", "purpose": "member"}
    assert len({subkey(SECRET, **names).reveal() for names in (left, right, swapped)}) == 3


def test_no_step_and_a_step_named_none_differ() -> None:
    keys = {subkey(SECRET, **{**NAMES, "step": step}).reveal() for step in (None, "null", 1, "1")}
    assert len(keys) == 4


def test_another_secret_another_subkey() -> None:
    assert subkey(SECRET, **NAMES) != subkey(Secret(bytes(32)), **NAMES)


def test_names_typed_on_another_keyboard_are_the_same_names() -> None:
    decomposed = {**NAMES, "organisation": unicodedata.normalize("NFD", NAMES["organisation"])}
    assert decomposed["organisation"] != NAMES["organisation"]
    assert subkey(SECRET, **decomposed) == subkey(SECRET, **NAMES)


def test_a_subkey_has_32_bytes_or_what_is_asked() -> None:
    assert len(subkey(SECRET, **NAMES).reveal()) == 32
    assert len(subkey(SECRET, **NAMES, length=64).reveal()) == 64


def test_secrets_are_equal_by_value_and_equal_to_nothing_else() -> None:
    assert Secret(bytes(32)) == Secret(bytes(32))
    assert Secret(bytes(32)) != Secret(bytes(31) + b"\x01")
    assert Secret(bytes(32)) != bytes(32)
    with pytest.raises(TypeError):
        hash(SECRET)


def test_fifteen_bytes_are_no_secret() -> None:
    with pytest.raises(ValueError, match="15 bytes"):
        Secret(bytes(15))


def test_canonical_json_has_one_form() -> None:
    assert canonical_json({"b": [1, None, True], "a": "가"}) == '{"a":"가","b":[1,null,true]}'.encode()
    decomposed = unicodedata.normalize("NFD", "가")
    assert canonical_json({decomposed: (decomposed,)}) == '{"가":["가"]}'.encode()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({1: "a"}, TypeError),
        ({"a": b"bytes"}, TypeError),
        ({"a": float("nan")}, ValueError),
        ({"가": 1, unicodedata.normalize("NFD", "가"): 2}, ValueError),
    ],
)
def test_what_has_no_canonical_form_is_refused(content: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        canonical_json(content)
