"""A root key in an environment variable."""

from __future__ import annotations

import os

from jobs.errors import BadInput
from jobs.key_providers.model import LocalRoot, parsed_root
from transforms.derivation import Secret

# What was taken out of this process's environment, by the variable's name.
_TAKEN: dict[str, Secret] = {}


def take_away(variable: str) -> None:
    """Takes the variable out of this process's environment, so that no child (JVM, Python worker) inherits it."""
    content = os.environ.pop(variable, None)
    if content is not None and len(content) >= 16:
        _TAKEN[variable] = Secret(content.encode("utf-8", "surrogateescape"))


class VariableProvider(LocalRoot):
    """A root key in a variable that whoever starts the job sets: a service manager, a scheduler's secret store."""

    def __init__(self, variable: str) -> None:
        take_away(variable)
        self._variable = variable

    @property
    def where(self) -> str:
        """The variable's name."""
        return f"the variable {self._variable}"

    def read(self) -> tuple[str, Secret]:
        """The variable's content; BadInput where it was not set, or holds no root key."""
        if self._variable not in _TAKEN:
            raise BadInput(
                f"{self.where} holds no root key; allowed: the content of a file that `gamyeong keys init --to FILE` "
                "made"
            )
        return parsed_root(_TAKEN[self._variable].reveal(), self.where)
