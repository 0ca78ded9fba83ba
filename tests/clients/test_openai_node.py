"""The official Node client gets from the gateway what it gets from OpenAI."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clients.service import IN_BAND, RATE_LIMITED, TOO_LONG, TOOLS, Service

NODE_FOLDER = Path(__file__).parent.parent / "node"
Saw = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def saw(service: Service) -> Saw:
    """What the client saw, by check. It runs once, and everything is judged here."""
    node = shutil.which("node")
    if node is None or not (NODE_FOLDER / "node_modules" / "openai").is_dir():
        pytest.fail("The Node client is not installed. Run `make test`, which installs it.")
    run = subprocess.run(
        [node, "client.mjs", service.gateway.url, service.key],
        cwd=NODE_FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {line.pop("check"): line for line in lines}


def test_the_lock_names_no_registry() -> None:
    """The lock pins by digest; where packages come from is for whoever installs to say."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        assert "://" not in (NODE_FOLDER / name).read_text()


def test_nothing_crashed(saw: Saw) -> None:
    assert {check: it for check, it in saw.items() if "crashed" in it or "unexpected" in it} == {}


def test_models(saw: Saw) -> None:
    assert {"fast", "tools", "late-route"} <= set(saw["models"]["ids"])


def test_a_whole_answer(service: Service, saw: Saw) -> None:
    chat = saw["chat"]
    assert chat["content"]
    event = service.event(chat["request_id"])
    cost = chat["usage"]["prompt_tokens"] * 400 + chat["usage"]["completion_tokens"] * 1_600
    assert (event.outcome, event.user, event.cost_nanousd) == ("ok", "node", cost)


def test_a_stream(service: Service, saw: Saw) -> None:
    stream = saw["stream"]
    assert stream["content"] == saw["chat"]["content"]
    assert (stream["finish_reason"], stream["usages"]) == ("stop", [])
    event = service.event(stream["request_id"])
    assert (event.outcome, event.output_tokens) == ("ok", 12)


def test_a_stream_with_usage(saw: Saw) -> None:
    [usage] = saw["stream_with_usage"]["usages"]
    assert usage["completion_tokens"] == 12


def test_tools_in_a_stream(saw: Saw) -> None:
    for index, tool in enumerate(TOOLS):
        first, *others = [d for d in saw["tools_in_stream"]["deltas"] if d["index"] == index]
        assert (first["id"], first["function"]["name"]) == (tool.call_id, tool.name)
        assert not any("id" in delta or "name" in delta["function"] for delta in others)
        assert len(others) == tool.pieces
        joined = "".join(delta["function"]["arguments"] for delta in (first, *others))
        assert json.loads(joined) == json.loads(tool.arguments)


def test_the_stream_helper_with_tools(saw: Saw) -> None:
    calls = saw["stream_helper_with_tools"]["tool_calls"]
    got = [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls]
    assert got == [(tool.call_id, tool.name, tool.arguments) for tool in TOOLS]


def test_a_user_and_a_session_from_headers(service: Service, saw: Saw) -> None:
    event = service.event(saw["header_session"]["request_id"])
    assert (event.user, event.session) == ("bob", "node-session")


@pytest.mark.parametrize(
    ("check", "kind", "status", "code"),
    [
        ("wrong_key", "AuthenticationError", 401, "invalid_api_key"),
        ("unknown_model", "NotFoundError", 404, "model_not_found"),
        ("malformed", "BadRequestError", 400, "malformed_request"),
        ("too_long", "BadRequestError", 400, "context_length_exceeded"),
        ("rate_limited", "RateLimitError", 429, "rate_limit_exceeded"),
        ("provider_broken", "InternalServerError", 500, None),
        ("provider_late", "InternalServerError", 504, "provider_timeout"),
    ],
)
def test_errors(saw: Saw, check: str, kind: str, *, status: int, code: str | None) -> None:
    error = saw[check]
    assert (error["kind"], error["status"], error["code"]) == (kind, status, code)
    assert error["request_id"].startswith("inf_")


def test_the_providers_own_words_arrive(saw: Saw) -> None:
    assert saw["too_long"]["message"] == f"400 {TOO_LONG['message']}"
    assert saw["too_long"]["param"] == "messages"
    assert saw["rate_limited"]["message"] == f"429 {RATE_LIMITED['message']}"
    assert saw["rate_limited"]["retry_after"] == "7"


def test_a_stream_that_breaks_is_an_error_and_never_an_end(saw: Saw) -> None:
    in_band, truncated = saw["error_in_stream"], saw["truncated_stream"]
    assert (in_band["kind"], in_band["message"]) == ("APIError", IN_BAND["message"])
    assert (truncated["kind"], truncated["code"]) == ("APIError", "provider_truncated")


@pytest.mark.parametrize("check", ["abort", "leave_the_loop"])
def test_leaving_a_stream_stops_the_provider(service: Service, saw: Saw, check: str) -> None:
    event = service.event(saw[check]["request_id"])
    assert (event.outcome, event.error_code) == ("cancelled", "caller_gone")
    assert event.usage_source == "estimated"
    assert service.wait_for_end(f"node {check}") == "caller closed"
