"""Counters of attempts and inferences."""

from hypothesis import given
from hypothesis import strategies as st

from telemetry.figures import REF, settle
from trimtab.gateway.tally import BOUNDS_S, Tally
from trimtab.types.refs import ModelRef
from trimtab.types.usage import Usage


def test_an_attempt_counts_where_it_belongs():
    tally = Tally()
    tally.settled(settle(), ("support", REF, "first"))
    tally.settled(settle(usage=Usage(input_tokens=1, output_tokens=2)), ("support", REF, "first"))
    other = ModelRef("openai", "other")
    tally.settled(settle(outcome="timeout"), ("support", other, "retry"))
    first, second = tally.attempts()
    assert (first.route, first.provider, first.model) == ("support", "openai", "gpt-5-mini")
    assert (first.cause, first.outcome, first.attempts) == ("first", "ok", 2)
    assert (first.cost_nanousd, first.input_tokens, first.output_tokens) == (2_469_134, 11, 5)
    assert (second.model, second.cause, second.outcome) == ("other", "retry", "timeout")


def test_only_the_last_attempt_ends_an_inference():
    tally = Tally()
    tally.settled(settle(outcome="error", final=False), ("r", REF, "first"))
    assert tally.inferences() == ()
    tally.settled(settle(attempt=2), ("r", REF, "fallback"))
    (one,) = tally.inferences()
    assert (one.route, one.outcome, sum(one.latency.counts)) == ("r", "ok", 1)
    assert (one.latency.sum_us, one.ttft.sum_us) == (1_500_000, 200_000)


def test_an_answer_that_came_whole_has_no_first_token():
    tally = Tally()
    tally.settled(settle(ttft_us=None), ("r", REF, "first"))
    (one,) = tally.inferences()
    assert (sum(one.latency.counts), sum(one.ttft.counts)) == (1, 0)


@given(st.integers(0, 2_000_000_000))
def test_a_duration_is_in_the_first_bucket_that_reaches_it(latency_us: int):
    tally = Tally()
    tally.settled(settle(latency_us=latency_us), ("r", REF, "first"))
    (one,) = tally.inferences()
    place = one.latency.counts.index(1)
    assert place == len(BOUNDS_S) or latency_us <= BOUNDS_S[place] * 1e6
    assert place == 0 or latency_us > BOUNDS_S[place - 1] * 1e6


def test_what_was_read_does_not_change():
    tally = Tally()
    tally.settled(settle(), ("r", REF, "first"))
    before = (tally.attempts(), tally.inferences())
    tally.settled(settle(), ("r", REF, "first"))
    assert before[0][0].attempts == 1
    assert sum(before[1][0].latency.counts) == 1
