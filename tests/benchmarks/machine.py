"""What the figures were measured on: no host name, no path."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.code_version import code_version

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PACKAGES = ("pyspark", "delta-spark", "deltalake", "pyarrow", "numpy", "great-expectations", "duckdb")


def facts(spark: SparkSession, load: float) -> dict[str, Any]:
    """Cores, memory, versions, date; `load` before we began tells of other work on the machine."""
    java = spark.sparkContext._jvm.java.lang.System.getProperty("java.version")  # type: ignore[union-attr]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "code": code_version(),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(memory_bytes() / 2**30, 1),
        "load_before": round(load, 2),
        "python": platform.python_version(),
        "java": str(java),
        "packages": {name: version(name) for name in PACKAGES},
        "spark_driver_memory": spark.sparkContext.getConf().get("spark.driver.memory", ""),
    }


def memory_bytes() -> int:
    """All memory of the machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
