"""Requests that are the same as one under way: they wait for its answer instead of being made.

Bookkeeping only: nothing here waits, calls or keeps a task. All of it belongs to the event loop's
thread. What makes two requests the same is in their key: `cache_key` for identical requests,
`idempotency_key` for those that a caller declares to be one.
"""

import logging
from collections.abc import Callable

from trimtab.store.answers import CachedAnswer

__all__ = ["Flight", "Flights", "OnLanded", "Ticket"]

_log = logging.getLogger(__name__)

OnLanded = Callable[[CachedAnswer | None], None]
"""Hears how a flight ended: with an answer to give again, or None where there is none."""


class Ticket:
    """The place of one follower."""

    __slots__ = ("_flight", "on_landed")

    def __init__(self, flight: "Flight", on_landed: OnLanded) -> None:
        self._flight = flight
        self.on_landed = on_landed

    def cancel(self) -> None:
        """Follow no longer: the follower is not told any more. Any number of times."""
        self._flight.leave(self)


class Flight:
    """One request under way that others may follow. Made by `Flights.lead`.

    Whoever leads must call `landed` in every case, also when its caller leaves, when it is
    stopped and when a defect ends it: its followers wait for nothing else.

    Attributes:
        digest: what the leader sent, where the key does not say it; a follower who sent something
            else is in conflict with it.
    """

    __slots__ = ("_flights", "_followers", "_key", "_over", "digest")

    def __init__(self, flights: "Flights", key: bytes, digest: bytes) -> None:
        self._flights = flights
        self._key = key
        self._followers: dict[Ticket, None] = {}  # in the order of their coming
        self._over = False
        self.digest = digest

    @property
    def followers(self) -> int:
        """How many wait for it: a leader whose own caller has left may go on for them."""
        return len(self._followers)

    def follow(self, on_landed: OnLanded) -> Ticket:
        """Have `on_landed` called once, when the flight has landed and not before.

        With None the follower has to go itself: it does what it did at first, `join`, then `lead`
        if that finds nothing. So the first that is told leads, and those after it follow again;
        one that does not want to wait a second time goes without leading.
        """
        assert not self._over, "a flight that has landed is found by nobody"
        ticket = Ticket(self, on_landed)
        self._followers[ticket] = None
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """See `Ticket.cancel`."""
        self._followers.pop(ticket, None)

    def landed(self, answer: CachedAnswer | None) -> None:
        """Tell all followers, in the order of their coming. Only the first call counts.

        Args:
            answer: the answer, complete and good and on record; None if the flight failed or its
                answer cannot be given again.
        """
        if self._over:
            return
        self._over = True
        self._flights.forget(self._key)
        while self._followers:  # one of them may make another leave
            ticket = next(iter(self._followers))
            del self._followers[ticket]
            try:
                ticket.on_landed(answer)
            except Exception:  # noqa: BLE001 - it must neither strand the others nor harm the leader
                _log.exception("a request that waited for another could not go on")


class Flights:
    """What is under way, by key. As many as there are inferences, so it needs no bound."""

    def __init__(self) -> None:
        self._under_way: dict[bytes, Flight] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def join(self, key: bytes) -> Flight | None:
        """The flight to follow; None if there is none, so that the caller has to `lead`."""
        return self._under_way.get(key)

    def lead(self, key: bytes, *, digest: bytes = b"") -> Flight:
        """Begin a flight that others may follow, after `join` found none."""
        assert key not in self._under_way, "join before you lead"
        flight = self._under_way[key] = Flight(self, key, digest)
        return flight

    def forget(self, key: bytes) -> None:
        """Let nobody follow any more. Called by the flight itself, when it has landed."""
        del self._under_way[key]
