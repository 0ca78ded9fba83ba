"""The fault provider in a thread of its own, for synchronous tests."""

import asyncio
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from trimtab.testing.calls import Call
from trimtab.testing.provider import FaultProvider
from trimtab.testing.script import Behaviour, Script

__all__ = ["RunningFaultProvider", "running_fault_provider"]


class RunningFaultProvider:
    """Handle on a provider in another thread; every method may be called from any thread.

    Args:
        provider: the provider, entered.
        loop: the loop that it runs in.
        stop: ends it.
    """

    def __init__(
        self, provider: FaultProvider, loop: asyncio.AbstractEventLoop, stop: asyncio.Event
    ) -> None:
        self._provider = provider
        self._loop = loop
        self._stop = stop
        self.base_url = provider.base_url
        self.port = provider.port

    @property
    def calls(self) -> list[Call]:
        """All chat calls in the order of their arrival, those under way too."""

        async def read() -> list[Call]:
            return self._provider.calls

        return asyncio.run_coroutine_threadsafe(read(), self._loop).result()

    def play(self, model: str, *behaviours: Behaviour) -> None:
        """See `FaultProvider.play`."""

        async def change() -> None:
            self._provider.play(model, *behaviours)

        asyncio.run_coroutine_threadsafe(change(), self._loop).result()

    @property
    def open_connections(self) -> int:
        """Connections that are open at this moment."""

        async def read() -> int:
            return self._provider.open_connections

        return asyncio.run_coroutine_threadsafe(read(), self._loop).result()

    def wait_for(
        self, predicate: Callable[[FaultProvider], bool], *, timeout_s: float = 10.0
    ) -> None:
        """Block until `predicate(provider)` holds; it runs in the provider's thread.

        Raises:
            TimeoutError: it did not within `timeout_s`.
        """
        waiting = self._provider.wait_for(lambda: predicate(self._provider), timeout_s=timeout_s)
        asyncio.run_coroutine_threadsafe(waiting, self._loop).result()

    def stop(self) -> None:
        """End the provider; its thread ends soon after."""
        self._loop.call_soon_threadsafe(self._stop.set)


@contextmanager
def running_fault_provider(
    script: Script | Behaviour | Sequence[Behaviour] | None = None, *, seed: int = 0
) -> Generator[RunningFaultProvider]:
    """Run a fault provider in a background thread for the length of a `with` block."""
    started: Future[RunningFaultProvider] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(FaultProvider(script, seed=seed), started)),
        name="fault-provider",
        daemon=True,
    )
    thread.start()
    running = started.result()
    try:
        yield running
    finally:
        running.stop()
        thread.join()


async def _serve(provider: FaultProvider, started: "Future[RunningFaultProvider]") -> None:
    stop = asyncio.Event()
    try:
        async with provider:
            started.set_result(RunningFaultProvider(provider, asyncio.get_running_loop(), stop))
            await stop.wait()
    except OSError as error:  # it could not listen; after that nothing here does I/O
        started.set_exception(error)
