"""Every shape of chat completions on the gateway's own way: from bytes in pieces to the ledger."""

import asyncio
import json
from pathlib import Path

import pytest
from typing_extensions import override

from golden.corpus import SHAPES, Shape
from trimtab.config.load import load_project
from trimtab.gateway.attempt import Attempt, AttemptOwner
from trimtab.gateway.call import Call
from trimtab.gateway.ladder import Step
from trimtab.gateway.pool import Origin
from trimtab.gateway.serving import Serving, Upstream
from trimtab.gateway.settling import settle_of
from trimtab.gateway.slots import Slots
from trimtab.providers.usage.reading import Reading
from trimtab.providers.wire.chat_request import parse_request
from trimtab.providers.wire.chat_stream import ChatStream
from trimtab.releases.serving import open_desk
from trimtab.spend.estimate import estimate_tokens
from trimtab.spend.pricebook import PriceBook
from trimtab.types.clock import SystemClock
from trimtab.types.identity import Caller
from trimtab.types.records import Settle
from trimtab.types.usage import Usage

CHAT = [shape for shape in SHAPES if shape.wire == "openai_chat"]
STREAMS = [shape for shape in CHAT if shape.streamed]
NOW_NS = 1_795_464_000_000_000_000  # 2026-11-23 20:00 UTC
PIECES = (1, 7, 100, 1_000_000)  # bytes that arrive at a time
REQUEST = b'{"model":"m","messages":[]}'


class Owner(AttemptOwner):
    """Remembers how an attempt ended."""

    error: Exception | None = None

    @override
    def on_progress(self, attempt: Attempt) -> None:
        pass

    @override
    def on_failed(self, attempt: Attempt, error: Exception) -> None:
        self.error = error


TOTALS = frozenset(("input_tokens", "output_tokens"))
PRICES = {"input": "1", "cache_read": "0.1", "output": "2"}
JSON = b"application/json"
FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"%d"},"finish_reason":null}]}\n\n'


def table(prices: dict[str, str]) -> str:
    return ", ".join(f"{unit}_usd_per_mtok = {price}" for unit, price in prices.items())


def serving_of(shape: Shape, folder: Path) -> Serving:
    """A project that declares the prices of the shape."""
    needed = {"input": "0", "output": "0"} | shape.prices
    tiers = [f"{{above_input_tokens = {start}, {table(prices)}}}" for start, prices in shape.tiers]
    # The prices of the corpus are those of the tier that each was served at.
    by_service = (
        "service_tiers = {}" if shape.name else "service_tiers = {flex = 0.5, priority = 2}"
    )
    file = folder / "trimtab.toml"
    file.write_text(
        '[providers.p]\nkind = "openai"\n[models.m]\nref = "p:m"\n'
        f"price = {{{table(needed)}, tiers = [{', '.join(tiers)}], {by_service}}}\n",
        encoding="utf-8",
    )
    project = load_project(file, {}, kinds=("openai",))
    upstream = Upstream.build(
        project.providers["p"],
        Origin.parse("http://127.0.0.1:9"),
        slots=Slots(1, 1),
        limit_field="max_tokens",
        problem="",
    )
    return Serving(project, PriceBook(project), {"p": upstream}, open_desk(folder, ""))


def bytes_of(shape: Shape) -> bytes:
    if not (shape.streamed and shape.name):
        return shape.payloads[0]
    return b"".join(b"data: " + payload + b"\n\n" for payload in shape.payloads)


