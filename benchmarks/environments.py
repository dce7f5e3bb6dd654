"""How a peer's adapter is started; its environment is made when it is first wanted, below build/bench."""

import subprocess
import sys
from pathlib import Path

from benchmarks.peers import Peer
from benchmarks.program import ROOT

BUILD = ROOT / "build" / "bench"
_REQUIREMENTS = ROOT / "benchmarks" / "requirements"
_NODE = ROOT / "tests" / "node"
_INSTALL_S = 600.0


def command_of(peer: Peer, role: str) -> list[str]:
    """The command line of its `producer` or its `worker`, whose environment is there when this returns."""
    if peer.module.endswith(".mjs"):
        if not (_NODE / "node_modules" / "bullmq").is_dir():
            _run(["npm", "ci", "--ignore-scripts", "--no-progress", "--prefix", str(_NODE)])
        return ["node", str(ROOT / "benchmarks" / "adapters" / peer.module), str(_NODE), role]
    python = python_of(peer.environment) if peer.environment else Path(sys.executable)
    return [str(python), "-m", f"benchmarks.adapters.{peer.module}", role, *peer.arguments]


def python_of(environment: str) -> Path:
    """The interpreter of the environment with these requirements, made anew when they have changed."""
    folder = BUILD / environment / ".venv"
    python = folder / "bin" / "python"
    wanted = (_REQUIREMENTS / f"{environment}.txt").read_text()
    installed = folder / "installed.txt"
    if not installed.is_file() or installed.read_text() != wanted:
        print(f"making {folder.relative_to(ROOT)}", file=sys.stderr)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--requirement", str(_REQUIREMENTS / f"{environment}.txt")])
        installed.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=_INSTALL_S, stdout=subprocess.DEVNULL)
