"""Make a virtual environment and install one of the hashed locks into it: `install.py VENV base|dev|docs STAMP`.

`make run` and `make test` call it with whatever `python3` is on the machine, so this file must parse on any
Python 3.6 or later: an old one has to get as far as being told that it is too old.
"""

import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

OLDEST = (3, 11)
NEWER_NAMES = ("python3.13", "python3.12", "python3.11")
LOCKS = Path(__file__).resolve().parent
PIP_TAIL_LINES = 25  # enough to hold pip's own explanation of a failure


def check_python():
    """Stop, naming a newer Python on PATH if there is one, unless this one can run the project."""
    if sys.version_info >= OLDEST:
        return
    running = "{}.{}".format(*sys.version_info[:2])
    found = [name for name in NEWER_NAMES if answers(name)]
    hint = f"run it again with PYTHON={found[0]}" if found else "install one, or name it with PYTHON=..."
    sys.exit(f"Bullworks needs Python 3.11 or later; {sys.executable} is {running}: {hint}.")


def answers(name):
    """Whether this command is a Python that starts (a version manager's shim may be there and not start)."""
    if shutil.which(name) is None:
        return False
    return subprocess.call([name, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def python_of(folder):
    """The interpreter inside a virtual environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def has_right_python(folder):
    """Whether the environment starts, has pip, and has the version of Python that runs this script."""
    code = "import pip, sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.check_output([str(python_of(folder)), "-c", code], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.decode().split() == [str(part) for part in sys.version_info[:2]]


def make_environment(folder):
    """Create the environment, or replace one that is broken or has another Python."""
    if has_right_python(folder):
        return
    try:
        import ensurepip  # noqa: F401  # Debian splits it off
    except ImportError:
        sys.exit(
            "This Python cannot make virtual environments. On Debian and Ubuntu: "
            "apt-get install python{}.{}-venv".format(*sys.version_info[:2])
        )
    print("Making {} with Python {}.{}".format(folder.name, *sys.version_info[:2]), flush=True)
    venv.EnvBuilder(clear=True, with_pip=True, symlinks=sys.platform != "win32").create(str(folder))


def install(folder, lock):
    """Install the lock with its hashes checked; pip's own lines are shown only if it fails."""
    total = sum("==" in line for line in lock.read_text().splitlines())
    command = [str(python_of(folder)), "-m", "pip", "install", "--require-hashes", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--requirement", str(lock)]
    on_terminal = sys.stdout.isatty()
    began = time.monotonic()
    print(f"Installing up to {total} packages from requirements/{lock.name}", flush=True)
    lines = []
    seen = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout:
            lines.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                seen += 1
            if on_terminal:
                what = "unpacking" if line.startswith("Installing ") else f"{seen} of {total}"
                print(f"\r  {what:<20}", end="", flush=True)
    if on_terminal:
        print("\r", end="")
    if pip.returncode != 0:
        sys.stderr.write("".join(lines[-PIP_TAIL_LINES:]))
        sys.exit(f"pip could not install requirements/{lock.name}; the lines above say why.")
    print(f"Installed in {time.monotonic() - began:.0f} s", flush=True)


def main():
    """Run the steps in order; the stamp is touched last, so an interrupted run starts over."""
    check_python()
    if len(sys.argv) != 4 or sys.argv[2] not in ("base", "dev", "docs"):
        sys.exit("usage: python3 requirements/install.py VENV base|dev|docs STAMP")
    folder = Path(sys.argv[1]).resolve()
    make_environment(folder)
    install(folder, LOCKS / f"{sys.argv[2]}.lock")
    Path(sys.argv[3]).touch()


if __name__ == "__main__":
    main()
