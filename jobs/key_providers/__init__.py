"""Who keeps the root key: a file, a variable, a command, AWS KMS. `provider_of(environment)` is the one way to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import BadInput
from jobs.key_providers.aws_kms import AwsKmsProvider
from jobs.key_providers.command import CommandProvider
from jobs.key_providers.file import FileProvider
from jobs.key_providers.model import KeyProvider
from jobs.key_providers.settings import AwsKmsKeys, CommandKeys, EnvironmentKeys, FileKeys
from jobs.key_providers.variable import VariableProvider, take_away
from transforms.derivation import Secret

if TYPE_CHECKING:
    from jobs.environment import Environment

Keys = FileKeys | EnvironmentKeys | CommandKeys | AwsKmsKeys


def provider_of(environment: Environment) -> KeyProvider:
    """The environment's key provider; while a root key is replaced, it still opens what the old one wrapped.

    Nothing is read before its first use. For jobs that were handed the keys zone.
    """
    current = opened(environment.keys)
    return current if environment.retiring_keys is None else Changing(current, opened(environment.retiring_keys))


def opened(settings: Keys) -> KeyProvider:
    """The provider of these settings."""
    if isinstance(settings, FileKeys):
        return FileProvider(settings.path)
    if isinstance(settings, EnvironmentKeys):
        return VariableProvider(settings.variable)
    if isinstance(settings, CommandKeys):
        return CommandProvider(settings.command, settings.timeout)
    return AwsKmsProvider(settings)


def shielded(settings: Keys) -> None:
    """Takes a root key out of this process's environment, before anything is started that would inherit it."""
    if isinstance(settings, EnvironmentKeys):
        take_away(settings.variable)


def make_root(settings: Keys) -> KeyProvider:
    """Makes the root key where that is ours to do: a file. KeyExists if it is there; BadInput for other keepers."""
    if isinstance(settings, FileKeys):
        return FileProvider.init(settings.path)
    if isinstance(settings, AwsKmsKeys):
        raise BadInput("a key of AWS KMS is made there (`aws kms create-key`); allowed here: `gamyeong keys check`")
    raise BadInput(
        f"provider {settings.provider}: the root key is kept elsewhere; allowed: `gamyeong keys init --to FILE`, whose "
        "content goes to that keeper, and the file away"
    )


def root_file(environment: Environment) -> Path | None:
    """The root key's file, or None where it is kept elsewhere."""
    settings = environment.key_settings
    return Path(settings.path) if isinstance(settings, FileKeys) else None


def root_is_missing(environment: Environment) -> bool:
    """True where the root key is a file that is not there yet."""
    file = root_file(environment)
    return file is not None and not file.exists()


class Changing:
    """Wraps under the current root key, and opens what either of both wrapped."""

    def __init__(self, current: KeyProvider, retiring: KeyProvider) -> None:
        self._current, self._retiring = current, retiring

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """By the current root key."""
        return self._current.wrap(secret, context)

    def unwrap(self, wrapped: Mapping[str, Any]) -> Secret:
        """By the root key whose id it names; by the current one where that is neither's, which says so."""
        if wrapped.get("key_id") != self._current.check() and wrapped.get("key_id") == self._retiring.check():
            return self._retiring.unwrap(wrapped)
        return self._current.unwrap(wrapped)

    def check(self) -> str:
        """The current root key's id."""
        return self._current.check()
