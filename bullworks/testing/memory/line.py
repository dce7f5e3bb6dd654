"""Line: ids in an order."""

from bisect import bisect_left, insort
from collections.abc import Iterator

Key = tuple[int, ...]


class Line:
    """The jobs of one state, the lowest key first."""

    def __init__(self) -> None:
        self._entries: list[tuple[Key, str]] = []
        self._keys: dict[str, Key] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._keys

    def __iter__(self) -> Iterator[str]:
        return (job_id for _, job_id in self._entries)

    @property
    def first_key(self) -> Key | None:
        """The key of the next job."""
        return self._entries[0][0] if self._entries else None

    def add(self, job_id: str, key: Key) -> None:
        self._keys[job_id] = key
        insort(self._entries, (key, job_id))

    def remove(self, job_id: str) -> bool:
        """Remove a job. False if it is not in the line."""
        key = self._keys.pop(job_id, None)
        if key is None:
            return False
        del self._entries[bisect_left(self._entries, (key, job_id))]
        return True

    def pop(self) -> str:
        """Remove and return the first job."""
        _, job_id = self._entries.pop(0)
        del self._keys[job_id]
        return job_id

    def until(self, most: int) -> list[str]:
        """List the jobs whose key begins with `most` or less."""
        return [job_id for key, job_id in self._entries if key[0] <= most]
