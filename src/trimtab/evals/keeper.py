"""Rows on their way to the disk: whatever waits goes in one write."""

import asyncio
from collections.abc import Sequence

from trimtab.store.protocol import Experiments
from trimtab.types.experiments import Mark, Row

__all__ = ["Keeper"]


class Keeper:
    """Writes with one thread at a time. For the event loop's thread."""

    def __init__(self, store: Experiments) -> None:
        self._store = store
        self._rows: list[Row] = []
        self._marks: list[Mark] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._writing = asyncio.Lock()

    async def keep(self, rows: Sequence[Row] = (), marks: Sequence[Mark] = ()) -> None:
        """Returns when they are on the disk.

        Raises:
            StoreError: they cannot be written.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rows += rows
        self._marks += marks
        self._waiting.append(done)
        async with self._writing:
            if not done.done():
                await self._write()
        await done

    async def _write(self) -> None:
        rows, marks, waiting = self._rows, self._marks, self._waiting
        self._rows, self._marks, self._waiting = [], [], []
        try:
            await asyncio.shield(asyncio.to_thread(self._store.keep, rows, marks))
        except Exception as error:  # noqa: BLE001 - each who waits raises it
            for done in waiting:
                done.set_exception(error)
        else:
            for done in waiting:
                done.set_result(None)
