"""An object store for tests, a process of its own on loopback, and zones that lie in it.

A real one: Versity's S3 gateway over a folder, built by `go` from its module. Where that can't be had, and for stores
that do what they should not, moto's double.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from jobs.storage import Location, StorageOptions
from tests.go_modules import GATEWAY, gateway

REGION = "ap-northeast-2"
_NUMBERS = count()
# All tests have these and no others: what the surroundings of this machine hold must not count.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# In buckets named careless-…, the server forgets the condition of a put, as stores of old did.
SERVER = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

whole = DomainDispatcherApplication(create_backend_app)

def careless(surroundings, start):
    if surroundings["PATH_INFO"].startswith("/careless-"):
        surroundings.pop("HTTP_IF_NONE_MATCH", None)
    return whole(surroundings, start)

run_simple("127.0.0.1", int(sys.argv[1]), careless, threaded=True)
"""


@dataclass(frozen=True)
class Store:
    """A running store; `bucket` makes one. `disk` is the folder in which a real one keeps its objects."""

    name: str
    port: int
    client: Any
    disk: Path | None

    @property
    def options(self) -> StorageOptions:
        """What an environment file says of it under `storage`."""
        return StorageOptions(
            deltalake={"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}", "AWS_ALLOW_HTTP": "true"},
            arrow={"endpoint_override": f"127.0.0.1:{self.port}", "scheme": "http", "region": REGION},
        )

    def bucket(self, name: str, *, versioned: bool = False) -> Location:
        """A new bucket, its name with a number; a versioned one keeps what is removed or overwritten."""
        name = f"{name}-{next(_NUMBERS)}"
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        if versioned:
            self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return Location.of(f"s3://{name}", self.options)

    def objects(self, place: Location) -> list[str]:
        """Names of all objects below a place, as the store itself lists them; folders' marks are left out."""
        bucket, _, folder = place.uri.removeprefix("s3://").partition("/")
        found = self.client.list_objects_v2(Bucket=bucket, Prefix=folder and f"{folder}/").get("Contents", [])
        return [one["Key"] for one in found if not one["Key"].endswith("/")]

    def environment(self, file: Path, zones: Mapping[str, Location]) -> None:
        """Puts zones of an environment file into the store."""
        yaml = YAML()
        raw = yaml.load(file)
        raw["zones"] |= {name: place.uri for name, place in zones.items()}
        raw["storage"] = {"deltalake": dict(self.options.deltalake), "arrow": dict(self.options.arrow)}
        yaml.dump(raw, file)


@contextmanager
def running_store() -> Iterator[Store]:
    """A real store where it can be had, else the double."""
    program = gateway()
    if program is None:
        with running_double() as double:
            yield double
        return
    port, folder = _free_port(), Path(tempfile.mkdtemp())
    disk, older, words = (folder / name for name in ("objects", "versions", "metadata"))
    for one in (disk, older, words):
        one.mkdir()
    # Attributes in files beside the objects: not every file system of a test has a place for them.
    backend = ["posix", "--sidecar", str(words), "--versioning-dir", str(older), str(disk)]
    given = {
        "ROOT_ACCESS_KEY": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "ROOT_SECRET_KEY": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }
    command = [str(program), "--port", f"127.0.0.1:{port}", "--region", REGION, "--quiet", *backend]
    try:
        with _running(f"versitygw {GATEWAY[1]}", command, {**os.environ, **given}, port, disk) as store:
            yield store
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_double() -> Iterator[Store]:
    """moto's server. Buckets named careless-… forget the condition of a put."""
    port = _free_port()
    with _running("moto", [sys.executable, "-c", SERVER, str(port)], dict(os.environ), port, None) as store:
        yield store


@contextmanager
def _running(
    name: str, command: Sequence[str], surroundings: Mapping[str, str], port: int, disk: Path | None
) -> Iterator[Store]:
    """Starts a server and ends it. In a process of its own: deltalake holds Python's lock while it waits for one."""
    import boto3

    server = subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, server)
        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION)
        yield Store(name, port, client, disk)
    finally:
        server.kill()
        server.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while True:
        assert server.poll() is None, "the store's server ended at once"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
            return
        except OSError:
            assert time.monotonic() < end, "the store's server does not answer"
            time.sleep(0.2)
