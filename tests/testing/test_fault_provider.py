"""The fault provider seen through the real OpenAI client."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from harness import wait_until
from trimtab.errors import UsageError
from trimtab.testing import (
    FAULTS,
    Behaviour,
    Call,
    Event,
    FaultProvider,
    FrozenClock,
    Script,
    ToolCall,
    load_script,
    running_fault_provider,
)

_HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
_ENDS_SOON = 10.0


def _run(
    script: Script | Behaviour | list[Behaviour] | None,
    scenario: Callable[[FaultProvider, openai.AsyncOpenAI], Awaitable[None]],
    **settings: Any,
) -> None:
    async def main() -> None:
        async with (
            asyncio.timeout(_ENDS_SOON),
            FaultProvider(script, **settings) as provider,
            openai.AsyncOpenAI(base_url=provider.base_url, api_key="none", max_retries=0) as client,
        ):
            await scenario(provider, client)

    asyncio.run(main())


async def _stream_text(client: openai.AsyncOpenAI, model: str = "m", **more: Any) -> str:
    stream = await client.chat.completions.create(model=model, messages=_HI, stream=True, **more)
    return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])


def test_a_healthy_answer_has_usage_and_is_recorded() -> None:
    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        answer = await client.chat.completions.create(model="gpt-x", messages=_HI)
        assert answer.model == "gpt-x"
        assert answer.choices[0].finish_reason == "stop"
        call = provider.calls[0]
        assert answer.usage is not None
        assert answer.usage.prompt_tokens == len(call.body) // 4
        assert answer.usage.completion_tokens == call.tokens_sent == 12
        assert call.usage_reported is not None
        assert call.usage_reported["prompt_tokens_details"] == {"cached_tokens": 0}
        assert call.headers["authorization"] == "Bearer none"
        assert (call.index, call.model, call.streamed) == (0, "gpt-x", False)
        assert call.ended_by == "complete"
        assert provider.open_connections == 1

    _run(None, scenario)


def test_streams_report_usage_only_if_asked() -> None:
    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        quiet = await client.chat.completions.create(model="m", messages=_HI, stream=True)
        assert [c for c in [c async for c in quiet] if c.usage is not None] == []
        telling = await client.chat.completions.create(
            model="m", messages=_HI, stream=True, stream_options={"include_usage": True}
        )
        *chunks, last = [chunk async for chunk in telling]
        assert last.choices == []
        assert last.usage is not None
        assert last.usage.completion_tokens == 12
        assert all(chunk.usage is None for chunk in chunks)
        assert [call.usage_reported is None for call in provider.calls] == [True, False]

    _run(None, scenario)


def test_scripts_walk_and_models_have_their_own() -> None:
    script = Script(
        calls=(Behaviour(status=500, times=2), Behaviour()),
        models={"slow": (Behaviour(text="mine", tokens=2),)},
        named={"own": (Behaviour(status=418),)},
    )

    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        for _ in range(2):
            with pytest.raises(openai.InternalServerError):
                await _stream_text(client)
        assert await _stream_text(client, "slow") == "mine"
        assert await _stream_text(client) == await _stream_text(client)
        with pytest.raises(openai.APIStatusError, match="418"):
            await _stream_text(client, "fault:own")
        with pytest.raises(openai.NotFoundError, match="not scripted"):
            await _stream_text(client, "fault:no-such")
        names = [model.id async for model in client.models.list()]
        assert {"slow", "fault:own", "fault:S01"} <= set(names)
        assert len(provider.calls) == 6  # what nothing was scripted for is not a call

    _run(script, scenario)


def test_a_behaviour_may_last_for_a_time() -> None:
    clock = FrozenClock()

    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        for _ in range(3):
            with pytest.raises(openai.InternalServerError):
                await _stream_text(client)
            clock.advance(20)
        assert await _stream_text(client)
        assert [call.started_s - provider.calls[0].started_s for call in provider.calls] == [
            0, 20, 40, 60,
        ]  # fmt: skip

    _run([Behaviour(status=503, for_s=60), Behaviour()], scenario, clock=clock)


def test_tool_calls_choices_limits_and_names() -> None:
    tool = ToolCall(name="weather", arguments='{"city":"Zürich"}', pieces=5)
    script = [
        Behaviour(tool_calls=(tool,)),
        Behaviour(tool_calls=(tool,)),
        Behaviour(served_model="other", request_id="req_x", finish_reason="content_filter"),
    ]

    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        stream = await client.chat.completions.create(model="m", messages=_HI, stream=True)
        deltas = [c.choices[0] async for c in stream]
        calls = [call for d in deltas for call in d.delta.tool_calls or []]
        pieces = [call.function.arguments or "" for call in calls if call.function]
        assert "".join(pieces) == tool.arguments
        assert len(pieces) == 1 + tool.pieces  # the name comes first, without arguments
        assert deltas[-1].finish_reason == "tool_calls"
        assert provider.calls[0].tokens_sent == tool.pieces

        plain = await client.chat.completions.create(model="m", messages=_HI)
        assert plain.choices[0].message.tool_calls is not None
        assert plain.choices[0].message.content is None

        both = await client.chat.completions.with_raw_response.create(
            model="m", messages=_HI, n=2, max_tokens=3
        )
        answer = both.parse()
        assert both.headers["x-request-id"] == "req_x"
        assert answer.model == "other"
        assert [choice.finish_reason for choice in answer.choices] == ["content_filter"] * 2
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 6

    _run(script, scenario)


@pytest.mark.parametrize("report", ["always", "never", "each_chunk"])
def test_usage_can_be_told_in_every_way(report: Any) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 99, "odd": True}

    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        stream = await client.chat.completions.create(model="m", messages=_HI, stream=True)
        told = [c.usage.completion_tokens async for c in stream if c.usage is not None]
        assert told == {"always": [99], "never": [], "each_chunk": [*range(1, 13), 99]}[report]
        reported = provider.calls[0].usage_reported
        assert reported == (None if report == "never" else usage)

    _run(Behaviour(usage=usage, report_usage=report), scenario)


# Rows that end soon, and what the OpenAI client makes of each; the others wait on purpose.
_HEALTHY_TEXT = "the rudder turns naïve ship 海 slowly and a small 🚢 tab"
_ROWS: dict[str, str | type[Exception]] = {
    "S01": openai.RateLimitError,
    "S05": openai.APIConnectionError,
    "S08": openai.APIConnectionError,
    "S10": ValueError,
    "S11": _HEALTHY_TEXT,
    "S12": openai.BadRequestError,
    "X01": openai.APIError,
    "X02": "",
    "X03-longer": _HEALTHY_TEXT,  # this client reads no further than [DONE]
    "X03-chunk-cut": openai.APIConnectionError,
    "X03-clean-end": "the rudder turns naïve ship 海",
    "X04-bytes": _HEALTHY_TEXT,
    "X04-crlf": _HEALTHY_TEXT,
    "X04-cr": _HEALTHY_TEXT,
    "X04-comments": _HEALTHY_TEXT,
    "X04-multiline": _HEALTHY_TEXT,
    "X08-host": openai.APIConnectionError,
}


@pytest.mark.parametrize("name", _ROWS)
def test_a_shipped_fault_reaches_the_client(name: str) -> None:
    expected = _ROWS[name]

    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        if isinstance(expected, str):
            assert await _stream_text(client, f"fault:{name}") == expected
        else:
            with pytest.raises(expected):
                await _stream_text(client, f"fault:{name}")
        assert len(provider.calls) == 1

    _run(None, scenario)


def test_every_shipped_fault_is_data_that_survives_json() -> None:
    script = Script(named=FAULTS)
    assert msgspec.json.decode(msgspec.json.encode(script), type=Script) == script


def test_an_event_may_be_put_in_and_be_the_last() -> None:
    error = Event(at=3, data={"error": {"message": "broke"}}, event="error", last=True)

    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        with pytest.raises(openai.APIError, match="broke"):
            await _stream_text(client)
        assert provider.calls[0].tokens_sent == 2  # event 0 is the role

    _run(Behaviour(events=(error,)), scenario)


@pytest.mark.parametrize("streamed", [True, False])
def test_a_caller_that_leaves_during_silence_is_seen(streamed: bool) -> None:
    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(
                _stream_text(client)
                if streamed
                else client.chat.completions.create(model="m", messages=_HI)
            )
            await provider.wait_for(
                lambda: any(call.first_byte_s is not None for call in provider.calls)
            )
            asking.cancel()
        await provider.wait_for(lambda: provider.calls[0].ended_by == "caller closed")
        await provider.wait_for(lambda: provider.open_connections == 0)
        assert provider.calls[0].ended_s is not None

    _run(Behaviour(stall_after_tokens=3, stall_s=60), scenario)


def test_an_endless_stream_is_made_as_it_goes() -> None:
    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        stream = await client.chat.completions.create(
            model="fault:X05-endless", messages=_HI, stream=True, max_tokens=2
        )
        async for chunk in stream:
            if provider.calls[0].tokens_sent > 100:
                assert chunk.choices
                break
        await stream.close()
        await provider.wait_for(lambda: provider.calls[0].ended_by == "caller closed")

    _run(None, scenario)


def test_an_error_in_the_block_comes_out_as_it_is() -> None:
    async def scenario(provider: FaultProvider, client: openai.AsyncOpenAI) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        _run(None, scenario)


def test_stopping_ends_what_is_under_way() -> None:
    ended: list[Call] = []

    async def main() -> None:
        async with FaultProvider(
            Behaviour(headers_after_s=60), keep_calls=False, on_end=ended.append
        ) as provider:
            _, writer = await asyncio.open_connection("127.0.0.1", provider.port)
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
            )
            await provider.wait_for(lambda: len(provider.calls) == 1)
        writer.close()
        assert provider.calls == []

    asyncio.run(main())
    assert [call.ended_by for call in ended] == ["cut"]


def test_waiting_in_vain_ends() -> None:
    async def scenario(provider: FaultProvider, _: openai.AsyncOpenAI) -> None:
        with pytest.raises(TimeoutError):
            await provider.wait_for(lambda: False, timeout_s=0.01)

    _run(None, scenario)


def test_it_runs_in_a_thread_for_synchronous_tests() -> None:
    with (
        running_fault_provider(Behaviour(tokens=3), seed=1) as provider,
        openai.OpenAI(base_url=provider.base_url, api_key="none") as client,
    ):
        answer = client.chat.completions.create(model="m", messages=_HI)
        assert answer.choices[0].message.content == "rudder turns naïve"
        provider.wait_for(lambda inside: len(inside.calls) == 1)
        assert provider.calls[0].ended_by == "complete"
        assert provider.open_connections == 1


def test_it_runs_as_a_process(tmp_path: Path) -> None:
    script, log = tmp_path / "script.json", tmp_path / "calls.jsonl"
    script.write_text('[{"text": "scripted", "tokens": 2}]', encoding="utf-8")
    command = [sys.executable, "-m", "trimtab.testing", "--script", script, "--log", log]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        with openai.OpenAI(base_url=base_url, api_key="none") as client:
            answer = client.chat.completions.create(model="m", messages=_HI)
        # A call is over a little after its answer has come.
        wait_until(lambda: log.exists() and b"\n" in log.read_bytes())
        process.terminate()
    assert answer.choices[0].message.content == "scripted"
    (line,) = log.read_bytes().splitlines()
    assert msgspec.json.decode(line, type=Call).tokens_sent == 2


def test_a_script_may_be_toml_and_a_wrong_one_names_the_field(tmp_path: Path) -> None:
    good, wrong, empty = tmp_path / "a.toml", tmp_path / "b.json", tmp_path / "c.json"
    good.write_text('[[calls]]\nstatus = 503\nheaders = {retry-after = "1"}\n', encoding="utf-8")
    wrong.write_text('[{"stautus": 503}]', encoding="utf-8")
    empty.write_text('{"calls": []}', encoding="utf-8")
    assert load_script(good).calls == (Behaviour(status=503, headers={"retry-after": "1"}),)
    with pytest.raises(UsageError, match="stautus"):
        load_script(wrong)
    with pytest.raises(UsageError, match="empty list"):
        load_script(empty)
    with pytest.raises(UsageError, match=r"none\.json"):
        load_script(tmp_path / "none.json")


def test_the_page_names_every_field_and_every_fault() -> None:
    page = Path(__file__).parents[2].joinpath("docs/fault-provider.md").read_text(encoding="utf-8")
    for struct in (Behaviour, Event, ToolCall, Call):
        missing = [name for name in struct.__struct_fields__ if f"`{name}`" not in page]
        assert missing == [], struct.__name__
    assert [name for name in FAULTS if f"`{name}`" not in page] == []
