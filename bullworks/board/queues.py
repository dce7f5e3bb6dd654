"""The queues of a board, by the names that it shows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from typing_extensions import TypedDict

from bullworks.board.errors import SameQueueNameError
from bullworks.bullmq import Queue
from bullworks.bullmq.scripts.glance import GlanceScripts

JobUrl = Callable[[Mapping[str, Any]], str | tuple[str, str] | None]
"""From a job, as the board shows it, to where it leads: an address, or a text and an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardQueue:
    """A queue, and how the board displays it.

    Attributes:
        queue: it is not closed by the board.
        name: on the board and in its addresses; the queue's own unless given.
        display_name, description: shown beside it.
        delimiter: what its name is split at into groups, as in "mail.welcome".
        read_only: nothing of it can be changed.
        allow_retries, allow_completed_retries: whether the page offers to run jobs again.
        data_schema: JSON schema of its jobs' data, for the editor.
        job_url: where a job leads, to a page of yours.
    """

    queue: Queue[Any]
    name: str = ""
    display_name: str = ""
    description: str = ""
    delimiter: str = ""
    read_only: bool = False
    allow_retries: bool = True
    allow_completed_retries: bool = True
    data_schema: Mapping[str, Any] | None = None
    job_url: JobUrl | None = None

    @property
    def glance(self) -> GlanceScripts:
        """The reads that the board makes of this queue."""
        return GlanceScripts(self.queue.connection, self.queue.keys)

    @property
    def shown_name(self) -> str:
        return self.name or self.queue.name

    @property
    def qualified_name(self) -> str:
        """The queue's name with its prefix, such as `bull:email`; a job's parent is named so in Redis."""
        return self.queue.keys.base[:-1]


class BoardQueueOptions(TypedDict, total=False):
    """Options of a queue on the board; BoardQueue describes each."""

    name: str
    display_name: str
    description: str
    delimiter: str
    read_only: bool
    allow_retries: bool
    allow_completed_retries: bool
    data_schema: Mapping[str, Any] | None
    job_url: JobUrl | None


class BoardQueues:
    """The board's queues in order, without hidden ones.

    Args:
        queues: those of the board.
        hidden: names that are not shown nor answered for; `*` for any text.

    Raises:
        SameQueueNameError: two have one name.
    """

    def __init__(self, queues: Iterable[Queue[Any] | BoardQueue] = (), hidden: Iterable[str] = ()) -> None:
        self._hidden = tuple(hidden)
        self._queues: dict[str, BoardQueue] = {}
        for queue in queues:
            self.add(queue)

    def add(self, queue: Queue[Any] | BoardQueue) -> None:
        """Add a queue to the board.

        Raises:
            SameQueueNameError: another has its name.
        """
        entry = queue if isinstance(queue, BoardQueue) else BoardQueue(queue=queue)
        name = entry.shown_name
        if self.is_hidden(name):
            return
        if name in self._queues and self._queues[name].queue is not entry.queue:
            raise SameQueueNameError(name)
        self._queues[name] = entry

    def __iter__(self) -> Iterator[BoardQueue]:
        return iter(self._queues.values())

    def __len__(self) -> int:
        return len(self._queues)

    @property
    def hides_some(self) -> bool:
        """Whether some queues may be hidden from the board."""
        return bool(self._hidden)

    def is_hidden(self, name: str) -> bool:
        """Whether the queue of that name is hidden from the board."""
        return any(fnmatchcase(name, pattern) for pattern in self._hidden)

    def get(self, name: str) -> BoardQueue | None:
        """Find a displayed queue by its name."""
        return self._queues.get(name)

    def find_qualified(self, name: str) -> BoardQueue | None:
        """Find a displayed queue by its name in Redis, prefix included."""
        return next((entry for entry in self._queues.values() if entry.qualified_name == name), None)
