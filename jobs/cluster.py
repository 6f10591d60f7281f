"""What a session on a cluster must have: traffic that nobody else reads, and our own code on its executors."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyspark import SparkConf, SparkContext

from jobs.code_version import code_digest
from jobs.errors import BadInput, Refused

ALONE = "spark.authenticate"
UNREAD = ("spark.network.crypto.enabled", "spark.ssl.rpc.enabled")


def is_local(master: str) -> bool:
    """Do the tasks run in the driver's own JVM? Then they have its Python and its code (`local`, `local[4]`)."""
    return re.fullmatch(r"local(\[.*\])?", master) is not None


def require_private_traffic(conf: SparkConf) -> None:
    """Refuses a cluster that strangers may join, or whose traffic they may read: keys and rows pass there (exit 3)."""
    wanted = [] if _true(conf, ALONE) else [f"{ALONE}=true, with a secret"]
    if not any(_true(conf, name) for name in UNREAD):
        wanted.append(f"{UNREAD[0]}=true (or {UNREAD[1]}=true)")
    if wanted:
        raise Refused(
            "on a cluster, keys and personal information pass between driver and executors; set"
            f" {' and '.join(wanted)} on the submit command (infra/README.md, Clusters)"
        )


def require_our_code(context: SparkContext) -> None:
    """BadInput where executors can't import gamyeong and what it stands on, or have another version of it."""

    # Defined in here it travels whole: by its module's name, executors without gamyeong could not even read it.
    def found(_: Iterable[int]) -> Iterable[str]:
        try:
            import transforms.pipeline.engine  # noqa: F401 - with pyarrow, numpy and cryptography
            from jobs.code_version import code_digest
        except ImportError as error:
            yield f"no module {error.name}"
        else:
            yield code_digest()

    places = max(1, context.defaultParallelism)
    theirs = set(context.parallelize(range(places), places).mapPartitions(found).collect())
    if other := sorted(theirs - {code_digest()}):
        raise BadInput(
            f"executors don't have the code of this job ({code_digest()}), but: {', '.join(other)}; allowed: this"
            " gamyeong as a .zip by --py-files, and the packages of infra/requirements.lock in the executors' Python"
            " (infra/README.md, Clusters)"
        )


def _true(conf: SparkConf, name: str) -> bool:
    return (conf.get(name, "false") or "").lower() == "true"
