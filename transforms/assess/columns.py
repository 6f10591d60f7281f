"""One delivered column as the review tells it: from its rule and from what the scan counted."""

from __future__ import annotations

from transforms.assess.found import ColumnRisk, FormFound
from transforms.assess.scan import Scanned
from transforms.identity.judging import judged
from transforms.pipeline_model import Chain


def column_risk(chain: Chain, scan: Scanned) -> ColumnRisk:
    """Counts and shares of the source column from which a delivered column comes."""
    facts = scan.facts
    forms = tuple(
        FormFound(one.kind.name, one.verdict, one.found.whole + one.found.inside, one.kind.person)
        for one in judged(facts.found, facts.values)
    )
    return ColumnRisk(
        column=chain.name,
        kind=chain.rule.kind,
        legal=chain.rule.legal,
        rows=facts.rows,
        nulls=facts.nulls,
        distinct=facts.distinct,
        exact=facts.exact,
        alone=facts.alone,
        entropy=facts.entropy,
        rare=scan.rare,
        reach=None if scan.reach is None else round(scan.reach, 2),
        found=forms,
    )
