"""Every shape: what is read from it, and what it costs, worked out twice."""

from collections import Counter, defaultdict

import msgspec
import pytest

from golden.corpus import NANO_PER_MTOK_USD, SHAPES, Shape
from golden.wires import read
from trimtab.providers.usage.reading import Reading
from trimtab.spend.rates import UNITS
from trimtab.types.usage import NO_USAGE, Usage

STREAMS = tuple(shape for shape in SHAPES if shape.streamed)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])
each_stream = pytest.mark.parametrize("shape", STREAMS, ids=[shape.name for shape in STREAMS])
GARBAGE = (b"", b"null", b"[]", b"{}", b"{", b"\xff", b'"usage"', b"[" * 2_000, b'{"usage":7}')

LEAST_SHAPES = 300
COMMON = {"plain", "tool_call", "max_tokens", "cached_read", "stream", "whole"}
# At least so many shapes of each provider, and the kinds that they must show.
COVER = {
    "anthropic": (50, COMMON | {"cached_write", "cached_write_1h", "reasoning", "image"}),
    "azure": (24, COMMON | {"reasoning", "content_filter", "image", "audio_out", "no_usage"}),
    "bedrock_converse": (25, COMMON | {"cached_write", "cached_write_1h", "content_filter"}),
    "bedrock_invoke": (12, COMMON | {"cached_write", "cached_write_1h", "truncated"}),
    "deepseek": (15, COMMON | {"reasoning", "error"}),
    "gemini": (40, COMMON | {"reasoning", "audio_in", "audio_out", "image", "content_filter"}),
    "groq": (10, COMMON | {"reasoning", "service_tier", "usage_in_odd_places"}),
    "mistral": (12, COMMON | {"reasoning", "audio_in"}),
    "moonshot": (8, COMMON | {"reasoning", "usage_in_odd_places"}),
    "odd": (18, {"whole", "stream", "impossible"}),
    "openai_chat": (
        50,
        COMMON
        | {"cached_write", "reasoning", "audio_in", "audio_out", "image", "several_choices"}
        | {"refusal", "content_filter", "service_tier", "batch", "no_usage", "truncated"}
        | {"error", "unknown_fields", "long_context"},
    ),
    "openai_responses": (
        25,
        COMMON | {"cached_write", "reasoning", "image", "refusal", "service_tier", "no_usage"},
    ),
    "openrouter": (10, COMMON - {"max_tokens"} | {"cached_write", "reasoning"}),
    "together": (8, COMMON),
    "vllm": (4, {"plain", "cached_read", "usage_repeated", "error"}),
    "xai": (15, COMMON | {"reasoning", "image", "vendor_extension"}),
    "zhipu": (8, COMMON - {"max_tokens"} | {"usage_repeated", "truncated"}),
}


def reading_of(shape: Shape) -> Reading | None:
    return read(shape.wire, shape.payloads, streamed=shape.streamed)


def usage_of(shape: Shape) -> Usage:
    reading = reading_of(shape)
    return (reading and reading.usage) or NO_USAGE


@each_shape
def test_is_read_as_the_file_says(shape: Shape) -> None:
    reading = reading_of(shape)
    if not shape.reading and shape.usage is None:
        assert reading is None
    else:
        assert reading == Reading(usage=shape.usage, **shape.reading)


@each_shape
def test_costs_what_was_worked_out(shape: Shape) -> None:
    assert shape.card().cost_nanousd(usage_of(shape)) == shape.nanousd


@each_shape
def test_the_working_is_right(shape: Shape) -> None:
    for line in shape.working:
        assert line.tokens * line.price * NANO_PER_MTOK_USD == line.nanousd, line
        assert line.price == shape.price_of(line.unit), line
    assert shape.total() == shape.nanousd


