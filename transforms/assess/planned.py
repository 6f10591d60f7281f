"""A table as the plan would deliver its quasi-identifiers: for the risk that its column steps leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from transforms.pipeline_model import Chain, TablePipeline


def quasi_only(table: TablePipeline, quasi_identifiers: Sequence[str], subject: str | None) -> TablePipeline | None:
    """The table with the steps of these columns (and of the person's, where it is named) and with its row rules alone.

    All persons are taken, and no outlier rule is applied. None where rows have no key that another pass could tell
    them by, or where a step needs whole classes by columns that are not among these.
    """
    wanted = {*quasi_identifiers, *([subject] if subject is not None else [])}
    chains = tuple(one for one in table.columns if isinstance(one, Chain) and one.name in wanted)
    if table.row_key is None or len(chains) < len(wanted) or any(chain.classed for chain in chains):
        return None
    return replace(table, columns=chains, hidden=(), outliers=(), sample=None, register=None, whole=None, against=())
