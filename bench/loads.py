"""What callers do: the loads of the bench."""

from typing import NamedTuple

__all__ = ["LOADS", "SEQUENTIAL", "STREAMS", "STREAMS_256", "THINKING", "WHOLE", "Load"]


class Load(NamedTuple):
    """A closed loop of `connections` callers; each asks again as soon as it has its answer.

    `seconds` is how long new requests are begun, `slow_seconds` the same for slow contenders.
    Callers begin `stagger_s` apart, as callers that know nothing of each other would.
    """

    key: str
    title: str
    connections: int
    seconds: float
    slow_seconds: float
    streamed: bool = False
    think_s: float = 0.0
    stagger_s: float = 0.0


WHOLE = Load("whole", "Whole answers, 32 connections", 32, 1.5, 5.0)
SEQUENTIAL = Load("sequential", "Whole answers, one after another", 1, 1.0, 2.0)
THINKING = Load(
    "thinking",
    "Whole answers, one after another, the provider takes 100 ms",
    1,
    3.0,
    3.0,
    think_s=0.1,
)
STREAMS_256 = Load(
    "streams-256", "256 streams at once", 256, 1.5, 1.0, streamed=True, stagger_s=0.0025
)
STREAMS = Load("streams-16", "16 streams at once", 16, 2.0, 2.0, streamed=True, stagger_s=0.04)
LOADS = (WHOLE, SEQUENTIAL, THINKING, STREAMS_256, STREAMS)
