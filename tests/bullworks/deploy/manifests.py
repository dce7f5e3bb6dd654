"""What deploy/kubernetes says, as far as a process can be run by it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[3] / "deploy/kubernetes"


def objects(file: str) -> list[dict[str, Any]]:
    """The objects of one file."""
    return [each for each in yaml.safe_load_all((FOLDER / file).read_text()) if each]


@dataclass(frozen=True)
class Pod:
    """The one container of a Deployment's pods.

    Args:
        environment: but for what the Secret holds.
        grace_s: from SIGTERM to SIGKILL.
        probes: paths, by kind.
    """

    command: list[str]
    environment: dict[str, str]
    grace_s: int
    probes: dict[str, str]
    user: int

    @classmethod
    def of(cls, file: str) -> Pod:
        (settings,) = objects("kustomization.yaml")
        (generated,) = settings["configMapGenerator"]
        template = objects(file)[0]["spec"]["template"]["spec"]
        (container,) = template["containers"]
        shared = dict(literal.split("=", 1) for literal in generated["literals"])
        own = {each["name"]: each["value"] for each in container["env"]}
        return cls(
            command=container["command"],
            environment={**shared, **own},
            grace_s=template["terminationGracePeriodSeconds"],
            probes={
                kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")
            },
            user=template["securityContext"]["runAsUser"],
        )
