"""Packages: everything that passes between roles. Sealed to the receiver, signed by the sender, put there at once.

    <receiver's inbox>/<combination>/<round>/<kind>/<sender>/r<revision>/
        manifest.json      what it is, its files with their hashes, the data key sealed to the receiver
        signature          Ed25519 over the bytes of manifest.json, by the sender's pinned key
        …parquet.sealed    AES-256-GCM under the data key, bound to the package's and the file's name

A package is written beside its place (`.r1.…`) and renamed: a receiver sees all of it or nothing. What was sent and
what was taken in is entered in the ledger of each side; the manifests stay in evidence when packages are destroyed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.clock import stamp, utc_now
from jobs.combination import entries, shares
from jobs.combination.identities import partner, signing_key, unseal
from jobs.combination.parcels import Address, Kind, Manifest, decoded, versions_folder
from jobs.combination.sealed_files import PackedFile, SealedUnit, Sealer, schema_from
from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, Operational, Refused
from jobs.keys import passing_secret
from jobs.names import folder_name
from jobs.storage import Location, sync_folder, unique_name, write_atomically
from transforms.combination.model import Combination
from transforms.derivation import canonical_json
from transforms.pipeline.feed import Damaged, Unit

SENT, RECEIVED, DESTROYED = "combination-sent", "combination-received", "combination-destroyed"
MANIFEST, SIGNATURE = "manifest.json", "signature"
UNIT_BYTES = 64 << 20
THREADS = 4


@dataclass(frozen=True)
class Draft:
    """A package in the making. `sealer` goes into tasks; `finish` sends it."""

    environment: Environment
    manifest: Manifest
    sealer: Sealer
    target: Path

    def finish(self, files: Iterable[PackedFile] = (), content: Mapping[str, Any] | None = None) -> Manifest:
        """Signs the package, puts it into the receiver's inbox by one rename, and enters it in our ledger.

        Sent already with the same substance: nothing changes. The same revision with another substance is Refused.
        """
        named = tuple(sorted(files, key=lambda file: file.name))
        manifest = replace(self.manifest, files=named, content=dict(content or {}))
        if any(file.schema != other.schema for file in named for other in named if file.label == other.label):
            raise ValueError("files of one table with several schemas")
        address = manifest.address
        try:
            before = sent(self.environment, address)
            if before is None:
                before = self._placed(manifest)
        finally:
            shutil.rmtree(self.sealer.place, ignore_errors=True)
        if before.substance != manifest.substance:
            raise Refused(
                f"{address.name} was sent with other content; allowed: the same again, or a new revision "
                f"(--revision {address.revision + 1})"
            )
        return before

    def discard(self) -> None:
        """Removes what was written of a package that is not sent; of one that was, nothing."""
        shutil.rmtree(self.sealer.place, ignore_errors=True)

    def _placed(self, manifest: Manifest) -> Manifest:
        folder = Path(self.sealer.place)
        listed = {file.name for file in manifest.files}
        for found in folder.iterdir():
            if found.name not in listed:  # of an attempt that Spark tried again
                found.unlink()
        content = manifest.encoded()
        _write(folder / MANIFEST, content)
        _write(folder / SIGNATURE, signing_key(self.environment).sign(content).encode())
        sync_folder(folder)
        try:
            os.rename(folder, self.target)
            sync_folder(self.target.parent)
        except OSError:
            # Of a start that was killed between the rename and the ledger: ours, or another's that bars the way.
            if not (self.target / MANIFEST).is_file():
                raise
            content, manifest = self._there()
        _enter(self.environment, SENT, manifest, content)
        return manifest

    def _there(self) -> tuple[bytes, Manifest]:
        content = (self.target / MANIFEST).read_bytes()
        key = signing_key(self.environment)
        if (self.target / SIGNATURE).read_text("ascii", errors="replace") != key.sign(content):
            raise Refused(f"{self.target} is there already and isn't ours: the receiver must look")
        return content, decoded(content)


def draft(
    environment: Environment,
    combination: Combination,
    *,
    round: str,
    kind: Kind,
    receiver: str,
    revision: int = 1,
    receipt: str | None = None,
    inputs: Any = None,
) -> Draft:
    """Begins a package to `receiver`; `inputs` (JSON) is what it is made from: the same makes the same package.

    Drafts of this package that a killed start left are removed. Needs the zones keys and evidence.
    """
    place = environment.exchange
    address = Address(combination.combination, round, kind, place.name, receiver, revision)
    outbox = place.outbox(receiver).local
    if not outbox.is_dir():
        raise Operational(
            f"no folder {outbox}: the inbox of {receiver} is not mounted, or {receiver} has not made its identity yet"
        )
    target = shares.below(outbox, address.folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = target.with_name(f".{target.name}.{unique_name()}")
    folder.mkdir()
    key = passing_secret()
    sealed = partner(environment, receiver).seal(key, address.name.encode())
    digest = hashlib.sha256(canonical_json(inputs)).hexdigest()
    manifest = Manifest(address, combination.fingerprint, receipt, stamp(utc_now()), sealed.hex(), inputs=digest)
    return Draft(environment, manifest, Sealer(str(folder), address.name, key), target)


@dataclass(frozen=True)
class Package:
    """A package that was checked and taken in."""

    environment: Environment
    manifest: Manifest
    place: Path

    @property
    def content(self) -> Mapping[str, Any]:
        """The small facts that the manifest carries."""
        return self.manifest.content

    def schema(self, label: str | None = None) -> pa.Schema:
        """The columns of one of its tables (the only one, without `label`)."""
        return schema_from(self._files(label)[0].schema)

    def units(self, label: str | None = None, unit_bytes: int = UNIT_BYTES) -> list[Unit]:
        """One of its tables as units of a feed: opened and decrypted inside tasks. Needs the keys zone."""
        files = self._files(label)
        address = self.manifest.address
        key = unseal(self.environment, bytes.fromhex(self.manifest.key), address.name.encode())
        schema = schema_from(files[0].schema)
        groups: list[list[PackedFile]] = [[]]
        for file in files:
            if groups[-1] and sum(one.bytes for one in groups[-1]) + file.bytes > unit_bytes:
                groups.append([])
            groups[-1].append(file)
        return [
            SealedUnit(index, str(self.place), address.name, tuple(one.name for one in group), key, schema)
            for index, group in enumerate(groups)
        ]

    def table(self, label: str | None = None) -> pa.Table:
        """A small table, whole; DataFailed where a file was altered."""
        schema = self.schema(label)
        try:
            batches = [batch for unit in self.units(label) for batch in unit.batches(schema.names)]
        except Damaged as error:
            raise DataFailed(f"{self.manifest.address.name}: {error}; {_ASK}") from None
        return pa.Table.from_batches(batches, schema)

    def _files(self, label: str | None) -> tuple[PackedFile, ...]:
        labels = self.manifest.labels
        if label is None and len(labels) == 1:
            label = labels[0]
        files = tuple(file for file in self.manifest.files if file.label == label)
        if not files:
            name = self.manifest.address.name
            raise DataFailed(f"{name} has no table {label!r}; it has: {', '.join(labels) or 'none'}")
        return files


_ASK = "ask the sender for a new revision, and who could write here"


def received(
    environment: Environment,
    combination: Combination,
    *,
    round: str,
    kind: Kind,
    sender: str,
    revision: int | None = None,
    enter: bool = True,
) -> Package | None:
    """The newest revision of a package that lies in our inbox, checked and entered in our ledger; None without one.

    `enter=False` checks alone, for who only looks.

    DataFailed where a byte was altered or it is signed by another key; Refused where it is another's, of another
    round or combination file, was taken in with other content, or is older than what was taken in.
    """
    there = _in_inbox(environment, combination, round, kind, sender)
    if revision is not None:
        there = [one for one in there if one == revision]
    if not there:
        return None
    wanted = Address(combination.combination, round, kind, sender, environment.exchange.name, max(there))
    place = shares.below(environment.exchange.inbox.local, wanted.folder)
    content, manifest = _read(environment, place, wanted)
    problems = _differences(combination, manifest, wanted)
    if problems:
        raise Refused("\n".join([f"{wanted.name}: the package at {place} is refused:", *problems]))
    _require_whole(place, manifest)
    _require_newest(environment, manifest, content, asked=revision is not None)
    if enter:
        _enter(environment, RECEIVED, manifest, content)
    return Package(environment, manifest, place)


def _read(environment: Environment, place: Path, wanted: Address) -> tuple[bytes, Manifest]:
    try:
        content = shares.content(place / MANIFEST, shares.MOST_MANIFEST)
        signature = shares.content(place / SIGNATURE, shares.MOST_SIGNATURE).decode("ascii", errors="replace")
    except OSError as error:
        raise DataFailed(f"{wanted.name}: {place} was tampered with ({error.strerror}); {_ASK}") from None
    identity = partner(environment, wanted.sender)
    if not identity.signed(content, signature):
        raise DataFailed(
            f"{wanted.name}: tampered with, or signed by another than {wanted.sender} (its pinned fingerprint: "
            f"{identity.fingerprint}); {_ASK}"
        )
    try:
        return content, decoded(content)
    except ValueError as error:
        raise BadInput(f"{place / MANIFEST}: {error}; the sender has another version of this program?") from None


def _differences(combination: Combination, manifest: Manifest, wanted: Address) -> list[str]:
    """How a package differs from the place where it lies, and from what this role works by."""
    found = manifest.address
    problems = [
        f"{what} {getattr(found, what)}; allowed here: {getattr(wanted, what)}"
        for what in Address.__dataclass_fields__
        if getattr(found, what) != getattr(wanted, what)
    ]
    if manifest.spec != combination.fingerprint:
        problems.append(
            f"made by another combination file ({manifest.spec[:16]}, ours is {combination.fingerprint[:16]}); "
            "compare the two files: all roles must have the same"
        )
    return problems


def _require_whole(place: Path, manifest: Manifest) -> None:
    """DataFailed unless the folder holds the manifest's files, byte by byte, and nothing else."""
    names = {one.name for one in place.iterdir()} - {MANIFEST, SIGNATURE}
    if links := sorted(name for name in names if not stat.S_ISREG((place / name).lstat().st_mode)):
        raise DataFailed(f"{manifest.address.name}: no files, but links or folders: {', '.join(links)}; {_ASK}")
    wrong = sorted(names ^ {file.name for file in manifest.files})
    there = [file for file in manifest.files if file.name in names]
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(lambda file: _sha256(place / file.name), there)
        wrong += [file.name for file, digest in zip(there, found, strict=True) if digest != file.sha256]
    if wrong:
        raise DataFailed(f"{manifest.address.name}: tampered with: {', '.join(wrong)}; {_ASK}")


