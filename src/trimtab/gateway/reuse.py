"""Requests that need no call of their own: their answer is known, or just being made for another.

Three things lead here: a route with a cache, a route that lets identical requests share one call,
and the header `Idempotency-Key`. Whatever the way, what is given is on record, at cost 0.
"""

from collections.abc import Callable

from typing_extensions import override

from trimtab.errors import CallerGone, IdempotencyConflict, ShuttingDown
from trimtab.gateway.cache_key import cache_key
from trimtab.gateway.call import Call
from trimtab.gateway.flights import Flight, Flights, Ticket
from trimtab.gateway.idempotency import Remembered, digest_of, idempotency_key
from trimtab.gateway.outlet import Outlet, OutletListener
from trimtab.gateway.replay import replay
from trimtab.gateway.response_cache import Found, ResponseCache
from trimtab.gateway.spawn import Spawn
from trimtab.gateway.tally import Tally
from trimtab.store.answers import CachedAnswer
from trimtab.store.protocol import Ledger
from trimtab.types.clock import NS_PER_S, Clock

__all__ = ["Again", "Fly", "Keeper", "Reuse"]

Fly = Callable[[Call, Outlet, "Keeper"], None]
"""Makes the call after all, and gives its answer to the keeper."""


class Keeper:
    """Who is interested in the answer to one request, beside its caller.

    Attributes:
        flight: others wait for it.
    """

    def __init__(self, reuse: "Reuse", call: Call, name: str) -> None:
        self._reuse = reuse
        self._call = call
        policy = call.target.policy
        self._key = None
        if policy.cache is not None:
            self._key = cache_key(
                call.body,
                caller=call.caller,
                scope=policy.cache.scope,
                rung=call.target.rungs[0],
                prompt_version=call.prompt.hash if call.prompt is not None else "",
                asked=call.request.model if policy.answer_model == "asked" else "",
            )
        self._idempotency = idempotency_key(call.caller.key_id, name) if name else None
        # Of what was asked: a release between two tries makes another body of the same request.
        self._digest = digest_of(call.asked or call.body) if name else b""
        self.flight: Flight | None = None

    @property
    def goes_on(self) -> bool:
        """The answer is wanted even if the caller leaves."""
        waited_for = self.flight is not None and self.flight.followers > 0
        return waited_for or self._idempotency is not None

    def known(self) -> Found | None:
        """The answer, if it can be given at once.

        Raises:
            IdempotencyConflict: the name was used for another request.
        """
        if self._idempotency is not None:
            recalled = self._reuse.remembered.find(self._idempotency, self._digest)
            if recalled is not None:
                self._check(conflict=recalled.conflict)
                return Found(recalled.answer, self._reuse.age_s(recalled.answer), fresh=True)
        found = self._find()
        return found if found is not None and found.fresh else None

    def stale(self) -> Found | None:
        """An old answer, for the case that all models have failed."""
        found = self._find()
        if found is not None:
            self._reuse.cache.gave_stale()
        return found

    @property
    def on_disk(self) -> bytes | None:
        """The key of an answer that is worth loading."""
        key = self._key
        return key if key is not None and self._reuse.cache.on_disk(key) else None

    def join(self) -> Flight | None:
        """The same request under way, to wait for; None if this one is the first and leads.

        Raises:
            IdempotencyConflict: the name is in use for another request.
        """
        shared = self._key if self._call.target.policy.single_flight else None
        key = self._idempotency or shared
        if key is None:
            return None
        flight = self._reuse.flights.join(key)
        if flight is None:
            self.flight = self._reuse.flights.lead(key, digest=self._digest)
        else:
            self._check(conflict=flight.digest != self._digest)
        return flight

    def keep(self, answer: CachedAnswer, *, equal: bool) -> None:
        """Take a good answer; one of a fallback (not `equal`) is not given to later requests."""
        if self._key is not None and equal:
            self._reuse.cache.put(self._key, answer)
        if self._idempotency is not None:
            self._reuse.remembered.keep(self._idempotency, self._digest, answer)
        if self.flight is not None:
            self.flight.landed(answer)

    def let_go(self) -> None:
        """There will be no answer, or there was one already."""
        if self.flight is not None:
            self.flight.landed(None)

    def _find(self) -> Found | None:
        cache = self._call.target.policy.cache
        if self._key is None or cache is None:
            return None
        return self._reuse.cache.find(self._key, cache)

    @staticmethod
    def _check(*, conflict: bool) -> None:
        if conflict:
            raise IdempotencyConflict(
                "This Idempotency-Key was used for another request. Use a new one for each request."
            )


