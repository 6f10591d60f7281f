"""Where a benchmark works: one made source per size, kept; everything else new for each round, then removed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from jobs.environment import ZONES, Environment, load_environment
from jobs.key_providers.file import FileProvider
from jobs.reviewer import new_reviewer
from jobs.signing import SigningKey, load_key
from jobs.storage import conf_path, private_folder, unique_name

ROOT = Path(__file__).resolve().parents[2]
PLAN = conf_path("plans/retail-third-party.yaml")
TABLE = "retail/customers"
REVIEWERS = tuple(f"측정 검토위원 {number}" for number in (1, 2, 3))


@dataclass(frozen=True)
class Round:
    """A place of work of its own: an environment with empty zones, and three pinned reviewers' keys."""

    folder: Path
    environment: Environment
    keys: Mapping[str, SigningKey]


@dataclass(frozen=True)
class Place:
    """The benchmark's folder, for a table of so many customers."""

    folder: Path
    customers: int

    @property
    def source_zone(self) -> Path:
        return self.folder / "sources" / str(self.customers)

    @property
    def source(self) -> Path:
        """The Delta table that is read."""
        return self.source_zone / TABLE

    def generate(self) -> None:
        """Makes the source in a process of its own, so that this one's session stays fresh; once."""
        home = private_folder(self.folder / "rounds" / unique_name())
        command = [sys.executable, str(ROOT / "jobs" / "generate.py"), "retail", "--customers", str(self.customers)]
        command += ["--table", TABLE, "--environment", str(self.environment_file(home))]
        try:
            subprocess.run(command, check=True)
        finally:
            shutil.rmtree(home)

    def environment_file(self, home: Path) -> Path:
        """The packaged environment with the shared source, and every other zone under `home`."""
        yaml = YAML()
        raw = yaml.load(conf_path("environments/local.yaml"))
        raw["zones"] = {zone: str(home / zone) for zone in ZONES} | {"source": str(self.source_zone)}
        raw["scratch"], raw["reviewers"] = str(self.folder / "scratch"), str(home / "reviewers.json")
        raw["keys"]["path"] = str(home / "keys" / "root.json")
        file = home / "environment.yaml"
        yaml.dump(raw, file)
        return file

    @contextmanager
    def round(self) -> Iterator[Round]:
        """A new place of work; all of it is removed at the end."""
        home = private_folder(self.folder / "rounds" / unique_name())
        try:
            environment = load_environment(self.environment_file(home))
            for zone in ZONES:
                private_folder(environment.zone(zone).local)
            FileProvider.init(environment.keys.path)
            keys = {}
            for number, name in enumerate(REVIEWERS):
                file = home / "reviewer-keys" / f"{number}.pem"
                new_reviewer(environment, name, file)
                keys[name] = load_key(file)
            yield Round(home, environment, keys)
        finally:
            shutil.rmtree(home)
