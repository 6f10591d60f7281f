"""`gamyeong synthesize PUBLISHED --table NAME`: synthetic data (재현데이터) of a published table, for the source zone.

It is fitted on pseudonymized records that were approved, never on the source. What it makes is a source table
like any other: it leaves only by a plan of its own, with verify, review and decisions.
"""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import pyarrow as pa

from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed
from jobs.incidents.halted import require_going
from jobs.job import Context, Outcome, run_job
from jobs.key_providers import provider_of
from jobs.keys import SeriesSecrets
from jobs.leaving import leave
from jobs.names import folder_name
from jobs.parquet import write_batches
from jobs.storage import Location, private_folder
from jobs.tables import Snapshot, commit_files, exists, last_commit, pinned
from jobs.targets import Mode, recorded, source_table
from transforms.derivation import subkey
from transforms.draws import Draws
from transforms.pipeline.feed import pack_units
from transforms.run_keys import ALGORITHM
from transforms.synthesis.figures import figures
from transforms.synthesis.trees import Recipe, SynthesisRefused, rows_to_fit, synthesize

MARK = "gamyeong.synthesized"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("published", metavar="PUBLISHED", help="APPLICATION/RECIPIENT/TABLE in the published zone")
    parser.add_argument("--table", required=True, help="name of the synthetic table in the source zone")
    kinds = "all records new; some columns anew in every record; some records kept, the others new"
    parser.add_argument("--kind", choices=["full", "partial", "hybrid"], default="full", help=kinds)
    parser.add_argument("--columns", default="", metavar="A,B", help="of a partial table: the columns to make anew")
    parser.add_argument("--stays", type=float, default=0.0, metavar="SHARE", help="of a hybrid table: records kept")
    parser.add_argument("--rows", type=int, metavar="N", help="records to make (default: as many as it is fitted on)")
    parser.add_argument("--leaf", type=int, default=10, metavar="N", help="fewest records a value is drawn from (10)")
    parser.add_argument("--fit", type=int, default=200_000, metavar="N", help="most records to fit on, drawn (200000)")
    parser.add_argument("--drop", default="", metavar="A,B", help="columns to leave out: ids of records or persons")
    parser.add_argument("--most-copies", type=float, metavar="SHARE",
                        help="fails where more synthetic records equal a record that stands alone")  # fmt: skip
    parser.add_argument("--replace", action="store_true", help="put it in place of a table that lies there")


def body(context: Context) -> Outcome:
    """Makes the table, or finds it made already by the same arguments."""
    asked, environment = context.arguments, context.environment
    if find_spec("sklearn") is None:
        raise BadInput("synthesize needs scikit-learn; allowed: gamyeong with its extra `synthetic`")
    for name, least in (("rows", 1), ("leaf", 2), ("fit", 100)):
        value = getattr(asked, name)
        if value is not None and value < least:
            raise BadInput(f"--{name} {value}; allowed: {least} or more")
    place = _published(environment, asked.published.strip("/"))
    if not exists(place):
        raise BadInput(
            f"no published table {asked.published}; allowed: APPLICATION/RECIPIENT/TABLE, in the plan's words or as "
            "its folders are called; `gamyeong status` names the outputs"
        )
    origin = pinned(place)
    recipe = Recipe(asked.kind, _names(asked.columns), asked.stays, asked.rows, asked.leaf)
    mark = {"from": origin.table_id, "version": origin.version, "kind": asked.kind, "columns": recipe.columns,
            "stays": asked.stays, "rows": asked.rows, "leaf": asked.leaf, "fit": asked.fit,
            "drop": _names(asked.drop)}  # fmt: skip
    mark = json.loads(json.dumps(mark))
    with source_table(environment, asked.table) as target:
        location = target.location
        there = exists(location)
        made = there and last_commit(location).get(MARK) == json.dumps(mark)
        if there and not made and not asked.replace:
            raise BadInput(f"another table lies at {location}; allowed: another --table, or --replace")
        report = environment.zone("evidence") / "synthetic" / f"{asked.table.replace('/', '--')}.json"
        if not made:
            draws = _draws(environment, asked.table)
            context.progress.say(f"synthesize {asked.table}: trees of {origin.rows:,} records")
            real, synthetic = _made(origin, recipe, asked.fit, _names(asked.drop), draws)
            told = {"table": asked.table, "made_of": mark, "records": [real.num_rows, synthetic.num_rows],
                    **figures(real, synthetic, draws)}  # fmt: skip
            _judged(told, asked.most_copies)
            files = write_batches(location, target.folder, synthetic.schema, synthetic.to_batches())
            mode: Mode = "replace" if there else "create"
            # Before the commit: a table that lies there always has its figures.
            private_folder(report.local.parent)
            report.write_json(told)
            commit_files(location, synthetic.schema, files, mode=mode, commit={MARK: json.dumps(mark)})
        summary = recorded(environment, "synthesize", asked.table, location, mark)
    told = report.read_json()
    return Outcome({**summary, "made": not made, "figures": told}, text=_lines(asked.table, told, made))


