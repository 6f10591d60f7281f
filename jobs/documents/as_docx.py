"""A document as a DOCX file (ISO/IEC 29500), by python-docx; its bytes depend on the document alone."""

from __future__ import annotations

import io
import zipfile

import docx
from docx.document import Document as DocxFile
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Emu, Mm, Pt
from docx.styles.style import ParagraphStyle
from docx.text.paragraph import Paragraph as DocxParagraph

from jobs.clock import moment
from jobs.documents.docx_table import add_table
from jobs.documents.docx_text import write_content
from jobs.documents.model import Align, Block, Document, Heading, Paragraph, Picture, Points, Table
from jobs.documents.unseen import shown

LATIN, KOREAN = "Arial", "Malgun Gothic"
PAGE, MARGIN = (Mm(210), Mm(297)), Mm(18)
WIDTH = PAGE[0] - 2 * MARGIN
SIZES = {"Normal": 10, "Title": 18, "Heading 1": 13, "Heading 2": 11, "List Bullet": 10}
NOTE = Pt(8.5)
# The earliest that a zip file can tell: no clock in the bytes.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
ALIGNED: dict[Align, WD_ALIGN_PARAGRAPH] = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "middle": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
}


def docx_bytes(document: Document) -> bytes:
    """The document as a DOCX file: A4, Korean and Latin fonts named, headings as Word's own headings."""
    document = shown(document)
    file = docx.Document()
    _page(file)
    _properties(file, document)
    title = file.add_paragraph(document.title, style="Title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for block in document.blocks:
        _add(file, block)
    if document.about:
        foot = file.sections[0].footer.paragraphs[0]
        foot.add_run(" · ".join(f"{name} {text}" for name, text in document.about)).font.size = NOTE
    raw = io.BytesIO()
    file.save(raw)
    return _without_clock(raw.getvalue())


def _page(file: DocxFile) -> None:
    section = file.sections[0]
    section.page_width, section.page_height = PAGE
    section.left_margin = section.right_margin = MARGIN
    section.top_margin = section.bottom_margin = MARGIN
    for name, size in SIZES.items():
        style = file.styles[name]
        assert isinstance(style, ParagraphStyle)
        style.font.name, style.font.size = LATIN, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        # a theme's font would win over the one that is named
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        fonts.set(qn("w:eastAsia"), KOREAN)
        style.paragraph_format.space_after = Pt(6)


def _properties(file: DocxFile, document: Document) -> None:
    told = file.core_properties
    told.title, told.author, told.last_modified_by = document.title, "Gamyeong", ""
    told.comments, told.language = "", document.language
    told.identifier = " ".join(f"{name}={text}" for name, text in document.about)
    told.created = told.modified = moment(document.dated).replace(microsecond=0)


def _add(file: DocxFile, block: Block) -> None:
    match block:
        case Heading():
            file.add_paragraph(block.text, style=f"Heading {block.level - 1}")
        case Paragraph():
            line = file.add_paragraph()
            line.alignment = ALIGNED[block.align]
            write_content(line, block.content)
            if block.note:
                _small(line)
        case Points():
            for one in block.items:
                write_content(file.add_paragraph(style="List Bullet"), one)
        case Picture():
            caption = file.add_paragraph()
            caption.paragraph_format.keep_with_next = True
            caption.add_run(block.caption).bold = True
            shape = file.add_picture(io.BytesIO(block.png), width=Emu(int(WIDTH * block.width)))
            shape._inline.docPr.set("descr", block.caption)
        case Table():
            add_table(file, block, WIDTH)
            file.add_paragraph().paragraph_format.space_after = Pt(0)


def _small(line: DocxParagraph) -> None:
    for run in line.runs:
        run.font.size = NOTE


def _without_clock(raw: bytes) -> bytes:
    """The same zip file with one and the same time at every part."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = zipfile.ZipInfo(name, ZIP_TIME)
            part.compress_type, part.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(part, old.read(name))
    return out.getvalue()