def _require_newest(environment: Environment, manifest: Manifest, content: bytes, *, asked: bool) -> None:
    address = manifest.address
    taken = _latest(environment, RECEIVED, address)
    same = taken.get(address.revision)
    if same is not None and same != hashlib.sha256(content).hexdigest():
        raise Refused(
            f"{address.name} was taken in with other content; allowed: a new revision "
            f"(--revision {address.revision + 1}) by {address.sender}"
        )
    if not asked and taken and max(taken) > address.revision:
        raise Refused(f"{address.name}: revision {max(taken)} was taken in before and is gone from the inbox")


def sent(environment: Environment, address: Address) -> Manifest | None:
    """What our ledger says we sent under this address, or None."""
    digest = _latest(environment, SENT, address).get(address.revision)
    if digest is None:
        return None
    place = _copy(environment, SENT, address)
    content = place.local.read_bytes() if place.exists() else b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise Refused(f"{place} is not as it was sent; restore the evidence")
    return decoded(content)


def senders(environment: Environment, combination: Combination, round: str, kind: Kind) -> tuple[str, ...]:
    """Who has put a package of this kind into our inbox, unchecked."""
    place = versions_folder(combination.combination, round, kind, "x")
    folder = shares.below(environment.exchange.inbox.local, place).parent
    return tuple(sorted(one.name for one in folder.glob("*") if not one.is_symlink() and any(one.glob("r*"))))


