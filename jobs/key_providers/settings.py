"""`keys:` of an environment file: who keeps the root key."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileKeys(_Strict):
    """A file that its owner alone may read."""

    provider: Literal["file"] = "file"
    path: str


class EnvironmentKeys(_Strict):
    """An environment variable that holds what `gamyeong keys init --to FILE` wrote; a start script sets it."""

    provider: Literal["environment"]
    variable: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")


# YAML reads a number where a person wrote a word of a command.
Word = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


class CommandKeys(_Strict):
    """A command (no shell) that prints what `gamyeong keys init --to FILE` wrote: of a password store, a vault."""

    provider: Literal["command"]
    command: tuple[Word, ...] = Field(min_length=1)
    timeout: int = Field(default=30, ge=1, le=600)


class AwsKmsKeys(_Strict):
    """A symmetric key in AWS KMS, which never leaves it. Credentials and region as boto3 finds them."""

    provider: Literal["aws-kms"]
    key: str = Field(min_length=1)
    region: str | None = None
    endpoint: str | None = None

    @field_validator("endpoint")
    @classmethod
    def _encrypted_on_the_way(cls, endpoint: str | None) -> str | None:
        parts = urlsplit(endpoint or "")
        if endpoint is not None and parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise ValueError("an endpoint without TLS; allowed: https://…, or a server on this machine")
        return endpoint


def _provider(raw: Any) -> Any:
    return raw.get("provider", "file") if isinstance(raw, dict) else getattr(raw, "provider", None)


SETTINGS: dict[str, type[BaseModel]] = {
    "file": FileKeys, "environment": EnvironmentKeys, "command": CommandKeys, "aws-kms": AwsKmsKeys
}  # fmt: skip
KeySettings = Annotated[
    Annotated[FileKeys, Tag("file")]
    | Annotated[EnvironmentKeys, Tag("environment")]
    | Annotated[CommandKeys, Tag("command")]
    | Annotated[AwsKmsKeys, Tag("aws-kms")],
    Discriminator(
        _provider,
        custom_error_type="provider",
        custom_error_message=f"no such provider; allowed: {', '.join(SETTINGS)}",
    ),
]
