"""The answers of the store: frozen values, amounts in nano-dollars, durations in microseconds."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from trimtab.stats.histogram import LogHistogram
from trimtab.types.records import Arm, Cause, Intent, Outcome, UsageSource
from trimtab.types.usage import NO_USAGE, Usage

__all__ = [
    "AttemptRecord",
    "Dimension",
    "Event",
    "EventField",
    "EventOrder",
    "EventPage",
    "EventQuery",
    "Fate",
    "GroupSummary",
    "LadderSummary",
    "Measure",
    "OpenIntent",
    "PromptFacts",
    "RebuildReport",
    "SpendFacts",
    "VerifyReport",
    "Visits",
]

Dimension = Literal["total", "route", "model", "user", "key", "team"]
Measure = Literal["latency", "ttft", "cost"]
EventField = Literal[
    "key_id",
    "team",
    "user",
    "user_class",
    "session",
    "route",
    "provider",
    "model",
    "outcome",
    "error_code",
    "cause",
    "prompt",
    "prompt_version",
    "prompt_hash",
    "prompt_arm",
]
EventOrder = Literal["newest", "costliest", "slowest"]
Fate = Literal[
    "answered",
    "cut",
    "broken",
    "failed",
    "cancelled",
    "cached",
    "retried",
    "failed_over",
    "hedge_lost",
    "continued",
]
"""What came of an attempt, and so of its money. Each attempt has exactly one.

An inference ends by one of the first six: *answered*; *cut* by the limit of output; *broken* off in
the middle of the answer; *failed*; *cancelled*; *cached*, answered by the response cache. The
attempts before were *retried* with the same model; *failed over* to another; the slower one of a
hedge; or a stream that broke after the caller had seen some of it, and that the next attempt
*continued*. A failed attempt that nothing followed, or nothing yet, is *failed*.
"""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One inference. Tokens and cost are the sum of its attempts; the rest tells of the served one.

    Attributes:
        started_ns: UTC nanoseconds.
        status: HTTP status that the provider gave, 0 if none.
        provider_request_id: the provider's own id of the call.
        attempts: physical calls made; 0 where the response cache answered by itself.
        latency_us: microseconds until the inference was over.
        ttft_us: microseconds to the first token; None where nothing was streamed.
        usage_source: "estimated" as soon as the usage of one attempt was.
        cause: why the attempt that was served was made.
        rung: the rung of the ladder that it was made on; 0 for the first.
        wasted_nanousd: cost of attempts of which the caller saw nothing.
        saved_nanousd: what an answer from the response cache had cost when it was made.
        repeat: the same user sent the same messages within the hour before, and had an answer.
        prompt: id of the prompt that the messages were rendered from; "" for the caller's own.
        prompt_version: as people call it, such as `v12`.
        prompt_hash: of everything of it that changes behaviour.
        prompt_arm: why this version was rendered.
        form: whether the answer has the form that the prompt declares; "" where nobody looked.
    """

    inference_id: str
    started_ns: int
    key_id: str
    team: str
    user: str
    user_class: str
    session: str
    route: str
    alias: str
    provider: str
    model: str
    served_model: str
    streamed: bool
    outcome: Outcome
    status: int
    error_code: str
    finish_reason: str
    provider_request_id: str
    attempts: int
    latency_us: int
    ttft_us: int | None
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nanousd: int
    usage_source: UsageSource
    price_version: str
    cause: Cause
    rung: int
    wasted_nanousd: int
    saved_nanousd: int
    repeat: bool
    prompt: str = ""
    prompt_version: str = ""
    prompt_hash: str = ""
    prompt_arm: str = ""
    form: str = ""


class EventQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which inferences to list, in which order.

    Attributes:
        since_ns, until_ns: UTC nanoseconds at which they began, the end excluded.
        where: fields and the values that they must have.
        limit: how many make a full page; 1 or more.
        after: `next` of the page before, or "" for the first page.
    """

    since_ns: int
    until_ns: int
    where: Mapping[EventField, str] = {}
    order: EventOrder = "newest"
    limit: int = 50
    after: str = ""


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some inferences, and where to go on.

    Attributes:
        next: for `EventQuery.after`; "" when there are no more.
        searched_to_ns: set when the time for one page ended before it was full. In the order
            "newest" everything back to this time was looked at; in the others, which go through
            the whole range by amount, it is the start of the range.
        searched_to_amount: set together with it in the orders "costliest" (nano-dollars) and
            "slowest" (microseconds): everything above this amount was looked at.
    """

    events: list[Event]
    next: str = ""
    searched_to_ns: int | None = None
    searched_to_amount: int | None = None


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One physical call of an inference, or an answer from the response cache (by its cause).

    Attributes:
        attempt: 1 for the first.
        cause: why it was made.
        rung: the rung of the ladder that it was made on; 0 for the first.
        after_us: microseconds from the start of the inference to the start of this call.
        latency_us: microseconds from the start of the inference to the end of this call; None
            while it is not settled.
        ttft_us: microseconds from the start of the inference to the first token; None where
            nothing was streamed.
        outcome: None while it is not settled.
        hold_nanousd: what it might have cost at most, by the estimate.
        settled: its end is known; otherwise it counts at its hold.
    """

    attempt: int
    cause: Cause = "first"
    rung: int = 0
    provider: str
    model: str
    after_us: int = 0
    latency_us: int | None = None
    ttft_us: int | None = None
    outcome: Outcome | None = None
    status: int = 0
    error_code: str = ""
    usage: Usage = NO_USAGE
    cost_nanousd: int = 0
    usage_source: UsageSource = "none"
    hold_nanousd: int
    price_version: str
    provider_request_id: str = ""
    settled: bool


class GroupSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What one user, model, route, key or team (or all of them) did in a range of time.

    Attributes:
        value: which one; `provider:model` for models, "" for the total and for unnamed users.
        since_ns, until_ns: the range that is really covered: the one asked for, its ends moved
            outwards to full minutes (total, route, model) or full hours (user, key, team).
        requests: inferences that ended: ok + errors + timeouts + cancelled.
        cost_nanousd: of all attempts.
        estimated_nanousd: the part of it whose usage was estimated, not reported.
        cost_histogram: nano-dollars per inference.
        latency_histogram: microseconds per inference; timeouts count at their deadline.
        ttft_histogram: microseconds to the first token, of streams.
    """

    value: str
    since_ns: int
    until_ns: int
    requests: int
    ok: int
    errors: int
    timeouts: int
    cancelled: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nanousd: int
    estimated_nanousd: int
    latency_max_us: int
    ttft_max_us: int
    latency_histogram: LogHistogram
    ttft_histogram: LogHistogram
    cost_histogram: LogHistogram


class LadderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What ladders did for the inferences of a route that were served by one cause on one rung.

    Told of are inferences with more than one attempt, and those whose only attempt had another
    cause than "first". Of all others the inference is its first and only attempt.

    Attributes:
        route: whose ladder.
        cause, rung: of the attempt that was served.
        inferences: how many ended.
        ok: of them, those that ended well.
        failed: those that ended in an error or a timeout.
        firsts: first attempts that were made; none was, where the cache answered at once.
        first_failed: first attempts that ended in an error or a timeout.
        rescued: inferences that ended well after such a first attempt.
        attempts: physical calls.
        attempts_failed: those of them that ended in an error or a timeout.
        retries, fallbacks, hedges, continued: calls by their cause.
        hedges_won: inferences whose hedge was faster, or the only one to end well.
        wasted_nanousd: cost of attempts of which the caller saw nothing.
        hedge_nanousd: the part of it that the slower ones of hedged attempts cost.
        saved_nanousd: what answers from the response cache had cost when they were made.
        inference_latency, inference_ttft: of the inferences, in microseconds.
        first_latency, first_ttft: of their first attempts, each by its own time. One that was cut
            counts at the moment it was, which is a lower bound.
        attempt_latency, attempt_ttft: of all their attempts, in the same way.
    """

    route: str
    cause: Cause
    rung: int
    inferences: int
    ok: int
    failed: int
    firsts: int
    first_failed: int
    rescued: int
    attempts: int
    attempts_failed: int
    retries: int
    fallbacks: int
    hedges: int
    hedges_won: int
    continued: int
    wasted_nanousd: int
    hedge_nanousd: int
    saved_nanousd: int
    inference_latency: LogHistogram
    inference_ttft: LogHistogram
    first_latency: LogHistogram
    first_ttft: LogHistogram
    attempt_latency: LogHistogram
    attempt_ttft: LogHistogram


class OpenIntent(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt of which the ledger knows the beginning and not the end.

    Attributes:
        intent: what was about to happen; it counts at its `hold_nanousd`.
        writer: the process that wrote it.
        in_flight: that process lives, so a settle is still to come.
    """

    intent: Intent
    writer: int
    in_flight: bool


class SpendFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Attempts that have everything in common that a bill is explained by, in a range of time.

    Attributes:
        since_ns, until_ns: UTC nanoseconds; the inferences began between them.
        user_class: class of the caller; "" for none.
        model: `provider:model` that was called.
        cause: why the attempts were made.
        rung: the rung of the ladder that they were made on; 0 for the first.
        fate: what came of them.
        repeat: the same user sent the same messages within the hour before, and had an answer.
        with_user, with_session: the caller named them.
        inferences: how many ended by these attempts. Each ends by exactly one.
        attempts: physical calls; answers from the response cache are none.
        usage: tokens of all of them.
        cost_nanousd: what they cost.
        saved_nanousd: what answers from the response cache had cost when they were made.
    """

    since_ns: int
    until_ns: int
    user_class: str
    route: str
    model: str
    cause: Cause
    rung: int
    fate: Fate
    repeat: bool
    with_user: bool
    with_session: bool
    inferences: int
    attempts: int
    usage: Usage
    cost_nanousd: int
    saved_nanousd: int


class PromptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of a prompt did, served for one reason, in a range of time.

    An answer from the response cache says nothing of a version, so it is counted and has no part in
    the histograms. A refusal inside a message that ended as usual is not on record.

    Attributes:
        since_ns, until_ns: UTC nanoseconds; the inferences began between them.
        first_ns, last_ns: midnights (UTC) of the first and the last day that any of them began on.
        prompt: its id.
        version: as people call it.
        hash: of everything of it that changes behaviour.
        arm: why this version was rendered.
        inferences: those that ended: ok + errors + timeouts + cancelled.
        cached: those of the ok ones that the response cache answered.
        form_ok, form_invalid: those whose answer has the form that the prompt declares, or not.
        refused: answers, from a model and ok, whose finish reason is a refusal or content filter.
        output_tokens: what `output_histogram` counts, added up.
        cost_nanousd: of all attempts.
        cost_histogram: nano-dollars of each that called a provider, as it stood when it ended.
        latency_histogram: microseconds of each; timeouts count at their deadline.
        output_histogram: tokens of each answer that is ok, as far as the caller saw it.
    """

    since_ns: int
    until_ns: int
    first_ns: int
    last_ns: int
    prompt: str
    version: str
    hash: str
    arm: Arm
    inferences: int
    ok: int
    errors: int
    timeouts: int
    cancelled: int
    cached: int
    form_ok: int
    form_invalid: int
    refused: int
    output_tokens: int
    cost_nanousd: int
    cost_histogram: LogHistogram
    latency_histogram: LogHistogram
    output_histogram: LogHistogram


class Visits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who came, of one class of users, in a range of time.

    Attributes:
        since_ns, until_ns: UTC nanoseconds.
        user_class: "" for users of no class.
        users: how many different ones were seen; those without a name are not counted.
        sessions: how many began. One that pauses for a whole UTC day begins anew.
    """

    since_ns: int
    until_ns: int
    user_class: str
    users: int
    sessions: int


class RebuildReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuild read and made."""

    entries: int
    events: int
    days: int


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger holds, and everything wrong with it.

    Attributes:
        feedback: entries of it.
        unsettled: intents without a settle whose writer is dead; not an error of the ledger.
        unsettled_nanousd: the sum of their holds.
        in_flight: intents without a settle whose writer lives.
        gaps: places where entries are missing, at the end included.
        doubles: second intents or settles of an attempt, and settles without an intent.
        broken_links: entries or writers whose hash is not what it should be.
        beyond_head: writers of whom the projection has seen more than the ledger holds: a tail
            was lost.
        damage: what SQLite's own check says, for each damaged file.
        findings: the first hundred faults in words, with writer and entry.
    """

    entries: int = 0
    writers: int = 0
    intents: int = 0
    settles: int = 0
    feedback: int = 0
    unsettled: int = 0
    unsettled_nanousd: int = 0
    in_flight: int = 0
    gaps: int = 0
    doubles: int = 0
    broken_links: int = 0
    beyond_head: int = 0
    damage: int = 0
    findings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing is missing, doubled or changed."""
        return not (self.gaps + self.doubles + self.broken_links + self.beyond_head + self.damage)
