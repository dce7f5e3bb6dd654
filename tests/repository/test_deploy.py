"""The image, the compose file and the manifests pass the linters of their kinds, and agree with each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from tests.bullworks.deploy.manifests import Pod

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# KEDA's own kind is in no schema of Kubernetes.
UNKNOWN = "Couldn't find schema for kind ScaledObject"


def run(*command: str | Path) -> str:
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 0, printed
    return printed


def test_the_containerfile_passes_hadolint() -> None:
    assert run(BIN / "hadolint", "Containerfile") == ""


def test_the_manifests_are_of_kubernetes_schemas() -> None:
    files = [path for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml")) if path.stem != "kustomization"]
    printed = run(BIN / "kubernetes-validate", "--strict", "--quiet", *files)
    assert [line for line in printed.splitlines() if UNKNOWN not in line] == []


def test_compose_runs_what_the_manifests_run() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for name in ("board", "worker"):
        pod = Pod.of(f"{name}.yaml")
        assert services[name]["command"] == pod.command
        assert services[name]["environment"]["METRICS_SCOPE"] == pod.environment["METRICS_SCOPE"]
        assert services[name]["environment"]["SHUTDOWN_GRACE_MS"] == pod.environment["SHUTDOWN_GRACE_MS"]
        assert services[name]["stop_grace_period"] == f"{pod.grace_s}s"
