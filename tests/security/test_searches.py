"""The searches of tests/searching.py, themselves tested: each finds a value, or a key, planted in each form in which
one might hide, and nothing where nothing is."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import unicodedata
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.needles import Needles
from tests.searching import search_bytes, search_ids
from tests.security.canaries import IDS, party, persons, retail

ID, KOREAN, NUMBER = "EC-900001", "가나다라900001", 90000010900001
KEY = bytes(range(100, 132))


def parquet(path: Path, values: pa.Array, **options: Any) -> None:
    pq.write_table(pa.table({"x": values}), path, **options)


def archive(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)


def database(path: Path, cell: str | bytes, journal: str = "DELETE") -> None:
    """A long cell: it lies on several of the file's pages, with links between them."""
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA journal_mode = {journal}")
        file.execute("CREATE TABLE log (cell)")
        file.execute("INSERT INTO log VALUES (?)", (cell,))
        file.commit()


PLANTED: dict[str, Callable[[Path], object]] = {
    "plain text": lambda p: p.write_text(f"… {ID} …"),
    "html": lambda p: p.write_text(f"<td>EC&#45;{ID[3:]}</td>"),
    "Korean, composed": lambda p: p.write_text(unicodedata.normalize("NFC", KOREAN)),
    "Korean, decomposed": lambda p: p.write_text(unicodedata.normalize("NFD", KOREAN)),
    "JSON with escapes": lambda p: p.write_text(json.dumps({"a": [KOREAN]})),
    "zstd": lambda p: p.write_bytes(pa.compress(ID.encode() * 9, "zstd", asbytes=True)),
    "gzipped JSON": lambda p: p.write_bytes(gzip.compress(json.dumps({"id": ID}).encode())),
    "UTF-16": lambda p: p.write_bytes(b"x" + KOREAN.encode("utf-16-le")),
    "UTF-16, big-endian": lambda p: p.write_bytes(ID.encode("utf-16-be")),
    "base64 in facts": lambda p: p.write_text(json.dumps({"cut": base64.b64encode(f"??{ID}".encode()).decode()})),
    "hex": lambda p: p.write_text("0x" + ID.encode().hex()),
    "Parquet, dictionary and zstd": lambda p: parquet(p, pa.array([ID] * 9), compression="zstd", use_dictionary=True),
    "Parquet, delta lengths": lambda p: parquet(
        p, pa.array([ID, "b"]), use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY"
    ),
    "Parquet, integers": lambda p: parquet(p, pa.array([NUMBER, 7])),
    "Parquet, binary": lambda p: parquet(p, pa.array([ID.encode()])),
    "Parquet, metadata alone": lambda p: pq.write_table(pa.table({"x": [1]}).replace_schema_metadata({"note": ID}), p),
    "name of a file": lambda p: p.with_name(f"{ID}.txt").write_text(""),
    "document (docx, xlsx)": lambda p: archive(p, "word/document.xml", f"<w:t>{KOREAN}</w:t>".encode()),
    "name in an archive": lambda p: archive(p, f"{ID}.xml", b""),
    "database, escaped": lambda p: database(p, "x" * 5000 + json.dumps({"log": KOREAN})),
    "database with a write-ahead log": lambda p: database(p, "x" * 5000 + json.dumps({"log": KOREAN}), "WAL"),
    "registration number, bare": lambda p: p.write_text("8808081909001"),
    "phone, bare": lambda p: p.write_text("90000010900007"),
    "street": lambda p: p.write_text(json.dumps(["나비골900017길"])),
    "amount, in a column of logs": lambda p: parquet(p, pa.array(['{"max": 9753186420901}'])),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_the_search_finds_a_planted_id(kind: str, tmp_path: Path) -> None:
    PLANTED[kind](tmp_path / "planted")
    assert len(search_ids(tmp_path.iterdir(), IDS)) == 1


def test_the_search_does_not_find_what_is_no_id(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("EC-9 00001, 가나다라, 90000010900, 나비골길, 880808-1909")
    parquet(tmp_path / "b", pa.array([base64.b64encode(b"nothing to see here").decode()]))
    archive(tmp_path / "c", "a.xml", b"nothing")
    assert search_ids(tmp_path.iterdir(), IDS) == {}


HIDDEN: dict[str, bytes] = {
    "raw": b"ab" + KEY + b"c",
    "hex": f"key={KEY.hex()}".encode(),
    "hex, upper case": KEY.hex().upper().encode(),
    "base64": b"x=" + base64.b64encode(KEY),
    "base64, one byte on": base64.b64encode(b"!" + KEY + b"!"),
    "base64, two bytes on": base64.urlsafe_b64encode(b"!!" + KEY + b"!!!"),
    "numbers": str(list(KEY)).encode(),
    "Java's bytes": ",".join(str(b - 256 if b > 127 else b) for b in KEY).encode(),
    "Python's repr": repr(KEY).encode(),
    "gzipped": gzip.compress(KEY.hex().encode()),
}
PACKED: dict[str, Callable[[Path], object]] = {
    "Parquet, a cell of bytes": lambda p: parquet(p, pa.array([KEY] * 9), compression="zstd"),
    "Parquet, in JSON": lambda p: parquet(p, pa.array([json.dumps({"key": KEY.hex()})]), compression="zstd"),
    "document": lambda p: archive(p, "a.xml", base64.b64encode(KEY)),
    "database": lambda p: database(p, b"x" * 5000 + KEY),
}


@pytest.mark.parametrize("form", [*HIDDEN, *PACKED])
def test_the_search_finds_a_planted_key(form: str, tmp_path: Path) -> None:
    planted, other = tmp_path / "planted", tmp_path / "other"
    if form in HIDDEN:
        planted.write_bytes(HIDDEN[form])
    else:
        PACKED[form](planted)
    other.write_bytes(bytes(range(99, 131)))
    assert search_bytes([planted, other], [KEY]) == {str(planted)}


def test_many_needles_are_found_wherever_they_lie() -> None:
    """At every offset, at both ends, among thousands that are not there; also those that begin alike."""
    content = bytes((7 * n * n + n // 256) % 251 for n in range(5000))
    there = {content[at : at + 9] for at in range(0, 4990, 37)} | {content[:8], content[-8:]}
    absent = {content[at : at + 8] + b"\xff" for at in range(0, 4990, 41)}
    assert Needles(there | absent).among(content) == there
    assert Needles([b"longer than all"]).among(b"longer") == Needles([b"longer than all"]).among(b"") == set()
    with pytest.raises(ValueError, match="7 bytes"):
        Needles([b"7 bytes"])


def test_every_planted_value_is_one_that_is_searched_for(tmp_path: Path) -> None:
    known = dict[str, int]()
    tables = {"persons": persons(), "retail": retail(100), "A": party("A", 300, known), "B": party("B", 300, known)}
    columns = {
        "persons": ["id", "name", "phone"],
        "retail": ["customer_id", "address", "name", "phone", "rrn"],
        "A": ["cust_nm", "hp", "address"],
        "B": ["name", "mobile", "dwelling"],
    }
    for table, names in columns.items():
        for name in names:
            cells = [one for one in tables[table].column(name).to_pylist() if one is not None]
            (tmp_path / "cells").write_text("\n".join(map(str, cells)), "utf-8")
            (hits,) = search_ids([tmp_path / "cells"], IDS).values()
            assert len(hits) == len(set(cells)), (table, name)
            assert len(hits) >= 100, (table, name)
    assert set(tables["A"].column("cust_nm").to_pylist()) & set(tables["B"].column("name").to_pylist())
