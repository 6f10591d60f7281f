"""Two-way encryption, one-way hashes, format-preserving encryption."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from hypothesis import given as over
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given, SiteKey
from transforms.identifiers import encode_ids
from transforms.images import Anything
from transforms.kernels.ff1 import FF1
from transforms.technique import ColumnTechnique, Reversible
from transforms.techniques import parse_steps

CONTEXT = b'{"column":"t.c"}'
DRAWS = Draws(Secret(bytes(range(32))))


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps(raw)
    assert isinstance(step, ColumnTechnique)
    return step


def key_of(step: ColumnTechnique, first: int = 0) -> bytes:
    use = step.key_use()
    assert use is not None
    return bytes(range(first, first + use.length))


def given(step: ColumnTechnique, count: int, **more: Any) -> Given:
    """What the pipeline hands over: the step's own key, draws, and the ids of the rows."""
    key = SiteKey(Secret(key_of(step)), CONTEXT) if step.key_use() is not None else None
    rows = encode_ids([pa.array(range(count), pa.int64())])
    return Given(Site("t", "c", 0, "p"), **{"key": key, "draws": DRAWS, "rows": rows, **more})


def run(raw: Any, values: pa.Array, **more: Any) -> pa.Array:
    """Applies the step; what comes out lies in its image, and raw cells of another form do not."""
    step = step_of(raw)
    here = given(step, len(values), **more)
    result = step.apply(values, here)
    assert result.type == step.applied_type(values.type)
    assert step.applied_image(Anything(), here).contains(result).all()
    return result


CELLS = [
    pa.array(["홍길동", None, "", "a longer text, of more than one block", "홍길동"]),
    pa.array([7, None, -5], pa.int16()),
    pa.array([2**62, None], pa.int64()),
    pa.array([1.5, None, -0.0, float("inf")], pa.float32()),
    pa.array([True, None, False]),
    pa.array([Decimal("1.20"), None, Decimal("-99999999999999999999.99")], pa.decimal128(30, 2)),
    pa.array([date(1970, 1, 1), None, date(9999, 12, 31)]),
    pa.array([datetime(2024, 1, 1, 1, 2, 3, 4, UTC), None], pa.timestamp("us", "UTC")),
    pa.array([-(10**15)], pa.int64()).cast(pa.timestamp("us")),
    pa.array([b"\x00\xff", None, b""]),
    pa.array([None, None], pa.string()),
    pa.array([], pa.int64()),
]


@pytest.fixture(scope="module")
def pair() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def public(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def private(key: rsa.RSAPrivateKey) -> bytes:
    none = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none)


@pytest.mark.parametrize("output", ["text", "binary"])
@pytest.mark.parametrize("algorithm", ["aes-siv", "aes-gcm", "rsa-oaep"])
@pytest.mark.parametrize("cells", CELLS, ids=lambda cells: str(cells.type))
def test_every_cell_comes_back(algorithm: str, output: str, cells: pa.Array, pair: rsa.RSAPrivateKey) -> None:
    more = {"public_key": public(pair)} if algorithm == "rsa-oaep" else {}
    step = step_of({"two-way-encryption": {"algorithm": algorithm, "output": output, **more}})
    assert isinstance(step, Reversible)
    for part in (cells, cells.slice(1)):
        here = given(step, len(part), facts={"cells": len(part)})
        sealed = step.apply(part, here)
        assert sealed.is_null().to_pylist() == part.is_null().to_pylist(), "null stays null"
        holder = here if not more else given(step, 0, key=SiteKey(Secret(private(pair)), b""))
        assert step.inverse(sealed, part.type, holder).equals(part)


def test_aes_siv_is_that_of_the_standard_bound_to_context_and_kind() -> None:
    sealed = run("two-way-encryption", pa.array(["홍길동", None, "홍길동"])).to_pylist()
    key = key_of(step_of("two-way-encryption"))
    expected = AESSIV(key).encrypt("홍길동".encode(), [CONTEXT, b"text"])
    assert sealed == [base64.urlsafe_b64encode(expected).decode(), None, sealed[0]], "equal cells, equal ciphertexts"
    # Integers of every width give the same eight bytes, so tables can be joined by them.
    narrow, wide = (run("two-way-encryption", pa.array([7], type_)) for type_ in (pa.int16(), pa.int64()))
    assert narrow.equals(wide)


def test_aes_gcm_is_that_of_the_standard_with_nonces_drawn_by_row_and_cell() -> None:
    raw = {"two-way-encryption": {"algorithm": "aes-gcm", "output": "binary"}}
    cells = pa.array(["홍길동", "홍길동", None])
    sealed = run(raw, cells).to_pylist()
    assert sealed[0] != sealed[1], "equal cells differ"
    plain = "홍길동".encode()
    for one in sealed[:2]:
        nonce = one[:12]
        assert AESGCM(key_of(step_of(raw))).decrypt(nonce, one[12:], CONTEXT + b"text") == plain
    assert run(raw, cells).to_pylist() == sealed, "a retry gives the same, so no nonce serves two cells"
    other = run(raw, pa.array(["홍길순", "홍길동", None])).to_pylist()
    assert other[0][:12] != sealed[0][:12], "another cell in the same row has another nonce"
    rows = encode_ids([pa.array([1, 0, 2], pa.int64())])
    assert run(raw, cells, rows=rows).to_pylist() == [sealed[1], sealed[0], None], "rows carry their nonces along"


