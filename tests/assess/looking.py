"""An assessment in this process, of a small table in memory: what `gamyeong assess` does with Spark on a large one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from transforms.assess.columns import column_risk
from transforms.assess.found import Assessment, HeldRisk, ReleasedRisk, TableRisk
from transforms.assess.judging import judged
from transforms.assess.scan import ScanTask, scanned
from transforms.compiler import compile_plan
from transforms.pipeline_model import Chain, TablePipeline
from transforms.plan import Plan
from transforms.plan_loader import load
from transforms.risk.combinations import Combinations
from transforms.risk.review import risk_figures


@dataclass(frozen=True)
class Looked:
    """A plan, its one table, and what was found."""

    plan: Plan
    tables: dict[str, TablePipeline]
    found: Assessment

    def answer(self, question: int) -> tuple[str | None, str | None]:
        """The answer to a question of the checklist, and who gave it."""
        one = self.found.checklist[question - 1]
        return one.answer, one.by


def looked(
    file: Path,
    source: pa.Table,
    *,
    threshold: int = 3,
    population: int | None = None,
    held: tuple[HeldRisk, ...] = (),
    released: ReleasedRisk | None = None,
) -> Looked:
    """The assessment of a plan with one table."""
    loaded = load(file)
    pipeline = compile_plan(loaded.plan, source.schema, loaded.hierarchies, loaded.lines)
    ((name, table),) = pipeline.wholes.items()
    chains = [one for one in table.columns if isinstance(one, Chain)]
    names = tuple(one.name for one in chains)
    batches = source.select(names).to_batches()
    blobs = [blob for batch in ScanTask(names)(iter(batches)) for blob in batch.column(0).to_pylist()]
    scans = scanned(pa.schema([source.schema.field(one) for one in names]), blobs, threshold)
    chosen = [one.name for one in chains if one.rule.kind == "quasi-identifier"]
    figures = None
    if chosen and source.num_rows:
        given = Combinations.of(source, chosen)
        figures = risk_figures(given, threshold=threshold, population=population, subset_size=min(3, len(chosen)))
    persons = len(source[table.subject].unique()) if table.subject is not None else None
    one = TableRisk(
        table=name, source=table.source, version=0, rows=source.num_rows, outside=0, requests=None, stopped=0,
        records=source.num_rows, persons=persons, columns=tuple(column_risk(c, scans[c.name]) for c in chains),
        unmarked=(), figures=figures, planned=None, sensitive=(), held=held, released=released,
    )  # fmt: skip
    found = judged(loaded.plan, {name: table}, [one], "r" * 16, pipeline.fingerprint, None, threshold)
    return Looked(loaded.plan, {name: table}, found)


def with_risk(folder: Path, plan: str, risk: str) -> Path:
    """A plan's text with a `risk:` section, as a file."""
    path = folder / "plan.yaml"
    path.write_text(f"{plan}{risk}", "utf-8")
    return path


__all__ = ["Looked", "looked", "with_risk"]
