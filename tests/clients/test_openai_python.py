"""The official Python client gets from the gateway what it gets from OpenAI."""

import asyncio
import json
from collections import defaultdict
from typing import Any

from openai import AsyncOpenAI, OpenAI
from openai.types.chat import (
    ChatCompletionChunk,
    ChatCompletionToolParam,
)
from pydantic import BaseModel

from clients.service import HI, TOOLS, Service
from trimtab.testing import Call

WITH_TOOLS: list[ChatCompletionToolParam] = [
    {"type": "function", "function": {"name": tool.name, "parameters": {"type": "object"}}}
    for tool in TOOLS
]


class Weather(BaseModel):
    """A structured answer."""

    city: str
    degrees: int


def body_of(call: Call) -> Any:
    return json.loads(call.body)


def text_of(chunks: list[ChatCompletionChunk], index: int = 0) -> str:
    return "".join(
        choice.delta.content or ""
        for chunk in chunks
        for choice in chunk.choices
        if choice.index == index
    )


# ------------------------------------------------------------------ whole answers


def test_a_whole_answer(service: Service, client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="fast", messages=HI)
    answer = raw.parse()
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-test"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 12
    cost = answer.usage.prompt_tokens * 400 + 12 * 1_600
    assert raw.headers["x-trimtab-cost-nanousd"] == str(cost)
    assert answer._request_id == raw.headers["x-request-id"] == raw.request_id
    assert answer._request_id is not None
    event = service.event(answer._request_id)
    assert (event.outcome, event.cost_nanousd, event.attempts) == ("ok", cost, 1)
    assert event.key_id


