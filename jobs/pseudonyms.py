"""`gamyeong pseudonyms receiver|factor|seal|convert|open`: one recipient's pseudonyms become another's, unseen."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import json
import os
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.errors import BadInput, DataFailed
from jobs.job import Context, Outcome, run_job
from jobs.key_files import new_file
from jobs.key_providers import provider_of
from jobs.keys import SeriesSecrets, passing_secret, random_bits
from jobs.leaving import leave
from jobs.ledger import evidence_ledger
from jobs.storage import private_folder, unique_name
from jobs.sum_keys import private_text
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused
from transforms.identifiers import encode_ids
from transforms.kernels import blind
from transforms.run_keys import RunKeys
from transforms.techniques.polymorphic import PolymorphicPseudonym, converted, domain_key, opened, sealed

BATCH = 8_192
_FACTOR, _PRIVATE, _PUBLIC = "pseudonym factor", "pseudonym private key", "pseudonym public key"
Change = Callable[[pa.Array, pa.Array], pa.Array]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    receiver = actions.add_parser("receiver", help="the receiving side makes its key pair")
    receiver.add_argument("--key", type=Path, required=True, metavar="FILE", help="the new private key")
    receiver.add_argument("--public", type=Path, required=True, metavar="FILE", help="the new public key")
    factor = actions.add_parser("factor", help="from the keys of a series, what the converter multiplies by")
    for name, about in (
        ("--series", "the plans' `stable_over`"),
        ("--domain", "the plans' `domain`"),
        ("--sender", "the recipient (as in its plan) whose pseudonyms are converted"),
        ("--receiver", "the recipient (as in its plan) whose pseudonyms they become"),
    ):
        factor.add_argument(name, required=True, metavar="NAME", help=about)
    factor.add_argument("--to", type=Path, required=True, metavar="FILE", help="new file, for the converter alone")
    for action, about, option, what in (
        ("seal", "the sender encrypts pseudonyms to the receiver", "--public", "the receiver's public key"),
        ("convert", "the converter brings them to the receiver's domain", "--factor", "the factor's file"),
        ("open", "the receiver decrypts its pseudonyms", "--key", "the receiver's private key"),
    ):
        one = actions.add_parser(action, help=about)
        one.add_argument("table", type=Path, metavar="TABLE", help="Parquet file")
        one.add_argument("--column", required=True, metavar="NAME", help="its column of pseudonyms")
        one.add_argument(option, type=Path, required=True, metavar="FILE", help=what)
        if action == "convert":
            one.add_argument("--public", type=Path, required=True, metavar="FILE", help="the receiver's public key")
        one.add_argument("--to", type=Path, required=True, metavar="FILE", help="new Parquet file")


def body(context: Context) -> Outcome:
    """One action; those on tables leave all other columns, and the order of rows, as they are."""
    given = context.arguments
    if given.action == "receiver":
        return _receiver(given.key, given.public)
    if given.action == "factor":
        return _factor(context)
    rows = _rewrite(given.table, given.column, given.to, _change(given))
    return Outcome({"action": given.action, "rows": rows}, text=f"{rows} rows to {given.to}")


def _change(given: argparse.Namespace) -> Change:
    """What the action does with cells, given 64 fresh random bytes for each."""
    if given.action == "open":
        private = Secret(_content(given.key, _PRIVATE))
        return lambda cells, _: opened(cells, private)
    public = _content(given.public, _PUBLIC)
    if given.action == "seal":
        return lambda cells, fresh: sealed(cells, public, fresh)
    ratio = Secret(_content(given.factor, _FACTOR))
    return lambda cells, fresh: converted(cells, ratio, public, fresh)


def _receiver(private: Path, public: Path) -> Outcome:
    key = blind.scalar(random_bits(8 * blind.SCALAR_SEED_BYTES).to_bytes(blind.SCALAR_SEED_BYTES, "big"))
    new_file(private, {"kind": _PRIVATE, "value": key.reveal().hex()}, f"the private key {private}")
    try:
        new_file(public, {"kind": _PUBLIC, "value": blind.public(key).hex()}, f"the public key {public}")
        public.chmod(0o644)
    except BaseException:
        private.unlink(missing_ok=True)
        raise
    return Outcome({}, text=f"{public} goes to sender and converter; {private} stays with the receiver")


def _factor(context: Context) -> Outcome:
    """k_receiver / k_sender, from the series' secret; entered in the ledger before it is written."""
    given, environment = context.arguments, context.environment
    if given.sender == given.receiver:
        raise BadInput("--sender and --receiver are the same; allowed: two recipients")
    secret = SeriesSecrets(environment.zone("keys"), provider_of(environment)).load(given.series)
    technique = PolymorphicPseudonym(domain=given.domain, stable_over=given.series)

    def key_of(recipient: str) -> Secret:
        # The run's own secret takes no part: keys of a series are the same in all of its runs.
        keys = RunKeys(secret, environment.organisation, "", recipient, {given.series: secret})
        return domain_key(keys.key(technique.key_use(), technique.name, "", 0))

    ratio = blind.factor(key_of(given.sender), key_of(given.receiver))
    named = {name: getattr(given, name) for name in ("series", "domain", "sender", "receiver")}
    if given.to.exists():
        raise BadInput(f"{given.to} exists already; allowed: the name of a new file")
    evidence_ledger(environment).append("pseudonym-factor", named)
    new_file(given.to, {"kind": _FACTOR, "value": ratio.reveal().hex(), **named}, f"the factor {given.to}")
    text = f"factor from {given.sender} to {given.receiver} in {given.to}: for the converter alone, until it is used"
    return Outcome(named, text=text)


