"""Whether a version of a prompt still behaves as in its own first week.

A version is what its hash says. What environments serve of it counts, released and as a canary, and
drafts where no environment is served. Shadows, which nobody sees, and versions that a caller asked
for by name, which may be a test of somebody's, do not.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final, Literal, NamedTuple, cast

import msgspec

from trimtab.insights.prompt_versions import utc_day
from trimtab.stats.histogram import LogHistogram
from trimtab.stats.shift import DayAmounts, DayRate, Shift, find_shifts
from trimtab.stats.shift_days import WEEK
from trimtab.store.feedback import FeedbackFacts
from trimtab.store.protocol import Reader
from trimtab.store.records import PromptFacts
from trimtab.types.alerts import Alert
from trimtab.types.clock import NS_PER_S
from trimtab.types.feedback import THUMBS
from trimtab.types.money import format_usd
from trimtab.types.records import Arm

__all__ = [
    "DriftAlarm",
    "DriftMetric",
    "DriftReport",
    "Watched",
    "drift_alerts",
    "drift_report",
    "drift_words",
]

DriftMetric = Literal["output", "cost", "latency", "format", "errors", "refusals", "feedback"]
"""Output tokens of an answer, nano-dollars and microseconds of an inference; and the shares of
answers without the form that is declared, of errors and timeouts, of refusals, and of thumbs down
among those that were given on a day."""

_DAY_S: Final = 86_400
_DAY_NS: Final = _DAY_S * NS_PER_S
_US_PER_MS: Final = 1_000
_SERVED: Final[tuple[Arm, ...]] = ("released", "canary", "draft")
_QUARTILES: Final = (0.25, 0.5, 0.75)

_Days = Sequence[DayRate] | Sequence[DayAmounts]
_Metrics = Mapping[str, _Days]
"""By the name of a `DriftMetric`."""


class DriftAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of a version that is no longer what it was in the version's first week.

    Attributes:
        day: the UTC day from which on it is different, as far as can be said by now.
        told: the first day at whose end it could be told; it stays the same from then on.
        before: the share, or the typical amount, of the first week.
        after: the same since `day`, until a week after it was found.
        ratio: after / before; None if before is 0.
        p: adjusted for all metrics and days of the version.
    """

    prompt: str
    version: str
    hash: str
    metric: DriftMetric
    day: str
    told: str
    before: float
    after: float
    ratio: float | None
    p: float


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was served in the last seven days.

    Attributes:
        first_day: on which it was served; UTC.
        days: from then on, whole ones.
        alarms: how many of the alarms are its.
    """

    prompt: str
    version: str
    hash: str
    first_day: str
    days: int
    alarms: int


class DriftReport(msgspec.Struct, frozen=True, kw_only=True):
    """What drifts, and what was looked at.

    Attributes:
        until_ns: the end of the last whole day, UTC nanoseconds.
        least_days: whole days of a version before which nothing can be said of it.
        alarms: those that are large enough to matter, by prompt and version.
    """

    until_ns: int
    least_days: int
    watched: list[Watched]
    alarms: list[DriftAlarm]


class _Version(NamedTuple):
    """The days of a version, from its first one on."""

    name: str
    first_ns: int
    days: Sequence[Sequence[PromptFacts]]
    feedback: Sequence[DayRate]


def drift_report(reader: Reader, *, now_ns: int, prompt: str | None = None) -> DriftReport:
    """What the versions that are served do differently than in their first week.

    Each version is a family of tests of its own: `stats.shift.FALSE_DISCOVERIES` is the probability
    of any alarm for one that does not change.

    Args:
        reader: asked of whole UTC days; today, which is not over, is left out.
        now_ns: UTC nanoseconds.
        prompt: which one; None for all.
    """
    until_ns = now_ns - now_ns % _DAY_NS
    watched: list[Watched] = []
    alarms: list[DriftAlarm] = []
    for (prompt_id, version_hash), version in _served(reader, until_ns, prompt).items():
        metrics = _metrics(version)
        found = [
            _alarm(shift, metrics, (prompt_id, version_hash), version=version)
            for shift in find_shifts(metrics)
            if shift.beyond_floor
        ]
        alarms += found
        watched.append(
            Watched(
                prompt=prompt_id,
                version=version.name,
                hash=version_hash,
                first_day=utc_day(version.first_ns),
                days=len(version.days),
                alarms=len(found),
            )
        )
    return DriftReport(until_ns=until_ns, least_days=WEEK + 1, watched=watched, alarms=alarms)


def _served(reader: Reader, until_ns: int, prompt: str | None) -> dict[tuple[str, str], _Version]:
    """By prompt and hash, those of the last seven days, with all their days."""
    recent = reader.prompt_facts(until_ns - WEEK * _DAY_NS, until_ns, prompt=prompt)
    wanted = {(facts.prompt, facts.hash) for facts in recent if facts.arm in _SERVED}
    if not wanted:
        return {}
    by_version: defaultdict[tuple[str, str], list[PromptFacts]] = defaultdict(list)
    for facts in reader.prompt_facts(0, until_ns, step_s=_DAY_S, prompt=prompt):
        if facts.arm in _SERVED and (facts.prompt, facts.hash) in wanted:
            by_version[facts.prompt, facts.hash].append(facts)
    given: defaultdict[tuple[str, str], list[FeedbackFacts]] = defaultdict(list)
    for said in reader.feedback_facts(0, until_ns, step_s=_DAY_S, prompt=prompt):
        if said.metric == THUMBS and said.boolean and said.arm in _SERVED:
            given[said.prompt, said.hash].append(said)
    return {key: _version(by_version[key], given[key], until_ns) for key in sorted(by_version)}


def _version(
    facts: Sequence[PromptFacts], given: Sequence[FeedbackFacts], until_ns: int
) -> _Version:
    """Of facts in order of time; a version that was recorded meanwhile goes by its last name."""
    first_ns = facts[0].since_ns
    days: list[list[PromptFacts]] = [[] for _ in range((until_ns - first_ns) // _DAY_NS)]
    for one in facts:
        days[(one.since_ns - first_ns) // _DAY_NS].append(one)
    thumbs = [DayRate(0, 0)] * len(days)
    for said in given:  # which an inference may have got only after it began
        day = max((said.since_ns - first_ns) // _DAY_NS, 0)  # the clock may have been set back
        thumbs[day] = DayRate(thumbs[day].hits + said.bad, thumbs[day].total + said.count)
    return _Version(facts[-1].version, first_ns, days, thumbs)


def _metrics(version: _Version) -> _Metrics:
    """Those of which there is anything on record."""
    days = version.days
    found: dict[str, _Days] = {
        "output": [_amounts([facts.output_histogram for facts in day]) for day in days],
        "cost": [_amounts([facts.cost_histogram for facts in day]) for day in days],
        "latency": [_amounts([facts.latency_histogram for facts in day]) for day in days],
        "format": [_format(day) for day in days],
        "errors": [_errors(day) for day in days],
        "refusals": [_refusals(day) for day in days],
        "feedback": version.feedback,
    }
    return {metric: values for metric, values in found.items() if any(v.total for v in values)}


def _amounts(histograms: Sequence[LogHistogram]) -> DayAmounts:
    both = LogHistogram()
    for histogram in histograms:
        both.merge(histogram)
    low, middle, high = both.percentiles(_QUARTILES)
    return DayAmounts(both.count, low or 0.0, middle or 0.0, high or 0.0)


def _format(day: Sequence[PromptFacts]) -> DayRate:
    invalid = sum(facts.form_invalid for facts in day)
    return DayRate(invalid, invalid + sum(facts.form_ok for facts in day))


def _errors(day: Sequence[PromptFacts]) -> DayRate:
    judged = sum(facts.inferences - facts.cancelled - facts.cached for facts in day)
    return DayRate(sum(facts.errors + facts.timeouts for facts in day), judged)


def _refusals(day: Sequence[PromptFacts]) -> DayRate:
    answers = sum(facts.output_histogram.count for facts in day)
    return DayRate(sum(facts.refused for facts in day), answers)


def _alarm(
    shift: Shift, metrics: _Metrics, key: tuple[str, str], *, version: _Version
) -> DriftAlarm:
    metric = cast("DriftMetric", shift.metric)
    told = _first_told(shift, metrics)
    return DriftAlarm(
        prompt=key[0],
        version=version.name,
        hash=key[1],
        metric=metric,
        day=utc_day(version.first_ns + shift.began * _DAY_NS),
        told=utc_day(version.first_ns + told * _DAY_NS),
        before=shift.before,
        after=shift.after,
        ratio=shift.ratio if isfinite(shift.ratio) else None,
        p=shift.p,
    )


def _first_told(shift: Shift, metrics: _Metrics) -> int:
    """The first day whose evening look finds the shift; what later days tell is left out.

    All days that are known by now may date a shift earlier than the look that first found it did.
    """
    known = max(len(days) for days in metrics.values())
    for day in range(shift.found, known - 1):
        until_then = {metric: days[: day + 1] for metric, days in metrics.items()}
        looked = find_shifts(until_then)
        if any(one.metric == shift.metric and one.beyond_floor for one in looked):
            return day
    return known - 1


_WORDS: Final[dict[DriftMetric, str]] = {
    "output": "the typical answer has {after} tokens; in its first week {before}",
    "cost": "a typical inference costs {after}; in its first week {before}",
    "latency": "a typical inference takes {after}; in its first week {before}",
    "format": "{after} of answers lack the declared form; in its first week {before}",
    "errors": "{after} of inferences fail; in its first week {before}",
    "refusals": "{after} of answers are refusals; in its first week {before}",
    "feedback": "{after} of thumbs are down; in its first week {before}",
}


def drift_words(alarm: DriftAlarm) -> str:
    """What changed, in words, with both figures."""
    before, after = (_shown(alarm.metric, value) for value in (alarm.before, alarm.after))
    return _WORDS[alarm.metric].format(before=before, after=after)


def _shown(metric: DriftMetric, value: float) -> str:
    if metric == "output":
        return f"{value:,.0f}"
    if metric == "cost":
        return format_usd(round(value), digits=3)
    if metric == "latency":
        return f"{value / _US_PER_MS:,.0f} ms"
    return f"{value:.1%}"


def drift_alerts(report: DriftReport, *, now_ns: int) -> list[Alert]:
    """One alert for each alarm; its key stays the same on all later looks."""
    return [
        Alert(
            kind="drift",
            key=f"drift/{alarm.prompt}/{alarm.hash}/{alarm.metric}/{alarm.told}",
            at_ns=now_ns,
            message=(
                f"Prompt {alarm.prompt} {alarm.version} has drifted: since {alarm.day} "
                f"{drift_words(alarm)}."
            ),
            facts=_facts(alarm),
        )
        for alarm in report.alarms
    ]


def _facts(alarm: DriftAlarm) -> dict[str, str | int | float]:
    facts: dict[str, str | int | float] = {
        "prompt": alarm.prompt,
        "version": alarm.version,
        "hash": alarm.hash,
        "metric": alarm.metric,
        "day": alarm.day,
        "before": alarm.before,
        "after": alarm.after,
        "p": alarm.p,
    }
    if alarm.ratio is not None:
        facts["ratio"] = alarm.ratio
    return facts
