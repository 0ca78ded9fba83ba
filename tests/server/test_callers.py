"""Callers that vanish, and callers that read slowly: what the provider and the record see of it."""

import threading
import uuid
from collections.abc import Callable

import pytest

from harness import wait_until
from server.wire import (
    Caller,
    Peer,
    Stage,
    body_of,
    chat,
    head,
    post,
    resident_bytes,
    stream_head,
)
from trimtab.testing import Call
from trimtab.types.clock import SystemClock

LIMIT_S = 0.1  # from the caller's end to that of the provider's connection
MB = 1_000_000

WAYS: dict[str, Callable[[Caller], None]] = {
    "closes": lambda caller: caller.socket.close(),
    "half-closes": Caller.half_close,
    "resets": Caller.reset,
}


@pytest.fixture
def user() -> str:
    """An end user of this test alone, by whom its calls are found."""
    return uuid.uuid4().hex


def call_of(stage: Stage, user: str) -> Call | None:
    return next((call for call in stage.provider.calls if user.encode() in call.body), None)


# ------------------------------------------------------------------ they vanish


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", ["slow-whole", "slow-stream", "silent-stream", "S07"])
def test_the_providers_connection_is_closed_at_once(
    stage: Stage, user: str, model: str, way: str
) -> None:
    streamed = model != "slow-whole"
    with stage.caller() as caller:
        caller.send(chat(model, user=user, stream=streamed))
        if model in {"slow-stream", "silent-stream"}:
            caller.read_until(b'"content"')
        else:
            wait_until(lambda: call_of(stage, user))
        left_s = SystemClock().monotonic_s()
        WAYS[way](caller)

        def ended() -> Call | None:
            call = call_of(stage, user)
            return call if call is not None and call.ended_by else None

        call = wait_until(ended)
    assert call.ended_by == "caller closed"
    assert call.ended_s - left_s < LIMIT_S
    event = stage.events(user)[0]
    assert (event.outcome, event.error_code) == ("cancelled", "caller_gone")
    # What the provider may bill is estimated, not forgotten.
    assert event.usage_source == "estimated"
    assert event.cost_nanousd > 0
    stage.assert_well()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", [10, 60, 150])
def test_before_the_request_is_complete(stage: Stage, user: str, way: str, part: int) -> None:
    with stage.caller() as caller:
        caller.send(chat(user=user)[:part])
        WAYS[way](caller)
    stage.assert_well()
    assert call_of(stage, user) is None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", [False, True])
def test_after_the_answer(stage: Stage, user: str, way: str, stream: bool) -> None:
    with stage.caller() as caller:
        caller.send(chat(user=user, stream=stream))
        assert caller.read_answer().status == 200
        WAYS[way](caller)
    assert stage.events(user)[0].outcome == "ok"
    stage.assert_well()


@pytest.mark.parametrize("way", WAYS)
def test_pipelined_requests_of_a_caller_that_left_are_not_served(
    stage: Stage, user: str, way: str
) -> None:
    with stage.caller() as caller:
        caller.send(chat("slow-whole", user=f"{user}-1") + chat(user=f"{user}-2"))
        wait_until(lambda: call_of(stage, f"{user}-1"))
        WAYS[way](caller)
    assert stage.events(f"{user}-1")[0].outcome == "cancelled"
    stage.assert_well()
    assert call_of(stage, f"{user}-2") is None


@pytest.mark.parametrize("way", WAYS)
def test_a_caller_that_leaves_without_having_read(stage: Stage, user: str, way: str) -> None:
    """Its connection is full to the brim, so that its end is not met by a failing write."""
    flood = Flood(blocks=4000)
    stage.raw.play(flood)
    with stage.caller(receive_buffer=4096) as caller:
        caller.send(post(body_of("raw", user=user, stream=True)))
        flood.wait_stalled()
        left_s = SystemClock().monotonic_s()
        WAYS[way](caller)
        ended_s = wait_until(lambda: flood.ended_s)
    assert ended_s - left_s < LIMIT_S
    assert stage.events(user)[0].outcome == "cancelled"


def test_many_leave_at_once(stage: Stage, user: str) -> None:
    callers = [Caller(stage.gateway.port) for _ in range(40)]
    for caller in callers:
        caller.send(chat("slow-stream", user=user, stream=True))
    for caller in callers:
        caller.read_until(b'"content"')
        caller.reset()
    events = stage.events(user, len(callers))
    assert {event.outcome for event in events} == {"cancelled"}
    assert len(events) == len(callers)
    stage.assert_well()