@each_shape
def test_the_working_charges_each_token_once(shape: Shape) -> None:
    usage = shape.usage or NO_USAGE
    tokens: Counter[str] = Counter()
    for line in shape.working:
        assert line.unit in UNITS
        assert line.unit not in tokens
        tokens[line.unit] = line.tokens
    output = sum(tokens[unit] for unit in ("output", "reasoning", "output_audio"))
    assert output == usage.output_tokens
    assert tokens.total() - output == usage.input_tokens
    parts = {
        "cache_read": usage.cache_read_tokens - usage.cache_read_audio_tokens,
        "cache_write": usage.cache_write_tokens - usage.cache_write_1h_tokens,
        "cache_write_1h": usage.cache_write_1h_tokens,
        "cache_read_audio": usage.cache_read_audio_tokens,
        "input_audio": usage.input_audio_tokens - usage.cache_read_audio_tokens,
        "reasoning": usage.reasoning_tokens,
        "output_audio": usage.output_audio_tokens,
    }
    for unit, expected in parts.items():
        if unit in shape.prices:
            assert tokens[unit] == expected, unit


def test_each_says_where_it_comes_from_and_what_it_shows() -> None:
    for shape in SHAPES:
        assert shape.source, shape.name
        assert ("stream" in shape.kinds) == shape.streamed, shape.name
        assert ("whole" in shape.kinds) != shape.streamed, shape.name
        assert len(shape.kinds) > 1, shape.name


@each_stream
def test_a_stream_may_end_anywhere(shape: Shape) -> None:
    """What was counted by then never exceeds what came out at last."""
    whole = usage_of(shape)
    for end in range(len(shape.payloads)):
        reading = read(shape.wire, shape.payloads[:end], streamed=True)
        usage = (reading and reading.usage) or NO_USAGE
        assert usage.output_tokens <= whole.output_tokens
        assert usage.input_tokens <= whole.input_tokens


@each_stream
def test_garbage_in_a_stream_changes_nothing(shape: Shape) -> None:
    mixed = [payload for event in shape.payloads for payload in (*GARBAGE, event)]
    expected = reading_of(shape)
    if expected is not None:
        assert read(shape.wire, mixed, streamed=True) == expected


def test_what_a_provider_claims_is_what_we_worked_out() -> None:
    compared = 0
    for shape in SHAPES:
        reading = reading_of(shape)
        claimed = None if reading is None else reading.claimed_nanousd
        if claimed is not None and shape.name.removesuffix("_stream") != "openrouter/own_key":
            assert claimed == shape.nanousd, shape.name
            compared += 1
    assert compared > 12


def test_there_are_enough_of_each_provider_and_kind() -> None:
    by_provider: defaultdict[str, list[Shape]] = defaultdict(list)
    for shape in SHAPES:
        by_provider[shape.provider].append(shape)
    assert set(by_provider) == set(COVER)
    for provider, (least, kinds) in COVER.items():
        shapes = by_provider[provider]
        shown = frozenset[str]().union(*(shape.kinds for shape in shapes))
        assert len(shapes) >= least, provider
        assert kinds <= shown, (provider, kinds - shown)
    assert len(SHAPES) >= LEAST_SHAPES


def test_t04_usage_is_found_wherever_a_stream_puts_it() -> None:
    """In an extra chunk, on the finish, in the choice, below x_groq, on each chunk."""
    odd = {"usage_in_odd_places", "usage_repeated"}
    shapes = [shape for shape in SHAPES if shape.streamed and odd & shape.kinds]
    assert {"groq", "moonshot", "zhipu", "xai", "vllm"} <= {shape.provider for shape in shapes}
    for shape in shapes:
        usage = usage_of(shape)
        assert usage.input_tokens, shape.name
        assert usage.output_tokens, shape.name


def test_t04_no_usage_is_not_the_same_as_no_tokens() -> None:
    for shape in SHAPES:
        if "no_usage" in shape.kinds:
            reading = reading_of(shape)
            assert reading is not None
            assert reading.usage is None, shape.name
            assert reading.unreported >= {"input_tokens", "output_tokens"}, shape.name


