"""A caller that leaves stops the work, and what was done until then is on record."""

import asyncio

import pytest
from openai import APITimeoutError, AsyncOpenAI, OpenAI

from clients.service import Service, saying
from trimtab.store.records import Event


def assert_cancelled(event: Event) -> None:
    assert (event.outcome, event.error_code) == ("cancelled", "caller_gone")
    assert event.usage_source == "estimated"
    assert event.input_tokens > 0
    assert event.cost_nanousd == event.input_tokens * 400 + event.output_tokens * 1_600


def test_a_stream_that_is_closed(service: Service, client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="endless", messages=saying("closed stream"), stream=True
    )
    for _ in range(10):
        next(stream)
    stream.close()
    assert service.wait_for_end("closed stream") == "caller closed"
    event = service.event(stream.response.headers["x-request-id"])
    assert_cancelled(event)
    assert event.output_tokens >= 9
    assert event.ttft_us is not None


def test_a_stream_helper_that_is_left(service: Service, client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="endless",
        messages=saying("left helper"),
        extra_headers={"x-trimtab-session": "helper"},
    ) as stream:
        next(stream)
    assert service.wait_for_end("left helper") == "caller closed"
    [event] = service.events("helper", 1)
    assert_cancelled(event)


def test_an_asynchronous_task_that_is_cancelled(service: Service) -> None:
    async def read(client: AsyncOpenAI, begun: asyncio.Event) -> None:
        stream = await client.chat.completions.create(
            model="endless",
            messages=saying("cancelled task"),
            stream=True,
            extra_headers={"x-trimtab-session": "cancelled"},
        )
        async for _ in stream:
            begun.set()

    async def begin_and_cancel() -> None:
        begun = asyncio.Event()
        async with (
            AsyncOpenAI(base_url=service.gateway.url, api_key=service.key) as client,
            asyncio.TaskGroup() as group,
        ):
            task = group.create_task(read(client, begun))
            await begun.wait()
            task.cancel()

    asyncio.run(begin_and_cancel())
    assert service.wait_for_end("cancelled task") == "caller closed"
    [event] = service.events("cancelled", 1)
    assert_cancelled(event)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_client_that_loses_patience(service: Service, client: OpenAI, streamed: bool) -> None:
    session = f"impatient-{streamed}"
    with pytest.raises(APITimeoutError):
        client.chat.completions.create(
            model="silent",
            messages=saying(session),
            stream=streamed,
            timeout=0.5,
            extra_headers={"x-trimtab-session": session},
        )
    assert service.wait_for_end(session) == "caller closed"
    [event] = service.events(session, 1)
    assert_cancelled(event)
    assert event.ttft_us is None
    # Of a stream what came is known; of a whole answer, how long somebody worked for it.
    assert event.output_tokens == (0 if streamed else pytest.approx(50 * 0.5, abs=5))
