"""Mutated requests: the gateway stays up, each connection ends, and the ledger verifies.

The last is asserted by the fixture `stage` when it ends.
"""

from itertools import pairwise

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from server.wire import Stage, body_of, chat, chunked, head, post

SEEDS = (
    chat(),
    chat(stream=True),
    chat() + chat(stream=True),
    head("POST /v1/chat/completions HTTP/1.1", "Transfer-Encoding: chunked")
    + chunked(body_of(), 9),
    head("GET /v1/models HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c") + chat(),
    post(body_of(), "Expect: 100-continue"),
    post(body_of(), version="1.0"),
)
INTERESTING = [bytes((n,)) for n in (0, 9, 10, 13, 32, 34, 44, 45, 48, 58, 127, 128, 255)] + [
    b"\r\n",
    b"\r\n\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"0\r\n\r\n",
    b"99999999999999999999",
    b"Upgrade: h2c\r\nConnection: upgrade\r\n",
    b"HTTP/1.1",
]
POSITION = st.integers(0, 400)
EDIT = st.tuples(
    st.sampled_from(["set", "insert", "delete", "repeat"]), POSITION, st.sampled_from(INTERESTING)
)
bounded = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def mutated(seed: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    for kind, position, piece in edits:
        at = position % (len(seed) + 1)
        if kind == "set":
            seed = seed[:at] + piece + seed[at + len(piece) :]
        elif kind == "insert":
            seed = seed[:at] + piece + seed[at:]
        elif kind == "delete":
            seed = seed[:at] + seed[at + len(piece) :]
        else:
            seed = seed[:at] + seed[max(0, at - 20) :]
    return seed


def deliver(stage: Stage, data: bytes, cuts: list[int], *, reset: bool) -> None:
    """Send in pieces, say that nothing more comes, and read until the gateway has closed."""
    with stage.caller() as caller:
        places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
        try:
            for start, end in pairwise(places):
                caller.send(data[start:end])
            if reset:
                caller.reset()
                return
            caller.half_close()
        except ConnectionError:
            return
        caller.read_rest_or_reset()


@bounded
@given(
    st.sampled_from(SEEDS),
    st.lists(EDIT, min_size=1, max_size=4),
    st.lists(POSITION, max_size=4),
    st.booleans(),
)
def test_mutated_requests(
    stage: Stage,
    seed: bytes,
    edits: list[tuple[str, int, bytes]],
    cuts: list[int],
    reset: bool,
) -> None:
    deliver(stage, mutated(seed, edits), cuts, reset=reset)


@bounded
@given(st.sampled_from(SEEDS), st.lists(POSITION, max_size=12))
def test_valid_requests_in_any_pieces(stage: Stage, seed: bytes, cuts: list[int]) -> None:
    with stage.caller() as caller:
        places = sorted({cut % (len(seed) + 1) for cut in cuts} | {0, len(seed)})
        for start, end in pairwise(places):
            caller.send(seed[start:end])
        answer = caller.read_answer()
        if answer.status == 100:
            answer = caller.read_answer()
        assert answer.status == 200


@bounded
@given(st.binary(max_size=300))
def test_garbage(stage: Stage, data: bytes) -> None:
    deliver(stage, data, [], reset=False)


def test_the_gateway_is_well_after_all_that(stage: Stage) -> None:
    stage.assert_well()
