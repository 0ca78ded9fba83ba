"""Every way to fail reaches the official Python client as the exception that OpenAI would cause."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openai import (
    APIError,
    APIStatusError,
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    OpenAI,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from openai.types.chat import ChatCompletionChunk

from clients.service import HI, IN_BAND, MAX_BODY_BYTES, RATE_LIMITED, TOO_LONG, Service
from harness import project_text, running_gateway
from trimtab.testing import Behaviour, running_fault_provider
from trimtab.types.records import Outcome

MODES = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


def ask(client: OpenAI, model: str, *, streamed: bool = False, session: str = "") -> str:
    """Ask, read to the end, and give the request's id."""
    create = client.chat.completions.with_raw_response.create
    headers = {"x-trimtab-session": session}
    if not streamed:
        return create(model=model, messages=HI, extra_headers=headers).headers["x-request-id"]
    answer = create(model=model, messages=HI, stream=True, extra_headers=headers)
    list(answer.parse())
    return answer.headers["x-request-id"]


# ------------------------------------------------------------------ before an answer begins


class Failure(NamedTuple):
    """What becomes of a call to `model`."""

    model: str
    kind: type[APIStatusError]
    status: int
    code: str | None
    outcome: Outcome = "error"
    recorded: str = ""


FAILURES = [
    Failure("too-long", BadRequestError, 400, "context_length_exceeded"),
    Failure("busy", RateLimitError, 429, "rate_limit_exceeded"),
    Failure("missing", NotFoundError, 404, None, recorded="scripted_fault"),
    Failure("conflicts", ConflictError, 409, None, recorded="scripted_fault"),
    Failure("rejects", UnprocessableEntityError, 422, None, recorded="scripted_fault"),
    Failure("broken", InternalServerError, 500, None, recorded="scripted_fault"),
    Failure(
        "refuses-key", InternalServerError, 502, "provider_rejected_key", recorded="key_rejected"
    ),
    Failure("talks-html", InternalServerError, 502, "provider_garbage", recorded="garbage"),
    Failure("gone", InternalServerError, 502, "provider_unreachable", recorded="unreachable"),
]


def assert_fails(service: Service, client: OpenAI, failure: Failure, *, streamed: bool) -> None:
    with pytest.raises(failure.kind) as caught:
        ask(client, failure.model, streamed=streamed)
    error = caught.value
    assert (error.status_code, error.code) == (failure.status, failure.code)
    assert error.request_id == error.response.headers["x-request-id"]
    assert error.request_id is not None
    event = service.event(error.request_id)
    recorded = failure.recorded or failure.code
    assert (event.outcome, event.error_code, event.attempts) == (failure.outcome, recorded, 1)


@MODES
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.model)
def test_a_provider_that_fails(
    service: Service, client: OpenAI, failure: Failure, *, streamed: bool
) -> None:
    assert_fails(service, client, failure, streamed=streamed)


@pytest.mark.parametrize(
    ("failure", "streamed"),
    [
        (
            Failure(
                "late-route", InternalServerError, 504, "provider_timeout", "timeout", recorded=code
            ),
            streamed,
        )
        for code, streamed in (("timeout_total", False), ("timeout_ttft", True))
    ],
    ids=["whole", "streamed"],
)
def test_a_provider_that_is_late(
    service: Service, client: OpenAI, failure: Failure, *, streamed: bool
) -> None:
    assert_fails(service, client, failure, streamed=streamed)


@MODES
@pytest.mark.parametrize(
    ("model", "wanted"), [("too-long", TOO_LONG), ("busy", RATE_LIMITED)], ids=["400", "429"]
)
def test_the_providers_own_words_arrive(
    client: OpenAI, model: str, wanted: dict[str, str | None], *, streamed: bool
) -> None:
    with pytest.raises(APIStatusError) as caught:
        ask(client, model, streamed=streamed)
    assert caught.value.body == wanted
    assert str(wanted["message"]) in caught.value.message
    assert caught.value.param == wanted["param"]
    assert caught.value.type == wanted["type"]
    assert caught.value.response.headers.get("retry-after") == ("7" if model == "busy" else None)


