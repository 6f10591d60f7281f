"""Text files in pieces that end with a record, read as UTF-8 whatever they are written in."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass

from jobs.errors import BadInput
from jobs.formats.common import Problems, opened
from jobs.storage import Location

PIECE = 64 * 2**20
BLOCK = 4 * 2**20
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Piece:
    """Bytes `start` to `end` of a file; `line` is the number of the line it begins with (from 1)."""

    file: Location
    start: int
    end: int
    line: int


def pieces(file: Location, size: int = PIECE, *, quote: bytes | None = None) -> list[Piece]:
    """Splits a file after line ends, near every `size` bytes; with `quote`, never inside a quoted cell.

    Neither a line end nor a quote is part of another character in UTF-8 or CP949, so bytes can be counted.
    BadInput if the last quoted cell is never closed.
    """
    found: list[Piece] = []
    with opened(file) as source:
        start = len(BOM) if source.read(len(BOM)) == BOM else 0
        source.seek(start)
        at, line, begun_line, open_quote = start, 1, 1, False
        while block := source.read(BLOCK):
            if at + len(block) - start >= size:
                cut = _cut(block, open_quote, quote)
                if cut:
                    found.append(Piece(file, start, at + cut, begun_line))
                    start = at + cut
                    begun_line = line + block.count(b"\n", 0, cut)
            line += block.count(b"\n")
            open_quote ^= quote is not None and block.count(quote) % 2 == 1
            at += len(block)
    if open_quote:
        raise BadInput(f"{file}: a quoted cell is never closed; allowed: quotes in pairs")
    return [*found, Piece(file, start, at, begun_line)] if at > start else found


def _cut(block: bytes, open_quote: bool, quote: bytes | None) -> int:
    """The place after the last line end of a block that stands outside quotes; 0 where there is none."""
    end = len(block)
    while (end := block.rfind(b"\n", 0, end)) >= 0:
        inside = open_quote ^ (quote is not None and block.count(quote, 0, end) % 2 == 1)
        if not inside:
            return end + 1
    return 0


class Utf8(io.RawIOBase):
    """A piece as a stream of UTF-8 bytes. A byte that the encoding doesn't know raises Problems."""

    def __init__(self, piece: Piece, encoding: str) -> None:
        self._piece, self._encoding = piece, encoding
        self._source = opened(piece.file)
        self._source.seek(piece.start)
        self._at, self._line = piece.start, piece.line
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._plain = codecs.lookup(encoding).name == "utf-8"
        self._ready = b""

    def readable(self) -> bool:
        """True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; b"" at the end."""
        while not self._ready and self._at < self._piece.end:
            self._ready = self._next()
        size = len(self._ready) if size < 0 else size
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def close(self) -> None:
        """Closes the file."""
        self._source.close()
        super().close()

    def _next(self) -> bytes:
        block = self._source.read(min(BLOCK, self._piece.end - self._at))
        if not block:
            raise Problems([f"{self._piece.file} became shorter while it was read"], operational=True)
        pending = len(self._decoder.getstate()[0])
        last = self._at + len(block) >= self._piece.end
        try:
            text = self._decoder.decode(block, last)
        except UnicodeDecodeError as error:
            place = self._at - pending + error.start
            line = self._line + block.count(b"\n", 0, max(0, error.start - pending))
            found = f"{self._piece.file}, line {line}, byte {place}: no {self._encoding}"
            raise Problems([f"{found}; allowed: one encoding, --encoding utf-8 or cp949"]) from None
        self._at += len(block)
        self._line += block.count(b"\n")
        return block if self._plain else text.encode()
