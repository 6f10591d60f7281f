"""A root key in AWS KMS (extra `aws`)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from jobs.errors import BadInput, Operational
from jobs.key_providers.model import FORMAT, anothers, damaged
from jobs.key_providers.settings import AwsKmsKeys
from transforms.derivation import Secret, canonical_json

_ALGORITHM = "AWS-KMS/SYMMETRIC_DEFAULT"
# Errors of the service by what the user can do about them.
_ALTERED = {"InvalidCiphertextException", "IncorrectKeyException"}
_NOT_USABLE = {
    "NotFoundException", "DisabledException", "KMSInvalidStateException", "AccessDeniedException",
    "InvalidKeyUsageException", "InvalidArnException", "ValidationException", "UnrecognizedClientException",
    "InvalidClientTokenId", "ExpiredTokenException",
}  # fmt: skip


class AwsKmsProvider:
    """A symmetric key of AWS KMS: secrets are encrypted and decrypted there, and the key never leaves it.

    What a wrapped secret is bound to goes along as the SHA-256 of its context: KMS checks it, and AWS's logs,
    which hold it in plain text, tell no name of a run or series.
    """

    def __init__(self, settings: AwsKmsKeys) -> None:
        self._settings = settings
        self._client: Any = None
        self._key: str | None = None

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """Encrypt, with the context's digest as encryption context."""
        key_id = self.check()
        bound = _bound(context)
        answer = self._call(
            lambda kms: kms.encrypt(KeyId=key_id, Plaintext=secret.reveal(), EncryptionContext=bound)
        )
        return {
            "format": FORMAT,
            "key_id": key_id,
            "algorithm": _ALGORITHM,
            "context": dict(context),
            "secret": base64.b64encode(answer["CiphertextBlob"]).decode(),
        }

    def unwrap(self, wrapped: Mapping[str, Any]) -> Secret:
        """Decrypt by this key alone; BadInput for another root key's, Operational for an altered one."""
        key_id = self.check()
        if wrapped.get("key_id") != key_id:
            raise anothers(f"AWS KMS {self._settings.key}", key_id)
        if (wrapped.get("format"), wrapped.get("algorithm")) != (FORMAT, _ALGORITHM):
            raise damaged()
        try:
            sealed = base64.b64decode(wrapped["secret"], validate=True)
            bound = _bound(wrapped["context"])
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise damaged() from None
        answer = self._call(lambda kms: kms.decrypt(KeyId=key_id, CiphertextBlob=sealed, EncryptionContext=bound))
        return Secret(answer["Plaintext"])

    def check(self) -> str:
        """The key's ARN; BadInput where it is unknown, disabled or waits for deletion."""
        if self._key is None:
            found = self._call(lambda kms: kms.describe_key(KeyId=self._settings.key))["KeyMetadata"]
            if found["KeyState"] != "Enabled" or found.get("KeySpec") != "SYMMETRIC_DEFAULT":
                raise BadInput(
                    f"AWS KMS {self._settings.key} is {found['KeyState']} and of kind {found.get('KeySpec')}; "
                    "allowed: an enabled symmetric key"
                )
            self._key = str(found["Arn"])
        return self._key

    def _call(self, ask: Callable[[Any], Any]) -> Any:
        """One call; the service's texts stay out of our errors, its codes are told."""
        try:
            from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
        except ImportError:
            raise BadInput(
                "keys.provider: aws-kms needs boto3, which is not installed; allowed: the extra `gamyeong[aws]`"
            ) from None
        try:
            return ask(self._connected())
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
        except BotoCoreError as error:
            raise Operational(
                f"AWS KMS can't be reached: {type(error).__name__}; needed: region, credentials, network"
            ) from None
        if code in _ALTERED:
            raise damaged()
        if code in _NOT_USABLE:
            raise BadInput(
                f"AWS KMS {self._settings.key}: {code}; allowed: an enabled symmetric key that this role may use "
                "(kms:DescribeKey, kms:Encrypt, kms:Decrypt)"
            )
        raise Operational(f"AWS KMS: {code}; try again")

    def _connected(self) -> Any:
        if self._client is None:
            import boto3  # type: ignore[import-untyped]
            from botocore.config import Config  # type: ignore[import-untyped]

            config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})
            self._client = boto3.client(
                "kms", region_name=self._settings.region, endpoint_url=self._settings.endpoint, config=config
            )
        return self._client


def _bound(context: Mapping[str, str]) -> dict[str, str]:
    return {"gamyeong": hashlib.sha256(canonical_json(dict(context))).hexdigest()}
