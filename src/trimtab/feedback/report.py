"""What users say of each version of a prompt, with intervals."""

from collections import defaultdict
from collections.abc import Sequence
from math import sqrt
from typing import Final

import msgspec

from trimtab.stats.sequential import wilson
from trimtab.store.feedback import FeedbackFacts
from trimtab.store.protocol import Reader

__all__ = ["LEAST_FOR_INTERVAL", "VersionFeedback", "feedback_report"]

LEAST_FOR_INTERVAL: Final = 30
"""Numbers below which no interval of a mean is told: the large-sample one would be too short."""

_Z: Final = 1.959964  # 95 %


class VersionFeedback(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one version at one model, for whichever reason it was served.

    Attributes:
        prompt, version, hash: "" where inferences were of no prompt.
        model: `provider:model` that answered.
        boolean: the metric is one of true and false.
        count: how many said something; each of an inference, metric and user once.
        good: of a boolean, those that speak for the version by the metric's direction; else None.
        estimate: the share of good ones, or the mean number.
        low, high: its 95 % interval: Wilson's of a share, the normal one of a mean; None where
            too little is known.
    """

    prompt: str
    version: str
    hash: str
    model: str
    metric: str
    boolean: bool
    count: int
    good: int | None
    estimate: float
    low: float | None
    high: float | None


def feedback_report(
    reader: Reader, *, since_ns: int, until_ns: int, prompt: str | None = None
) -> list[VersionFeedback]:
    """What was said between two UTC times, by prompt, version, model and metric."""
    found: defaultdict[tuple[str, ...], list[FeedbackFacts]] = defaultdict(list)
    for facts in reader.feedback_facts(since_ns, until_ns, prompt=prompt):
        kind = "boolean" if facts.boolean else "number"
        names = (facts.prompt, facts.version, facts.hash, facts.model, facts.metric)
        found[*names, kind].append(facts)
    return [_figures(found[key]) for key in sorted(found)]


def _figures(parts: Sequence[FeedbackFacts]) -> VersionFeedback:
    """Of facts that differ in nothing but why the version was served."""
    one, count = parts[0], sum(part.count for part in parts)
    good: int | None = None
    low: float | None = None
    high: float | None = None
    if one.boolean:
        good = count - sum(part.bad for part in parts)
        estimate, low, high, _ = wilson(good, count)
    else:
        estimate = sum(part.total for part in parts) / count
        squares = sum(part.squares for part in parts)
        if count >= LEAST_FOR_INTERVAL:
            variance = max(squares - count * estimate * estimate, 0.0) / (count - 1)
            half = _Z * sqrt(variance / count)
            low, high = estimate - half, estimate + half
    return VersionFeedback(
        prompt=one.prompt,
        version=one.version,
        hash=one.hash,
        model=one.model,
        metric=one.metric,
        boolean=one.boolean,
        count=count,
        good=good,
        estimate=estimate,
        low=low,
        high=high,
    )