def test_several_choices_in_one_answer(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="fast", messages=HI, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 24


def test_tools_in_one_answer(service: Service, client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="tools", messages=HI, tools=WITH_TOOLS, tool_choice="auto"
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    got = [(c.id, c.function.name, c.function.arguments) for c in calls if c.type == "function"]
    assert got == [(tool.call_id, tool.name, tool.arguments) for tool in TOOLS]
    sent = body_of(service.calls("tools")[-1])
    assert (sent["tools"], sent["tool_choice"]) == (WITH_TOOLS, "auto")


def test_a_structured_answer(service: Service, client: OpenAI) -> None:
    answer = client.chat.completions.parse(model="parsed", messages=HI, response_format=Weather)
    assert answer.choices[0].message.parsed == Weather(city="Zürich", degrees=21)
    wanted = body_of(service.calls("parsed")[-1])["response_format"]
    assert wanted["type"] == "json_schema"
    assert wanted["json_schema"]["strict"] is True
    assert set(wanted["json_schema"]["schema"]["properties"]) == {"city", "degrees"}


def test_cached_and_reasoning_tokens_are_priced_exactly(service: Service, client: OpenAI) -> None:
    # 1003 in, of which 401 from the cache; 507 out, of which 300 unseen. Nano-dollars per token.
    cost = (1_003 - 401) * 400 + 401 * 100 + 507 * 1_600
    raw = client.chat.completions.with_raw_response.create(model="costly", messages=HI)
    assert raw.headers["x-trimtab-cost-nanousd"] == str(cost)
    usage = raw.parse().usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 401
    assert usage.completion_tokens_details is not None
    assert usage.completion_tokens_details.reasoning_tokens == 300
    streamed = client.chat.completions.with_raw_response.create(
        model="costly", messages=HI, stream=True
    )
    list(streamed.parse())
    for answer in (raw, streamed):
        event = service.event(answer.headers["x-request-id"])
        assert (event.cost_nanousd, event.usage_source) == (cost, "reported")
        assert (event.input_tokens, event.cache_read_tokens) == (1_003, 401)
        assert (event.output_tokens, event.reasoning_tokens) == (507, 300)


def test_the_models_on_offer(client: OpenAI) -> None:
    models = {model.id: model for model in client.models.list()}
    assert {"fast", "tools", "late-route"} <= models.keys()
    assert (models["fast"].object, models["fast"].owned_by) == ("model", "fake")


def test_a_user_and_a_session_from_headers(service: Service, client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="fast",
        messages=HI,
        user="somebody else",
        extra_headers={"x-trimtab-user": "ann", "x-trimtab-session": "s-1"},
    )
    assert answer._request_id is not None
    event = service.event(answer._request_id)
    assert (event.user, event.session) == ("ann", "s-1")
    assert "x-trimtab-user" not in service.calls("gpt-test")[-1].headers


def test_fields_that_the_gateway_does_not_know_pass_through(
    service: Service, client: OpenAI
) -> None:
    client.chat.completions.create(
        model="fast",
        messages=HI,
        seed=7,
        reasoning_effort="low",
        extra_body={"novelty": {"price": 0.1, "große": [None, True]}},
    )
    sent = body_of(service.calls("gpt-test")[-1])
    assert (sent["seed"], sent["reasoning_effort"]) == (7, "low")
    assert sent["novelty"] == {"price": 0.1, "große": [None, True]}


# ------------------------------------------------------------------ streams


def test_a_stream(service: Service, client: OpenAI) -> None:
    stream = client.chat.completions.create(model="fast", messages=HI, stream=True)
    with stream:
        chunks = list(stream)
    whole = client.chat.completions.create(model="fast", messages=HI)
    assert text_of(chunks) == whole.choices[0].message.content
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    request_id = stream.response.headers["x-request-id"]
    event = service.event(request_id)
    assert (event.outcome, event.output_tokens, event.usage_source) == ("ok", 12, "reported")
    assert event.streamed
    assert event.ttft_us is not None


def test_a_stream_with_usage(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fast", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = list(stream)
    assert not last.choices
    assert last.usage is not None
    assert last.usage.completion_tokens == 12
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_a_stream_that_refuses_usage(service: Service, client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fast", messages=HI, stream=True, stream_options={"include_usage": False}
    )
    assert all(chunk.choices and chunk.usage is None for chunk in stream)
    event = service.event(stream.response.headers["x-request-id"])
    assert (event.usage_source, event.output_tokens) == ("reported", 12)


def test_a_stream_without_a_word(service: Service, client: OpenAI) -> None:
    stream = client.chat.completions.create(model="empty", messages=HI, stream=True)
    chunks = list(stream)
    assert (text_of(chunks), chunks[-1].choices[0].finish_reason) == ("", "stop")
    event = service.event(stream.response.headers["x-request-id"])
    assert (event.outcome, event.output_tokens) == ("ok", 0)


def test_several_choices_in_a_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(model="fast", messages=HI, stream=True, n=2)
    chunks = list(stream)
    whole = client.chat.completions.create(model="fast", messages=HI, n=2)
    for choice in whole.choices:
        assert text_of(chunks, choice.index) == choice.message.content
    ends = [(c.index, c.finish_reason) for chunk in chunks for c in chunk.choices]
    assert [end for end in ends if end[1]] == [(0, "stop"), (1, "stop")]


def test_tools_in_a_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="tools", messages=HI, tools=WITH_TOOLS, stream=True
    )
    pieces: defaultdict[int, list[str]] = defaultdict(list)
    names: defaultdict[int, list[tuple[str | None, str | None]]] = defaultdict(list)
    finishes: list[str] = []
    for chunk in stream:
        choice = chunk.choices[0]
        if choice.finish_reason:
            finishes.append(choice.finish_reason)
        for part in choice.delta.tool_calls or []:
            assert part.function is not None
            pieces[part.index].append(part.function.arguments or "")
            names[part.index].append((part.id, part.function.name))
    assert finishes == ["tool_calls"]
    assert sorted(pieces) == [0, 1]
    for index, tool in enumerate(TOOLS):
        assert len([piece for piece in pieces[index] if piece]) == tool.pieces
        assert json.loads("".join(pieces[index])) == json.loads(tool.arguments)
        first, *others = names[index]
        assert first == (tool.call_id, tool.name)
        assert set(others) == {(None, None)}


def test_the_stream_helper(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="parsed",
        messages=HI,
        response_format=Weather,
        stream_options={"include_usage": True},
    ) as stream:
        kinds = {event.type for event in stream}
        answer = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert answer.choices[0].message.parsed == Weather(city="Zürich", degrees=21)
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 7


def test_the_stream_helper_with_tools(client: OpenAI) -> None:
    with client.chat.completions.stream(model="tools", messages=HI, tools=WITH_TOOLS) as stream:
        answer = stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert [(c.function.name, c.function.arguments) for c in calls] == [
        (tool.name, tool.arguments) for tool in TOOLS
    ]


def test_many_streams_at_once(service: Service) -> None:
    async def one(client: AsyncOpenAI, number: int) -> tuple[str, str]:
        stream = await client.chat.completions.create(
            model="fast",
            messages=HI,
            stream=True,
            max_tokens=number % 5 + 1,
            extra_headers={"x-trimtab-session": "many", "x-trimtab-user": f"u{number}"},
        )
        chunks = [chunk async for chunk in stream]
        return text_of(chunks), stream.response.headers["x-request-id"]

    async def all_of_them() -> list[tuple[str, str]]:
        async with (
            AsyncOpenAI(base_url=service.gateway.url, api_key=service.key, max_retries=0) as client,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(one(client, number)) for number in range(20)]
        return [task.result() for task in tasks]

    answers = asyncio.run(all_of_them())
    assert len({request_id for _, request_id in answers}) == 20
    events = {event.inference_id: event for event in service.events("many", 20)}
    for number, (text, request_id) in enumerate(answers):
        assert len(text.split()) == number % 5 + 1
        event = events[request_id]
        assert (event.user, event.output_tokens) == (f"u{number}", number % 5 + 1)
        assert (event.outcome, event.finish_reason) == ("ok", "length")
