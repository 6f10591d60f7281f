"""The forms of a run: written into evidence, entered in the ledger, and proved to be that run's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.clock import Clock, utc_now
from jobs.documents.as_docx import docx_bytes
from jobs.documents.as_html import html_bytes
from jobs.errors import BadInput
from jobs.forms.catalogue import INDEX, Form, forms, index
from jobs.forms.facts import ENTERED, Facts, gather
from jobs.ledger import Entry, evidence_ledger, trusted_entries
from jobs.locks import exclusive
from jobs.manifest import sha256_of
from jobs.runs import RunFolder
from jobs.storage import Location, write_atomically


@dataclass(frozen=True)
class Written:
    """What stands in the folder now: titles by name (without ending), SHA-256 by file name."""

    folder: Location
    titles: Mapping[str, str]
    files: Mapping[str, str]


def place_of(folder: RunFolder) -> Location:
    """Where a run's forms lie. Not among the review's documents: decisions bind those, and forms tell of decisions."""
    return folder.evidence / "documents"


def write_forms(folder: RunFolder, clock: Clock = utc_now) -> Written:
    """Writes every form as HTML and DOCX, and their index, and enters their hashes; forms that are no more are removed.

    The bytes depend on the run's facts alone: the same again changes nothing. Refused where evidence was altered.
    """
    with exclusive(folder.lock, f"run {folder.run}"):
        facts = gather(folder)
        titles, contents = _made(facts)
        place, ledger = place_of(folder), evidence_ledger(folder.environment, clock)
        before = _entered(folder, ledger.entries())
        for name in before.keys() - contents.keys():
            (place / name).delete()
        for name, content in contents.items():
            write_atomically((place / name).local, content)
        files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        if files != before:
            body = {"run": folder.run, "fingerprint": facts.record.fingerprint, "files": files}
            ledger.append(ENTERED, body)
    return Written(place, titles, files)


def problems(folder: RunFolder) -> list[str]:
    """What is wrong with the forms that lie there: changed, missing, foreign or outdated ones; nothing: all belong.

    BadInput where none was ever made; Refused where the evidence that they are made of was altered.
    """
    entries = trusted_entries(folder.environment, evidence_ledger(folder.environment, write=False))
    entered = _entered(folder, entries)
    if not entered:
        raise BadInput(f"run {folder.run} has no documents; run `gamyeong documents {folder.run}` first")
    place = place_of(folder).local
    here = {
        path.relative_to(place).as_posix(): sha256_of(Location.of(path))
        for path in (place.rglob("*") if place.is_dir() else ())
        if path.is_file()
    }
    known = {
        digest: entry for entry in entries if entry.type == ENTERED for digest in entry.content()["files"].values()
    }
    found = [f"{name}: missing" for name in entered if name not in here]
    for name, digest in here.items():
        if entered.get(name) != digest:
            found.append(f"{name}: {_stranger(folder, name in entered, known.get(digest))}")
    return sorted(found) + _outdated(folder, entered)


def _stranger(folder: RunFolder, entered: bool, known: Entry | None) -> str:
    """Why a file is not one of the run's forms as they were entered last."""
    if known is not None and known.content()["run"] != folder.run:
        return f"of another run ({known.content()['run']})"
    if known is not None:
        return f"outdated: as it was on {known.at}"
    return "changed since it was made" if entered else "foreign: no job made it"


def _outdated(folder: RunFolder, entered: Mapping[str, str]) -> list[str]:
    """Forms (by name, without ending) that the run's facts would fill in otherwise now.

    Told by HTML alone: both files are of one document, and a DOCX file's bytes depend on the installed zip library too.
    """
    facts = gather(folder)
    now = {name: hashlib.sha256(content).hexdigest() for name, content in _pages(facts, list(forms(facts))).items()}
    before = {name: digest for name, digest in entered.items() if name.endswith(".html")}
    changed = [name for name in now.keys() | before.keys() if now.get(name) != before.get(name)]
    return [f"{name.removesuffix('.html')}: outdated: the run's facts are others now" for name in sorted(changed)]


def _entered(folder: RunFolder, entries: list[Entry]) -> Mapping[str, str]:
    """The forms that the ledger knows of the run: those that were made last."""
    mine = [entry.content() for entry in entries if entry.type == ENTERED]
    found: list[Mapping[str, str]] = [one["files"] for one in mine if one["run"] == folder.run]
    return found[-1] if found else {}


def _made(facts: Facts) -> tuple[dict[str, str], dict[str, bytes]]:
    every = list(forms(facts))
    papers = {f"{one.name}.docx": docx_bytes(one.document) for one in every}
    return {one.name: one.document.title for one in every}, {**_pages(facts, every), **papers}


def _pages(facts: Facts, every: Sequence[Form]) -> dict[str, bytes]:
    """Every form's HTML and the index, by file name."""
    pages = {one.name: one.document for one in every} | {INDEX: index(facts, every)}
    return {f"{name}.html": html_bytes(document) for name, document in pages.items()}
