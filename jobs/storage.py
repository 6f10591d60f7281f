"""Where things lie: locations in zones, our packaged configuration, safe writing of small files."""

from __future__ import annotations

import importlib.resources
import json
import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from jobs.errors import BadInput, Operational

LONGEST_NAME = 255
AT_ONCE = 8  # requests to a store
STORES = ("s3", "s3a", "s3n", "gs", "gcs", "abfs", "abfss", "hdfs")
ARROW_SCHEMES = {"s3a": "s3", "s3n": "s3"}


@dataclass(frozen=True)
class StorageOptions:
    """Options of an object store: `deltalake` as its storage options, `arrow` as the query of its URI.

    Credentials don't belong here: both libraries find renewable ones in the machine's own surroundings.
    """

    deltalake: Mapping[str, str] = field(default_factory=dict)
    arrow: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Location(os.PathLike[str]):
    """A folder or file in a zone. `location / "name"` goes down; `str()` is what Spark and deltalake take.

    A local one is an absolute path and may be given to `open` or `Path`; a remote one is a URI, and
    what only works locally raises BadInput.
    """

    uri: str
    options: StorageOptions = field(default=StorageOptions(), compare=False, repr=False)

    @classmethod
    def of(cls, text: str | os.PathLike[str], options: StorageOptions | None = None) -> Location:
        """From a path (relative ones start at the current folder) or a URI (`file:`, `s3:`, `abfss:` …)."""
        options = options or StorageOptions()
        plain = os.fspath(text)
        parts = urlsplit(plain)
        if parts.scheme == "file":
            return cls(os.path.abspath(unquote(parts.path)), options)
        if "://" in plain:
            return cls(plain.rstrip("/"), options)
        return cls(os.path.abspath(os.path.expanduser(re.sub("^//+", "/", plain))), options)

    def __truediv__(self, name: str | os.PathLike[str]) -> Location:
        """Down to `name`; a name that would lead out of this location is BadInput."""
        parts = [part for part in os.fspath(name).split("/") if part not in ("", ".")]
        if not parts or os.fspath(name).startswith("/") or any(map(self._leads_out, parts)):
            raise BadInput(
                f"{os.fspath(name)!r:.300} is no name inside {self}; allowed: a relative name, say retail/stops"
            )
        return Location("/".join([self.uri, *parts]), self.options)

    def __str__(self) -> str:
        return self.uri

    def __fspath__(self) -> str:
        return str(self.local)

    @property
    def is_local(self) -> bool:
        return "://" not in self.uri

    @property
    def local(self) -> Path:
        """The path of a local location; BadInput for a remote one."""
        if not self.is_local:
            raise BadInput(f"{self.uri} is not on this machine; allowed here: a local folder")
        return Path(self.uri)

    def _leads_out(self, part: str) -> bool:
        """Upwards, too long for a file system, with a null byte; in a URI also by what stands encoded in it."""
        if part == ".." or "\0" in part or len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
            return True
        decoded = unquote(part)
        return not self.is_local and (decoded in (".", "..") or not {"?", "#", "/", "\\"}.isdisjoint(part + decoded))

    def filesystem(self) -> tuple[Any, str]:
        """pyarrow's file system and the path in it; works in Spark tasks too."""
        import pyarrow.fs as pafs

        if self.is_local:
            return pafs.LocalFileSystem(), self.uri
        scheme, rest = self.uri.split("://", 1)
        authority, _, path = rest.partition("/")
        query = f"?{urlencode(dict(self.options.arrow))}" if self.options.arrow else ""
        # Of the URI the store alone is parsed: names of files may hold what a URI would have to escape.
        filesystem, root = _store(f"{ARROW_SCHEMES.get(scheme, scheme)}://{authority}{query}")
        return filesystem, f"{root.rstrip('/')}/{path}" if path else root

    def exists(self) -> bool:
        """True if there is a file or folder here."""
        import pyarrow.fs as pafs

        filesystem, path = self.filesystem()
        return bool(filesystem.get_file_info(path).type != pafs.FileType.NotFound)

    def delete(self) -> None:
        """Removes this file, or this folder with all in it; nothing there is no error."""
        import pyarrow.fs as pafs

        filesystem, path = self.filesystem()
        kind = filesystem.get_file_info(path).type
        if kind == pafs.FileType.NotFound:
            return
        if kind != pafs.FileType.Directory:
            filesystem.delete_file(path)
        elif self.is_local:
            filesystem.delete_dir(path)
        else:
            _empty(filesystem, path)

    def read_json(self) -> Any:
        """The JSON of this file; FileNotFoundError where there is none, ValueError where it is none."""
        if self.is_local:
            return parsed(self.local.read_bytes())
        filesystem, path = self.filesystem()
        with filesystem.open_input_stream(path) as file:
            return parsed(file.read())

    def write_json(self, body: Any, *, shared: bool = False) -> None:
        """Writes this file whole or not at all; a local one is readable by its owner alone.

        A `shared` one is readable by all whom the process's umask and the folders above it let in.
        """
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, indent=1)
        if self.is_local:
            write_atomically(self.local, text.encode(), 0o666 if shared else 0o600)
            return
        filesystem, path = self.filesystem()
        with filesystem.open_output_stream(path) as file:  # a store shows an object once it is whole
            file.write(text.encode())


def _empty(filesystem: Any, path: str) -> None:
    """Removes a folder of a store, from below: a store over a file system removes no folder that is not empty."""
    import pyarrow.fs as pafs

    below = filesystem.get_file_info(pafs.FileSelector(path, recursive=True, allow_not_found=True))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(filesystem.delete_file, [one.path for one in below if one.type == pafs.FileType.File]))
    folders = sorted((one.path for one in below if one.type == pafs.FileType.Directory), key=len, reverse=True)
    for folder in (*folders, path):
        with suppress(FileNotFoundError):  # it was nothing but the files in it
            filesystem.delete_dir(folder)


@cache
def _store(uri: str) -> tuple[Any, str]:
    """A store's client, made once in a process: connections are kept, and the region is asked for once."""
    import pyarrow.fs as pafs

    found: tuple[Any, str] = pafs.FileSystem.from_uri(uri)
    return found


def known_store(place: Location) -> bool:
    """True if a place lies in a kind of store that both libraries know."""
    return place.uri.partition("://")[0].lower() in STORES


def parsed(content: str | bytes) -> Any:
    """JSON; ValueError for what is none, is not UTF-8, or nests too deep to be read."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("JSON that nests too deep") from None


def private_folder(path: Path) -> Path:
    """Makes a folder (and its parents) that only its owner may enter (0700)."""
    try:
        for folder in reversed([path, *path.parents]):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Operational(f"the folder {path} can't be made: {error.strerror}") from None
    return path


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Writes a file whole or not at all (temporary file, fsync, rename)."""
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{unique_name()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """What was made or removed in the folder is so on disk, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unique_name() -> str:
    """16 hex digits that no other attempt has; only for names of files, never for data."""
    return os.urandom(8).hex()


def conf_path(name: str) -> Path:
    """A file of our configuration (`environments/local.yaml`): the checkout's `conf/`, else the wheel's."""
    root = Path(__file__).resolve().parents[1]
    folders = [Path(str(importlib.resources.files("jobs"))) / "_conf"]
    if (root / "pyproject.toml").is_file():
        folders.insert(0, root / "conf")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise BadInput(f"no file {name} in our configuration; looked in {', '.join(map(str, folders))}")