def _published(environment: Environment, words: str) -> Location:
    """The table's place, by its folders or by the plan's words for them; Refused under quarantine."""
    named = "/".join(folder_name(part) for part in words.split("/") if part) or words
    for name in (words, named):
        require_going(environment, name)
    zone = environment.zone("published")
    return zone / (words if exists(zone / words) else named)


def _names(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _draws(environment: Environment, table: str) -> Draws:
    """Draws under the table's own secret: the same arguments again give the same records."""
    series = f"synthetic-{table.replace('/', '--')}"
    secret = SeriesSecrets(environment.zone("keys"), provider_of(environment)).obtain(series)
    return Draws(
        subkey(secret, organisation=environment.organisation, run_or_series=series, recipient=None,
               algorithm=ALGORITHM, domain=table, step=None, purpose="synthesis")
    )  # fmt: skip


def _made(
    origin: Snapshot, recipe: Recipe, fit: int, drop: Sequence[str], draws: Draws
) -> tuple[pa.Table, pa.Table]:
    """The records that it is fitted on, and the synthetic ones."""
    unknown = sorted(set(drop) - set(origin.schema.names))
    if unknown:
        raise BadInput(f"--drop {', '.join(unknown)}; allowed: {', '.join(origin.schema.names)}")
    schema = pa.schema([pa.field(one.name, one.type) for one in origin.schema if one.name not in drop])
    units = pack_units([file.source for file in origin.files], schema, 1)
    batches = [batch for unit in units for batch in unit.batches(schema.names)]
    try:
        real = rows_to_fit(pa.Table.from_batches(batches, schema), fit, draws)
        return real, synthesize(real, recipe, draws)
    except SynthesisRefused as refused:
        raise BadInput(f"no synthetic table of this one: {refused}") from None


def _judged(told: dict[str, Any], most: float | None) -> None:
    share = told["privacy"]["copies_of_single_records"]
    if most is not None and share > most:
        raise DataFailed(
            f"{share:.2%} of the synthetic records equal a record that stands alone; allowed: {most:.2%}; a larger "
            "--leaf or coarser columns make fewer; nothing was written"
        )


def _lines(table: str, told: dict[str, Any], made: bool) -> str:
    quality, privacy = told["quality"], told["privacy"]
    worst = max(quality["columns"].items(), key=lambda one: one[1]["distance"])
    closest = privacy["closest"]
    return (
        f"{table}: {told['records'][1]:,} records{'; was made already' if made else ''}\n"
        f"quality: largest distance of a column {worst[1]['distance']:.4f} ({worst[0]}), largest difference of "
        f"correlations {quality['correlations']['largest_difference']:.4f}, pMSE {quality['pmse']:.4f} of 0.25\n"
        f"privacy: exact copies {privacy['exact_copies']:.2%}, of records that stand alone "
        f"{privacy['copies_of_single_records']:.2%}; median distance to the closest record "
        f"{closest['synthetic_median']:.4f} (among the real ones {closest['real_median']:.4f})"
    )


def main(argv: Sequence[str]) -> int:
    """Exit 1 for too many copies (nothing written), 2 for bad arguments or a table that nothing may be made of."""
    return run_job(
        argv,
        name="synthesize",
        about="Makes synthetic data from a published table, with figures of its quality and privacy, into the source"
        " zone; to be given away it needs a plan of its own.",
        body=body,
        arguments=arguments,
        reads=["published", "keys"],
        writes=["source", "evidence", "keys"],
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
