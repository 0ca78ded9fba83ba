"""One inference through real sockets: what the caller sees, and what goes on record."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness import Gateway, project_text, running_gateway, wait_until
from trimtab.store.records import Event
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider
from trimtab.testing.script import Event as StreamEvent

LIMITS = "connect_s = 1, ttft_s = 0.4, idle_s = 0.3, total_s = 1.2"
SCRIPT = Script(
    named={
        "slow first token": (Behaviour(first_token_after_s=20),),
        "silent": (Behaviour(headers_after_s=20),),
        "stalls": (Behaviour(stall_after_tokens=5, stall_s=20),),
        "dribbles": (Behaviour(tokens=1000, token_every_s=0.05),),
        "cut": (Behaviour(cut="close", cut_after_tokens=5),),
        "reset": (Behaviour(cut="reset", cut_after_tokens=5),),
        "ends early": (Behaviour(cut="end", cut_after_tokens=5),),
        "no usage": (Behaviour(report_usage="never"),),
        "no done": (Behaviour(omit_done=True),),
        "no done, no usage": (Behaviour(omit_done=True, report_usage="never"),),
        "error inside": (
            Behaviour(
                events=(StreamEvent(at=4, data={"error": {"message": "x", "type": "overloaded"}}),)
            ),
        ),
        "error first": (
            Behaviour(
                events=(StreamEvent(at=0, data={"error": {"message": "x", "type": "overloaded"}}),)
            ),
        ),
        "refuses": (
            Behaviour(
                status=429,
                headers={"retry-after": "7"},
                error={"message": "slow down", "type": "rate_limit", "code": "rate_limit_exceeded"},
            ),
        ),
        "tells": (
            Behaviour(
                status=429,
                headers={
                    "retry-after": "2.4",
                    "retry-after-ms": "2400",
                    "x-should-retry": "false",
                    "x-ratelimit-remaining-requests": "0",
                    "set-cookie": "a=b",
                },
                error={"message": "slow down"},
            ),
        ),
        "lies": (Behaviour(status=429, headers={"retry-after": "9" * 400}, error="no"),),
        "plain words": (Behaviour(status=400, body='{"error": "plain words"}'),),
        "flat": (
            Behaviour(
                status=400,
                body='{"object":"error","message":"flat","type":"BadRequest","code":400}',
            ),
        ),
        "detail": (Behaviour(status=422, body='{"detail": "why"}'),),
        **{
            f"oops {at}": (Behaviour(events=(StreamEvent(at=at, data="{not json}"),)),)
            for at in (0, 1, 5, 13)
        },
        "bad key": (Behaviour(status=401, error={"message": "Incorrect API key: sk-secret"}),),
        "error with 200": (Behaviour(error={"message": "x", "type": "server_error"}),),
        "garbage": (Behaviour(body="<html>not json</html>"),),
    }
)


class Stage(NamedTuple):
    gateway: Gateway
    provider: RunningFaultProvider

    def event(self, request_id: str) -> Event:
        return wait_until(lambda: self.gateway.reader().event(request_id))

    def ask(self, model: str, **fields: Any):
        return self.gateway.chat(model=model, **fields)


@contextmanager
def stage(folder: Path) -> Generator[Stage]:
    faults = "".join(
        f'[models."{name.replace(" ", "-").replace(",", "")}"]\nref = "fake:fault:{name}"\n'
        "price = {input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6}\n"
        for name in SCRIPT.named
    )
    with running_fault_provider(SCRIPT) as provider:
        text = project_text(provider.base_url, timeouts=LIMITS, extra=faults)
        with running_gateway(folder, text) as gateway:
            yield Stage(gateway, provider)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    with stage(tmp_path_factory.mktemp("project")) as made:
        yield made


def events_of(body: bytes) -> list[bytes]:
    return [event[6:] for event in body.split(b"\n\n") if event.startswith(b"data: ")]


def test_a_whole_answer(running: Stage):
    reply = running.ask("fast", user="ann")
    assert reply.status == 200
    assert json.loads(running.provider.calls[-1].body)["model"] == "gpt-test"
    usage = reply.json["usage"]
    cost = usage["prompt_tokens"] * 400 + usage["completion_tokens"] * 1600
    assert reply.headers["x-trimtab-cost-nanousd"] == str(cost)
    assert reply.headers["x-trimtab-attempts"] == "1"
    event = running.event(reply.headers["x-request-id"])
    assert (event.user, event.outcome, event.cost_nanousd) == ("ann", "ok", cost)
    assert (event.usage_source, event.ttft_us) == ("reported", None)


def test_a_stream(running: Stage):
    reply = running.ask("fast", stream=True, user="ben")
    events = events_of(reply.body)
    assert events[-1] == b"[DONE]"
    assert json.loads(events[-2])["choices"][0]["finish_reason"] == "stop"
    assert not any(json.loads(event).get("usage") for event in events[:-1])
    event = running.event(reply.headers["x-request-id"])
    assert (event.outcome, event.output_tokens, event.usage_source) == ("ok", 12, "reported")
    assert event.ttft_us is not None
    assert 0 < event.ttft_us <= event.latency_us


@pytest.mark.parametrize(
    ("model", "stream", "limit", "at_ms"),
    [
        ("slow-first-token", True, "ttft", 400),
        ("silent", True, "ttft", 400),
        ("silent", False, "total", 1200),
        ("dribbles", True, "total", 1200),
    ],
)
def test_each_limit_ends_the_call_and_counts_at_its_deadline(
    running: Stage, model: str, stream: bool, limit: str, at_ms: int
):
    reply = running.ask(model, stream=stream)
    told = json.loads(events_of(reply.body)[-1]) if reply.status == 200 else reply.json
    assert told["error"]["code"] == "provider_timeout"
    assert f"{limit}_s" in told["error"]["message"]
    assert reply.status == (200 if model == "dribbles" else 504)
    event = running.event(reply.headers["x-request-id"])
    assert (event.outcome, event.error_code) == ("timeout", f"timeout_{limit}")
    assert abs(event.latency_us - at_ms * 1000) <= 1
    if stream and limit == "ttft":
        assert event.ttft_us == event.latency_us
    index = running.provider.calls[-1].index
    running.provider.wait_for(lambda provider: provider.calls[index].ended_by == "caller closed")


def test_a_stalled_stream_ends_within_the_idle_limit(running: Stage):
    reply = running.ask("stalls", stream=True)
    events = events_of(reply.body)
    assert json.loads(events[-1])["error"]["code"] == "provider_timeout"
    event = running.event(reply.headers["x-request-id"])
    assert event.error_code == "timeout_idle"
    assert 300_000 <= event.latency_us < 1_000_000


@pytest.mark.parametrize("model", ["cut", "reset", "ends-early"])
def test_t02_a_truncated_stream_never_ends_cleanly(running: Stage, model: str):
    reply = running.ask(model, stream=True)
    events = events_of(reply.body)
    assert b"[DONE]" not in events
    assert json.loads(events[-1])["error"]["code"] == "provider_truncated"
    event = running.event(reply.headers["x-request-id"])
    assert (event.outcome, event.error_code) == ("error", "truncated")
    assert (event.usage_source, event.output_tokens) == ("estimated", 5)


def test_t03_an_error_inside_a_stream_is_passed_on_as_the_providers(running: Stage):
    reply = running.ask("error-inside", stream=True)
    events = events_of(reply.body)
    assert json.loads(events[-1])["error"]["type"] == "overloaded"
    assert running.event(reply.headers["x-request-id"]).error_code == "overloaded"


def test_t03_an_error_in_the_first_event_becomes_a_status(running: Stage):
    reply = running.ask("error-first", stream=True)
    assert (reply.status, reply.error["type"]) == (502, "overloaded")


def test_t12_a_refusal_keeps_status_body_and_retry_after(running: Stage):
    reply = running.ask("refuses")
    assert (reply.status, reply.error["code"]) == (429, "rate_limit_exceeded")
    assert reply.headers["retry-after"] == "7"
    event = running.event(reply.headers["x-request-id"])
    assert (event.outcome, event.status, event.cost_nanousd) == ("error", 429, 0)
    assert event.usage_source == "none"


def test_t13_what_tells_a_client_when_to_come_back_is_passed_on(running: Stage):
    reply = running.ask("tells")
    assert reply.headers["retry-after"] == "2.4"
    assert reply.headers["retry-after-ms"] == "2400"
    assert reply.headers["x-should-retry"] == "false"
    assert reply.headers["x-ratelimit-remaining-requests"] == "0"
    assert "set-cookie" not in reply.headers
    assert "retry-after" not in running.ask("lies").headers


@pytest.mark.parametrize(
    ("model", "status", "message"),
    [("plain-words", 400, "plain words"), ("flat", 400, "flat"), ("detail", 422, "why")],
)
def test_t12_errors_of_other_shapes_are_put_into_openais(
    running: Stage, model: str, status: int, message: str
):
    reply = running.ask(model)
    assert (reply.status, reply.error["message"]) == (status, message)


@pytest.mark.parametrize("at", [0, 1, 5, 13])
def test_s10_an_event_that_is_not_json_is_left_out_wherever_it_comes(running: Stage, at: int):
    reply = running.ask(f"oops-{at}", stream=True)
    assert b"not json" not in reply.body
    for event in events_of(reply.body)[:-1]:
        json.loads(event)
    assert running.event(reply.headers["x-request-id"]).output_tokens == 12


def test_a_single_model_can_be_asked_for(running: Stage):
    assert running.gateway.request("/v1/models/fast").json["id"] == "fast"
    reply = running.gateway.request("/v1/models/nope")
    assert (reply.status, reply.error["code"]) == (404, "model_not_found")


def test_t12_the_providers_401_is_not_the_callers(running: Stage):
    reply = running.ask("bad-key")
    assert (reply.status, reply.error["code"]) == (502, "provider_rejected_key")
    assert b"sk-secret" not in reply.body
    assert not any("sk-secret" in line for line in running.gateway.output)


@pytest.mark.parametrize("model", ["error-with-200", "garbage"])
@pytest.mark.parametrize("stream", [True, False])
def test_t12_a_200_that_is_no_answer_is_never_passed_on_as_one(
    running: Stage, model: str, stream: bool
):
    reply = running.ask(model, stream=stream)
    assert reply.status == 502
    assert running.event(reply.headers["x-request-id"]).outcome == "error"


def test_usage_that_nobody_reported_is_estimated_and_says_so(running: Stage):
    reply = running.ask("no-usage", stream=True)
    event = running.event(reply.headers["x-request-id"])
    assert (event.outcome, event.usage_source, event.output_tokens) == ("ok", "estimated", 12)


@pytest.mark.parametrize("model", ["no-done", "no-done-no-usage"])
def test_t02_a_stream_without_terminator_ends_at_once_and_with_one(running: Stage, model: str):
    reply = running.ask(model, stream=True)
    assert events_of(reply.body)[-1] == b"[DONE]"
    event = running.event(reply.headers["x-request-id"])
    assert (event.outcome, event.latency_us < 300_000) == ("ok", True)
