"""`gamyeong decrypt-sums SUMS --key FILE --to FILE`: the key holder reads sums of encrypted columns."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence
from decimal import Decimal, localcontext

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.errors import BadInput, DataFailed
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.ledger import evidence_ledger
from jobs.storage import write_atomically
from jobs.sum_keys import load_sum_key, sum_key_id
from transforms.kernels.paillier import PrivateKey

COUNT = "_count"
LEAST = 3
DIGITS = 38


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("sums", type=Path, metavar="SUMS", help="Parquet file or folder that `encrypted_sums` gave")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="new Parquet file for the sums")
    parser.add_argument(
        "--decimals",
        action="append",
        default=[],
        metavar="COLUMN=PLACES",
        help="the column was a decimal with so many places behind the point",
    )
    least = f"withhold sums of fewer cells, by the counts in the file ({LEAST}; at least 2)"
    parser.add_argument("--least", type=int, default=LEAST, metavar="N", help=least)


def body(context: Context) -> Outcome:
    """Reads the sums of enough cells and writes them; the others become null."""
    given = context.arguments
    if given.least < 2:
        raise BadInput(f"--least {given.least}; allowed: 2 or more: the sum of one cell is that cell")
    if given.to.exists():
        raise BadInput(f"{given.to} exists already; allowed: the name of a new file")
    try:
        key = load_sum_key(given.key)
    except ValueError:
        raise BadInput(f"{given.key} is no private key; allowed: a file made by `gamyeong keys paillier`") from None
    table = _table(given.sums)
    columns = [name for name in table.column_names if name + COUNT in table.column_names]
    columns = [name for name in columns if pa.types.is_binary(table.schema.field(name).type)]
    if not columns:
        raise BadInput(f"{given.sums} holds no encrypted sum; allowed: binary columns NAME with counts NAME{COUNT}")
    places = _places(given.decimals, columns)
    withheld = 0
    for name in columns:
        sums, few = _read(key, table, name, places.get(name, 0), given.least)
        table = table.set_column(table.column_names.index(name), name, sums)
        withheld += few
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    write_atomically(given.to, buffer.getvalue().to_pybytes())
    key_id = sum_key_id(key.public)
    done = {"key_id": key_id, "columns": columns, "groups": table.num_rows, "withheld": withheld}
    evidence_ledger(context.environment).append("decrypt-sums", done)
    too_few = f"{withheld} withheld (fewer than {given.least} cells)"
    text = f"{table.num_rows} groups, sums of {', '.join(columns)}; {too_few}"
    return Outcome(done, text=text)


def _table(path: Path) -> pa.Table:
    try:
        return pq.read_table(path).combine_chunks()
    except (OSError, pa.ArrowInvalid):
        raise BadInput(f"{path} can't be read; allowed: a Parquet file, or a folder of such") from None


def _places(raw: Sequence[str], columns: Sequence[str]) -> dict[str, int]:
    """Decimal places by column."""
    found = {}
    for one in raw:
        name, _, places = one.rpartition("=")
        if name not in columns or not places.isdigit() or int(places) > DIGITS:
            allowed = f"COLUMN=PLACES with one of {', '.join(columns)} and up to {DIGITS} places"
            raise BadInput(f"--decimals {one!r}; allowed: {allowed}")
        found[name] = int(places)
    return found


def _read(key: PrivateKey, table: pa.Table, name: str, places: int, least: int) -> tuple[pa.Array, int]:
    """The sums of a column, and how many are withheld."""
    cells, counts = table.column(name).to_pylist(), table.column(name + COUNT).to_pylist()
    enough = [cell is not None and (count or 0) >= least for cell, count in zip(cells, counts, strict=True)]
    try:
        read = iter(key.decrypt(cell for cell, shown in zip(cells, enough, strict=True) if shown))
        numbers = [next(read) if shown else None for shown in enough]
    except ValueError:
        raise DataFailed(
            f"{name} holds values that are no sums under this key; allowed: what `encrypted_sums` gave with that pair"
        ) from None
    if long := sum(number is not None and abs(number) >= 10**DIGITS for number in numbers):
        raise DataFailed(
            f"{long} sums of {name} have more than {DIGITS} digits; were they encrypted with another public key?"
        )
    with localcontext(prec=DIGITS):
        scaled = [None if number is None else Decimal(number).scaleb(-places) for number in numbers]
    few = sum(cell is not None for cell in cells) - sum(enough)
    return pa.array(scaled, pa.decimal128(DIGITS, places)), few


def main(argv: Sequence[str]) -> int:
    """Exit 0, 1 where values are no sums under the key, 2 for bad arguments, 3 for a key that others may read."""
    return run_job(
        argv,
        name="decrypt-sums",
        about="Reads sums of encrypted columns with the private key; writes the evidence ledger, and no table.",
        body=body,
        arguments=arguments,
        writes=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
