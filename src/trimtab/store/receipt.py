"""What becomes of a record on its way into the ledger."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

__all__ = ["Receipt"]

_Heard = Callable[[Exception | None], None]


class Receipt:
    """Told once, by the ledger: the record is safe, or why not. Belongs to the event loop's thread.

    It can be awaited, any number of times; `None`, or the error is raised. One who must not wait
    in a task listens instead: a future would cost each inference two turns of the loop.

    Attributes:
        done: it has been told.
        error: what went wrong, once it is done; None if nothing did.
    """

    done = False
    error: Exception | None = None
    _heard: _Heard | None = None

    def listen(self, heard: _Heard) -> None:
        """Call `heard` with the error or None: later, or now if it is done."""
        if self.done:
            heard(self.error)
        elif self._heard is None:
            self._heard = heard
        else:
            self._heard = _both(self._heard, heard)

    def tell(self, error: Exception | None) -> None:
        """It is safe, or will never be. Only the first time counts."""
        if self.done:
            return
        self.done = True
        if error is not None:
            self.error = error
        heard, self._heard = self._heard, None  # no cycle is left behind
        if heard is not None:
            heard(error)

    def __await__(self) -> Generator[Any, None, None]:
        if not self.done:
            told: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def wake(_: Exception | None) -> None:
                if not told.done():  # whoever waited may have been cancelled
                    told.set_result(None)

            self.listen(wake)
            yield from told
        if self.error is not None:
            raise self.error


def _both(first: _Heard, second: _Heard) -> _Heard:
    def tell(error: Exception | None) -> None:
        first(error)
        second(error)

    return tell
