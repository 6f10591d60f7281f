"""Older versions of objects: a bucket with versioning keeps what was removed or overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobs.errors import Operational
from jobs.object_stores import is_s3, s3_client, store_errors
from jobs.storage import Location

RIGHTS = "s3:GetBucketVersioning, s3:ListBucketVersions, s3:DeleteObjectVersion"
UNKNOWN = ("NotImplemented", "MethodNotAllowed")  # so answers a store that has no versions at all
AT_ONCE = 1000  # what S3 takes in one request


def remove_older(place: Location, chosen: Callable[[str], bool]) -> int | None:
    """Removes what a store keeps of objects below a place that were removed or overwritten; how many versions it was.

    `chosen` is asked for each object by its name below the place (empty: the place itself); what can be read now stays.
    None where nobody could be asked: no S3 store, or one without versions. Operational where the store does not let us
    look or remove (rights, retention).
    """
    if not is_s3(place):
        return None
    bucket, _, key = place.uri.split("://", 1)[1].partition("/")
    client, errors = s3_client(place), store_errors()
    try:
        if not _ever_versioned(client, bucket):
            return 0
        older = _older(client, bucket, key, chosen)
        for start in range(0, len(older), AT_ONCE):
            some = {"Objects": older[start : start + AT_ONCE], "Quiet": True}
            told = client.delete_objects(Bucket=bucket, Delete=some).get("Errors")
            if told:
                raise _refused(place, f"{len(told)} older versions stay", told[0].get("Code", "?"))
        if left := len(_older(client, bucket, key, chosen)):
            raise _refused(place, f"{left} older versions are there still", "still listed")
    except errors as error:
        if _code(error) in UNKNOWN:
            return None
        why = _code(error) or type(error).__name__
        raise _refused(place, "older versions can't be looked for or removed", why) from None
    return len(older)


def _ever_versioned(client: Any, bucket: str) -> bool:
    return client.get_bucket_versioning(Bucket=bucket).get("Status") is not None  # "Suspended" keeps what was


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _older(client: Any, bucket: str, key: str, chosen: Callable[[str], bool]) -> list[dict[str, str]]:
    found = []
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        kept = [one for one in page.get("Versions", ()) if not one["IsLatest"]]
        for one in (*kept, *page.get("DeleteMarkers", ())):
            name = one["Key"].removeprefix(key)
            if (name == "" or name.startswith("/")) and chosen(name.removeprefix("/")):
                found.append({"Key": one["Key"], "VersionId": one["VersionId"]})
    return found


def _refused(place: Location, what: str, why: str) -> Operational:
    return Operational(f"{place}: {what} ({why}); needed: {RIGHTS}, and no retention; then start again")
