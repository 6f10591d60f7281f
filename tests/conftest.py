"""What all tests share: an environment of their own, and one Spark session for the whole run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from ruamel.yaml import YAML

from jobs.environment import ZONES, Environment, load_environment
from jobs.storage import conf_path
from tests.object_store import CREDENTIALS, Store, running_double, running_store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Keep = Callable[[str, Mapping[str, object]], None]
FIGURES = "figures"

# Runs beside others on slow machines: an example's time says nothing about the code.
# CI runs the same examples each time, so that it judges the change and not the luck; elsewhere they are new.
settings.register_profile("gamyeong", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("gamyeong")
os.environ["GX_ANALYTICS_ENABLED"] = "false"
# JVMs that live for seconds: compiling well what they run once would take near half of their time.
os.environ["SPARK_SUBMIT_OPTS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# Before the session starts: its tasks find the store's credentials in what they inherit.
os.environ.update(CREDENTIALS)
os.environ.pop("AWS_PROFILE", None)


def write_environment(folder: Path) -> Path:
    """The packaged environment with every place under `folder`; returns the environment file's path."""
    yaml = YAML()
    raw = yaml.load(conf_path("environments/local.yaml"))
    warehouse = folder / "warehouse"
    raw["zones"] = {zone: str(warehouse / zone) for zone in ZONES}
    raw["scratch"] = str(warehouse / "scratch")
    raw["keys"] = {"provider": "file", "path": str(warehouse / "keys" / "root.json")}
    raw["reviewers"] = str(warehouse / "reviewers.json")
    path = folder / "environment.yaml"
    yaml.dump(raw, path)
    return path


@pytest.fixture(scope="session")
def environment_in() -> Callable[[Path], Path]:
    """Writes an environment file below a folder, for fixtures that many tests share."""
    return write_environment


@pytest.fixture(scope="session")
def real_store() -> Iterator[Store]:
    """A real object store where it can be had, else the double."""
    with running_store() as found:
        yield found


@pytest.fixture(scope="session")
def double_store() -> Iterator[Store]:
    """A store's double, which keeps versions where a bucket asks for it."""
    with running_double() as found:
        yield found


@pytest.fixture
def environment_file(tmp_path: Path) -> Path:
    """An environment file for `--environment`, with seven empty zones that no other test sees."""
    return write_environment(tmp_path)


@pytest.fixture
def environment(environment_file: Path) -> Environment:
    """The environment of `environment_file`, with all zones."""
    return load_environment(environment_file)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The one session; jobs that a test calls in this process find it and use it too."""
    from jobs.session import spark_session

    session = spark_session(load_environment(write_environment(tmp_path_factory.mktemp("session"))), "tests")
    yield session
    session.stop()


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Keep:
    """Keeps what a test counted: shown after the last test, and in the JUnit file."""

    def keep(what: str, found: Mapping[str, object]) -> None:
        record_property(FIGURES, f"{what}: {json.dumps(found, ensure_ascii=False)}")

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the figures of all tests, passed and failed."""
    reports = [one for state in ("passed", "failed") for one in terminalreporter.getreports(state)]
    found = [str(value) for one in reports for name, value in one.user_properties if name == FIGURES]
    if found:
        terminalreporter.section("figures")
        for line in dict.fromkeys(found):
            terminalreporter.write_line(line)
