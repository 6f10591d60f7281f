"""내부 관리계획: the articles of ref. 8 (guideline L3066-3122), and what the run's facts say to them."""

from __future__ import annotations

import importlib.resources
import re

from jobs.documents.model import Block, Heading, Paragraph, Row, Table, head
from jobs.forms.facts import Facts, day

TITLE = "내부 관리계획"
ARTICLE = re.compile(r"제○○조\((?P<title>[^)]*)\)\s*(?P<text>.*)")


def articles() -> list[tuple[str, list[str]]]:
    """The articles as printed: title and paragraphs of each."""
    raw = (importlib.resources.files("jobs.forms") / "texts" / "internal-plan.ko.txt").read_text("utf-8")
    found: list[tuple[str, list[str]]] = []
    for line in (line.strip().removeprefix("- ") for line in raw.splitlines()):
        if begin := ARTICLE.fullmatch(line):
            found.append((begin["title"], [begin["text"]]))
        elif line:
            found[-1][1].append(line)
    return found


def internal_plan(facts: Facts) -> tuple[Block, ...]:
    """The articles, numbered, then the run's own facts on who, where and until when."""
    blocks: list[Block] = []
    for number, (title, lines) in enumerate(articles(), 1):
        blocks.append(Heading(f"제{number}조({title})", 3))
        blocks += [Paragraph(line) for line in lines]
    people = facts.plan.people
    told = [
        ("관리책임자", people.responsible),
        ("가명처리를 수행하는 자", ", ".join(name for name in (people.operator, *people.processors) if name)),
        ("가명정보를 이용하는 자", ", ".join(people.users) or facts.plan.use.recipient),
        ("추가정보", _additional(facts)),
        ("가명정보의 이용기간", f"{day(facts.plan.use.from_)} ~ {day(facts.plan.use.until)}"),
    ]
    rows: list[Row] = [[head(name), text or ""] for name, text in told]
    return (*blocks, Heading("처리 건의 이행 내용", 3), Table(rows, widths=(1.4, 4)))


def _additional(facts: Facts) -> str:
    gone = facts.entered("destroy")
    if gone:
        return f"{facts.day(gone[-1].at)} 파기"
    kept = facts.plan.additional_information.keep
    if kept is not None:
        return f"가명정보와 분리하여 암호화 보관, {day(kept.until)}까지 ({kept.reason})"
    return "가명정보와 분리하여 보관, 제공 후 파기 예정"
