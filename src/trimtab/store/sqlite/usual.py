"""The usual inferences of a chunk: one attempt, and it is over. Pure.

They are put together by everything that they have in common, so that it is looked at, and given to
SQLite, once for all of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from operator import itemgetter
from typing import Any, Final, NamedTuple

from trimtab.stats.histogram import LogHistogram
from trimtab.store.sqlite.event_rows import COMMON_COLUMNS, OWN_COLUMNS, common_of, own_of
from trimtab.store.sqlite.fates import ending_of
from trimtab.store.sqlite.samples import ONE_OF, NewSample
from trimtab.store.sqlite.spend_chunk import SPEND_FIGURES, Figures, SpendKey
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Intent, Settle

__all__ = ["Alike", "UsualChunk"]

_HOUR_NS: Final = 3_600 * NS_PER_S
_SUMMED: Final = SPEND_FIGURES[2:]
_SUMMED_AT: Final = OWN_COLUMNS.index(_SUMMED[0])  # they follow each other there, a test says

_bucket_of = LogHistogram.bucket_of


def _common(*names: str) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    return itemgetter(*map(COMMON_COLUMNS.index, names))


_who: Final = itemgetter(*map(OWN_COLUMNS.index, ("user", "session")))
_of_sample: Final = _common(
    "route", "provider", "model", "key_id", "team", "outcome", "usage_source"
)
_of_spend: Final = _common(
    "user_class", "route", "provider", "model", "cause", "rung", "repeat",
    "outcome", "finish_reason", "error_code", "attempts",
)  # fmt: skip


class Alike(NamedTuple):
    """Inferences of one hour with everything in common but what is each one's own.

    Attributes:
        hour_s: in which they began, in UTC seconds.
        with_user, with_session: the caller named them.
        common: in the order of `COMMON_COLUMNS`.
        own: of each, in the order of `OWN_COLUMNS`; one or more.
    """

    hour_s: int
    with_user: bool
    with_session: bool
    common: tuple[Any, ...]
    own: list[tuple[Any, ...]]

    def visits(self) -> set[tuple[int, str, str, str]]:
        """Hour, class, user and session."""
        user_class = _of_spend(self.common)[0]
        return {(self.hour_s, user_class, *who) for who in set(map(_who, self.own))}

    def spend(self) -> tuple[SpendKey, Figures]:
        """What they add to what a bill is explained by."""
        (
            user_class, route, provider, model, cause, rung, repeat,
            outcome, finish_reason, error_code, attempts,
        ) = _of_spend(self.common)  # fmt: skip
        fate = ending_of(cause, outcome, finish_reason=finish_reason, error_code=error_code)
        key = (
            user_class,
            route,
            f"{provider}:{model}",
            cause,
            rung,
            fate,
            repeat,
            self.with_user,
            self.with_session,
        )
        count = len(self.own)
        summed = islice(zip(*self.own, strict=True), _SUMMED_AT, _SUMMED_AT + len(_SUMMED))
        return key, (count, count * attempts, *map(sum, summed))

    def samples(self) -> list[NewSample]:
        """What they add to the rollups."""
        route, provider, model, key, team, outcome, usage_source = _of_sample(self.common)
        name, counts, estimated = (
            f"{provider}:{model}",
            ONE_OF[outcome],
            usage_source == "estimated",
        )
        return [
            (
                started_ns // NS_PER_S,
                route,
                name,
                user,
                key,
                team,
                (
                    *counts,
                    input_tokens,
                    cache_read_tokens,
                    cache_write_tokens,
                    output_tokens,
                    reasoning_tokens,
                    cost_nanousd,
                    cost_nanousd if estimated else 0,
                ),
                (
                    latency_us,
                    _bucket_of(latency_us),
                    ttft_us or 0,
                    None if ttft_us is None else _bucket_of(ttft_us),
                    _bucket_of(cost_nanousd),
                ),
            )
            for (
                started_ns, _, user, _, _, latency_us, ttft_us, cost_nanousd, _,
                input_tokens, cache_read_tokens, cache_write_tokens, _,
                output_tokens, reasoning_tokens, _, _, _, _,
            ) in self.own
        ]  # fmt: skip


class UsualChunk:
    """Takes the usual inferences of a chunk as they end."""

    def __init__(self) -> None:
        self._own: defaultdict[tuple[int, bool, bool, tuple[Any, ...]], list[tuple[Any, ...]]] = (
            defaultdict(list)
        )

    def add(self, intent: Intent, settle: Settle) -> None:
        """Another one."""
        caller = intent.caller
        place = (
            intent.started_ns // _HOUR_NS * 3_600,
            caller.user != "",
            caller.session != "",
            common_of(intent, settle),
        )
        self._own[place].append(own_of(intent, settle))

    def alike(self) -> Iterator[Alike]:
        """All of them, those that are alike together, in the order of the first of each."""
        for place, own in self._own.items():
            yield Alike(*place, own)
