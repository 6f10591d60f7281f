"""A root key in a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from jobs.errors import BadInput
from jobs.key_files import new_file
from jobs.key_providers.model import LocalRoot, new_root, parsed_root
from transforms.derivation import Secret


class FileProvider(LocalRoot):
    """A root key of 32 random bytes in a JSON file that its owner alone may read.

    The key is read anew for each use, so the object holds none. BadInput if the file is missing, open
    to others or no root key.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    @classmethod
    def init(cls, path: str | os.PathLike[str]) -> FileProvider:
        """Makes a new root key (mode 0600); KeyExists if a file is there."""
        allowed = "one for an environment; nothing to do: `gamyeong keys check` tells whether it can be used"
        new_file(Path(path), new_root(), f"the root key {os.fspath(path)}", allowed)
        return cls(path)

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self._path)

    def read(self) -> tuple[str, Secret]:
        """The file's content, if none but its owner could read it."""
        try:
            with self._path.open("rb") as file:
                # Of the open file, so that none can be put in its place between check and reading.
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                content = file.read() if not mode & 0o077 else b""
        except OSError as error:
            raise BadInput(
                f"the root key {self._path} can't be read: {error.strerror}; allowed: a file made by "
                "`gamyeong keys init`"
            ) from None
        if mode & 0o077:
            raise BadInput(
                f"the root key {self._path} has mode {mode:04o}; allowed: 0600 or stricter; others may "
                "have read it: take a new one, or `chmod 600` if surely nobody has"
            )
        return parsed_root(content, str(self._path))
