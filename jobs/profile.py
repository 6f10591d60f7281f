"""`gamyeong profile TABLE`: which kind each column probably is, and a draft plan to edit."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import os
from collections.abc import Sequence

from jobs.errors import BadInput
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.profiling import Profiled, profiled
from transforms.profiling.draft import draft
from transforms.profiling.proposal import Proposed


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("table", metavar="TABLE", help="a table of the source zone, or a Delta folder")
    parser.add_argument("--to", metavar="FILE", help="write a draft plan there (a new file)")


def body(context: Context) -> Outcome:
    """Reads the table once; writes nothing but what --to names."""
    given = context.arguments
    if given.to is not None and Path(given.to).exists():
        raise BadInput(f"--to {given.to}: is there already; allowed: a new file")
    found = profiled(context.environment, given.table, context.progress)
    text = _told(given.table, found)
    if given.to is not None:
        _write(Path(given.to), draft(given.table, found.proposal))
        text.append(f"draft: {given.to}; fill in its empty places, then: gamyeong check {given.to} --schema")
    columns = {one.name: _plain(one) for one in found.proposal.columns}
    summary = {
        "table": given.table,
        "version": found.snapshot.version,
        "rows": found.rows,
        "row_key": found.proposal.row_key,
        "subject": found.proposal.subject,
        "columns": columns,
        "unfit": found.unfit,
    }
    return Outcome(summary, text="\n".join(text))


def _plain(column: Proposed) -> dict[str, object]:
    facts = column.facts
    return {
        "type": str(facts.type),
        "kind": column.kind,
        "legal": column.legal,
        "excluded": column.excluded,
        "reasons": list(column.reasons),
        "nulls": facts.nulls,
        "distinct": facts.distinct,
        "exact": facts.exact,
        "alone": round(facts.alone, 4),
        "entropy": round(facts.entropy, 2),
        "identifiers": {
            one.kind.name: {"verdict": one.verdict, "whole": one.found.whole, "inside": one.found.inside}
            for one in column.held
        },
    }


def _told(table: str, found: Profiled) -> list[str]:
    columns = found.proposal.columns
    lines = [f"{table}, version {found.snapshot.version}: {found.rows:,} rows, {len(columns)} columns"]
    if columns:
        wide = max(map(len, (one.name for one in columns)))
        lines.append(f"{'column':<{wide}}  {'distinct':>12}  {'nulls':>6}  {'alone':>6}  bits  proposed")
        lines += [_line(one, wide) for one in columns]
        lines.append("alone: share of cells whose value stands once; bits: entropy; ~ is an estimate (within some 3 %)")
    lines += [f"column {name}: {type_} can't be processed; flatten it first" for name, type_ in found.unfit.items()]
    key, subject = found.proposal.row_key, found.proposal.subject
    lines.append(f"row key: {key or 'none found (row-number)'}; subject: {subject or 'none found'}")
    return lines


def _line(column: Proposed, wide: int) -> str:
    facts = column.facts
    distinct = f"{'' if facts.exact else '~'}{facts.distinct:,}"
    nulls = f"{facts.nulls / facts.rows:.1%}" if facts.rows else "–"
    out = ", better excluded" if column.excluded else ""
    legal = f", legal: {column.legal}" if column.legal else ""
    why = "; ".join(column.reasons)
    return (
        f"{column.name:<{wide}}  {distinct:>12}  {nulls:>6}  {facts.alone:>6.1%}  {facts.entropy:>4.1f}  "
        f"{column.kind}{legal}{out} ({why})"
    )


def _write(file: Path, text: str) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadInput(f"--to {file}: {error.strerror}; allowed: a new file in a folder that is there") from None
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)


def main(argv: Sequence[str]) -> int:
    """Exit 0, whatever was found; 2 for a bad table or argument, 4 where a file can't be read."""
    return run_job(
        argv,
        name="profile",
        about="Looks at every column of a table in one pass (names, forms, check digits, repeats, entropy), proposes "
        "a kind for each and writes a draft plan. No value of a cell is told.",
        body=body,
        arguments=arguments,
        reads=["source"],
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
