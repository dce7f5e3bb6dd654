"""BatchIntake: an Intake that tells when a batch waits for nobody; with a least size, one that asks when told to."""

from bullworks.bullmq.worker.batches.batches import BatchPlaces
from bullworks.bullmq.worker.intake import LIMITED, Intake, IntakeWatcher


class BatchIntake(Intake, BatchPlaces):
    """Accounts for a worker's places, `size` for each batch at once; its watcher is told of every reply to a fetch."""

    @property
    def expects_more(self) -> bool:
        """Whether a fetch is under way, or about to be."""
        return self._reserved > 0 or (self.expects_work and self.room() > 0)

    def occupy(self, places: int) -> None:
        """Take places that a small batch leaves empty."""
        self.busy += places

    def vacate(self, places: int) -> None:
        """Free the places of a batch."""
        self.ended(places)

    def answered(self, reserved: int, taken: int, state: int, wait_ms: int, *, calls: int) -> None:
        """Settle a fetch, also one that brought nothing: a batch may have waited for it."""
        super().answered(reserved, taken, state, wait_ms, calls=calls)
        self._watcher.intake_changed()

    def unanswered(self, reserved: int) -> None:
        """Release the reservation of a fetch that failed, and let a batch wait for it no longer."""
        super().unanswered(reserved)
        self._watcher.intake_changed()

    def shut(self) -> None:
        """Refuse further jobs; what has come together is run."""
        super().shut()
        self._watcher.intake_changed()


class PatientIntake(BatchIntake):
    """A BatchIntake that asks for one batch each time somebody has looked, and found enough jobs in line.

    Attributes:
        found_some: the last fetch brought jobs, or the rate was limited: then whoever looks need not wait first.
    """

    def __init__(
        self, concurrency: int, size: int, *, isolates: bool, longest_limit_ms: int, watcher: IntakeWatcher
    ) -> None:
        self._size = size
        self._asks_for = 0
        self._more = True
        self.found_some = True
        super().__init__(concurrency, isolates=isolates, longest_limit_ms=longest_limit_ms, watcher=watcher)

    @property
    def expects_work(self) -> bool:
        """Whether to go on asking for the batch that was found in line."""
        return self._more and self._asks_for > 0

    @expects_work.setter
    def expects_work(self, expects: bool) -> None:
        self._more = expects

    def look_again(self) -> None:
        """Ask for one batch: there are enough jobs in line."""
        self._asks_for = self._size
        super().look_again()

    def room(self) -> int:
        """How many jobs may be fetched: what the batch lacks, once there are enough; else as many as would fit."""
        room = super().room()
        return min(room, self._asks_for) if self.expects_work else room

    def room_beside(self, outcomes: int) -> int:
        """How many jobs may come with outcomes: none before somebody has looked."""
        return min(super().room_beside(outcomes), self._asks_for) if self.expects_work else 0

    def reserve(self, count: int) -> None:
        self._asks_for -= count
        super().reserve(count)

    def unanswered(self, reserved: int) -> None:
        """Look again: the jobs may be in line still."""
        self._asks_for = 0
        super().unanswered(reserved)

    def answered(self, reserved: int, taken: int, state: int, wait_ms: int, *, calls: int) -> None:
        """Settle a fetch; where it brought fewer than asked for, the batch is what there is."""
        if reserved:
            self.found_some = taken > 0 or state == LIMITED
            if taken < reserved:
                self._asks_for = 0
        super().answered(reserved, taken, state, wait_ms, calls=calls)
