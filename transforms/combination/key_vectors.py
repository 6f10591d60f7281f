"""Public test vectors: made-up people, whose join keys under a public salt all parties must make alike.

The expected keys are computed one by one, with Python's own functions, from canonical forms that are written out
here: another way than the one that makes real keys. Where a party's keys differ, the usual mistakes are tried.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import permutations

import pyarrow as pa

from transforms.combination.join_keys import join_keys
from transforms.combination.key_inputs import SEPARATOR, KeyInputs, joined_plainly, key_inputs
from transforms.combination.key_spec import Form, KeyColumn, KeySpec
from transforms.derivation import Secret, canonical_json
from transforms.plain import plain

Keys = list[str | None]
# As it is written, and its canonical form; None: a missing part.
_DECOMPOSED = unicodedata.normalize("NFD", "홍길동")
WRITTEN: Mapping[Form, tuple[tuple[str | None, str | None], ...]] = {
    "name": (
        ("홍길동", "홍길동"),
        ("강감찬", "강감찬"),
        (" 홍 길동 ", "홍길동"),
        ("Hong　Ｇｉｌｄｏｎｇ", "HONGGILDONG"),
        ("똠방각하", "똠방각하"),
        ("李舜臣", "李舜臣"),
        ("홍길동2", "홍길동2"),
        (_DECOMPOSED, "홍길동"),
        (None, None),
        ("   ", None),
    ),
    "digits": (
        ("01012345678", "01012345678"),
        ("010-4562-7895", "01045627895"),
        ("(02) 123-4567", "021234567"),
        ("０１０－７８５４－５６８９", "01078545689"),
        ("010.4567.9876", "01045679876"),
        ("010 1111 2222", "01011112222"),
        ("3", "3"),
        ("+010-1234-5678", "01012345678"),
        ("01012345678", "01012345678"),
        ("01012345678", "01012345678"),
    ),
    "date": (
        ("19800101", "19800101"),
        ("1947-12-31", "19471231"),
        ("1975. 3. 1.", "19750301"),
        ("1982/02/28", "19820228"),
        ("2000년 2월 29일", "20000229"),
        ("1545-04-28 00:00:00", "15450428"),
        ("1999.09.09", "19990909"),
        ("１９８００１０１", "19800101"),
        ("19800101", "19800101"),
        ("19800101", "19800101"),
    ),
    "text": (
        ("서울시 은평구", "서울시 은평구"),
        ("  서울시   은평구 ", "서울시 은평구"),
        ("A-1024", "A-1024"),
        ("a-1024", "a-1024"),
        ("똠방각하", "똠방각하"),
        ("李舜臣", "李舜臣"),
        ("12-가-3456", "12-가-3456"),
        (_DECOMPOSED, "홍길동"),
        ("x", "x"),
        ("x", "x"),
    ),
}
COUNT = 10
NUMBER = "vector"


def public_salt(spec: KeySpec) -> Secret:
    """The salt of the vectors: the bytes 00 01 02 … It protects nothing."""
    return Secret(bytes(range(spec.salt_bytes)))


def numbers(spec: KeySpec) -> list[int]:
    """The vectors (from 1) that a system of the spec's encoding can hold."""
    return [
        number + 1
        for number in range(COUNT)
        if all(_holds(spec, WRITTEN[column.form][number][0]) for column in spec.columns)
    ]


def _holds(spec: KeySpec, text: str | None) -> bool:
    try:
        (text or "").encode(spec.encoding)
    except UnicodeEncodeError:
        return False
    return True


def vector_table(spec: KeySpec) -> pa.Table:
    """The vectors as they are written: their number, and the key columns by the names of the spec."""
    listed = numbers(spec)
    columns = {one.name: pa.array([_written(one, number) for number in listed], pa.string()) for one in spec.columns}
    return pa.table({NUMBER: pa.array(listed), **columns})


def fingerprint(spec: KeySpec) -> str:
    """SHA-256 (hex) of the vectors and the spec: whose keys may be compared at all."""
    return hashlib.sha256(canonical_json([plain(spec), vector_table(spec).to_pylist()])).hexdigest()


def made_keys(spec: KeySpec, columns: Sequence[pa.Array]) -> tuple[Keys, KeyInputs]:
    """The keys (hex, None for no key) as `keys` makes them, under the public salt."""
    inputs = key_inputs(spec, columns)
    keys = iter(join_keys(inputs.messages.drop_null(), spec, public_salt(spec)).to_pylist())
    return [next(keys).hex() if there else None for there in inputs.messages.is_valid().to_pylist()], inputs


def expected_keys(spec: KeySpec) -> Keys:
    """The keys that all parties must make of the vectors."""
    return _each(spec, partial(_joined_key, spec))