def test_rsa_oaep_is_what_its_holder_decrypts(pair: rsa.RSAPrivateKey) -> None:
    raw = {"two-way-encryption": {"algorithm": "rsa-oaep", "public_key": public(pair), "output": "binary"}}
    sealed = run(raw, pa.array(["비밀", None, "비밀"]), facts={"cells": 2}).to_pylist()
    scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"text")
    assert [pair.decrypt(sealed[place], scheme).decode() for place in (0, 2)] == ["비밀", "비밀"]
    assert sealed[1] is None
    assert sealed[0] != sealed[2], "equal cells differ"
    with pytest.raises(CellsRefused, match="10,000"):
        run(raw, pa.array(["비밀"]), facts={"cells": 10_001})
    with pytest.raises(CellsRefused, match="190 bytes"):
        run(raw, pa.array(["a" * 191, "a" * 190]), facts={"cells": 2})


@pytest.mark.parametrize("algorithm", ["aes-siv", "aes-gcm"])
def test_a_ciphertext_moved_elsewhere_does_not_decrypt(algorithm: str) -> None:
    step = step_of({"two-way-encryption": {"algorithm": algorithm}})
    assert isinstance(step, Reversible)
    here = given(step, 2)
    sealed = step.apply(pa.array(["a", "b"]), here)
    elsewhere = SiteKey(Secret(key_of(step)), b'{"column":"t.d"}')
    another = SiteKey(Secret(key_of(step, 1)), CONTEXT)
    for key in (elsewhere, another):
        with pytest.raises(CellsRefused, match="no ciphertexts") as caught:
            step.inverse(sealed, pa.string(), given(step, 2, key=key))
        assert caught.value.count == 2
    with pytest.raises(CellsRefused) as caught:
        step.inverse(pa.array([sealed[0].as_py(), "no ciphertext", None]), pa.string(), here)
    assert caught.value.count == 1
    with pytest.raises(CellsRefused):
        step.inverse(sealed, pa.int64(), here)


def test_a_source_cell_is_not_in_the_image() -> None:
    step = step_of("two-way-encryption")
    image = step.applied_image(Anything(nullable=False), Given(Site("t", "c", 0, "p")))
    cells = pa.array(["홍길동", "A" * 24, "A" * 23 + "=", "A" * 20, "A" * 25, None])
    assert image.contains(cells).tolist() == [False, True, True, False, False, False]


@over(
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))),
    st.sampled_from(["sha-256", "sha-512", "sha3-256", "sha3-512"]),
    st.sampled_from(["salted", "mac"]),
)
def test_a_hash_is_that_of_the_library(cells: list[int | None], function: str, form: str) -> None:
    values = pa.array(cells, pa.int64())
    raw = {"one-way-hash": {"function": function, "form": form}}
    salt = key_of(step_of(raw))
    name = function.replace("sha-", "sha").replace("-", "_")
    assert len(salt) == hashlib.new(name).digest_size, "a salt as long as the hash (guideline L1385)"
    expected = []
    for cell, encoded in zip(cells, encode_ids([values]).to_pylist(), strict=True):
        plain = hashlib.new(name, encoded + salt).hexdigest()
        expected.append(
            None if cell is None else plain if form == "salted" else hmac.new(salt, encoded, name).hexdigest()
        )
    assert run(raw, values).to_pylist() == expected


def test_equal_ids_get_equal_hashes_whatever_their_width() -> None:
    narrow = run("one-way-hash", pa.array([7, None], pa.int8())).to_pylist()
    assert run("one-way-hash", pa.array([7.0, None], pa.float64())).to_pylist() == narrow
    assert (
        run("one-way-hash", pa.array(["가", "가"])).to_pylist()[0] == run("one-way-hash", pa.array(["가"]))[0].as_py()
    )
    with pytest.raises(CellsRefused):
        run("one-way-hash", pa.array([7.5]))


FORMS = ["010-1234-5678", None, "01098765432", "+82 10-1111-2222", "010-1234-5678", "0000000"]


def test_separators_stay_where_they_stand() -> None:
    """Guideline L2178-2181 has 010-1234-5678 → 159-6857-6384: only the digits change."""
    sealed = run("format-preserving-encryption", pa.array(FORMS)).to_pylist()
    for before, after in zip(FORMS, sealed, strict=True):
        if before is None:
            assert after is None
            continue
        assert after != before
        assert re.sub(r"\d", "0", after) == re.sub(r"\d", "0", before)
    assert sealed[0] == sealed[4]


