"""The one place that makes a SparkSession."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark
from py4j.protocol import Py4JError, Py4JJavaError  # type: ignore[import-untyped]
from pyspark import SparkConf, SparkContext
from pyspark.accumulators import AccumulatorTCPServer, AccumulatorUnixServer
from pyspark.java_gateway import launch_gateway
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from jobs.cluster import is_local, require_our_code, require_private_traffic
from jobs.environment import Environment
from jobs.errors import BadInput, Operational, Refused
from jobs.local_folders import own_folder
from jobs.progress import Progress
from jobs.storage import private_folder, unique_name

if TYPE_CHECKING:
    from py4j.java_gateway import JavaGateway  # type: ignore[import-untyped]

DELTA = "io.delta.sql.DeltaSparkSessionExtension"
POLL = 0.3


def spark_session(environment: Environment, description: str) -> SparkSession:
    """The process's session, made on the first call; `description` names the work in the Spark UI.

    Under spark-submit what the submit command set stays, and our settings fill the gaps (jars and driver
    memory belong on that command: a running JVM can't take them). Otherwise a local session, whose JVM
    writes to a log file in the scratch folder, not to the terminal. Operational where it can't start.
    """
    active = SparkSession.getActiveSession()
    if active is None:
        active = _start(environment)
    describe(active, description)
    return active


def describe(spark: SparkSession, text: str) -> None:
    """Names what runs next in the Spark UI and history server. Never a cell value."""
    spark.sparkContext.setJobDescription(text)


@contextmanager
def watched(spark: SparkSession, progress: Progress, text: str) -> Iterator[None]:
    """Names the work inside, and shows its tasks as progress."""
    describe(spark, text)
    tracker = spark.sparkContext.statusTracker()
    over = threading.Event()
    with progress.stage(text) as stage:

        def poll() -> None:
            with suppress(Py4JError, OSError):  # a JVM that died: who waits for its work says so
                while not over.wait(POLL):
                    infos = [info for s in tracker.getActiveStageIds() if (info := tracker.getStageInfo(s))]
                    if infos:
                        stage.to(sum(i.numCompletedTasks for i in infos), sum(i.numTasks for i in infos))

        watcher = threading.Thread(target=poll, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def settled(spark: SparkSession, seconds: float) -> bool:
    """Waits until no task runs any more, `seconds` at most: those of a failed stage and slower copies write on.

    False where some run still, or the JVM can't tell.
    """
    end = time.monotonic() + seconds
    try:
        tracker = spark.sparkContext._jsc.sc().statusTracker()
        while any(one.numRunningTasks() for one in tracker.getExecutorInfos()):
            if time.monotonic() > end:
                return False
            time.sleep(POLL)
    except (Py4JError, OSError):
        return False
    return True


def require_encryption(spark: SparkSession) -> None:
    """Refuses a session that would write broadcast secrets and shuffled rows in plain text (exit 3)."""
    if spark.sparkContext.getConf().get("spark.io.encryption.enabled", "false") != "true":
        raise Refused(
            "this Spark session writes its spill files unencrypted; set spark.io.encryption.enabled=true"
            " on the submit command (keys and personal information pass through them)"
        )


def require_delta() -> None:
    """BadInput where Delta's classes are not in the JVM: under spark-submit they come by --packages."""
    if not _has_delta():
        raise BadInput(
            "Delta's jars are missing; put --packages with the environment's `jars` on the submit command"
            " (say io.delta:delta-spark_4.2_2.13:4.4.0)"
        )


def settings(environment: Environment, local: Path, *, submitted: bool) -> dict[str, str]:
    """Our session settings by name, with `local` for Spark's files; the environment file's own stand above them."""
    ours = {
        "spark.master": "local[*]",
        "spark.app.name": "gamyeong",
        "spark.io.encryption.enabled": "true",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": str(local),
        "spark.sql.warehouse.dir": str(environment.scratch / "spark-warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # over TCP each task waits about 40 ms for a delayed acknowledgement
        "spark.python.unix.domain.socket.enabled": "true",
        # rows of a DataFrame cross to Python by many, blobs of up to 64 MB by few
        "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
        "spark.sql.execution.arrow.maxBytesPerBatch": "64m",
        # the system's allocator keeps its pages; Arrow's own gives them back and faults them in again
        "spark.executorEnv.ARROW_DEFAULT_MEMORY_POOL": "system",
        "spark.sql.shuffle.partitions": "8",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
    }
    if not submitted:
        ours["spark.sql.extensions"] = DELTA
        ours["spark.sql.catalog.spark_catalog"] = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
        ours["spark.jars.packages"] = ",".join(jars_to_fetch(environment.jars))
    return {**ours, **environment.spark}


def jars_to_fetch(coordinates: Iterable[str]) -> list[str]:
    """Those of Maven's coordinates (group:artifact:version) that Spark's own folder lacks: a bundle puts them there."""
    folder = Path(pyspark.__file__).parent / "jars"
    names = {one: "-".join(one.split(":")[1:3]) for one in coordinates}
    return [one for one, name in names.items() if not (folder / f"{name}.jar").is_file()]


def _start(environment: Environment) -> SparkSession:
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    local = own_folder(environment.scratch / "spark")
    for server in (AccumulatorTCPServer, AccumulatorUnixServer):
        server.handle_error = _quiet  # type: ignore[method-assign, assignment]
    logging.getLogger().addFilter(_is_not_of_py4j)
    for tells_values in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        # To standard error, what an expression failed on, with the value.
        PySparkLogger.getLogger(tells_values).setLevel(logging.CRITICAL + 1)
    conf = SparkConf(loadDefaults=False)
    for name, value in settings(environment, local, submitted=submitted).items():
        conf.set(name, value)
    try:
        gateway = _gateway(environment, conf, submitted)
        if submitted:
            SparkContext._ensure_initialized(gateway=gateway)
            conf = _under_submit(conf)
        if is_local(conf.get("spark.master") or ""):
            # workers import jobs and transforms from where the driver has them
            conf.setIfMissing("spark.executorEnv.PYTHONPATH", str(Path(__file__).resolve().parents[1]))
        context = SparkContext(conf=conf, gateway=gateway)
    except Exception as error:  # noqa: BLE001 - whatever the JVM says, the user needs one sentence
        raise Operational(
            f"Spark can't start ({type(error).__name__}); it needs Java 17 or later, and on its first start"
            f" the Maven repository for {', '.join(environment.jars)}; log: {environment.scratch / 'logs'}"
        ) from None
    if not submitted:
        atexit.register(_stop, context)
    if not is_local(context.master or ""):
        require_private_traffic(context.getConf())
        require_our_code(context)
    return SparkSession(context)


def _stop(context: SparkContext) -> None:
    """Ends the session; where its JVM has died already there is nothing to end, and nobody to tell."""
    with suppress(Py4JError, OSError):
        context.stop()


def _quiet(*_: object) -> None:
    """What PySpark's own server of accumulators would print where the JVM dies: a traceback."""


def _is_not_of_py4j(record: logging.LogRecord) -> bool:
    """Py4J tells the root logger, with its traceback, of a JVM that dies while it works; we say it in one sentence."""
    return record.module != "java_gateway"


def _under_submit(ours: SparkConf) -> SparkConf:
    """The submit command's settings with ours in the gaps; Delta's where its jars were given."""
    conf = SparkConf()
    for name, value in ours.getAll():
        conf.setIfMissing(name, value)
    if _has_delta():
        conf.setIfMissing("spark.sql.extensions", DELTA)
        conf.setIfMissing(
            "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog"
        )
    return conf


def _gateway(environment: Environment, conf: SparkConf, submitted: bool) -> JavaGateway:
    """The JVM. One that we start ourselves keeps its words off the terminal, in a private log."""
    if submitted:
        return launch_gateway(conf)  # type: ignore[no-untyped-call]
    log = private_folder(environment.scratch / "logs") / f"spark-{unique_name()}.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return launch_gateway(conf, {"stdout": descriptor, "stderr": descriptor})  # type: ignore[no-untyped-call]
    finally:
        os.close(descriptor)


def _has_delta() -> bool:
    jvm = SparkContext._jvm
    assert jvm is not None
    try:
        jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(DELTA)
    except Py4JJavaError:
        return False
    return True
