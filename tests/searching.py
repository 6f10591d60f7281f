"""A search that sees through encodings: for ids in files of any kind, and for key bytes."""

from __future__ import annotations

import base64
import binascii
import html
import io
import re
import sqlite3
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from tests.needles import Needles

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){8,}")
JAMO = re.compile("[\u1100-\u11ff]+")
ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")


def views(content: bytes, depth: int = 2) -> Iterator[str]:
    """A file's content as text in every way that we know to read it."""
    if content[:4] == b"PAR1":
        yield from (column.decode("utf-8", "replace") for column in _cells(content))
    for inner in _unpacked(content):
        yield from views(inner, depth)
    plain = content.decode("utf-8", "replace")
    yield plain
    is_text = plain.count("\ufffd") * 20 <= len(plain)
    if is_text and any(mark in plain for mark in ("&", "%", "\\u")):
        yield html.unescape(unquote(ESCAPE.sub(lambda found: chr(int(found[1], 16)), plain)))
    if b"\0" in content:
        yield content.decode("utf-16-le", "replace")
        yield content.decode("utf-16-be", "replace")
        yield content[1:].decode("utf-16-le", "replace")
        yield content[1:].decode("utf-16-be", "replace")
    if depth:
        for inner in _unwrapped(content):
            yield from views(inner, depth - 1)


def _cells(content: bytes) -> Iterator[bytes]:
    """Everything that a Parquet file holds, a column at a time: names, decoded cells, statistics, metadata."""
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        table = file.read()
    except (OSError, pa.ArrowException):
        return
    for name, column in zip(table.column_names, table.columns, strict=True):
        cells = (cell if isinstance(cell, bytes) else str(cell).encode() for cell in column.to_pylist())
        yield b"\n".join([name.encode(), *cells])
    metadata = file.metadata
    yield str(metadata.metadata).encode()
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            statistics = metadata.row_group(group).column(place).statistics
            yield str(statistics.to_dict()).encode() if statistics is not None else b""


def _unpacked(content: bytes) -> Iterator[bytes]:
    """What a packed file holds: compressed (gzip, zstd, lz4), members of an archive (docx and xlsx too), a database."""
    if content.startswith(b"PK\x03\x04"):
        yield from _members(content)
    if content.startswith(b"SQLite format 3\0"):
        yield _dumped(content)
    for magic, kind in ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x04\x22\x4d\x18", "lz4")):
        if content.startswith(magic):
            try:
                yield pa.input_stream(pa.BufferReader(content), compression=kind).read()
            except (OSError, pa.ArrowException):
                continue


def _members(content: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield archive.read(name)
    except (zipfile.BadZipFile, zlib.error):
        return


def _dumped(content: bytes) -> bytes:
    """Every cell of an SQLite database, one a line: in the file a long one is cut in pages. None of a file that is
    not whole without its journal: what searches a database that is in use takes a backup of it."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.text_factory = bytes
        # "write-ahead log" in the header, which a database in memory can't have, becomes "rollback journal"
        database.deserialize(content[:18] + b"\1\1" + content[20:])
        try:
            tables = [
                row[0].decode() for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            rows = [row for table in tables for row in database.execute(f'SELECT * FROM "{table}"')]
        except sqlite3.DatabaseError:
            return b""
    return b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row)


def _unwrapped(content: bytes) -> Iterator[bytes]:
    """What runs of base64 (at any of four places) and of hex (at any of two) stand for, put together."""
    # Logs say the same again and again: each run once.
    runs = [run.replace(b"-", b"+").replace(b"_", b"/") for run in dict.fromkeys(BASE64.findall(content))]
    for start in range(4):
        pieces = (run[start:] + b"A" * (-(len(run) - start) % 4) for run in runs)
        yield b"\n".join(base64.b64decode(piece) for piece in pieces)
    hexes = list(dict.fromkeys(HEX.findall(content)))
    for start in range(2):
        yield b"\n".join(binascii.unhexlify(run[start : len(run) - start]) for run in hexes)


def search_ids(paths: Iterable[Path], pattern: str) -> dict[str, set[str]]:
    """What matches the pattern, by file; in names of files too. Hangul in decomposed letters is composed first."""
    wanted = re.compile(unicodedata.normalize("NFC", pattern))
    found: dict[str, set[str]] = {}
    for path in paths:
        texts = [str(path), *views(path.read_bytes())]
        hits = {hit for text in texts for hit in wanted.findall(composed(text))}
        if hits:
            found[str(path)] = hits
    return found


def composed(text: str) -> str:
    """Its Hangul in NFC: all of a text takes ten times as long, and most of it is logs and encrypted bytes."""
    return JAMO.sub(lambda found: unicodedata.normalize("NFC", found[0]), text)


def search_bytes(paths: Iterable[Path], secrets: Iterable[bytes]) -> set[str]:
    """Files that hold one of the secrets raw, in hex, in base64, or as a list of numbers; packed, or in a cell too."""
    wanted = Needles(form for secret in secrets for form in _forms(secret))
    return {str(path) for path in paths if any(wanted.among(one) for one in _contents(path.read_bytes()))}


def _contents(content: bytes) -> Iterator[bytes]:
    yield content
    for inner in _unpacked(content):
        yield from _contents(inner)
    if content[:4] == b"PAR1":
        yield from _cells(content)


def _forms(secret: bytes) -> set[bytes]:
    """Base64 at three places, without the letters at the ends that depend on what stands beside."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for start in range(3):
        text = base64.b64encode(b"\0" * start + secret)
        body = text[{0: 0, 1: 2, 2: 3}[start] : -4]
        found |= {body, body.replace(b"+", b"-").replace(b"/", b"_")}
    signed = [byte - 256 if byte > 127 else byte for byte in secret]
    for numbers in (list(secret), signed):
        found |= {", ".join(map(str, numbers)).encode(), ",".join(map(str, numbers)).encode()}
    return found | {repr(secret)[2:-1].encode()}
