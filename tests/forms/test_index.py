"""The page that leads to a run's forms: every one, with its Korean heading, what it is for, and its files."""

from __future__ import annotations

import html
import re

from jobs.documents_job import main
from jobs.forms.writing import place_of, problems, write_forms

from .made import Case
from .printed import PRINTED

INDEX = "index.html"


def links(page: str) -> list[tuple[str, str]]:
    """Where a page's links lead to, and their words."""
    return [(target, html.unescape(words)) for target, words in re.findall(r'<a href="([^"]+)">([^<]*)</a>', page)]


def test_every_form_is_listed_by_its_heading_and_leads_to_its_files(case: Case) -> None:
    files = case.write()
    leads = links(files[INDEX].decode())
    targets = {target for target, _ in leads}
    assert targets == set(files) - {INDEX}, "both files of each form, and nothing that is not there"
    named = {target.removesuffix(".html"): words for target, words in leads if words not in ("HTML", "DOCX")}
    assert {name: named[name] for name, *_ in PRINTED} == {name: title for name, _, title, _ in PRINTED}
    order = [target for target, words in leads if words not in ("HTML", "DOCX")]
    assert order == sorted(order)


def test_what_a_form_is_for_stands_beside_it(case: Case) -> None:
    """The line of the guideline is that by which the printed form is known."""
    page = case.write()[INDEX].decode()
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    for name, line, title, _ in PRINTED:
        (row,) = [one for one in rows if f'"{name}.html"' in one]
        assert title in row
        (told,) = re.findall(r"L([0-9]+)\)", row)
        # the text before the form's own headings, or another purpose's plan, stands between
        assert 0 <= line - int(told) <= 11, name


def test_each_reviewers_forms_are_listed(case: Case) -> None:
    before = links(case.write()[INDEX].decode())
    for name in ("김검토", "이검토"):
        case.vote(name)
    after = case.write()
    found = [target for target, _ in links(after[INDEX].decode())]
    assert {one for one in after if one.startswith("10-reviewer")} == {one for one in found if "reviewer" in one}
    assert len(found) >= len(before)


def test_verify_covers_the_page(case: Case) -> None:
    page = write_forms(case.folder, clock=lambda: case.now).folder.local / INDEX
    assert problems(case.folder) == []
    page.write_text(page.read_text().replace("06-item-plan.html", "elsewhere.html"))
    assert problems(case.folder) == [f"{INDEX}: changed since it was made"]
    page.unlink()
    assert problems(case.folder) == [f"{INDEX}: missing"]
    assert main([case.folder.run, "--environment", str(case.folder.environment.file), "--quiet"]) == 0
    assert (place_of(case.folder) / INDEX).exists()
    assert problems(case.folder) == []
