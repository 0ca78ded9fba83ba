"""Quality and cost of the versions of a prompt, as the pages about prompts want them."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from trimtab.stats.histogram import LogHistogram
from trimtab.stats.sequential import wilson
from trimtab.stats.sequential_amounts import Moments
from trimtab.store.protocol import Reader
from trimtab.store.records import Event, EventQuery

__all__ = ["Estimate", "Figures", "Report", "ReportOf", "recent_figures"]

_PAGE = 5_000
_MOST_PAGES = 4


class Estimate(msgspec.Struct, frozen=True):
    """A share of one, or an amount in nano-dollars, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one version in one arm.

    Attributes:
        version: as people call it.
        hash: of what changes behaviour.
        arm: why it was rendered.
        errors: share of inferences that failed or ran out of time.
        invalid: share of answers without the form that the prompt declares; None where none does.
        cost: nano-dollars of an inference, the mean; None for a single one.
        p50_us, p95_us: microseconds until the inference was over.
    """

    version: str
    hash: str
    arm: str
    inferences: int
    errors: Estimate
    invalid: Estimate | None
    cost: Estimate | None
    p50_us: float
    p95_us: float


class Report(msgspec.Struct, frozen=True):
    """All versions of a prompt that were used in a range.

    Attributes:
        versions: the most used first.
        back_to_ns: UTC; what is older was not looked at. None where everything was.
    """

    versions: Sequence[Figures]
    back_to_ns: int | None = None


class ReportOf(Protocol):
    """Gives the figures of a prompt."""

    def __call__(self, reader: Reader, *, since_ns: int, until_ns: int, prompt: str) -> Report:
        """Those of a range in UTC nanoseconds, the end excluded."""
        ...


def recent_figures(reader: Reader, *, since_ns: int, until_ns: int, prompt: str) -> Report:
    """From the newest inferences of the range, 20,000 at most."""
    events: list[Event] = []
    after, back_to_ns = "", None
    for _ in range(_MOST_PAGES):
        page = reader.event_page(
            EventQuery(
                since_ns=since_ns,
                until_ns=until_ns,
                where={"prompt": prompt},
                limit=_PAGE,
                after=after,
            )
        )
        events += page.events
        after = page.next
        back_to_ns = page.searched_to_ns
        if not after:
            break
    if after and back_to_ns is None:
        back_to_ns = events[-1].started_ns
    groups: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        groups.setdefault((event.prompt_hash, event.prompt_arm), []).append(event)
    versions = sorted(map(_figures, groups.values()), key=lambda one: -one.inferences)
    return Report(versions, back_to_ns if after else None)


def _figures(events: list[Event]) -> Figures:
    latencies = LogHistogram()
    for event in events:
        latencies.add(event.latency_us)
    p50, p95 = latencies.percentiles([0.5, 0.95])
    failed = sum(event.outcome in {"error", "timeout"} for event in events)
    formed = [event.form for event in events if event.form]
    newest = events[0]
    return Figures(
        version=newest.prompt_version,
        hash=newest.prompt_hash,
        arm=newest.prompt_arm,
        inferences=len(events),
        errors=_share(failed, len(events)),
        invalid=_share(formed.count("invalid"), len(formed)) if formed else None,
        cost=_mean([event.cost_nanousd for event in events]),
        p50_us=p50 or 0.0,
        p95_us=p95 or 0.0,
    )


def _share(bad: int, count: int) -> Estimate:
    found = wilson(bad, count)
    return Estimate(found.estimate, found.low, found.high)


def _mean(amounts: list[int]) -> Estimate | None:
    if len(amounts) < 2:
        return None
    moments = Moments()
    moments.add(amounts)
    found = moments.arm(1.0)
    return Estimate(found.estimate, found.low, found.high)
