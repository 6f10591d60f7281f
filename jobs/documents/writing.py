"""Renders a run's pages and writes them: every file under report/ is bound by the reviewers' decisions."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from jobs.documents import views, words
from jobs.documents.aggregates import aggregate_views, joined_tables
from jobs.documents.expectations import expectation_pages
from jobs.documents.phases import phases
from jobs.documents.queries import queries
from jobs.documents.unseen import shown
from jobs.environment import load_environment
from jobs.judging import required
from jobs.runs import PERIOD_COLUMN, RunFolder, RunRecord
from jobs.storage import write_atomically
from transforms.pipeline_model import Pipeline
from transforms.technique import Language

LANGUAGES: tuple[Language, ...] = ("ko", "en")
PAGES = ("index", "plan", "expectations", "dictionary")


def write_documents(
    folder: RunFolder,
    pipeline: Pipeline,
    record: RunRecord,
    verify: Mapping[str, Any] | None,
    result: Mapping[str, Any],
) -> list[Path]:
    """Writes report/index.html (result), plan.html, expectations.html and dictionary.html, and the same in English.

    `verify` and `result` are the contents of verify.json (None: not run yet) and result.json. The bytes depend
    on the arguments alone: no clock. Returns the files written.
    """
    addresses = {one.name: _address(folder, record, one.name) for one in record.tables}
    written = []
    for language in LANGUAGES:
        context = _context(folder, pipeline, record, verify, result, language) | {"addresses": addresses}
        for page in PAGES:
            place = (folder.report / page_file(page, language)).local
            write_atomically(place, _render(page, language, context).encode())
            written.append(place)
    return written


def page_file(page: str, language: Language) -> str:
    """A page's file name: Korean is the language of record."""
    return f"{page}.html" if language == "ko" else f"{page}.{language}.html"


def _address(folder: RunFolder, record: RunRecord, table: str) -> str:
    # the published zone is not handed to the review: it is named here, and nothing of it is opened
    named = load_environment(folder.environment.file).only(reads={"published"})
    return str(RunFolder(named, folder.run).published(record, table))


def _context(
    folder: RunFolder,
    pipeline: Pipeline,
    record: RunRecord,
    verify: Mapping[str, Any] | None,
    result: Mapping[str, Any],
    language: Language,
) -> dict[str, Any]:
    suites = folder.read("suite.json") if folder.suite.exists() else {}
    return {
        "expectations": expectation_pages(suites, result, language),
        "every": len(result["expectations"]),
        "passed": sum(bool(one["success"]) for one in result["expectations"]),
        "record": record,
        "plan": pipeline.plan,
        "tables": views.tables(pipeline, record, verify, result, language),
        "aggregates": aggregate_views(pipeline, record, language),
        "joined": joined_tables(pipeline, language),
        "verdict": views.verdict(verify, result),
        "required": required(folder.environment, pipeline.plan.canonical()),
        "period_column": PERIOD_COLUMN,
        "queries": queries,
        "phases": partial(phases, record=record, language=language),
    }


def _render(page: str, language: Language, context: Mapping[str, Any]) -> str:
    def t(korean: str, english: str) -> str:
        return korean if language == "ko" else english

    def term(pairs: Mapping[str, words.Pair], key: str) -> str:
        return words.said(pairs[key], language)

    def link(name: str) -> str:
        return page_file(name, language)

    other: Language = "en" if language == "ko" else "ko"
    renderer = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: shown(value) if isinstance(value, str) else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    renderer.globals |= {
        "t": t,
        "term": term,
        "link": link,
        "words": words,
        "style": Markup(_template("style.css")),  # ours, without user text
        "language": language,
        "page": page,
        "other_page": page_file(page, other),
    }
    renderer.filters |= {"counted": words.counted, "listed": words.listed, "percent": words.percent, "runs": words.runs}
    return renderer.get_template(f"{page}.html.j2").render(context)


def _template(name: str) -> str:
    return (importlib.resources.files("jobs.documents") / "templates" / name).read_text("utf-8")
