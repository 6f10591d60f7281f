"""What a scheduler needs of an environment file: jars and memory for spark-submit, where the evidence lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gamyeong_dags import places
from gamyeong_dags.problems import UnfitFile
from gamyeong_dags.yaml_file import read

# A running JVM can't take these from the job. Everything else the job sets itself: it is not shown in Airflow.
FOR_THE_JVM = "spark.driver."


@dataclass(frozen=True)
class Place:
    """An environment file; what stands in it is read when a task starts, so that a change counts at once."""

    file: Path

    def submit_settings(self) -> tuple[str | None, dict[str, str]]:
        """Maven coordinates for --packages and the settings that belong on the submit command."""
        raw = read(self.file)
        jars, spark = raw.get("jars") or (), raw.get("spark") or {}
        if not isinstance(spark, dict) or isinstance(jars, str):
            raise UnfitFile(self.file, [", jars, spark: a list and a mapping, as in conf/environments/local.yaml"])
        settings = {str(key): str(value) for key, value in spark.items() if str(key).startswith(FOR_THE_JVM)}
        settings["spark.io.encryption.enabled"] = "true"
        return ",".join(map(str, jars)) or None, settings

    def evidence(self) -> str:
        """Where the documents lie: a URI, or for a local place file://…"""
        zones = read(self.file).get("zones")
        place = str(zones.get("evidence", "")) if isinstance(zones, dict) else ""
        if not place:
            raise UnfitFile(self.file, [", zones.evidence: missing; add it"])
        return self.uri(place)

    @staticmethod
    def uri(place: str) -> str:
        """A place as a link: a URI as it is, a local path as file://…"""
        return place if "://" in place else (places.work() / place).as_uri()
