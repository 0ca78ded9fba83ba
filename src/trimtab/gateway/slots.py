"""At most so many calls at a time to one provider; the others wait their turn."""

from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Slots", "Ticket"]


class Ticket:
    """A place in the queue for a slot."""

    __slots__ = ("_queue",)

    def __init__(self, queue: "OrderedDict[Ticket, Callable[[], None]]") -> None:
        self._queue = queue

    def cancel(self) -> None:
        """Leave the queue. After the slot was granted this changes nothing: give it back."""
        self._queue.pop(self, None)


class Slots:
    """The slots of one provider. Not for several threads.

    A caller takes one at once with `take`, or else waits with `wait` until it is granted one.
    Either way it owes one `give_back`.

    Attributes:
        busy: slots that are taken.
    """

    __slots__ = ("_handing", "_limit", "_most_waiting", "_queue", "busy")

    def __init__(self, limit: int, most_waiting: int) -> None:
        self.busy = 0
        self._limit = limit
        self._most_waiting = most_waiting
        self._queue: OrderedDict[Ticket, Callable[[], None]] = OrderedDict()
        self._handing = False

    @property
    def waiting(self) -> int:
        """Tickets in the queue."""
        return len(self._queue)

    def take(self) -> bool:
        """Take a slot now. False if none is free, or others wait for it."""
        if self.busy < self._limit and not self._queue:
            self.busy += 1
            return True
        return False

    def wait(self, granted: Callable[[], None]) -> Ticket | None:
        """Join the end of the queue, after `take` said no.

        Args:
            granted: called once, by whoever gives a slot back, when this one is the caller's. An
                error of it reaches them, and the slot still has to be given back.

        Returns:
            The place in the queue, or None if the queue is full.
        """
        assert self._queue or self.busy >= self._limit, "a slot is free: take it"
        if len(self._queue) >= self._most_waiting:
            return None
        ticket = Ticket(self._queue)
        self._queue[ticket] = granted
        return ticket

    def give_back(self) -> None:
        """Give back a slot; it goes to the one who has waited longest, before this returns.

        (Unless this is called from a `granted`: then soon after.)
        """
        assert self.busy, "more slots were given back than taken"
        self.busy -= 1
        if self._queue:
            self._hand_on()

    def resize(self, limit: int, most_waiting: int) -> None:
        """Go on with other limits, after a reload. Nobody loses a slot or a place in the queue.

        Args:
            limit: slots, at least 1.
            most_waiting: places in the queue.
        """
        self._limit = limit
        self._most_waiting = most_waiting
        self._hand_on()

    def _hand_on(self) -> None:
        # A `granted` may fail at once and give its slot back; the loop that called it goes on with
        # that one. Handing on in there would go one call deeper for each that waits.
        if self._handing:
            return
        self._handing = True
        defect: Exception | None = None
        try:
            while self._queue and self.busy < self._limit:
                _, granted = self._queue.popitem(last=False)
                self.busy += 1
                try:
                    granted()
                except Exception as error:  # noqa: BLE001 - the others must not wait for ever
                    defect = defect or error
        finally:
            self._handing = False
        if defect is not None:
            raise defect
