"""Texts of others in pages, papers, terminals and tasks: shown as they are, never run, never unseen."""

from __future__ import annotations

import html
import io
import re
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jobs.documents.as_docx import docx_bytes
from jobs.documents.as_html import html_bytes
from jobs.documents.model import Box, Document, Heading, Paragraph, Points, Strong, Table
from jobs.frames import quoted as quoted_name
from jobs.showing import show
from tests.hostile.mutants import CODE, TEXTS
from tests.hostile.places import UnfitFile, load_schedule, workplace
from transforms.column_patterns import expand
from transforms.errors import MOST_TOLD, PlanError, Problem
from transforms.yaml_limits import LARGEST
from transforms.yaml_nodes import read_yaml

HIDDEN = ("\x1b[2J", "\x07", "\u202egnp.exe", "\u200b", "\ufeff", "\ud800", "\x85", "\u2028")
BOTH = [*CODE, *HIDDEN]


def paper(text: str) -> Document:
    blocks = (
        Heading(text, 2),
        Paragraph(text),
        Paragraph((Strong(text), Box(text))),
        Points((text,)),
        Table(((text, text),)),
    )
    return Document(title=text, language="ko", blocks=blocks, about=(("name", text),))


@pytest.mark.parametrize("text", BOTH)
def test_a_page_holds_a_hostile_text_as_text(text: str) -> None:
    page = html_bytes(paper(text)).decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert not any(one in page for one in HIDDEN)
    assert text not in CODE or text in html.unescape(page)


@pytest.mark.parametrize("text", BOTH)
def test_a_paper_holds_a_hostile_text_as_text(text: str) -> None:
    with zipfile.ZipFile(io.BytesIO(docx_bytes(paper(text)))) as made:
        found = "".join(ElementTree.fromstring(made.read("word/document.xml")).itertext())
        assert not any(name.endswith((".bin", ".xlsm")) for name in made.namelist())
    assert text in found or text not in CODE
    assert not any(one in found for one in HIDDEN)


@pytest.mark.parametrize("text", BOTH)
def test_a_terminal_is_told_nothing_but_text(text: str) -> None:
    stream = io.StringIO()
    show(f"a\n{text}", stream)
    stream.getvalue().encode("utf-8")
    assert stream.getvalue().startswith("a\n")
    assert not any(one in stream.getvalue() for one in HIDDEN)
    assert text in stream.getvalue() or text not in CODE


@pytest.mark.parametrize("text", HIDDEN)
@pytest.mark.parametrize("shape", ["a: {}", "{}: 1", "a: {{b: [{}]}}"])
def test_a_plan_says_nothing_unseen(text: str, shape: str) -> None:
    """A reviewer signs what is read; a text that turns around or hides would be another one."""
    escaped = "".join(f"\\u{ord(one):04x}" for one in text)
    _, problems = read_yaml(shape.format(f'"{escaped}"'), "plan.yaml")
    assert [one.found for one in problems] == [f"the character U+{ord(text[0]):04X}, which nobody sees"]
    assert problems[0].line == 1


@pytest.mark.parametrize("number", ["9" * 41, "-" + "1" * 5000, "0x" + "f" * 5000])
def test_a_number_without_end_is_a_problem(number: str) -> None:
    _, problems = read_yaml(f"a: 1\nk: {number}\n", "plan.yaml")
    assert [(one.line, one.path) for one in problems] == [(2, "k")]
    assert "digits; allowed: at most 40 digits" in str(problems[0])


def test_a_file_without_measure_is_refused_unread() -> None:
    with pytest.raises(PlanError, match="allowed: at most 256 KiB"):
        read_yaml("a: 1\n" + "#" * LARGEST, "plan.yaml")


def test_a_complaint_is_no_longer_than_anyone_reads() -> None:
    many = PlanError([Problem("p" * 9999, "f" * 9999, "a" * 9999) for _ in range(5000)])
    assert len(many.problems) == 5000
    assert str(many).endswith(f"and {5000 - MOST_TOLD} more")
    assert len(str(many)) < 1_000_000


@pytest.mark.parametrize("name", [*CODE, *TEXTS])
def test_a_column_in_sql_is_a_name_and_nothing_else(name: str) -> None:
    quoted = quoted_name(name)
    assert (quoted[0], quoted[-1]) == ("`", "`")
    assert quoted[1:-1].replace("``", "") == name.replace("`", "")
    assert "`" not in quoted[1:-1].replace("``", "")


def test_patterns_do_not_run_away() -> None:
    """Many stars or captures against many long names: no pattern may try all ways to share a name out."""
    columns = ["a" * 200 + str(number) for number in range(200)]
    for pattern in ("*" * 60 + "b", "*a" * 30 + "b", "".join(f"{{c{n}}}" for n in range(12)) + "b", "{c}" * 9 + "b"):
        start = time.process_time()
        assert expand(pattern, columns) == []
        assert time.process_time() - start < 1, pattern


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("about: >-\n  two lines\n  of a folded text\n", None),
        ("about: &a x\n", "an anchor or alias"),
        ('about: "a\\u202eb"\n', "the character U+202E"),
        (f"retries: {'9' * 5000}\n", "a number of 5000 digits"),
        ("start: 2026-02-30\n", "a value that can't be"),
        (f"about: {'[' * 60}{']' * 60}\n", "nested deeper than 50"),
        ("#" * LARGEST, "more than 256 KiB"),
        (f"tags: [{'t' * 101}]\n", "at most 100 characters"),
        ('waits_for: ["{{ 7*7 }}"]\n', "waits_for.0"),
    ],
)
def test_a_schedule_takes_nothing_that_airflow_would_choke_on(tmp_path: Path, text: str, told: str | None) -> None:
    file = workplace(tmp_path) / "conf" / "schedules" / "first.yaml"
    kept = [line for line in file.read_text("utf-8").splitlines() if line.split(":")[0] not in text]
    file.write_text("\n".join([*kept, text]))
    if told is None:
        load_schedule(file)
        return
    with pytest.raises(UnfitFile, match=re.escape(told)):
        load_schedule(file)


@pytest.mark.parametrize("name", ["{{ 7*7 }}.yaml", "{% raw %}.yaml", "{# x #}.yaml"])
def test_no_path_of_a_schedule_is_rendered(tmp_path: Path, name: str) -> None:
    work = workplace(tmp_path)
    (work / "conf" / "plans" / name).write_text("format: 1\n")
    file = work / "conf" / "schedules" / "first.yaml"
    file.write_text(file.read_text("utf-8").replace("../plans/first.yaml", f'"../plans/{name}"'))
    with pytest.raises(UnfitFile, match="a path with a template in it"):
        load_schedule(file)
