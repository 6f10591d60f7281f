"""What an object store must do before a zone may lie there: a commit that came too late must fail."""

from __future__ import annotations

from typing import Any

from jobs.errors import BadInput, Operational, Refused
from jobs.storage import ARROW_SCHEMES, Location, unique_name

# Switches of deltalake that let the last writer win silently.
UNSAFE = ("allow_unsafe_rename", "s3_allow_unsafe_rename", "aws_s3_allow_unsafe_rename")
NEEDED = (
    "of two commits of one version one would be lost; needed: a store that writes an object only where there is none"
    " (If-None-Match)"
)


def require_safe_commits(zone: Location) -> None:
    """Refused where the store would let two jobs commit the same version, so that one commit is lost.

    Places of this machine are safe by themselves, and so are Azure's and Google's stores. What speaks S3 is tried: a
    small object is put twice where there must be none; it is removed again. BadInput where boto3 is missing for that,
    Operational where the store can't be reached.
    """
    if zone.is_local:
        return
    if switched := [name for name in zone.options.deltalake if name.lower() in UNSAFE]:
        raise Refused(f"{zone}: with storage.deltalake.{switched[0]}, {NEEDED}")
    if is_s3(zone) and _puts_twice(zone, *zone.uri.split("://", 1)[1].split("/", 1)):
        raise Refused(f"{zone}: an object was put over another that the request said must not be there: {NEEDED}")


def is_s3(place: Location) -> bool:
    """True if a place lies in a store that speaks S3."""
    scheme = place.uri.partition("://")[0]
    return not place.is_local and ARROW_SCHEMES.get(scheme, scheme) == "s3"


def s3_client(place: Location) -> Any:
    """boto3's client of the store that a place lies in; BadInput where boto3 is missing."""
    try:
        import boto3  # type: ignore[import-untyped]
    except ImportError:
        raise BadInput(f"{place} lies in an S3 store, and boto3 is missing; install the extra: gamyeong[aws]") from None
    return boto3.client("s3", **_server(place))


def store_errors() -> tuple[type[Exception], ...]:
    """What boto3 raises where a store can't be reached or refuses."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    return BotoCoreError, ClientError


def _puts_twice(zone: Location, bucket: str, folder: str = "") -> bool:
    client, errors = s3_client(zone), store_errors()
    probe = {"Bucket": bucket, "Key": f"{folder}/.gamyeong-probe-{unique_name()}".lstrip("/")}
    try:
        client.put_object(**probe, Body=b"", IfNoneMatch="*")
        try:
            client.put_object(**probe, Body=b"", IfNoneMatch="*")
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            return False
        finally:
            client.delete_object(**probe)
    except errors as error:
        raise Operational(f"the store of {zone} can't be written to ({type(error).__name__})") from None
    return True


def _server(zone: Location) -> dict[str, Any]:
    """boto3's words for the options that the environment gives pyarrow."""
    options = zone.options.arrow
    found: dict[str, Any] = {}
    if "endpoint_override" in options:
        found["endpoint_url"] = f"{options.get('scheme', 'https')}://{options['endpoint_override']}"
    if "region" in options:
        found["region_name"] = options["region"]
    return found
