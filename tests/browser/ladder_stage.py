"""A gateway whose ladder was needed: a history of every kind, and a model that is left alone."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness import PRICE, Gateway, running_gateway, wait_until
from store.ladders import Ladders, interleaved
from store.samples import record
from trimtab.store.chain import Record
from trimtab.testing import Behaviour, Script, running_fault_provider
from trimtab.types.clock import NS_PER_S, SystemClock
from trimtab.types.records import Intent

__all__ = ["CAUSES", "laddered_gateway"]

CAUSES = ("retry", "fallback", "hedge", "continue", "cache", "stale")
_HISTORY = 120
_SCRIPT = Script(
    named={"away": (Behaviour(status=503),), "spare": (Behaviour(tokens=6),)},
)


def _project(base_url: str) -> str:
    return f"""
[server]
port = 0
[breakers]
failures = 3
open_s = 600
most_open_s = 600
[providers.fake]
kind = "openai"
base_url = "{base_url}"
[models.away]
ref = "fake:fault:away"
price = {PRICE}
[models.spare]
ref = "fake:fault:spare"
price = {PRICE}
[routes.steady]
model = "away"
fallback = ["spare"]
"""


@contextmanager
def laddered_gateway(folder: Path) -> Generator[Gateway]:
    """The history is written as a gateway would; the last inferences are real ones."""
    # In a thread of its own, because Playwright keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as aside:
        history = _history(SystemClock.wall_ns())
        aside.submit(record, folder / ".trimtab", history).result()
    with (
        running_fault_provider(_SCRIPT) as provider,
        running_gateway(folder, _project(provider.base_url)) as gateway,
    ):
        for _ in range(4):
            assert gateway.chat(model="steady", stream=True).status == 200
        wait_until(lambda: any(b.state == "open" for b in gateway.reader().breakers()))
        yield gateway


def _history(now_ns: int) -> list[Record]:
    made = Ladders(3)
    inferences: list[list[Record]] = []
    for number in range(_HISTORY):
        started_ns = now_ns - (number + 2) * 20 * NS_PER_S
        inferences.append(
            [
                msgspec.structs.replace(entry, started_ns=started_ns)
                if isinstance(entry, Intent)
                else entry
                for entry in made.inference()
            ]
        )
    return interleaved(inferences, 1)