def test_what_a_provider_says_of_our_key_stays_here(client: OpenAI) -> None:
    with pytest.raises(InternalServerError) as caught:
        ask(client, "refuses-key")
    assert "sk-ours" not in caught.value.response.text


def test_an_error_in_the_place_of_the_first_token(service: Service, client: OpenAI) -> None:
    with pytest.raises(InternalServerError) as caught:
        ask(client, "in-band-first", streamed=True)
    assert caught.value.status_code == 502
    assert caught.value.body == IN_BAND
    assert caught.value.request_id is not None
    event = service.event(caught.value.request_id)
    assert (event.outcome, event.error_code) == ("error", "server_error")


# ------------------------------------------------------------------ requests that are refused


def test_a_wrong_key(service: Service) -> None:
    with (
        OpenAI(base_url=service.gateway.url, api_key="tt-wrong", max_retries=0) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        ask(client, "fast")
    assert (caught.value.code, caught.value.type) == ("invalid_api_key", "authentication_error")
    assert caught.value.request_id


def test_a_wrong_key_sees_no_models(service: Service) -> None:
    with (
        OpenAI(base_url=service.gateway.url, api_key="tt-wrong", max_retries=0) as client,
        pytest.raises(AuthenticationError),
    ):
        client.models.list()


@MODES
def test_an_unknown_model(client: OpenAI, streamed: bool) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask(client, "fsat", streamed=streamed)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert "fast" in caught.value.message
    assert caught.value.request_id


def test_a_model_without_a_price(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as caught:
        ask(client, "unpriced")
    assert caught.value.code == "model_not_priced"


UNSERVED: dict[str, Callable[[OpenAI], object]] = {
    "embeddings": lambda client: client.embeddings.create(model="fast", input="x"),
    "responses": lambda client: client.responses.create(model="fast", input="x"),
    "model": lambda client: client.models.retrieve("no-such-model"),
}


@pytest.mark.parametrize("call", UNSERVED.values(), ids=UNSERVED)
def test_what_the_gateway_does_not_serve(client: OpenAI, call: Callable[[OpenAI], object]) -> None:
    with pytest.raises(NotFoundError) as caught:
        call(client)
    assert caught.value.code
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": "hi"}, "messages"),
        ({"messages": HI, "n": "two"}, "n"),
        ({"messages": HI, "stream_options": {"include_usage": 3}}, "stream_options.include_usage"),
    ],
    ids=["messages", "n", "nested"],
)
def test_a_malformed_request(client: OpenAI, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(model="fast", **fields)
    assert (caught.value.code, caught.value.param) == ("malformed_request", param)
    assert caught.value.type == "invalid_request_error"


@pytest.mark.parametrize("size", [MAX_BODY_BYTES, 8_000_000])
def test_a_request_that_is_too_large(client: OpenAI, size: int) -> None:
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(
            model="fast", messages=[{"role": "user", "content": "x" * size}]
        )
    assert (caught.value.status_code, caught.value.code) == (413, "request_too_large")
    assert ask(client, "fast")  # and the client is not the worse for it


# ------------------------------------------------------------------ within a stream


@pytest.mark.parametrize(
    ("model", "code", "recorded", "outcome"),
    [
        ("in-band", None, "server_error", "error"),
        ("closed", "provider_truncated", "truncated", "error"),
        ("ended", "provider_truncated", "truncated", "error"),
        ("reset", "provider_truncated", "truncated", "error"),
        ("stalls-route", "provider_timeout", "timeout_idle", "timeout"),
    ],
)
def test_a_stream_that_breaks_is_an_error_and_never_an_end(
    service: Service,
    client: OpenAI,
    model: str,
    *,
    code: str | None,
    recorded: str,
    outcome: Outcome,
) -> None:
    stream = client.chat.completions.create(model=model, messages=HI, stream=True)
    chunks: list[ChatCompletionChunk] = []
    with pytest.raises(APIError) as caught:
        chunks.extend(stream)  # keeps what came before the error
    assert not isinstance(caught.value, APIStatusError)
    assert caught.value.code == code
    assert any(choice.delta.content for chunk in chunks for choice in chunk.choices)
    assert not any(choice.finish_reason for chunk in chunks for choice in chunk.choices)
    event = service.event(stream.response.headers["x-request-id"])
    assert (event.outcome, event.error_code) == (outcome, recorded)
    assert event.usage_source == "estimated"
    assert event.cost_nanousd > 0


def test_the_words_of_an_error_within_a_stream(client: OpenAI) -> None:
    with pytest.raises(APIError) as caught:
        ask(client, "in-band", streamed=True)
    assert caught.value.message == IN_BAND["message"]
    assert caught.value.body == IN_BAND


def test_the_stream_helper_raises_too(client: OpenAI) -> None:
    with (
        client.chat.completions.stream(model="closed", messages=HI) as stream,
        pytest.raises(APIError, match="closed the connection"),
    ):
        stream.until_done()


def test_the_asynchronous_client_raises_too(service: Service) -> None:
    async def read() -> None:
        async with AsyncOpenAI(
            base_url=service.gateway.url, api_key=service.key, max_retries=0
        ) as client:
            stream = await client.chat.completions.create(model="closed", messages=HI, stream=True)
            async for _ in stream:
                pass

    with pytest.raises(APIError, match="closed the connection"):
        asyncio.run(read())


# ------------------------------------------------------------------ the client's own retries


def test_each_retry_of_the_client_is_on_record(service: Service) -> None:
    with OpenAI(base_url=service.gateway.url, api_key=service.key, max_retries=2) as client:
        request_id = ask(client, "flaky", session="retries")
    assert len(service.calls("flaky")) == 3
    events = service.events("retries", 3)
    assert [(event.outcome, event.status) for event in events] == [
        ("error", 500),
        ("error", 429),
        ("ok", 200),
    ]
    assert [event.attempts for event in events] == [1, 1, 1]
    assert [event.cost_nanousd > 0 for event in events] == [False, False, True]
    assert events[-1].inference_id == request_id
    assert len({event.inference_id for event in events}) == 3


@pytest.mark.parametrize(
    ("model", "streamed"), [("too-long", False), ("too-long", True), ("in-band", True)]
)
def test_what_the_client_does_not_retry(service: Service, model: str, streamed: bool) -> None:
    session = f"once-{model}-{streamed}"
    before = len(service.calls(model))
    with (
        OpenAI(base_url=service.gateway.url, api_key=service.key, max_retries=2) as client,
        pytest.raises(APIError),
    ):
        ask(client, model, streamed=streamed, session=session)
    assert len(service.calls(model)) == before + 1
    assert len(service.events(session, 1)) == 1


# ------------------------------------------------------------------ the gateway's own limits


def test_a_ledger_that_cannot_be_written(project_folder: Path) -> None:
    with (
        running_fault_provider() as provider,
        running_gateway(project_folder, project_text(provider.base_url)) as gateway,
        OpenAI(base_url=gateway.url, api_key="unused", max_retries=0) as client,
        closing(sqlite3.connect(project_folder / ".trimtab" / "ledger.sqlite")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InternalServerError) as caught:
            ask(client, "fast")
        other.rollback()
        patient = client.with_options(max_retries=2)
        assert ask(patient, "fast")
    assert (caught.value.status_code, caught.value.code) == (503, "ledger_unavailable")
    assert caught.value.response.headers["retry-after"] == "2"
    assert caught.value.request_id


def test_a_gateway_that_is_full(project_folder: Path) -> None:
    endless = Behaviour(tokens=10**9, token_every_s=0.01, honours_max_tokens=False)
    with running_fault_provider(endless) as provider:
        text = project_text(provider.base_url, server="max_inflight = 1")
        with (
            running_gateway(project_folder, text) as gateway,
            OpenAI(base_url=gateway.url, api_key="unused", max_retries=0) as client,
            client.chat.completions.create(model="fast", messages=HI, stream=True) as stream,
        ):
            next(stream)
            with pytest.raises(InternalServerError) as full:
                ask(client, "fast")
            with pytest.raises(PermissionDeniedError) as foreign:
                client.models.list(extra_headers={"origin": "https://example.com"})
    assert (full.value.status_code, full.value.code) == (503, "overloaded")
    assert full.value.response.headers["retry-after"] == "1"
    assert full.value.request_id
    assert foreign.value.code == "forbidden_origin"