def newest_in_inbox(environment: Environment, combination: Combination, round: str, kind: Kind, sender: str) -> int:
    """The newest revision that lies in our inbox, unchecked; 0 without one."""
    return max(_in_inbox(environment, combination, round, kind, sender), default=0)


def newest_taken(environment: Environment, combination: Combination, round: str, kind: Kind, sender: str) -> int:
    """The newest revision that we have checked and taken in; 0 without one."""
    address = Address(combination.combination, round, kind, sender, environment.exchange.name, 0)
    return max(_latest(environment, RECEIVED, address), default=0)


def _in_inbox(environment: Environment, combination: Combination, round: str, kind: Kind, sender: str) -> list[int]:
    place = versions_folder(combination.combination, round, kind, sender)
    folder = shares.below(environment.exchange.inbox.local, place)
    versions = (one for one in folder.glob("r*") if (one / MANIFEST).exists())
    return [int(one.name[1:]) for one in versions if one.name[1:].isdecimal()]


def destroy_packages(
    environment: Environment, combination: Combination, *, round: str, kinds: Iterable[Kind]
) -> list[str]:
    """Removes packages of these kinds from our inbox and enters that; their names, as `kind/sender/r1`."""
    base = shares.below(environment.exchange.inbox.local, folder_name(combination.combination), round)
    gone = []
    for kind in kinds:
        shares.below(base, kind)
        gone += sorted(one.relative_to(base).as_posix() for one in (base / kind).glob("*/r*"))
        shutil.rmtree(base / kind, ignore_errors=True)
    if gone:
        body = {"combination": combination.combination, "round": round, "packages": gone}
        entries.append(environment, DESTROYED, body)
    return gone


