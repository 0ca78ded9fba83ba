"""What ladders did, in words that the command line and the console share."""

from collections import Counter

from trimtab.insights.ladder import LadderRow
from trimtab.types.money import format_usd

__all__ = ["BEFORE", "LOWER_BOUND", "SEEN", "in_words"]

BEFORE = "without the ladder"
SEEN = "as callers saw it"
LOWER_BOUND = (
    "Without the ladder: first attempts only, each by its own time, failed ones by the time until "
    "they failed. One that was cut, at its limit or because a hedge was faster, counts at that "
    "moment, which is a lower bound."
)


def in_words(row: LadderRow) -> str:
    """Rates, costs and savings of a route; what did not happen is left out."""
    sentences = [
        _attempts(row), _rungs(row), _again(row), _good(row), _bad(row), _prompt_cache(row),
    ]  # fmt: skip
    return " ".join(sentence for sentence in sentences if sentence)


def _attempts(row: LadderRow) -> str:
    causes = [
        _counted(row.retries, row.retry_rate, "retry", "retries"),
        _counted(row.fallbacks, row.fallback_rate, "fallback", "fallbacks"),
        _counted(row.hedges, row.hedge_rate, "hedge", "hedges"),
        _counted(row.continued, row.continue_rate, "continuation", "continuations"),
    ]
    if row.hedges:
        causes[2] += f", of which {row.hedges_won:,} won"
    found = "; ".join(cause for cause in causes if cause)
    average = f"{row.attempts_per_inference:.2f} attempts per inference"
    return f"{average}: {found}." if found else f"{average}."


def _rungs(row: LadderRow) -> str:
    """What each rung below the first has saved."""
    ok: Counter[int] = Counter()
    for part in row.served:
        ok[part.rung] += part.ok
    found = [
        f"{ok[rung]:,} on rung {rung} ({ok[rung] / row.inferences:.1%})"
        for rung in sorted(ok)
        if rung and ok[rung]
    ]
    return f"Ended well further down: {', '.join(found)}." if found else ""


def _again(row: LadderRow) -> str:
    """Answers from the response cache."""
    found = [
        _counted(row.cached, row.cache_rate, "fresh", "fresh"),
        _counted(row.stale, row.stale_rate, "stale", "stale"),
    ]
    words = " and ".join(part for part in found if part)
    if not words:
        return ""
    return f"From the response cache: {words}; saved {format_usd(row.saved_nanousd)}."


def _good(row: LadderRow) -> str:
    if not row.rescued:
        return ""
    noun = "inference" if row.rescued == 1 else "inferences"
    return f"{row.rescued:,} {noun} rescued: a first attempt had failed."


def _bad(row: LadderRow) -> str:
    """What attempts cost that nobody saw."""
    if not row.wasted_nanousd:
        return ""
    hedging = f", {format_usd(row.hedge_nanousd)} of it for hedging" if row.hedge_nanousd else ""
    share = row.wasted_nanousd / row.cost_nanousd if row.cost_nanousd else 0.0
    return (
        f"Attempts that were not used cost {format_usd(row.wasted_nanousd)} ({share:.1%}){hedging}."
    )


def _prompt_cache(row: LadderRow) -> str:
    if not row.cached_token_share:
        return ""
    return f"{row.cached_token_share:.1%} of input tokens came from prompt caches."


def _counted(count: int, rate: float, *nouns: str) -> str:
    return f"{count:,} {nouns[0] if count == 1 else nouns[1]} ({rate:.1%})" if count else ""
