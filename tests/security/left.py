"""What the whole flow left: every file that lay anywhere at any time, each content once, with all its places."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from ruamel.yaml import YAML

from jobs.environment import ZONES, Environment, load_environment
from jobs.storage import conf_path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOPS = ("warehouse", "roles", "tmp")
TEXTS = ("words.txt", "explained.txt")


@dataclass(frozen=True)
class Flow:
    """The folder in which all acts were played."""

    folder: Path

    @property
    def environment(self) -> Environment:
        return load_environment(self.folder / "environment.yaml")

    @property
    def words(self) -> str:
        """What all commands said, on both streams."""
        return (self.folder / "words.txt").read_text("utf-8")

    def json(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_text("utf-8"))

    @cached_property
    def places(self) -> dict[Path, list[str]]:
        """A file of each content, and where it lay: below the folder, sources aside."""
        kept = {Path(link): place for link, place in self.json("kept").items()}
        here = {path: str(path) for top in TOPS for path in self._files(top)}
        texts = {self.folder / name: name for name in TEXTS}
        found: dict[bytes, Path] = {}
        places: dict[Path, list[str]] = {}
        for path, place in (kept | here | texts).items():
            first = found.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
            places.setdefault(first, []).append(place.removeprefix(f"{self.folder}/"))
        return places

    def _files(self, top: str) -> Iterable[Path]:
        for path in (self.folder / top).rglob("*"):
            if path.is_file() and "source" not in path.relative_to(self.folder).parts:
                yield path

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.places)

    def where(self, found: Iterable[str]) -> set[str]:
        """All places of what was found in some files."""
        return {place for path in found for place in self.places[Path(path)]}

    @cached_property
    def private_keys(self) -> list[bytes]:
        """The private keys of all reviewers and ledgers, and of the combination's committee."""
        files = [*self.folder.glob("*.pem"), *(path for top in TOPS for path in (self.folder / top).rglob("*.pem"))]
        keys = [load_pem_private_key(file.read_bytes(), None) for file in files]
        return [key.private_bytes_raw() for key in keys if isinstance(key, Ed25519PrivateKey)]


def played(folder: Path) -> Flow:
    """Plays all acts in a process of their own, at Spark's debug log level, with an event log."""
    warehouse = folder / "warehouse"
    events = warehouse / "scratch" / "events"
    for place in (events, folder / "tmp"):
        place.mkdir(parents=True)
    yaml = YAML()
    raw = yaml.load(conf_path("environments/local.yaml"))
    raw["zones"] = {zone: str(warehouse / zone) for zone in ZONES}
    raw["scratch"], raw["reviewers"] = str(warehouse / "scratch"), str(warehouse / "reviewers.json")
    raw["keys"]["path"] = str(warehouse / "keys" / "root.json")
    raw["spark"] |= {
        "spark.log.level": "DEBUG",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": events.as_uri(),
        "spark.executorEnv.PYTHONPATH": str(ROOT),
    }
    yaml.dump(raw, folder / "environment.yaml")
    temporary = str(folder / "tmp")
    own = {"PYTHONPATH": str(ROOT), "TMPDIR": temporary, "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={temporary}"}
    with (folder / "words.txt").open("w") as out:
        ended = subprocess.run(
            [sys.executable, HERE / "whole_flow.py", folder],
            stdout=out, stderr=subprocess.STDOUT, timeout=1500, env={**os.environ, **own},
        )  # fmt: skip
    flow = Flow(folder)
    assert ended.returncode == 0, flow.words[-3000:]
    return flow


def outside(places: Iterable[str], *allowed: str) -> set[str]:
    """The places that none of the patterns matches from its beginning on."""
    return {place for place in places if not any(re.match(one, place) for one in allowed)}
