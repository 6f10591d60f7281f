"""Files with keys: written whole or not at all, for their owner alone, and never over another one."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobs.errors import BadInput, Operational
from jobs.storage import private_folder, sync_folder, unique_name

_PIECE = 1 << 20


class KeyExists(BadInput):
    """A key or secret of this name is there already and is not overwritten (exit 2)."""


def new_file(path: Path, body: Mapping[str, Any], what: str, allowed: str = "a new name") -> None:
    """Writes a new JSON file of mode 0600 whole or not at all, and never over another one (KeyExists)."""
    private_folder(path.parent)
    draft = path.with_name(draft_name(path, unique_name()))
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(body, file, ensure_ascii=False, sort_keys=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: of two that create at once, the second must not replace the first's key.
        os.link(draft, path)
    except FileExistsError:
        raise KeyExists(f"{what} is there already and is not overwritten; allowed: {allowed}") from None
    except OSError as error:
        raise Operational(
            f"{what} can't be written: {error.strerror}; try again with space and rights"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
        sync_folder(path.parent)


def draft_name(path: Path, attempt: str) -> str:
    """The name under which an attempt writes a file before it takes its own."""
    return f".{path.name}.{attempt}"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One at a time changes the files of a folder of secrets; the others wait. A killed one holds nobody up."""
    descriptor = os.open(private_folder(folder), os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def overwrite(file: Path) -> None:
    """Writes zeros over a file's bytes before it is removed; what a disk does with old blocks is beyond us."""
    try:
        with file.open("r+b", buffering=0) as raw:
            left = os.fstat(raw.fileno()).st_size
            while left > 0:
                left -= raw.write(bytes(min(left, _PIECE)))
            os.fsync(raw.fileno())
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Operational(f"{file} can't be overwritten: {error.strerror}; try again with rights") from None
