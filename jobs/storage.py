"""Where things lie: locations in zones, our packaged configuration, safe writing of small files."""

from __future__ import annotations

import importlib.resources
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from jobs.errors import BadInput, Operational

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
        return cls(os.path.abspath(os.path.expanduser(plain)), options)

    def __truediv__(self, name: str | os.PathLike[str]) -> Location:
        """Down to `name`; a name that would lead out of this location is BadInput."""
        parts = [part for part in os.fspath(name).split("/") if part not in ("", ".")]
        if not parts or ".." in parts or os.fspath(name).startswith("/"):
            raise BadInput(
                f"{os.fspath(name)!r} is no name inside {self}; allowed: a relative name, say retail/stops"
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

    def filesystem(self) -> tuple[Any, str]:
        """pyarrow's file system and the path in it; works in Spark tasks too."""
        import pyarrow.fs as pafs

        if self.is_local:
            return pafs.LocalFileSystem(), self.uri
        scheme, rest = self.uri.split("://", 1)
        query = f"?{urlencode(dict(self.options.arrow))}" if self.options.arrow else ""
        found: tuple[Any, str] = pafs.FileSystem.from_uri(
            f"{ARROW_SCHEMES.get(scheme, scheme)}://{rest}{query}"
        )
        return found

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
        if kind == pafs.FileType.Directory:
            filesystem.delete_dir(path)
        elif kind != pafs.FileType.NotFound:
            filesystem.delete_file(path)

    def read_json(self) -> Any:
        """The JSON of this local file."""
        return json.loads(self.local.read_text(encoding="utf-8"))

    def write_json(self, body: Any) -> None:
        """Writes this local file whole or not at all, readable by its owner alone."""
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, indent=1)
        write_atomically(self.local, text.encode())


def private_folder(path: Path) -> Path:
    """Makes a folder (and its parents) that only its owner may enter (0700)."""
    try:
        for folder in reversed([path, *path.parents]):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Operational(f"the folder {path} can't be made: {error.strerror}") from None
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all (temporary file, fsync, rename), mode 0600."""
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{unique_name()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)


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
