"""An adapter's process, as the runner sees it: orders go in, lines come out, every wait is bounded."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
ANSWER_S = 120.0
"""For one order; the longest, a million jobs, takes half a minute."""
_HELLO_S = 60.0
_END_S = 10.0
_TAIL_CHARACTERS = 4_000


class ProgramError(RuntimeError):
    """An adapter ended, or did not answer in time; its last words are in the text."""

    def __init__(self, command: Sequence[str], what: str, last_words: str) -> None:
        super().__init__(command, what, last_words)
        self.command, self.what, self.last_words = command, what, last_words

    def __str__(self) -> str:
        return f"{' '.join(self.command)}: {self.what}\n{self.last_words}"


class Program:
    """Started on entering, ended by its id on leaving."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self.environment = {**os.environ, **(environment or {})}
        self.versions: dict[str, str] = {}
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._last_words = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # its own group: a peer's children end with it
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"reader of {self._process.pid}", daemon=True)
        self._reader.start()
        try:
            self.versions = self.answer("hello", _HELLO_S)["versions"]
        except BaseException:
            self._end(signal.SIGKILL)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    self._process.stdin.close()
            if error is None:
                try:
                    self._process.wait(_END_S)
                except subprocess.TimeoutExpired:
                    self._end(signal.SIGTERM)
        finally:
            self._end(signal.SIGKILL)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """For one that hangs: leaving waits for it no longer."""
        self._end(signal.SIGKILL)

    def order(self, **order: Any) -> None:
        """Send one; `Order` in adapters/protocol.py lists the keys."""
        if self._process.stdin is None:
            raise RuntimeError("started without stdin")
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ProgramError(self.command, "has ended", self._last_words) from None

    def answer(self, what: str, timeout_s: float = ANSWER_S) -> dict[str, Any]:
        """The next thing that it says, which must be this one.

        Raises:
            ProgramError: it ended, said something else, or nothing for so long.
        """
        try:
            answer = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            raise ProgramError(
                self.command, f"did not say {what!r} within {timeout_s:.0f} s", self._last_words
            ) from None
        if answer is None:
            self._answers.put(None)
            raise ProgramError(self.command, f"ended before it said {what!r}", self._last_words)
        if answer["say"] != what:
            raise ProgramError(self.command, f"said {answer['say']!r}, not {what!r}", self._last_words)
        return answer

    def _read(self) -> None:
        if self._process.stdout is None:
            raise RuntimeError("started without stdout")
        for line in self._process.stdout:
            if line.startswith("@bench "):
                self._answers.put(json.loads(line.removeprefix("@bench ")))
            else:
                self._last_words = (self._last_words + line)[-_TAIL_CHARACTERS:]
        self._answers.put(None)

    def _end(self, signal_number: int) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal_number)
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(_END_S)
        self._reader.join(_END_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
