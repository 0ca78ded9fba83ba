"""The end of a gateway: what is under way finishes, or is told that it will not."""

import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from harness import Gateway, project_text, running_gateway, wait_until
from server.wire import Caller, assert_error, body_of, chat, head, post
from trimtab.archive import verify_store
from trimtab.store.records import EventQuery
from trimtab.testing import Behaviour, RunningFaultProvider, running_fault_provider

SLOW = Behaviour(tokens=20, token_every_s=0.02)


@contextmanager
def between(
    folder: Path, behaviour: Behaviour, *, drain_s: float
) -> Generator[tuple[Gateway, RunningFaultProvider]]:
    """A gateway before a provider; at the end its ledger must be whole and settled."""
    with running_fault_provider(behaviour) as provider:
        text = project_text(provider.base_url, server=f"drain_s = {drain_s}")
        with running_gateway(folder, text) as gateway:
            yield gateway, provider
    report = verify_store(folder / "trimtab.toml")
    assert report.ok, report.findings
    assert report.unsettled == 0


def stop(gateway: Gateway) -> None:
    """Say SIGTERM, and wait until no new connection is taken."""
    gateway.process.send_signal(signal.SIGTERM)
    wait_until(lambda: refused(gateway))


def refused(gateway: Gateway) -> bool:
    """No new connection is taken; one that slips in is not served, or is told 503."""
    try:
        caller = Caller(gateway.port)
    except ConnectionError:
        return True
    with caller, suppress(AssertionError, ConnectionError):
        caller.send(head("GET /v1/models HTTP/1.1"))
        answer = caller.read_answer()
        if answer.status != 200:
            assert_error(answer, 503, "shutting_down")
            assert "retry-after" in answer.headers
    return False


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_under_way_finishes(project_folder: Path, stream: bool) -> None:
    behaviour = SLOW if stream else Behaviour(headers_after_s=0.5)
    with (
        between(project_folder, behaviour, drain_s=10) as (gateway, provider),
        Caller(gateway.port) as busy,
        Caller(gateway.port) as idle,
    ):
        idle.send(head("GET /healthz HTTP/1.1"))
        assert idle.read_answer().status == 200
        busy.send(chat(stream=stream))
        provider.wait_for(lambda p: bool(p.calls))
        stop(gateway)
        assert idle.is_closed()
        assert gateway.process.poll() is None
        answer = busy.read_answer()
        assert answer.status == 200
        if stream:
            assert answer.events[-1] == "[DONE]"
        assert busy.is_closed()
        assert gateway.wait_ended() == 0
        assert provider.calls[0].ended_by == "complete"


def test_no_new_work_is_taken(project_folder: Path) -> None:
    with (
        between(project_folder, SLOW, drain_s=10) as (gateway, provider),
        Caller(gateway.port) as busy,
        Caller(gateway.port) as half,
    ):
        half.send(chat()[:50])
        busy.send(chat(stream=True))
        busy.read_until(b'"content"')
        stop(gateway)
        busy.send(chat())
        with suppress(ConnectionError):  # closed already, or closed now, or told so
            half.send(chat()[50:])
            rest = half.read_rest()
            assert not rest or b" 503 " in rest
        assert busy.read_rest().count(b"[DONE]") == 1
        assert gateway.wait_ended() == 0
        assert len(provider.calls) == 1


def test_a_stream_that_does_not_finish_is_told_so(project_folder: Path) -> None:
    endless = Behaviour(tokens=100_000, token_every_s=0.02)
    with (
        between(project_folder, endless, drain_s=0.3) as (gateway, provider),
        Caller(gateway.port) as busy,
    ):
        busy.send(post(body_of(stream=True, user="cut")))
        busy.read_until(b'"content"')
        stop(gateway)
        answer = busy.read_rest()
        assert b'"shutting_down"' in answer
        assert b"[DONE]" not in answer
        assert answer.endswith(b"0\r\n\r\n")
        assert gateway.wait_ended() == 0
        provider.wait_for(lambda p: p.calls[0].ended_by == "caller closed")
    query = EventQuery(since_ns=0, until_ns=1 << 62, where={"user": "cut"})
    (event,) = gateway.reader().event_page(query).events
    assert (event.outcome, event.error_code) == ("cancelled", "shutdown")
    assert event.ttft_us is not None
    assert 0 < event.ttft_us < event.latency_us
    assert event.usage_source == "estimated"


def test_a_call_that_does_not_finish_gets_503(project_folder: Path) -> None:
    with (
        between(project_folder, Behaviour(headers_after_s=30), drain_s=0.3) as (gateway, provider),
        Caller(gateway.port) as busy,
    ):
        busy.send(chat())
        provider.wait_for(lambda p: bool(p.calls))
        stop(gateway)
        answer = busy.read_answer()
        assert_error(answer, 503, "shutting_down")
        assert "retry-after" in answer.headers
        assert gateway.wait_ended() == 0


def test_a_slow_reader_gets_the_rest(project_folder: Path) -> None:
    """The answer is made; what the caller has not taken yet is still in the gateway."""
    behaviour = Behaviour(tokens=50, token_padding_bytes=20_000_000)
    with (
        between(project_folder, behaviour, drain_s=10) as (gateway, provider),
        Caller(gateway.port, receive_buffer=4096) as slow,
    ):
        slow.send(chat())
        assert slow.has_something(10)
        stop(gateway)
        answer = slow.read_answer()
        assert answer.status == 200
        assert len(answer.body) > 20_000_000
        assert gateway.wait_ended() == 0
        assert provider.calls[0].ended_by == "complete"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_gateway_ends_at_once(project_folder: Path, number: signal.Signals) -> None:
    with between(project_folder, SLOW, drain_s=30) as (gateway, _), Caller(gateway.port) as caller:
        gateway.process.send_signal(number)
        assert caller.is_closed()
        assert gateway.wait_ended() == 0
