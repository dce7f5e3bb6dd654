"""A PostgreSQL server of the benchmark's own: a folder under /tmp, a unix socket, and the settings it comes with."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_START_S = 20.0
_STOP_S = 20.0
_INSTALLED = "/usr/lib/postgresql"


def postgres_binaries() -> Path | None:
    """The folder with `initdb` and `postgres`: on PATH, else the newest one that Debian's packages installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path(_INSTALLED).glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    return versions[-1].parent if versions else None


class PostgresProcess:
    """Started on entering, stopped by its id on leaving. It is durable: each commit waits for the disk.

    Args:
        binaries: the folder with `initdb` and `postgres`.
    """

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = tempfile.TemporaryDirectory(prefix="bullworks-bench-pg-")
        # It refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        self.socket_folder = self._folder.name
        self.user = self._user or pwd.getpwuid(os.geteuid()).pw_name

    def __enter__(self) -> Self:
        if self._user is not None:
            shutil.chown(self._folder.name, self._user)
        data = f"{self._folder.name}/data"
        initdb = [str(self._binaries / "initdb"), "-D", data, "-A", "trust", "-E", "UTF8", "--no-locale"]
        subprocess.run(initdb, check=True, user=self._user, cwd="/", stdout=subprocess.DEVNULL)
        command = [str(self._binaries / "postgres"), "-D", data, "-k", self.socket_folder, "-c", "listen_addresses="]
        self._process = subprocess.Popen(command, user=self._user, cwd="/", stderr=subprocess.DEVNULL)
        try:
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)
        self._folder.cleanup()

    @property
    def version(self) -> str:
        command = [str(self._binaries / "postgres"), "--version"]
        # postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[2]

    def _wait(self) -> None:
        ready = [str(self._binaries / "pg_isready"), "-q", "-h", self.socket_folder]
        deadline_s = time.monotonic() + _START_S
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"PostgreSQL {self.version} did not start within {_START_S} s")
            time.sleep(0.05)
