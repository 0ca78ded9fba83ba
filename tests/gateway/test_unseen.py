"""What a provider made and nobody had read by the time a call was ended: it is on the bill."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.test_budget_edges import PLENTY, attempts, figure, left_open
from gateway.test_budgets import INPUT, OUTPUT, Stage, per_user, stage
from harness import Reply, wait_until
from trimtab.store.records import AttemptRecord, EventQuery
from trimtab.testing import Behaviour, FaultProvider
from trimtab.types.clock import SystemClock

_AT_ONCE = 60  # tokens that lie there when the gateway reads on


@contextmanager
def kept_from_reading(on: Stage) -> Generator[None]:
    """The gateway gets no time on any core, as on a machine that is much too busy."""
    os.kill(on.gateway.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(on.gateway.process.pid, signal.SIGCONT)


def wait_for_tokens(on: Stage, tokens: int) -> None:
    """Until all calls that go on have sent so many."""

    def made(provider: FaultProvider) -> bool:
        return all(call.tokens_sent >= tokens or call.ended_by for call in provider.calls)

    on.provider.wait_for(made)


def only_attempt(on: Stage) -> AttemptRecord:
    """That of the one inference there is, once it is over."""
    reader, query = on.gateway.reader(), EventQuery(since_ns=0, until_ns=1 << 62, limit=2)
    (event,) = wait_until(lambda: reader.event_page(query).events)
    (attempt,) = reader.attempts(event.inference_id)
    return attempt


def test_what_had_arrived_when_the_caller_left_is_on_the_bill(project_folder: Path):
    main = Behaviour(
        tokens=200, token_every_s=0.002, stall_after_tokens=_AT_ONCE, stall_s=30, headers_after_s=0
    )
    with stage(project_folder, PLENTY, main=main) as on:
        with left_open(on, stream=True) as connection:
            answer = connection.getresponse()
            answer.readline()
            with kept_from_reading(on):
                answer.close()
                connection.close()  # before the rest arrives, so it is what the gateway sees first
                wait_for_tokens(on, _AT_ONCE)
        wait_until(lambda: on.provider.calls[-1].ended_by)
        attempt = only_attempt(on)
        assert (attempt.outcome, attempt.error_code) == ("cancelled", "caller_gone")
        assert attempt.usage.output_tokens == _AT_ONCE


def test_what_a_stream_had_made_when_it_was_cut_is_on_the_bill_and_told_of(project_folder: Path):
    """More than was held: it is not hidden by what should have been."""
    main = Behaviour(tokens=2_000, token_every_s=0.002, stall_after_tokens=300, stall_s=30)
    with stage(project_folder, per_user(4_000_000), main=main) as on:
        on.ask("ben", stream=True, max_tokens=50)
        replies: list[Reply] = []
        crowd = [
            threading.Thread(target=lambda: replies.append(on.ask(stream=True, max_tokens=None)))
            for _ in range(2)
        ]
        for one in crowd:
            one.start()
        on.provider.wait_for(lambda provider: len(provider.calls) == 3)
        wait_for_tokens(on, 60)
        with kept_from_reading(on):
            wait_for_tokens(on, 300)
        for one in crowd:
            one.join(30)
        made = [attempt for reply in replies for attempt in attempts(on, reply)]
        assert {attempt.error_code for attempt in made} == {"budget"}
        assert [attempt.usage.output_tokens for attempt in made] == [300, 300]
        assert figure(on, "hold_exceeded_total") == 2


def test_the_whole_answer_that_nobody_waited_for_costs_more_than_its_input(project_folder: Path):
    with stage(project_folder, PLENTY, main=Behaviour(tokens=30, headers_after_s=30)) as on:
        with left_open(on, max_tokens=1_000):
            on.provider.wait_for(lambda provider: bool(provider.calls))
            began_s = on.provider.calls[0].started_s
            wait_until(lambda: SystemClock().monotonic_s() > began_s + 0.4)
        call = wait_until(lambda: on.provider.calls[0] if on.provider.calls[0].ended_s else None)
        attempt = only_attempt(on)
        assert attempt.outcome == "cancelled"
        made = 50 * (call.ended_s - began_s)
        assert attempt.usage.output_tokens == pytest.approx(made, abs=2)
        usage = attempt.usage
        assert attempt.cost_nanousd == usage.input_tokens * INPUT + usage.output_tokens * OUTPUT