def test_t04_the_output_at_the_start_of_a_message_is_no_report() -> None:
    """Anthropic begins with a placeholder of 1 to 3 tokens, at Bedrock too."""
    start = (
        b'{"type":"message_start","message":'
        b'{"model":"m","usage":{"input_tokens":7,"output_tokens":3}}}'
    )
    for wire in ("anthropic_messages", "bedrock_invoke"):
        reading = read(wire, [start], streamed=True)
        assert reading is not None
        assert reading.usage == Usage(input_tokens=7)
        assert reading.unreported == {"output_tokens"}
        assert not reading.final


def test_t08_thoughts_beside_the_output_are_charged() -> None:
    """At Google, at xAI, and where only the total tells of them."""
    names = ("gemini/thoughts", "xai/reasoning", "gemini/compatible_hidden_thoughts")
    for shape in SHAPES:
        if shape.name.removesuffix("_stream") in names:
            usage = usage_of(shape)
            assert usage.reasoning_tokens > usage.output_tokens / 2, shape.name


def test_t08_reasoning_is_part_of_the_output() -> None:
    shapes = [shape for shape in SHAPES if usage_of(shape).reasoning_tokens]
    assert {"openai_chat", "openai_responses", "gemini", "xai"} <= {s.provider for s in shapes}
    for shape in SHAPES:
        usage = usage_of(shape)
        assert usage.reasoning_tokens + usage.output_audio_tokens <= usage.output_tokens, shape.name


def test_t09_cached_input_is_part_of_the_input() -> None:
    for shape in SHAPES:
        usage = usage_of(shape)
        cached = usage.cache_read_tokens + usage.cache_write_tokens
        assert cached <= usage.input_tokens, shape.name
        assert usage.cache_write_1h_tokens <= usage.cache_write_tokens, shape.name
        assert usage.cache_read_audio_tokens <= usage.cache_read_tokens, shape.name
        assert usage.cache_read_audio_tokens <= usage.input_audio_tokens, shape.name


def test_t09_more_cached_than_input_is_possible_only_where_they_stand_apart() -> None:
    beside = (
        b'{"content":[],"usage":{"input_tokens":4,"cache_read_input_tokens":90,"output_tokens":1}}'
    )
    inside = (
        b'{"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":1,'
        b'"prompt_tokens_details":{"cached_tokens":90}}}'
    )
    apart = read("anthropic_messages", [beside], streamed=False)
    assert apart == Reading(usage=Usage(input_tokens=94, cache_read_tokens=90, output_tokens=1))
    part = read("openai_chat", [inside], streamed=False)
    assert part is not None
    assert part.usage == Usage(input_tokens=4, output_tokens=1)
    assert part.unreported == {"cache_read_tokens"}


def test_t10_what_changes_the_price_is_read_from_the_answer() -> None:
    readings = [reading for shape in SHAPES if (reading := reading_of(shape)) is not None]
    tiers = {"flex", "priority", "batch", "standard", "on_demand", "default"}
    assert tiers <= {reading.service_tier for reading in readings}
    assert {"us", "global"} <= {reading.inference_geo for reading in readings}
    assert "fast" in {reading.speed for reading in readings}


@each_shape
def test_t26_cost_is_a_whole_number_and_grows_with_every_token(shape: Shape) -> None:
    card, usage = shape.card(), usage_of(shape)
    cost = card.cost_nanousd(usage)
    assert isinstance(cost, int)
    assert cost >= 0
    wholes = {"cache_read_tokens": "input_tokens", "reasoning_tokens": "output_tokens"}
    for field in ("input_tokens", "output_tokens", *wholes):
        raised = {name: getattr(usage, name) + 1 for name in {field, wholes.get(field, field)}}
        # Where prices rise with the size of the request, they never fall for the larger one.
        assert card.cost_nanousd(msgspec.structs.replace(usage, **raised)) >= cost, field
