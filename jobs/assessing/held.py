"""What the recipient holds already: declared tables of the source zone, linked to ours by the columns both have."""

from __future__ import annotations

from jobs.assessing.rows import Rows
from jobs.environment import Environment
from jobs.errors import BadInput
from jobs.frames import read
from jobs.tables import Snapshot, pinned
from transforms.assess.found import HeldRisk
from transforms.assess.links import linked
from transforms.complaint import did_you_mean
from transforms.measures.class_table import class_table
from transforms.plan_risk import Held, Risk


def held_snapshots(environment: Environment, risk: Risk) -> list[Snapshot]:
    """The newest version of every declared table. BadInput, for all of them, where a table lacks a column."""
    found, problems = [], []
    for number, held in enumerate(risk.held):
        snapshot = pinned(environment.zone("source") / held.table)
        found.append(snapshot)
        for theirs in held.on:
            if theirs not in snapshot.schema.names:
                hint = did_you_mean(theirs, snapshot.schema.names)
                problems.append(
                    f"risk.held[{number}].on: column {theirs!r} is not in {held.table}; it has "
                    f"{', '.join(snapshot.schema.names)}" + (f"; {hint}" if hint else "")
                )
    if problems:
        raise BadInput("\n".join(problems))
    return found


def held_risk(rows: Rows, held: Held, snapshot: Snapshot) -> HeldRisk:
    """How many of our records one declared table meets and names."""
    pairs = tuple(held.on.items())
    ours = list(dict.fromkeys(our for _, our in pairs))
    subject = None if rows.table.one_row_per_subject or rows.table.subject in ours else rows.table.subject
    needed = ours if subject is None else [*ours, subject]
    mine = class_table(rows.kept(*needed), ours, subject=subject)
    frame = read(rows.spark, snapshot.location, snapshot.version, tuple(held.on))
    theirs = class_table(frame, list(held.on))
    met, alone = linked(mine, theirs, pairs)
    return HeldRisk(held.table, snapshot.version, pairs, theirs.rows, int(mine.sizes.sum()), met, alone)