async def settled(shape: Shape, serving: Serving, *, size: int, kind: bytes = b"") -> Settle:
    """What goes on record of an answer that arrives in pieces of `size` bytes."""
    call = Call(
        inference_id="i",
        started_ns=NOW_NS,
        begun_s=SystemClock.monotonic_s(),
        caller=Caller(),
        request=parse_request(REQUEST),
        body=REQUEST,
        target=serving.project.resolve("m"),
        serving=serving,
    )
    owner = Owner()
    stream = ChatStream(choices=1, keep_usage=False) if shape.streamed else None
    attempt = Attempt(
        call, step=Step(0, "first"), number=1, stream=stream, clock=SystemClock(), owner=owner
    )
    attempt.sent_s = 1.0
    usual = b"text/event-stream" if shape.streamed else JSON
    attempt.on_head(200, {b"content-type": kind or usual})
    body = bytes_of(shape)
    for start in range(0, len(body), size):
        if not attempt.over:
            attempt.on_data(body[start : start + size])
    if not attempt.over:
        attempt.on_end()
    return settle_of(call, attempt, owner.error, final=True, first_token_s=None)


@pytest.mark.parametrize("shape", STREAMS, ids=[shape.name for shape in STREAMS])
def test_t04_a_stream_in_pieces_is_read_as_the_file_says(shape: Shape) -> None:
    for size in PIECES:
        stream = ChatStream(choices=9, keep_usage=True)
        data = bytes_of(shape)
        for start in range(0, len(data), size):
            stream.feed(data[start : start + size])
        assert stream.reading == Reading(usage=shape.usage, **shape.reading), size


@pytest.mark.parametrize("shape", STREAMS, ids=[shape.name for shape in STREAMS])
def test_t04_no_frame_with_usage_is_taken_for_a_plain_one(shape: Shape) -> None:
    """Frames that come one by one are not parsed if nothing in them can matter."""
    stream, begun = (ChatStream(choices=9, keep_usage=True) for _ in range(2))
    begun.feed(FRAME % 1)  # it has its first token, so that all that follow may be plain
    for payload in shape.payloads:
        stream.feed(b"data: " + payload + b"\n\n")
        begun.feed(b"data: " + payload + b"\n\n")
    assert stream.reading == Reading(usage=shape.usage, **shape.reading)
    assert begun.usage == shape.usage


@pytest.mark.parametrize("shape", CHAT, ids=[shape.name for shape in CHAT])
def test_the_ledger_gets_the_usage_and_cost_of_the_file(shape: Shape, tmp_path: Path) -> None:
    serving = serving_of(shape, tmp_path)
    for size in PIECES[1:]:
        settle = asyncio.run(settled(shape, serving, size=size))
        assert settle.service_tier == shape.reading.get("service_tier", "")
        assert settle.served_model == shape.reading.get("served_model", "")
        assert settle.finish_reason == shape.reading.get("finish_reason", "")
        missing = TOTALS & shape.reading.get("unreported", frozenset())
        if shape.usage is not None and not missing:
            assert settle.usage_source == "reported"
            assert settle.usage == shape.usage
            assert settle.cost_nanousd == shape.nanousd
        else:
            assert settle.usage_source in {"estimated", "none"}
            for field in TOTALS - missing if shape.usage is not None else ():
                assert getattr(settle.usage, field) == getattr(shape.usage, field)


def test_t04_what_is_not_told_is_estimated_and_said_to_be(tmp_path: Path) -> None:
    """Of two totals the one that is missing; the other stays the provider's."""
    body = b'{"model":"m","choices":[{"finish_reason":"stop"}],"usage":{"completion_tokens":5}}'
    settle = settled_of(body, tmp_path)
    estimate = estimate_tokens(len(REQUEST))
    assert settle.usage == Usage(input_tokens=estimate, output_tokens=5)
    assert settle.usage_source == "estimated"
    settle = settled_of(body.replace(b"completion", b"prompt"), tmp_path)
    assert settle.usage == Usage(input_tokens=5, output_tokens=estimate_tokens(len(body) - 4))
    assert settle.usage_source == "estimated"


