"""Rows on their way to the disk: whatever waits goes in one write."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from trimtab.store.protocol import Experiments
from trimtab.types.experiments import Mark, Row

__all__ = ["Keeper"]


class _Waiting(NamedTuple):
    """Who brought some of the rows."""

    done: asyncio.Future[list[Row]]
    rows: slice


class Keeper:
    """Writes with one thread at a time. For the event loop's thread.

    Args:
        store: where to.
        since_ns: older answers (UTC) give way to new ones.
    """

    def __init__(self, store: Experiments, *, since_ns: int = 0) -> None:
        self._keep = partial(store.keep, since_ns=since_ns)
        self._rows: list[Row] = []
        self._marks: list[Mark] = []
        self._waiting: list[_Waiting] = []
        self._writing = asyncio.Lock()

    async def keep(self, rows: Sequence[Row] = (), marks: Sequence[Mark] = ()) -> list[Row]:
        """Returns when they are on the disk, with the rows that are there: see `Experiments.keep`.

        Raises:
            StoreError: they cannot be written.
        """
        done: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        first = len(self._rows)
        self._rows += rows
        self._marks += marks
        self._waiting.append(_Waiting(done, slice(first, first + len(rows))))
        async with self._writing:
            if not done.done():
                await self._write()
        return await done

    async def _write(self) -> None:
        rows, marks, waiting = self._rows, self._marks, self._waiting
        self._rows, self._marks, self._waiting = [], [], []
        try:
            kept = await asyncio.shield(asyncio.to_thread(self._keep, rows, marks))
        except Exception as error:  # noqa: BLE001 - each who waits raises it
            for one in waiting:
                one.done.set_exception(error)
        except BaseException:
            for one in waiting:
                one.done.cancel()
            raise
        else:
            for one in waiting:
                one.done.set_result(kept[one.rows])