def test_digits_are_those_of_ff1_with_the_fixed_part_in_the_tweak() -> None:
    raw = {"format-preserving-encryption": {"keep_first": 3}}
    sealed = run(raw, pa.array(["010-1234-5678", "011-1234-5678"])).to_pylist()
    cipher = FF1(key_of(step_of(raw)), "0123456789")
    for first, one in zip(("010", "011"), sealed, strict=True):
        fixed = f"{first}-\0\0\0\0-\0\0\0\0".encode()
        tweak = hashlib.sha256(CONTEXT + fixed).digest()[:16]
        digits = cipher.encrypt(pa.array(["12345678"]), tweak)[0].as_py()
        assert one == f"{first}-{digits[:4]}-{digits[4:]}"
    assert sealed[0][4:] != sealed[1][4:], "another fixed part, other digits"


texts = st.text(st.sampled_from("0123456789ABCxyz- 가"), max_size=20)


@over(
    st.lists(st.one_of(st.none(), texts)),
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from(["digits", "alphanumeric"]),
)
def test_every_form_comes_back(cells: list[str | None], first: int, last: int, alphabet: str) -> None:
    raw = {"format-preserving-encryption": {"alphabet": alphabet, "keep_first": first, "keep_last": last}}
    inside = "[0-9]" if alphabet == "digits" else "[0-9A-Za-z]"
    least = 6 if alphabet == "digits" else 4
    enough = [c for c in cells if c is None or len(re.findall(inside, c)) >= least + first + last]
    step = step_of(raw)
    assert isinstance(step, Reversible)
    values = pa.array(enough, pa.string())
    sealed = run(raw, values)
    assert step.inverse(sealed, pa.string(), given(step, 0)).equals(values)
    for before, after in zip(enough, sealed.to_pylist(), strict=True):
        if before is not None:
            places = [m.start() for m in re.finditer(inside, before)]
            free = set(places[first : len(places) - last])
            assert [b for n, b in enumerate(before) if n not in free] == [
                a for n, a in enumerate(after) if n not in free
            ]
    if refused := len(cells) - len(enough):
        with pytest.raises(CellsRefused, match="free characters") as caught:
            run(raw, pa.array(cells, pa.string()))
        assert 1 <= caught.value.count <= refused


WRONG: list[tuple[Any, tuple[str, ...], str, bool]] = [
    ({"one-way-hash": {"form": "mdc"}}, ("one-way-hash", "form"), "without salt or key", True),
    ({"format-preserving-encryption": {"length": 5}}, ("format-preserving-encryption", "length"), "10^6", True),
    (
        {"format-preserving-encryption": {"length": 4, "alphabet": "lower"}},
        ("format-preserving-encryption", "length"), "26^4", True,
    ),
    (
        {"format-preserving-encryption": {"alphabet": "00"}},
        ("format-preserving-encryption", "alphabet"), "ASCII", False,
    ),
    ({"two-way-encryption": {"algorithm": "aria"}}, ("two-way-encryption", "algorithm"), "ARIA", False),
    ({"two-way-encryption": {"algorithm": "rsa-oaep"}}, ("two-way-encryption", "public_key"), "public_key", False),
    (
        {"two-way-encryption": {"algorithm": "rsa-oaep", "public_key": "PEM"}},
        ("two-way-encryption", "public_key"), "no RSA public key", False,
    ),
    ({"two-way-encryption": {"when": {"a": {"below": 2}}}}, ("two-way-encryption", "when"), "when", False),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "loc", "found", "refused"), WRONG, ids=range(len(WRONG)))
def test_bad_parameters_are_told_with_their_place(raw: Any, loc: tuple[str, ...], found: str, refused: bool) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_steps(raw)
    (error,) = caught.value.errors()
    assert error["loc"] == loc
    assert found in error["ctx"]["found"]
    assert error["ctx"]["refused"] == refused


def test_weak_rsa_keys_are_refused() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    with pytest.raises(ValidationError) as caught:
        parse_steps({"two-way-encryption": {"algorithm": "rsa-oaep", "public_key": public(weak)}})
    assert "1024 bits" in caught.value.errors()[0]["ctx"]["found"]


@pytest.mark.parametrize("raw", ["two-way-encryption", "one-way-hash", "format-preserving-encryption"])
def test_types_that_no_key_helps(raw: str) -> None:
    with pytest.raises(TechniqueError):
        step_of(raw).output_type(pa.list_(pa.string()))
    with pytest.raises(CellsRefused, match="keys"):
        step_of(raw).apply(pa.array(["0123456789"]), Given(Site("t", "c", 0, "p")))


@pytest.mark.parametrize(
    ("type_", "names", "warned"),
    [
        (pa.string(), ("phone", "전화번호"), True),
        (pa.string(), ("x", "생년월일"), True),
        (pa.string(), ("postcode",), True),
        (pa.date32(), ("d",), True),
        (pa.int32(), ("n",), True),
        (pa.string(), ("customer_id", "고객번호"), False),
        (pa.int64(), ("visit",), False),
        (pa.string(), ("telescope",), False),
    ],
)
def test_hashes_of_few_possible_values_are_warned_of(type_: pa.DataType, names: tuple[str, ...], warned: bool) -> None:
    for language, word in (("ko", "가능한 값이 적어"), ("en", "few possible values")):
        told = step_of("one-way-hash").warning(type_, names, language)  # type: ignore[arg-type]
        assert (told is not None and word in told) == warned
