"""infra/kubernetes: valid by Kubernetes' schemas, of one mind in both ways to submit, no secret in a definition."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from jobs.cluster import require_private_traffic
from jobs.environment import load_environment

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "infra" / "kubernetes"
VERSIONS = ("1.28", "1.33", "1.37")
RPC = "/etc/gamyeong-rpc"
MOUNTED_ON_THE_DRIVER = {
    "zones": "/var/lib/gamyeong",
    "environment": "/etc/gamyeong",
    "plans": "/etc/gamyeong-plans",
    "scratch": "/scratch",
}


def objects(name: str) -> list[dict[str, Any]]:
    return list(YAML(typ="safe", pure=True).load_all((FOLDER / name).read_text("utf-8")))


def settings() -> dict[str, str]:
    """spark.conf as Spark reads it."""
    lines = (FOLDER / "spark.conf").read_text("utf-8").splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [one for one in objects("base.yaml") if one["kind"] == kind]
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["base.yaml", "driver-pod.yaml", "executor-pod.yaml", "job.yaml", "desk.yaml"])
def test_definitions_fit_the_schemas_of_kubernetes(name: str, version: str) -> None:
    for one in objects(name):
        assert kubernetes_validate.validate(one, version, strict=True)


def test_the_schemas_would_find_a_misspelt_word() -> None:
    (pod,) = objects("driver-pod.yaml")
    pod["spec"]["securityContext"]["runAsNonRot"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)


def test_the_operators_application_says_what_the_submit_command_says() -> None:
    (application,) = objects("application.yaml")
    spec, conf = application["spec"], settings()
    for role, count in (("driver", None), ("executor", "8")):
        part = spec[role]
        for ours, theirs in (("cores", "cores"), ("memory", "memory"), ("memoryOverhead", "memoryOverhead")):
            assert str(part[ours]) == conf[f"spark.{role}.{theirs}"]
        assert part["serviceAccount"] == conf[f"spark.kubernetes.authenticate.{role}.serviceAccountName"]
        assert part["labels"]["app"] == conf[f"spark.kubernetes.{role}.label.app"]
        assert conf[f"spark.kubernetes.{role}.secrets.gamyeong-rpc"] == part["secrets"][0]["path"] == RPC
        (template,) = objects(f"{role}-pod.yaml")
        (container,) = template["spec"]["containers"]
        assert container["securityContext"] == part["securityContext"]
        assert template["spec"]["securityContext"] == part["podSecurityContext"]
        assert count is None or conf["spark.executor.instances"] == str(part["instances"]) == count
    assert spec["image"] == conf["spark.kubernetes.container.image"]
    same = {name: value for name, value in conf.items() if name in spec["sparkConf"]}
    assert same == spec["sparkConf"]


def test_all_pods_traffic_and_spill_files_are_private() -> None:
    conf = settings()
    assert conf["spark.io.encryption.enabled"] == "true"

    class Conf:
        def get(self, name: str, default: str | None = None) -> str | None:
            return conf.get(name, default)

    require_private_traffic(Conf())  # type: ignore[arg-type]
    assert conf["spark.authenticate.secret.file"].startswith(RPC)


def test_only_the_driver_is_handed_the_root_key_and_the_zones_of_this_cluster() -> None:
    conf = settings()
    assert conf["spark.kubernetes.driver.secretKeyRef.GAMYEONG_ROOT_KEY"] == "gamyeong-root:root.json"
    assert not [name for name in conf if name.startswith("spark.kubernetes.executor.") and "root" in name]
    assert not [name for name in conf if name.startswith("spark.kubernetes.executor.volumes")]
    (application,) = objects("application.yaml")
    driver, executor = application["spec"]["driver"], application["spec"]["executor"]
    assert {one["name"]: one["mountPath"] for one in driver["volumeMounts"]} == MOUNTED_ON_THE_DRIVER
    assert not executor.keys() & {"volumeMounts", "env", "envFrom"}
    (rules,) = of_kind("Role")["rules"]
    assert "secrets" not in rules["resources"]
    assert of_kind("RoleBinding")["subjects"] == [
        {"kind": "ServiceAccount", "name": "gamyeong-driver", "namespace": "gamyeong"}
    ]


def test_the_environment_of_the_cluster_is_one_that_jobs_take(tmp_path: Path) -> None:
    file = tmp_path / "environment.yaml"
    file.write_text(of_kind("ConfigMap")["data"]["environment.yaml"], "utf-8")
    environment = load_environment(file)
    assert environment.zone("source").uri == "s3://ours-source"
    for zone in ("evidence", "keys", "additional-information"):
        assert environment.zone(zone).local.is_relative_to(MOUNTED_ON_THE_DRIVER["zones"])
    assert environment.scratch.is_relative_to(MOUNTED_ON_THE_DRIVER["scratch"])


# The entrypoint, with programs that write down how they were called.


@pytest.fixture
def image(tmp_path: Path) -> Path:
    for name in ("java", "spark-submit", "gamyeong"):
        tool = tmp_path / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(f'#!/bin/bash\nprintf "%s\\n" {name} "$@" >"{tmp_path}/called"\n')
        tool.chmod(0o755)
    (tmp_path / "bin" / "python").write_text(f'#!/bin/bash\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    return tmp_path


def started(image: Path, *words: str, **variables: str) -> list[str]:
    path = f"{image / 'bin'}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([FOLDER / "entrypoint", *words], env={"PATH": path, **variables}, check=True, timeout=120)
    return (image / "called").read_text().splitlines()


def test_the_image_starts_a_driver(image: Path) -> None:
    words = ("--properties-file", "/opt/spark/conf/spark.properties", "local:///opt/gamyeong/jobs/verify.py", "a run")
    called = started(image, "driver", *words, SPARK_DRIVER_BIND_ADDRESS="10.0.0.7")
    first = ["spark-submit", "--deploy-mode", "client", "--conf", "spark.driver.bindAddress=10.0.0.7"]
    assert called == [*first, *words]


def test_the_image_starts_an_executor(image: Path) -> None:
    told = {
        "SPARK_JAVA_OPT_0": "-Dspark.driver.port=7078", "SPARK_JAVA_OPT_1": "--add-opens=java.base/java=ALL-UNNAMED",
        "SPARK_JAVA_OPT_3": "-after=a gap", "SPARK_EXECUTOR_MEMORY": "4096m", "SPARK_EXECUTOR_CORES": "4",
        "SPARK_DRIVER_URL": "spark://d:7078", "SPARK_EXECUTOR_ID": "3", "SPARK_APPLICATION_ID": "spark-1",
        "SPARK_EXECUTOR_POD_IP": "10.0.0.8", "SPARK_RESOURCE_PROFILE_ID": "0", "SPARK_EXECUTOR_POD_NAME": "e-3",
    }  # fmt: skip
    called = started(image, "executor", **told)
    assert called[:5] == ["java", told["SPARK_JAVA_OPT_0"], told["SPARK_JAVA_OPT_1"], "-Xms4096m", "-Xmx4096m"]
    assert called[6].endswith("/pyspark/jars/*")
    assert called[7].endswith(".KubernetesExecutorBackend")
    assert "-after=a gap" not in called
    said = dict(zip(called[8::2], called[9::2], strict=True))
    assert said == {
        "--driver-url": "spark://d:7078", "--executor-id": "3", "--cores": "4", "--app-id": "spark-1",
        "--hostname": "10.0.0.8", "--resourceProfileId": "0", "--podName": "e-3",
    }  # fmt: skip


def test_the_image_runs_other_commands(image: Path) -> None:
    (job,) = objects("job.yaml")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert started(image, *container["args"]) == container["args"]


# The pod that spark-submit asks a cluster for, taken by a server that keeps what it is sent.


@dataclass
class Cluster:
    port: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def kubernetes() -> Iterator[Cluster]:
    cluster = Cluster()

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            body = YAML(typ="safe").load(text) or {}  # JSON is YAML, and patches come as either
            if self.command == "POST":
                cluster.sent.append(body)
            if "metadata" in body:
                body["metadata"] |= {"uid": "u-1", "namespace": "gamyeong", "resourceVersion": "1"}
            answer = json.dumps(body).encode()
            self.send_response(201 if self.command == "POST" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the base class's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    cluster.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield cluster
    server.shutdown()


@pytest.mark.spark
def test_spark_submit_asks_for_the_driver_that_is_meant(kubernetes: Cluster, tmp_path: Path) -> None:
    bin_ = Path(sys.executable).parent
    words = [
        bin_ / "spark-submit", "--master", f"k8s://http://127.0.0.1:{kubernetes.port}",
        "--deploy-mode", "cluster", "--name", "pseudonymize", "--properties-file", FOLDER / "spark.conf",
        "--conf", "spark.kubernetes.submission.waitAppCompletion=false",
        "--conf", f"spark.kubernetes.driver.podTemplateFile={FOLDER / 'driver-pod.yaml'}",
        "--conf", f"spark.kubernetes.executor.podTemplateFile={FOLDER / 'executor-pod.yaml'}",
        "local:///opt/gamyeong/jobs/pseudonymize.py", "/etc/gamyeong-plans/plan.yaml",
        "--environment", "/etc/gamyeong/environment.yaml", "--json",
    ]  # fmt: skip
    path = f"{bin_}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "KUBECONFIG": str(tmp_path / "none"), "SPARK_CONF_DIR": str(tmp_path)}
    done = subprocess.run(words, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (pod,) = [one for one in kubernetes.sent if one["kind"] == "Pod"]
    for one in kubernetes.sent:
        assert kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
    spec = pod["spec"]
    (container,) = spec["containers"]
    assert (spec["serviceAccountName"], container["image"]) == ("gamyeong-driver", "gamyeong:0.1.0")
    assert container["args"][0] == "driver"
    assert container["args"][-5:] == words[-5:]
    (key,) = [one for one in container["env"] if one["name"] == "GAMYEONG_ROOT_KEY"]
    assert key["valueFrom"]["secretKeyRef"] == {"name": "gamyeong-root", "key": "root.json"}
    (other,) = [one for one in container["env"] if one["name"] == "GAMYEONG_RETIRING_KEY"]
    assert other["valueFrom"]["secretKeyRef"]["optional"] is True, "there is one while a root key is replaced"
    mounted = {one["mountPath"] for one in container["volumeMounts"]}
    assert {RPC, *MOUNTED_ON_THE_DRIVER.values()} <= mounted
    assert {"secretName": "gamyeong-rpc"} in [one.get("secret") for one in spec["volumes"]]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert "SPARK_AUTH_SECRET" not in json.dumps(kubernetes.sent)
