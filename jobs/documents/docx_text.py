"""Pieces of text in a DOCX paragraph."""

from __future__ import annotations

from docx.text.paragraph import Paragraph

from jobs.documents.model import MARKS, Box, Content, Link, Strong, inlines

# U+00A0: a box and its words stay together
TOGETHER = "\u00a0"


def write_content(line: Paragraph, content: Content) -> None:
    """Writes pieces into a paragraph; "\n" becomes a line break, ticked boxes and Strong are bold."""
    for place, one in enumerate(inlines(content)):
        before = ("  " if isinstance(one, Box) else " ") if place else ""
        match one:
            case Box():
                words = one.label.replace(" ", TOGETHER)
                run = line.add_run(f"{before}{MARKS[one.ticked]}{TOGETHER}{words}")
                run.bold = one.ticked or None
            case Strong():
                line.add_run(before + one.text).bold = True
            case Link():
                line.add_run(before + one.text)
            case str():
                line.add_run(before + one)