# ------------------------------------------------------------------ they read slowly


class Flood:
    """A provider that sends a long stream as fast as it is taken.

    Attributes:
        sent: bytes taken from it so far.
        ended_s: monotonic time at which the gateway closed the connection, if it did.
    """

    def __init__(self, *, blocks: int, first: bytes = b"") -> None:
        event = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"x" * 1000)
        self.first = first
        self.event = event
        self.block = event * 50
        self.blocks = blocks
        self.sent = 0
        self.requests = 0
        self.ended_s: float | None = None
        self.wake = threading.Event()

    def __call__(self, peer: Peer) -> None:
        try:
            while peer.read_request():
                self.requests += 1
                peer.send(stream_head())
                if self.first:
                    self._send(peer, self.first)
                for _ in range(self.blocks):
                    self._send(peer, self.block)
                self._send(
                    peer,
                    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
                    b"data: [DONE]\n\n",
                )
                peer.send(b"0\r\n\r\n")
        except (ConnectionError, TimeoutError):
            self.ended_s = SystemClock().monotonic_s()

    def _send(self, peer: Peer, data: bytes) -> None:
        framed = memoryview(b"%x\r\n%b\r\n" % (len(data), data))
        while framed:
            count = peer.socket.send(framed)
            framed = framed[count:]
            self.sent += count

    def wait_stalled(self) -> None:
        """Wait until nothing has been taken for a while."""
        last = -1
        while last != self.sent or not last:
            last = self.sent
            threading.Event().wait(0.25)


def test_a_slow_reader_holds_the_provider_back_and_gets_everything(stage: Stage, user: str) -> None:
    flood = Flood(blocks=4000)  # more than 200 MB
    total = flood.blocks * len(flood.block)
    assert total > 200 * MB
    stage.raw.play(flood)
    before = resident_bytes(stage.gateway.process.pid)
    with stage.caller(receive_buffer=65_536) as caller:
        caller.send(chat("raw", user=user, stream=True))
        flood.wait_stalled()
        assert flood.sent < 20 * MB
        assert resident_bytes(stage.gateway.process.pid) - before < 10 * MB
        _, status, _ = caller.read_head()
        assert status == 200
        got = 0
        while chunk := caller.read_chunk():
            got += chunk.count(b"\n\n") * len(flood.event) if chunk.count(b"x" * 1000) else 0
        assert got == total
        assert resident_bytes(stage.gateway.process.pid) - before < 15 * MB
        # Neither connection carries anything over into the next call.
        flood.blocks = 1
        connections = stage.raw.connections
        caller.send(chat("raw", stream=True))
        assert caller.read_answer().text == "x" * 1000 * 50
        assert stage.raw.connections == connections
    assert stage.events(user)[0].outcome == "ok"


def test_a_large_first_event_does_not_lift_the_brake(stage: Stage, user: str) -> None:
    first = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"y" * 7 * MB)
    flood = Flood(blocks=4000, first=first)
    stage.raw.play(flood)
    before = resident_bytes(stage.gateway.process.pid)
    with stage.caller(receive_buffer=4096) as caller:
        caller.send(chat("raw", user=user, stream=True))
        wait_until(lambda: flood.sent > 7 * MB)
        flood.wait_stalled()
        assert flood.sent < 30 * MB
        assert resident_bytes(stage.gateway.process.pid) - before < 40 * MB


def test_the_next_answer_waits_until_the_last_one_is_taken(stage: Stage) -> None:
    """Otherwise the second would never be told that the caller is slow."""
    requests: list[bytes] = []
    answer = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"%b"}}]}' % (
        b"z" * 20 * MB
    )

    def play(peer: Peer) -> None:
        while body := peer.read_request():
            requests.append(body)
            peer.send(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                % len(answer)
            )
            peer.send(answer)

    stage.raw.play(play)
    with stage.caller(receive_buffer=4096) as caller:
        caller.send(chat("raw") + chat("raw") + head("GET /healthz HTTP/1.1"))
        assert caller.has_something(10)
        stage.assert_well()
        assert len(requests) == 1
        assert caller.read_answer().body == answer
        assert caller.read_answer().body == answer
        assert caller.read_answer().json == {"status": "ok"}
