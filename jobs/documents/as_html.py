"""A document as one HTML file: no script, font or picture from elsewhere."""

from __future__ import annotations

import base64
import importlib.resources

from markupsafe import Markup, escape

from jobs.documents.model import (
    MARKS,
    Block,
    Box,
    Cell,
    Content,
    Document,
    Heading,
    Inline,
    Link,
    Paragraph,
    Picture,
    Points,
    Strong,
    Table,
    cell_of,
    inlines,
)
from jobs.documents.unseen import shown

EMPTY = Markup("")
SHELL = Markup("""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{about}<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main class="paper">
<h1>{title}</h1>
{body}
{foot}</main>
</body>
</html>
""")


def html_bytes(document: Document) -> bytes:
    """The document as UTF-8 HTML; all text is escaped."""
    document = shown(document)
    about = [Markup('<meta name="gamyeong:{}" content="{}">\n').format(name, text) for name, text in document.about]
    told = " · ".join(f"{name} {text}" for name, text in document.about)
    page = SHELL.format(
        language=document.language,
        about=EMPTY.join(about),
        title=document.title,
        style=Markup(_style()),  # ours, without user text
        body=Markup("\n").join(_block(one) for one in document.blocks),
        foot=Markup("<footer>{}</footer>\n").format(told) if told else EMPTY,
    )
    return page.encode()


def _style() -> str:
    folder = importlib.resources.files("jobs.documents") / "templates"
    return (folder / "style.css").read_text("utf-8") + (folder / "paper.css").read_text("utf-8")


def _block(block: Block) -> Markup:
    match block:
        case Heading():
            return Markup("<h{0}>{1}</h{0}>").format(block.level, block.text)
        case Paragraph():
            css = " ".join([block.align, *(["note"] if block.note else [])])
            return Markup('<p class="{}">{}</p>').format(css, _content(block.content))
        case Points():
            lines = EMPTY.join(Markup("<li>{}</li>\n").format(_content(one)) for one in block.items)
            return Markup("<ul>\n{}</ul>").format(lines)
        case Picture():
            data = base64.b64encode(block.png).decode()
            return Markup(
                '<figure style="width: {:.0f}%"><figcaption>{}</figcaption>'
                '<img alt="{}" src="data:image/png;base64,{}"></figure>'
            ).format(block.width * 100, block.caption, block.caption, data)
        case Table():
            return _table(block)


def _table(table: Table) -> Markup:
    whole = sum(table.widths)
    columns = EMPTY.join(Markup('<col style="width: {:.2f}%">').format(one / whole * 100) for one in table.widths)
    parts = [Markup("<colgroup>{}</colgroup>\n").format(columns)] if table.widths else []
    rows = [Markup("<tr>{}</tr>\n").format(EMPTY.join(_cell(cell_of(one)) for one in row)) for row in table.rows]
    if table.head:
        parts.append(Markup("<thead>\n{}</thead>\n").format(EMPTY.join(rows[: table.head])))
    parts.append(Markup("<tbody>\n{}</tbody>\n").format(EMPTY.join(rows[table.head :])))
    return Markup('<table class="{}">\n{}</table>').format("fixed" if table.widths else "", EMPTY.join(parts))


def _cell(cell: Cell) -> Markup:
    name = "th" if cell.head else "td"
    spans = [("colspan", cell.columns), ("rowspan", cell.rows)]
    said = EMPTY.join(Markup(' {}="{}"').format(key, value) for key, value in spans if value > 1)
    return Markup('<{0} class="{1}"{2}>{3}</{0}>').format(name, cell.align, said, _content(cell.content))


def _content(content: Content) -> Markup:
    return Markup(" ").join(_inline(one) for one in inlines(content))


def _inline(one: Inline) -> Markup:
    match one:
        case Box():
            css = "box ticked" if one.ticked else "box"
            return Markup('<span class="{}">{} {}</span>').format(css, MARKS[one.ticked], one.label)
        case Strong():
            return Markup("<b>{}</b>").format(_lines(one.text))
        case Link():
            return Markup('<a href="{}">{}</a>').format(one.target, _lines(one.text))
        case str():
            return _lines(one)


def _lines(text: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in text.split("\n"))