def _latest(environment: Environment, kind: str, address: Address) -> dict[int, str]:
    """The SHA-256 of the manifest by revision, of all that our ledger knows of this package."""
    names = ("combination", "round", "kind", "sender", "receiver")
    found = entries.entered(environment, kind, **{name: getattr(address, name) for name in names})
    return {body["revision"]: body["manifest"] for body in (entry.content() for entry in found)}


def _enter(environment: Environment, kind: str, manifest: Manifest, content: bytes) -> None:
    """Keeps a copy of the manifest in evidence, then enters its hash, once."""
    address = manifest.address
    digest = hashlib.sha256(content).hexdigest()
    if _latest(environment, kind, address).get(address.revision) == digest:
        return
    write_atomically(_copy(environment, kind, address).local, content)
    body = {
        **{name: getattr(address, name) for name in Address.__dataclass_fields__},
        "spec": manifest.spec, "receipt": manifest.receipt, "rows": manifest.rows, "manifest": digest,
    }  # fmt: skip
    entries.append(environment, kind, body, once=(*Address.__dataclass_fields__, "manifest"))


def _copy(environment: Environment, kind: str, address: Address) -> Location:
    other = address.receiver if kind == SENT else address.sender
    folder = environment.zone("evidence") / "combinations" / folder_name(address.combination) / address.round
    return folder / "packages" / f"{kind.removeprefix('combination-')}-{address.kind}-{other}-r{address.revision}.json"


def _sha256(path: Path) -> str:
    with shares.opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
