"""Quality and cost of the versions of a prompt, as the pages about prompts want them."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from trimtab.stats.histogram import LogHistogram
from trimtab.stats.sequential import wilson
from trimtab.stats.sequential_amounts import Moments
from trimtab.store.protocol import Reader
from trimtab.store.records import Event, EventQuery

__all__ = ["Estimate", "Figures", "ReportOf", "recent_figures"]

_PAGE: Final = 5_000
_LEAST: Final = 30  # amounts; of fewer the interval of a mean would be too short
_US_PER_MS: Final = 1_000


class Estimate(Protocol):
    """A share of one, or a mean, with its 95 % interval; None where too little is known of it."""

    @property
    def estimate(self) -> float:
        """The share, or the mean."""
        ...

    @property
    def low(self) -> float | None:
        """The low end of the interval."""
        ...

    @property
    def high(self) -> float | None:
        """The high end of the interval."""
        ...


class Figures(Protocol):
    """What is known of one version that was served for one reason; None where nothing is."""

    @property
    def version(self) -> str:
        """As people call it."""
        ...

    @property
    def hash(self) -> str:
        """Of what changes behaviour."""
        ...

    @property
    def arm(self) -> str:
        """Why it was rendered."""
        ...

    @property
    def inferences(self) -> int:
        """That ended."""
        ...

    @property
    def errors(self) -> Estimate | None:
        """Share of failures and timeouts."""
        ...

    @property
    def invalid(self) -> Estimate | None:
        """Share of answers without the form that the prompt declares."""
        ...

    @property
    def mean_cost_nanousd(self) -> Estimate | None:
        """Of an inference that called a provider."""
        ...

    @property
    def latency_p50_ms(self) -> float | None:
        """Half of them took no longer."""
        ...

    @property
    def latency_p95_ms(self) -> float | None:
        """Nineteen of twenty took no longer."""
        ...


class ReportOf(Protocol):
    """Gives the figures of all versions of a prompt that were served in a range."""

    def __call__(
        self, reader: Reader, *, since_ns: int, until_ns: int, prompt: str
    ) -> Sequence[Figures]:
        """Of a range in UTC nanoseconds, the end excluded."""
        ...


class _Figure(msgspec.Struct, frozen=True):
    estimate: float
    low: float | None
    high: float | None


class _Counted(msgspec.Struct):
    """One version in one arm, as its inferences are counted."""

    version: str
    hash: str
    arm: str
    inferences: int = 0
    judged: int = 0
    failed: int = 0
    formed: int = 0
    unformed: int = 0
    costs: Moments = msgspec.field(default_factory=Moments)
    latencies: LogHistogram = msgspec.field(default_factory=LogHistogram)

    def add(self, event: Event) -> None:
        """Count an inference; what the response cache answered is no work of the version."""
        self.inferences += 1
        if not event.attempts:
            return
        self.costs.add([event.cost_nanousd])
        if event.outcome == "cancelled":
            return
        self.judged += 1
        self.failed += event.outcome in {"error", "timeout"}
        self.formed += event.form == "ok"
        self.unformed += event.form == "invalid"
        self.latencies.add(event.latency_us)

    @property
    def errors(self) -> _Figure | None:
        return _share(self.failed, self.judged)

    @property
    def invalid(self) -> _Figure | None:
        return _share(self.unformed, self.formed + self.unformed)

    @property
    def mean_cost_nanousd(self) -> _Figure | None:
        if not self.costs.count:
            return None
        mean, low, high, count = self.costs.arm(1.0)
        return _Figure(mean, low, high) if count >= _LEAST else _Figure(mean, None, None)

    @property
    def latency_p50_ms(self) -> float | None:
        return self._latency_ms(0.5)

    @property
    def latency_p95_ms(self) -> float | None:
        return self._latency_ms(0.95)

    def _latency_ms(self, share: float) -> float | None:
        found = self.latencies.percentile(share)
        return None if found is None else found / _US_PER_MS


def recent_figures(
    reader: Reader, *, since_ns: int, until_ns: int, prompt: str
) -> Sequence[Figures]:
    """From single inferences, so it takes the longer the more there are."""
    found: dict[tuple[str, str], _Counted] = {}
    after = ""
    while True:
        page = reader.event_page(
            EventQuery(
                since_ns=since_ns,
                until_ns=until_ns,
                where={"prompt": prompt},
                limit=_PAGE,
                after=after,
            )
        )
        for event in page.events:
            key = (event.prompt_hash, event.prompt_arm)
            if key not in found:
                found[key] = _Counted(event.prompt_version, event.prompt_hash, event.prompt_arm)
            found[key].add(event)
        after = page.next
        if not after:
            return list(found.values())


def _share(bad: int, count: int) -> _Figure | None:
    if not count:
        return None
    found = wilson(bad, count)
    return _Figure(found.estimate, found.low, found.high)