class Again(OutletListener):
    """One request on its way to an answer that another request has, or will have, paid for.

    Attributes:
        answered: as of an inference; never, since nothing was paid for.
    """

    answered = 0

    def __init__(self, reuse: "Reuse", call: Call, outlet: Outlet, *, keeper: Keeper) -> None:
        self._reuse = reuse
        self._call = call
        self._outlet = outlet
        self._keeper = keeper
        self._ticket: Ticket | None = None
        self._over = False
        outlet.listener = self

    def stop(self) -> None:
        """End it now, because the process ends."""
        self.finish(ShuttingDown("The gateway was stopped. Try again elsewhere."))

    def check_time(self) -> None:
        """Nothing here has a limit of its own: what is waited for has."""

    def look(self, *, on_disk: bool) -> None:
        """Find the answer, or who is making it, or have it made.

        Args:
            on_disk: look there as well.

        Raises:
            TrimtabError: it can neither be found nor made.
        """
        found = self._keeper.known()
        if found is not None:
            self._reuse.spawn(self._give(found))
            return
        key = self._keeper.on_disk if on_disk else None
        if key is not None:
            self._reuse.spawn(self._load(key))
            return
        flight = self._keeper.join()
        if flight is not None:
            self._ticket = flight.follow(self._on_landed)
            return
        self._fly()

    def finish(self, error: Exception | None) -> None:
        """It is over. Only the first time counts."""
        if self._over:
            return
        self._over = True
        if self._ticket is not None:
            self._ticket.cancel()
        if error is not None:
            self._outlet.fail(error)
        self._reuse.on_over(self)

    def _fly(self) -> None:
        """Nothing is known: the call is made, and this is over."""
        self._over = True
        try:
            self._reuse.fly(self._call, self._outlet, self._keeper)
        except BaseException:
            self._keeper.let_go()  # others may wait for it
            raise
        finally:
            self._reuse.on_over(self)

    def _on_landed(self, answer: CachedAnswer | None) -> None:
        self._ticket = None
        if answer is None:
            self._look_again()
        else:
            found = Found(answer, self._reuse.age_s(answer), fresh=True)
            self._reuse.spawn(self._give(found))

    def _look_again(self) -> None:
        if self._over:
            return
        try:
            self.look(on_disk=False)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            self._outlet.fail(error)
            self._reuse.on_over(self)

    async def _give(self, found: Found) -> None:
        try:
            await replay(
                self._call,
                found,
                number=1,
                cause="cache",
                ledger=self._reuse.ledger,
                tally=self._reuse.tally,
                clock=self._reuse.clock,
                outlet=self._outlet,
            )
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            self.finish(error)
        else:
            self.finish(None)

    async def _load(self, key: bytes) -> None:
        await self._reuse.cache.load(key)
        self._look_again()

    # ------------------------------------------------------------ OutletListener

    @override
    def on_gone(self) -> None:
        self.finish(CallerGone("The caller closed the connection."))

    @override
    def on_paused(self) -> None:
        pass  # the answer is sent in one piece

    @override
    def on_resumed(self) -> None:
        pass


class Reuse:
    """The door for requests that may need no call.

    Args:
        cache: answers of routes that have a cache.
        ledger: every answer is on record.
        tally: and counted.
        clock: ages.

    Attributes:
        spawn, fly, on_over: set by the gateway before the first request.
    """

    spawn: Spawn
    fly: Fly
    on_over: Callable[[Again], None]

    def __init__(self, cache: ResponseCache, *, ledger: Ledger, tally: Tally, clock: Clock) -> None:
        self.cache = cache
        self.ledger = ledger
        self.tally = tally
        self.clock = clock
        self.flights = Flights()
        self.remembered = Remembered(clock)

    def prepare(self, call: Call, outlet: Outlet, name: str) -> Again:
        """A request that may need no call.

        Args:
            call: the inference.
            outlet: its caller.
            name: value of `Idempotency-Key`, or "".
        """
        return Again(self, call, outlet, keeper=Keeper(self, call, name))

    def age_s(self, answer: CachedAnswer) -> float:
        """Seconds since an answer was made; never negative."""
        return max((self.clock.wall_ns() - answer.created_ns) / NS_PER_S, 0.0)
