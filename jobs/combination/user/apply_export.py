"""`apply-export`: a user applies for the export of its output (반출신청, ref. 7), with the attached files."""

from __future__ import annotations

import argparse
import hashlib
import json
from errno import ENOENT
from pathlib import Path

import pyarrow as pa

from jobs.combination.exports import APPLICATION, ATTACHMENTS
from jobs.combination.step import Call, Step
from jobs.errors import BadInput
from jobs.job import Outcome
from transforms.combination.export_form import ExportForm, load_export_form
from transforms.derivation import canonical_json
from transforms.plain import plain
from transforms.plan_places import beside

MOST_BYTES = 64 << 20


def body(call: Call) -> Outcome:
    """Sends the application and the files that it attaches, sealed, to the combining agency."""
    file: Path = call.arguments.application
    form = load_export_form(file)
    attached = _attached(file, form)
    text = json.dumps({"form": plain(form), "repeated": _repeated(call)}, ensure_ascii=False, sort_keys=True)
    hashes = {name: hashlib.sha256(raw).hexdigest() for name, raw in attached.items()}
    agency = call.combination.roles.combining_agency
    package = call.draft("export", agency, inputs=[text, hashes])
    contents = pa.array(list(attached.values()), pa.binary())
    tables = {
        APPLICATION: pa.table({APPLICATION: [text]}),
        ATTACHMENTS: pa.table({"name": list(attached), "content": contents}),
    }
    package.finish([package.sealer.write(table, label) for label, table in tables.items()])
    digest = hashlib.sha256(canonical_json([text, hashes])).hexdigest()
    call.round.record("apply-export", {"application": digest, "attachments": sorted(attached)}, call.revision)
    said = f"round {call.round.name}: applied to {agency} for export, with {len(attached)} attached file(s)"
    return Outcome({"attachments": len(attached), "revision": call.revision}, text=said)


def _repeated(call: Call) -> str | None:
    """③ of the form: the first (최초) or a further one (추가) of a series; empty without one."""
    if call.combination.series is None:
        return None
    return "first" if call.round.first else "further"


def _attached(file: Path, form: ExportForm) -> dict[str, bytes]:
    """The attached files by the names in the form; BadInput with all that can't be read."""
    named = form.attachments
    found: dict[str, bytes] = {}
    problems: list[str] = []
    for field, names in (("safety", named.safety), ("purpose", named.purpose), ("data", named.data)):
        for number, name in enumerate(names):
            place = beside(file.parent, name)
            try:
                if place is None:
                    raise FileNotFoundError(ENOENT, "no such file here")
                found[name] = place.read_bytes()
            except OSError as error:
                problems.append(f"attachments.{field}[{number}]: {name} can't be read ({error.strerror})")
    if sum(map(len, found.values())) > MOST_BYTES:
        problems.append(f"attachments: more than {MOST_BYTES >> 20} MB; allowed: less, say PDF instead of scans")
    if problems:
        raise BadInput("\n".join([f"{file.name}: files beside the application:", *problems]))
    return found


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    about = "the application, with its attached files beside it"
    parser.add_argument("--application", type=Path, required=True, metavar="FILE", help=about)


STEP = Step(
    "apply-export",
    "applies to the combining agency for the export of what this user gets",
    "user",
    body,
    reads=("keys",),
    arguments=arguments,
)
