"""Further tables of a run: tables that it stages, verifies, reviews and publishes beside the plan's own table.

    further:
      NAME: {TECHNIQUE: {…}}        # NAME is the table's name, and a folder's

What may stand there is a `FurtherTable`; there are two kinds.

1. A `FurtherRecords` (anatomization, secret sharing) delivers the same rows in several tables. It only says, in
   `layout`, which delivered column stands in which table, and which further steps its cells take there; the
   compiler makes a TablePipeline of each (`transforms/further_records.py`), so reading, order, verify, review,
   documents, staging and publishing of a further table are those of any table. The rules:
   - every table has the column `record_id` in front: a drawn id of the row (26 letters, 128 bits; the same in all
     tables, unrelated to serials, subjects and order). It is the one thing that joins them;
   - rows of a further table stand in a keyed order of their own, in files and buckets of their own: neither
     order nor layout tells which rows belong together;
   - facts, sample, row rules and outlier rules are those of the main table, measured once over all columns;
     cells that outlier rules change are the same in every table;
   - a serial number and the subject's column stay in the main table; a derived column stands in the table of
     its operands. A column may stand in several tables only if `layout` gives it steps there that hide it (a
     share); what is the same text in two tables would join them without the record id;
   - a step that `layout` adds is a ColumnTechnique without facts. Its draws are keyed to the main table's column
     and the step's place in the chain, never to the further table: two tables that add the same technique at
     the same place draw the same numbers for a row (a share and its counterpart, say), by `given.rows`.
2. An aggregate (differential privacy) delivers counts by group; see `transforms/techniques/privacy.py`.

Several entries are applied in their order; each sees the main table as those before it left it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from pydantic import Field

from transforms.technique import ColumnTechnique, Technique

RECORD_ID = "record_id"
Steps = tuple[ColumnTechnique, ...]


@dataclass(frozen=True)
class Delivered:
    """A column of the main table as `layout` sees it.

    `operands` are what a derived column is made of (none: it is no derived one); `ranked`: a serial number;
    `subject`: it tells whose row it is.
    """

    name: str
    kind: str
    type: pa.DataType
    operands: tuple[str, ...] = ()
    ranked: bool = False
    subject: bool = False


@dataclass(frozen=True)
class Layout:
    """Which columns stand in which table, each with the steps that follow its chain there (often none).

    `others` are the further tables by name, in the order in which they are delivered.
    """

    main: Mapping[str, Steps]
    others: Mapping[str, Mapping[str, Steps]] = field(default_factory=dict)


class FurtherTable(Technique):
    """What may stand under `further`; its `wording` goes to the documents of its tables."""


class FurtherRecords(FurtherTable):
    """The same rows in several tables, joined by a drawn record id."""

    record_id: str = Field(default=RECORD_ID, min_length=1)

    @abstractmethod
    def layout(self, name: str, columns: Mapping[str, Delivered]) -> Layout:
        """Where each of the main table's columns goes; `name` is the entry's name under `further`.

        Raises PlanError with problems whose paths are relative to the technique's parameters ("columns[0]").
        """


__all__ = ["RECORD_ID", "Delivered", "FurtherRecords", "FurtherTable", "Layout", "Steps"]
