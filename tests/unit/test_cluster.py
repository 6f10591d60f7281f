"""What a session asks of a cluster before anything is sent there, and how code is told apart."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

from jobs.cluster import is_local, require_private_traffic
from jobs.code_version import code_digest
from jobs.errors import Refused
from jobs.session import jars_to_fetch

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"spark.authenticate": "true", "spark.network.crypto.enabled": "true"}


class Conf(dict[str, str]):
    """As much of SparkConf as is asked."""


@pytest.mark.parametrize(
    ("master", "local"),
    [("local", True), ("local[*]", True), ("local[4, 2]", True), ("local-cluster[2,1,1024]", False)]
    + [(one, False) for one in ("spark://127.0.0.1:7077", "yarn", "k8s://https://cluster", "")],
)
def test_tasks_in_the_drivers_own_process_are_told_from_others(master: str, local: bool) -> None:
    assert is_local(master) == local


@pytest.mark.parametrize("changed", [{}, {"spark.network.crypto.enabled": "false", "spark.ssl.rpc.enabled": "TRUE"}])
def test_authenticated_and_encrypted_traffic_is_taken(changed: dict[str, str]) -> None:
    require_private_traffic(Conf({**GOOD, **changed}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"spark.authenticate": "false"}, "set spark.authenticate=true, with a secret on the submit command"),
        ({"spark.network.crypto.enabled": "false"}, "set spark.network.crypto.enabled=true"),
        ({"spark.network.crypto.enabled": "no"}, "or spark.ssl.rpc.enabled=true"),
    ],
)
def test_other_traffic_is_refused_with_what_to_set(changed: dict[str, str], wanted: str) -> None:
    with pytest.raises(Refused) as refused:
        require_private_traffic(Conf({**GOOD, **changed}))  # type: ignore[arg-type]
    assert wanted in refused.value.message
    with pytest.raises(Refused, match=r"authenticate=true.* and spark\.network"):
        require_private_traffic(Conf())  # type: ignore[arg-type]


def test_code_in_an_archive_has_the_digest_of_the_same_code_in_a_folder(tmp_path: Path) -> None:
    """Executors have gamyeong as an archive, the driver as a folder."""
    for name in ("jobs", "transforms"):
        shutil.copytree(ROOT / name, tmp_path / "code" / name, ignore=shutil.ignore_patterns("__pycache__"))

    def digest() -> str:
        archive = tmp_path / "gamyeong.zip"
        folders = [tmp_path / "code" / name for name in ("jobs", "transforms")]
        subprocess.run([sys.executable, "-m", "zipfile", "-c", archive, *folders], check=True)
        code = f"import sys; sys.path.insert(0, {str(archive)!r}); from jobs.code_version import code_digest"
        command = [sys.executable, "-c", f"{code}; print(code_digest())"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    assert digest() == code_digest()
    with (tmp_path / "code" / "transforms" / "pipeline" / "feed.py").open("a") as file:
        file.write("# another version\n")
    assert digest() != code_digest()


def test_jars_that_lie_in_sparks_own_folder_are_not_fetched() -> None:
    own = sorted((Path(pyspark.__file__).parent / "jars").glob("hadoop-client-api-*.jar"))[0]
    version = own.stem.removeprefix("hadoop-client-api-")
    there, other = f"org.apache.hadoop:hadoop-client-api:{version}", "org.apache.hadoop:hadoop-client-api:0.1"
    assert jars_to_fetch([there, other]) == [other]
