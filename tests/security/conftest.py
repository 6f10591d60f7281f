"""A search that sees through encodings: for ids in files of any kind, and for key bytes."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){8,}")
ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")


def views(content: bytes, depth: int = 2) -> Iterator[str]:
    """A file's content as text in every way that we know to read it."""
    if content[:4] == b"PAR1":
        yield from _cells(content)
    for inner in _unpacked(content):
        yield from views(inner, depth)
    plain = content.decode("utf-8", "replace")
    yield plain
    yield html.unescape(unquote(ESCAPE.sub(lambda found: chr(int(found[1], 16)), plain)))
    if b"\0" in content:
        yield content.decode("utf-16-le", "replace")
        yield content.decode("utf-16-be", "replace")
        yield content[1:].decode("utf-16-le", "replace")
        yield content[1:].decode("utf-16-be", "replace")
    if depth:
        for inner in _unwrapped(content):
            yield from views(inner, depth - 1)


def _cells(content: bytes) -> Iterator[str]:
    """Everything that a Parquet file holds: decoded cells, statistics, key-value metadata, names."""
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        table = file.read()
    except (OSError, pa.ArrowException):
        return
    for name, column in zip(table.column_names, table.columns, strict=True):
        yield name
        for cell in column.to_pylist():
            yield cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
    metadata = file.metadata
    yield str(metadata.metadata)
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            statistics = metadata.row_group(group).column(place).statistics
            yield str(statistics.to_dict()) if statistics is not None else ""


def _unpacked(content: bytes) -> Iterator[bytes]:
    """What a compressed file holds (gzip, zstd, lz4)."""
    for magic, kind in ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x04\x22\x4d\x18", "lz4")):
        if content.startswith(magic):
            try:
                yield pa.input_stream(pa.BufferReader(content), compression=kind).read()
            except (OSError, pa.ArrowException):
                continue


def _unwrapped(content: bytes) -> Iterator[bytes]:
    """What runs of base64 (at any of four places) and of hex (at any of two) stand for, put together."""
    runs = [run.replace(b"-", b"+").replace(b"_", b"/") for run in BASE64.findall(content)]
    for start in range(4):
        pieces = (run[start:] + b"A" * (-(len(run) - start) % 4) for run in runs)
        yield b"\n".join(base64.b64decode(piece) for piece in pieces)
    hexes = HEX.findall(content)
    for start in range(2):
        yield b"\n".join(binascii.unhexlify(run[start : len(run) - start]) for run in hexes)


@pytest.fixture
def search_ids() -> Callable[[Iterable[Path], str], dict[str, set[str]]]:
    """`search_ids(paths, pattern)`: what matches the pattern, by file; in names of files too. NFC forms compared."""

    def search(paths: Iterable[Path], pattern: str) -> dict[str, set[str]]:
        wanted = re.compile(unicodedata.normalize("NFC", pattern))
        found: dict[str, set[str]] = {}
        for path in paths:
            texts = [str(path), *views(path.read_bytes())]
            hits = {hit for text in texts for hit in wanted.findall(unicodedata.normalize("NFC", text))}
            if hits:
                found[str(path)] = hits
        return found

    return search


@pytest.fixture
def search_bytes() -> Callable[[Iterable[Path], Iterable[bytes]], set[str]]:
    """`search_bytes(paths, secrets)`: files that hold one of them raw, in hex, in base64, or as a list of numbers."""

    def forms(secret: bytes) -> set[bytes]:
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

    def search(paths: Iterable[Path], secrets: Iterable[bytes]) -> set[str]:
        wanted = [form for secret in secrets for form in forms(secret)]
        found = set()
        for path in paths:
            content = path.read_bytes()
            contents = [content, *_unpacked(content)]
            if any(form in one for form in wanted for one in contents):
                found.add(str(path))
        return found

    return search