def difference(spec: KeySpec, keys: Sequence[str | None]) -> str | None:
    """Which vectors' keys are wrong, and what usually makes such keys; None where all are right."""
    right = expected_keys(spec)
    if len(keys) != len(right):
        return f"{len(keys)} keys; allowed: {len(right)}, one for each vector"
    pairs = list(zip(numbers(spec), keys, right, strict=True))
    wrong = [number for number, found, wanted in pairs if found != wanted]
    if not wrong:
        return None
    listed = ", ".join(map(str, wrong))
    sizes = {len(found) // 2 for found in keys if found is not None}
    if sizes - {spec.digest_bytes}:
        return f"keys of {', '.join(map(str, sorted(sizes)))} bytes; allowed: {spec.digest_bytes}, by {spec.algorithm}"
    best: tuple[int, str] | None = None
    for cause, other in _mistakes(spec):
        explained = sum(a == b and a != c for a, b, c in zip(keys, other, right, strict=True) if a is not None)
        if explained and (best is None or explained > best[0]):
            best = explained, cause
    told = f"; likely cause: {best[1]} (explains {best[0]} of them)" if best is not None else ""
    lost = sum(found is None and wanted is not None for _, found, wanted in pairs)
    if lost:
        told += f"; {lost} of them have no key: their cells were lost on the way (U+FFFD), or can't be read"
    return f"the keys of vectors {listed} differ{told}"


def _mistakes(spec: KeySpec) -> Iterator[tuple[str, Keys]]:
    """Usual mistakes, and the keys that they make."""
    columns = [column.name for column in spec.columns]
    for other in ("UTF-8", "CP949", "UTF-16-LE"):
        if other != spec.encoding:
            yield f"encoding {other}, not {spec.encoding}", _each(spec, partial(_joined_key, spec, encoding=other))
    yield "normal form NFD, not NFC", _each(spec, partial(_joined_key, spec, form="NFD"))
    for turn in permutations(range(len(columns))):
        if list(turn) != sorted(turn):
            order = ", ".join(columns[place] for place in turn)
            yield f"the order of columns {order}, not {', '.join(columns)}", _each(spec, partial(_turned, spec, turn))
    for mark in ("|", ",", " ", "-", "", SEPARATOR.decode()):
        yield f"{mark!r} between the columns", _each(spec, partial(_separated, spec, mark))
    salt = public_salt(spec).reveal()
    yield "the salt before the columns", _each(spec, partial(_salted, spec, before=salt))
    yield "no salt", _each(spec, partial(_salted, spec))
    yield "the salt as hex text", _each(spec, partial(_salted, spec, behind=salt.hex().encode()))
    yield (
        "the cells as they are written, not in canonical form",
        _each(spec, partial(_separated, spec, ""), canonical=False),
    )
    for written, read in (("UTF-8", "CP949"), ("UTF-8", "Latin-1"), ("CP949", "Latin-1"), ("CP949", "UTF-8")):
        yield f"{written} text that was read as {read}", _misread(spec, written, read)


def _joined_key(spec: KeySpec, parts: Sequence[str], encoding: str | None = None, form: str = "NFC") -> str | None:
    text = _joined(spec, parts) if form == "NFC" else unicodedata.normalize("NFD", _joined(spec, parts))
    try:
        return _digest(spec, text.encode(encoding or spec.encoding))
    except UnicodeEncodeError:
        return None


def _turned(spec: KeySpec, turn: Sequence[int], parts: Sequence[str]) -> str:
    return _digest(spec, _joined(spec, [parts[place] for place in turn]).encode(spec.encoding))


def _separated(spec: KeySpec, mark: str, parts: Sequence[str]) -> str:
    return _digest(spec, mark.join(parts).encode(spec.encoding))


def _salted(spec: KeySpec, parts: Sequence[str], before: bytes = b"", behind: bytes = b"") -> str:
    content = before + _joined(spec, parts).encode(spec.encoding) + behind
    return hashlib.new(_hash_name(spec), content).hexdigest()


def _misread(spec: KeySpec, written: str, read: str) -> Keys:
    def damaged(text: str | None) -> str | None:
        return None if text is None else text.encode(written, "replace").decode(read, "replace")

    columns = [pa.array([damaged(_written(c, n)) for n in numbers(spec)], pa.string()) for c in spec.columns]
    return made_keys(spec, columns)[0]


def _each(spec: KeySpec, key: Callable[[Sequence[str]], str | None], canonical: bool = True) -> Keys:
    found: Keys = []
    for number in numbers(spec):
        parts = [WRITTEN[column.form][number - 1][1 if canonical else 0] for column in spec.columns]
        whole = [part for part in parts if part is not None]
        found.append(key(whole) if len(whole) == len(parts) else None)
    return found


def _joined(spec: KeySpec, parts: Sequence[str]) -> str:
    mark = SEPARATOR.decode()
    if not joined_plainly(spec):
        return mark.join(parts)
    name, *others = parts
    return name + (mark if name[-1:].isdigit() else "") + "".join(others)


def _digest(spec: KeySpec, message: bytes) -> str:
    salt = public_salt(spec).reveal()
    if spec.keyed:
        return hmac.new(salt, message, _hash_name(spec)).hexdigest()
    return hashlib.new(_hash_name(spec), message + salt).hexdigest()


def _hash_name(spec: KeySpec) -> str:
    return spec.algorithm.removeprefix("HMAC-").lower().replace("sha3-", "sha3_").replace("sha-", "sha")


def _written(column: KeyColumn, number: int) -> str | None:
    return WRITTEN[column.form][number - 1][0]
