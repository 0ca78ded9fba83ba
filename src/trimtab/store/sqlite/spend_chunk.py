"""What one chunk of the projection adds to what a bill is explained by. Pure.

Attempts are put together by everything that they have in common, so that a chunk comes to a
handful of rows, however many inferences it holds. An inference of several attempts is told of
again whenever another one of them ends, since the fate of those before may be another one then:
what was told before is taken back.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from operator import add
from typing import Any, Final

import msgspec

from trimtab.store.records import Fate, SpendFacts
from trimtab.store.sqlite.fates import fates_of
from trimtab.store.sqlite.served import ANSWERED_AGAIN, SettledAttempt
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Cause
from trimtab.types.usage import Usage

__all__ = [
    "SPEND_FIGURES",
    "SPEND_KEYS",
    "Chunk",
    "Figures",
    "SpendChunk",
    "SpendKey",
    "SpendRow",
    "Visit",
    "add_figures",
    "facts_of",
    "session_of",
]

SPEND_KEYS: Final = (
    "user_class", "route", "model", "cause", "rung", "fate", "repeat", "with_user", "with_session",
)  # fmt: skip
SPEND_FIGURES: Final = (
    "inferences",
    "attempts",
    "cost_nanousd",
    "saved_nanousd",
    *Usage.__struct_fields__,
)
_USAGE_AT: Final = len(SPEND_FIGURES) - len(Usage.__struct_fields__)
_HOUR_NS: Final = 3_600 * NS_PER_S
_COLLECTED: Final = 64  # summed up together: quicker than one by one, and still little memory
_SEPARATOR: Final = "\x1f"


SpendKey = tuple[str, str, str, Cause, int, Fate, bool, bool, bool]
"""In the order of `SPEND_KEYS`."""

Figures = tuple[int, ...]
"""In the order of `SPEND_FIGURES`."""

SpendRow = tuple[int, SpendKey, Figures]
"""Begins with the start of the hour, in UTC seconds."""

Visit = tuple[int, str, str, str]
"""Start of the hour, class, user and session."""


class Chunk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What lies in the tail."""

    rows: list[SpendRow]
    visits: list[Visit]


class SpendChunk:
    """Takes the attempts of a chunk as they end."""

    def __init__(self) -> None:
        self._figures: defaultdict[tuple[int, SpendKey], list[Figures]] = defaultdict(list)
        self._visits: set[Visit] = set()

    def add(self, hour_s: int, key: SpendKey, figures: Figures) -> None:
        """What inferences of one attempt come to."""
        self._figures[hour_s, key].append(figures)

    def add_visits(self, visits: set[Visit]) -> None:
        """Who began them."""
        self._visits |= visits

    def add_last(self, settled: Sequence[SettledAttempt]) -> None:
        """The last of some attempts of an inference is over."""
        self._add_visit(settled[-1])
        before = fates_of(settled[:-1]) if len(settled) > 1 else []
        for attempt, fate, ended in before:
            self._add(attempt, fate, int(ended), times=-1)
        for attempt, fate, ended in fates_of(settled):
            self._add(attempt, fate, int(ended))

    def content(self) -> Chunk:
        """All of it."""
        rows = [(hour_s, key, _sum(figures)) for (hour_s, key), figures in self._figures.items()]
        return Chunk([row for row in rows if any(row[2])], list(self._visits))

    def _add_visit(self, attempt: SettledAttempt) -> None:
        intent = attempt.intent
        caller = intent.caller
        hour_s = intent.started_ns // _HOUR_NS * 3_600
        self._visits.add((hour_s, caller.user_class, caller.user, caller.session))

    def _add(self, attempt: SettledAttempt, fate: Fate, ended: int, *, times: int = 1) -> None:
        intent, settle = attempt
        caller, usage = intent.caller, settle.usage
        key = (
            caller.user_class,
            intent.route,
            f"{intent.provider}:{intent.model}",
            intent.cause,
            intent.rung,
            fate,
            intent.repeat,
            caller.user != "",
            caller.session != "",
        )
        figures = (
            ended,
            0 if intent.cause in ANSWERED_AGAIN else 1,
            settle.cost_nanousd,
            settle.saved_nanousd,
            usage.input_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.input_audio_tokens,
            usage.output_tokens,
            usage.reasoning_tokens,
            usage.output_audio_tokens,
            usage.cache_read_audio_tokens,
            usage.cache_write_1h_tokens,
        )
        if times != 1:
            figures = tuple(times * figure for figure in figures)
        collected = self._figures[intent.started_ns // _HOUR_NS * 3_600, key]
        collected.append(figures)
        if len(collected) >= _COLLECTED:
            collected[:] = [_sum(collected)]


def _sum(figures: list[Figures]) -> Figures:
    return tuple(map(sum, zip(*figures, strict=True)))


def add_figures(rows: Iterable[SpendRow]) -> dict[tuple[int, SpendKey], Figures]:
    """What rows come to, by hour and key."""
    totals: dict[tuple[int, SpendKey], Figures] = {}
    for hour_s, key, figures in rows:
        before = totals.get((hour_s, key))
        totals[hour_s, key] = figures if before is None else tuple(map(add, before, figures))
    return totals


def facts_of(key: SpendKey, figures: Figures, span_ns: tuple[int, int]) -> SpendFacts:
    """Sums as an answer."""
    found: dict[str, Any] = dict(
        zip((*SPEND_KEYS, *SPEND_FIGURES[:_USAGE_AT]), (*key, *figures), strict=False)
    )
    usage = Usage(*figures[_USAGE_AT:])
    return SpendFacts(since_ns=span_ns[0], until_ns=span_ns[1], usage=usage, **found)


def session_of(user_class: str, user: str, session: str) -> int:
    """A number for a session, of 63 bits: no two of a billion are likely to share one."""
    name = _SEPARATOR.join((user_class, user, session)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=8).digest()) >> 1
