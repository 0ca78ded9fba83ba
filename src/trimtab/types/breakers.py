"""What is known of breakers outside of the process that has them."""

from typing import Literal

import msgspec

__all__ = ["BreakerRecord", "BreakerRecords"]


class BreakerRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The breaker of one model at one provider, at the moment of writing.

    Attributes:
        failures_in_a_row: calls that failed since the last that did not, probes included.
        opened_ns: UTC nanoseconds at which it was last closed; None while it is.
        retry_at_ns: UTC nanoseconds from which a probe is let through; None while it is closed.
    """

    provider: str
    model: str
    state: Literal["closed", "open", "half-open"]
    failures_in_a_row: int
    opened_ns: int | None = None
    retry_at_ns: int | None = None


class BreakerRecords(msgspec.Struct, frozen=True, kw_only=True):
    """All breakers of a process.

    Attributes:
        written_ns: UTC nanoseconds.
    """

    written_ns: int
    breakers: list[BreakerRecord]