def _content(path: Path, kind: str) -> bytes:
    """The 32 bytes of a key or factor; a private file's mode is checked."""
    try:
        text = path.read_text("utf-8") if kind == _PUBLIC else private_text(path, f"a {kind}")
        content = json.loads(text)
        value = bytes.fromhex(content["value"])
        if content["kind"] == kind and len(value) == blind.POINT_BYTES:
            return value
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}; allowed: a {kind}") from None
    except (KeyError, TypeError, ValueError):
        pass
    raise BadInput(f"{path} holds no {kind}; allowed: a file made by `gamyeong pseudonyms`")


def _rewrite(source: Path, column: str, target: Path, change: Change) -> int:
    """The table with one column changed, batch by batch, to a new file of mode 0600; number of rows."""
    if target.exists():
        raise BadInput(f"{target} exists already; allowed: the name of a new file")
    try:
        file = pq.ParquetFile(source)
    except (OSError, pa.ArrowInvalid):
        raise BadInput(f"{source} can't be read; allowed: a Parquet file") from None
    schema = file.schema_arrow
    place = schema.get_field_index(column)
    if place < 0 or not pa.types.is_string(schema.field(place).type):
        raise BadInput(f"column {column!r}; allowed: a column of text of {source}: {', '.join(schema.names)}")
    draws = Draws(passing_secret())
    private_folder(target.parent)
    draft = target.with_name(f".{target.name}.{unique_name()}")
    rows = 0
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with pq.ParquetWriter(draft, schema) as writer:
            for batch in file.iter_batches(BATCH):
                ids = encode_ids([pa.array(range(rows, rows + batch.num_rows), pa.int64())])
                fresh = pa.array(draws.chance(ids, blind.SCALAR_SEED_BYTES), pa.binary())
                writer.write_batch(batch.set_column(place, schema.field(place), change(batch.column(place), fresh)))
                rows += batch.num_rows
        os.link(draft, target)
    except CellsRefused as refused:
        raise DataFailed(f"column {column!r}: {refused}") from None
    finally:
        draft.unlink(missing_ok=True)
    return rows


def main(argv: Sequence[str]) -> int:
    """Exit 0, 1 where cells are no pseudonyms, 2 for bad arguments, 3 where a private file is open to others."""
    return run_job(
        argv,
        name="pseudonyms",
        about="Brings polymorphic pseudonyms from one recipient to another through a converter that sees neither.",
        body=body,
        arguments=arguments,
        reads=("keys",),
        writes=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