@pytest.mark.parametrize(("frames", "source"), [(2, "reported"), (5, "estimated")])
def test_t04_usage_of_a_broken_stream_may_be_behind(
    frames: int, source: str, tmp_path: Path
) -> None:
    """It told of 3 tokens on the way; what was shown since is counted, and said to be by us."""
    told = b'"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n'
    data = b"".join(FRAME % number for number in range(frames))
    settle = settled_of(data[:-3] + b"," + told, tmp_path, streamed=True)
    assert settle.error_code == "truncated"
    assert settle.usage == Usage(input_tokens=7, output_tokens=max(frames, 3))
    assert settle.usage_source == source


def test_t04_an_answer_that_was_not_asked_for_is_charged_as_it_tells(tmp_path: Path) -> None:
    body = b'{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}'
    shape = shape_of(body, streamed=True)  # a stream was wanted, one object came
    settle = asyncio.run(settled(shape, serving_of(shape, tmp_path), size=9, kind=JSON))
    assert settle.error_code == "garbage"
    assert (settle.usage, settle.usage_source) == (
        Usage(input_tokens=7, output_tokens=3),
        "reported",
    )


def test_t08_reasoning_beside_the_output_is_charged_as_output(tmp_path: Path) -> None:
    body = b"""{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115,
        "completion_tokens_details":{"reasoning_tokens":100}}}"""
    settle = settled_of(body, tmp_path)
    assert settle.usage == Usage(input_tokens=10, output_tokens=105, reasoning_tokens=100)
    assert settle.cost_nanousd == 10 * 1_000 + 105 * 2_000


@pytest.mark.parametrize("place", ["prompt_cache_hit_tokens", "cached_tokens"])
def test_t09_cached_input_is_found_by_each_of_its_names(place: str, tmp_path: Path) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, place: 8}
    settle = settled_of(json.dumps({"choices": [], "usage": usage}).encode(), tmp_path)
    assert settle.usage.cache_read_tokens == 8
    assert settle.cost_nanousd == 2 * 1_000 + 8 * 100 + 2_000


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("tier", "factor"), [("flex", 1), ("Priority", 4), ("default", 2)])
def test_t10_the_tier_in_the_answer_sets_the_price(
    tier: str, factor: int, streamed: bool, tmp_path: Path
) -> None:
    """Not the one that was asked for: a provider may serve at another one."""
    said = {
        "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1_000, "completion_tokens": 500},
        "service_tier": tier,
    }
    body = json.dumps(said).encode()
    data = b"data: %b\n\ndata: [DONE]\n\n" % body if streamed else body
    settle = settled_of(data, tmp_path, streamed=streamed)
    assert settle.service_tier == tier.lower()
    assert settle.cost_nanousd == (1_000 * 1_000 + 500 * 2_000) * factor // 2


def test_t26_every_row_names_the_price_that_it_was_charged_at(tmp_path: Path) -> None:
    body = b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
    settle = settled_of(body, tmp_path)
    assert isinstance(settle.cost_nanousd, int)
    assert settle.price_version.startswith("project/")
    dearer = shape_of(body, streamed=False)._replace(prices=PRICES | {"output": "2.5"})
    other = asyncio.run(settled(dearer, serving_of(dearer, tmp_path), size=9))
    assert other.cost_nanousd == settle.cost_nanousd + 500
    assert other.price_version != settle.price_version


def shape_of(data: bytes, *, streamed: bool) -> Shape:
    """An answer that is not of the corpus; its bytes are those of the wire."""
    return STREAMS[0]._replace(
        name="", streamed=streamed, payloads=(data,), prices=PRICES, tiers=()
    )


def settled_of(data: bytes, folder: Path, *, streamed: bool = False) -> Settle:
    shape = shape_of(data, streamed=streamed)
    return asyncio.run(settled(shape, serving_of(shape, folder), size=11))


def test_t10_the_faster_mode_is_what_is_priced() -> None:
    """Anthropic tells it beside the tier."""
    assert Reading(service_tier="standard", speed="fast").price_tier == "fast"
    assert Reading(service_tier="priority", speed="standard").price_tier == "priority"
    assert Reading(service_tier="batch").price_tier == "batch"
