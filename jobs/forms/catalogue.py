"""Which forms a run has, in the order of the guideline's four steps, then its ledgers (대장)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jobs.documents.model import Block, Document, Paragraph
from jobs.forms import application, internal_plan, items, ledgers, pledges, purpose_plans, reviews, specification
from jobs.forms import unstructured as unstructured_form
from jobs.forms.facts import Facts

Whole = Callable[[Facts], tuple[Block, ...]]
Personal = Callable[[Facts, str | None], tuple[Block, ...]]

# Each run has one of these …
FIRST: tuple[tuple[str, str, Whole], ...] = (
    ("01-application", application.TITLE, application.application),
    ("02-purpose-plan", "", purpose_plans.purpose_plan),  # its title is that of its purpose
    ("03-undertaking", pledges.UNDERTAKING_TITLE, pledges.undertaking),
    ("04-item-types", items.TYPES_TITLE, items.types),
    ("05-required-levels", items.LEVELS_TITLE, items.levels),
    ("06-item-plan", items.PLAN_TITLE, items.item_plan),
    ("07-base-data", specification.TITLE, specification.specification),
)
# … one of these for each reviewer …
EACH: tuple[tuple[str, str, Personal], ...] = (
    ("08-secrecy", pledges.SECRECY_TITLE, pledges.secrecy),
    ("09-conflict-of-interest", pledges.CONFLICT_TITLE, pledges.conflicts),
    ("10-reviewer", reviews.SHEET_TITLE, reviews.sheet),
)
# … and again one of these.
LAST: tuple[tuple[str, str, Whole], ...] = (
    ("11-overall-result", reviews.OVERALL_TITLE, reviews.overall),
    ("12-internal-plan", internal_plan.TITLE, internal_plan.internal_plan),
    ("13-processing-ledger", ledgers.PROCESSING_TITLE, ledgers.processing),
    ("14-access-rights", ledgers.ACCESS_TITLE, ledgers.access),
    ("15-destruction-data", ledgers.DATA_TITLE, ledgers.destroyed_data),
    ("16-destruction-additional", ledgers.ADDITIONAL_TITLE, ledgers.destroyed_additional),
)
UNSTRUCTURED = ("17-unstructured", unstructured_form.TITLE, unstructured_form.unstructured)


def forms(facts: Facts) -> Iterator[tuple[str, Document]]:
    """Every form of a run with its name. Where nobody has decided or is named, reviewers' forms are empty ones."""
    for name, title, make in FIRST:
        yield name, _document(facts, title or purpose_plans.title(facts), make(facts))
    reviewers: list[str | None] = [*facts.reviewers()] or [None]
    for name, title, make_for in EACH:
        for number, reviewer in enumerate(reviewers, 1):
            yield f"{name}-{number}", _document(facts, title, make_for(facts, reviewer))
    last = (*LAST, UNSTRUCTURED) if facts.said.unstructured is not None else LAST
    for name, title, make in last:
        yield name, _document(facts, title, make(facts))


def _document(facts: Facts, title: str, blocks: tuple[Block, ...]) -> Document:
    record = facts.record
    about = (("plan", record.plan), ("run", record.run), ("fingerprint", record.fingerprint))
    if record.limit is not None:
        blocks = (Paragraph(f"시험 실행({record.limit:,}명)의 서식: 제공할 수 없음", note=True), *blocks)
    return Document(title, "ko", blocks, about, record.finished)
