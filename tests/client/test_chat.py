"""Chat through a real gateway: answers, streams, errors, threads, and callers that leave."""

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import trimtab
from client.stage import Stage, stage, write_files, write_triage
from harness import trimtab as command
from harness import wait_until
from trimtab import AsyncClient, Client
from trimtab import client as package
from trimtab.client import settings
from trimtab.client.failures import AWAY
from trimtab.errors import (
    BudgetExceeded,
    InvalidKey,
    LedgerUnavailable,
    MalformedRequest,
    PromptVariables,
    ProviderGarbage,
    ProviderRefused,
    ProviderTimeout,
    ProviderTruncated,
    RateLimited,
    TrimtabError,
    UnknownModel,
    UnknownPrompt,
    UsageError,
)
from trimtab.testing import Behaviour, Event, ToolCall

SAYS = {"ticket": "lost"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """A gateway that behaves."""
    folder = tmp_path_factory.mktemp("project")
    write_triage(folder)
    with stage(folder) as on:
        yield on


@pytest.fixture
def client(shared: Stage) -> Generator[Client]:
    with Client(shared.gateway.url) as client:
        yield client


def test_an_answer_says_what_it_is(shared: Stage, client: Client):
    answer = client.chat("support/triage", SAYS, user="ana", session="s1", temperature=0.9)
    assert answer.text == answer.raw["choices"][0]["message"]["content"] != ""
    assert answer.usage is not None
    assert answer.usage["completion_tokens"] == 5
    assert (answer.prompt_version, answer.served_model) == ("v1-draft", "fault:main")
    assert not answer.stale
    event = shared.event(answer.inference_id)
    assert (event.user, event.session, event.prompt) == ("ana", "s1", "support/triage")
    assert answer.cost_nanousd == event.cost_nanousd > 0
    assert shared.sent()["temperature"] == 0.9
    assert shared.sent()["max_tokens"] == 60


def test_messages_without_a_prompt(shared: Stage, client: Client):
    own = [{"role": "user", "content": "hi"}]
    answer = client.chat(messages=own, model="other", user="Zoë 🚢")
    assert (answer.served_model, answer.prompt_version) == ("fault:other", "")
    assert shared.sent()["messages"] == own
    assert shared.event(answer.inference_id).user == "Zoë 🚢"


def test_the_callers_own_messages_and_model_beside_a_prompt(shared: Stage, client: Client):
    own = [{"role": "user", "content": "and this"}]
    answer = client.chat("support/triage", SAYS, messages=own, model="other", version="draft")
    assert shared.sent()["messages"][-1] == own[0]
    assert answer.served_model == "fault:other"


def test_a_stream_comes_in_pieces_and_ends_as_an_answer(shared: Stage, client: Client):
    with client.chat("support/triage", SAYS, stream=True) as stream:
        with pytest.raises(UsageError, match="not at its end"):
            _ = stream.answer
        pieces = list(stream)
    answer = stream.answer
    assert len(pieces) == 5
    assert "".join(pieces) == answer.text
    assert answer.usage is not None
    assert answer.usage["completion_tokens"] == 5
    assert answer.raw["choices"][0]["finish_reason"] == "stop"
    assert (answer.prompt_version, answer.served_model) == ("v1-draft", "fault:main")
    assert answer.cost_nanousd is None
    assert shared.event(answer.inference_id).streamed
    assert list(stream) == [], "the end stays the end"


def test_a_stream_may_do_without_usage(client: Client):
    options = {"include_usage": False}
    stream = client.chat("support/triage", SAYS, stream=True, stream_options=options)
    assert list(stream)
    assert stream.answer.usage is None


def test_connections_are_used_again(shared: Stage, client: Client):
    for _ in range(5):
        client.chat("support/triage", SAYS)
        list(client.chat("support/triage", SAYS, stream=True))
    transport = client._client._gateway._transport
    assert len(transport._all) == len(transport._free) == 1


@pytest.mark.parametrize(
    ("said", "error", "param"),
    [
        ({"prompt": "support/trage"}, UnknownPrompt, "prompt.id"),
        ({"prompt": "support/triage", "version": "v9"}, UnknownPrompt, "prompt.version"),
        ({"prompt": "support/triage"}, PromptVariables, "prompt.variables.ticket"),
        ({"messages": [{"role": "user"}], "model": "x"}, UnknownModel, "model"),
        ({"messages": [{"role": "user"}]}, MalformedRequest, "model"),
        ({"prompt": "support/triage", "user": "x" * 300}, MalformedRequest, "x-trimtab-user"),
    ],
)
def test_errors_have_the_classes_and_words_of_the_gateway(
    client: Client, said: dict[str, Any], error: type[TrimtabError], param: str
):
    with pytest.raises(error) as raised:
        client.chat(**said)
    assert type(raised.value) is error
    assert raised.value.param == param
    assert len(str(raised.value)) > 20


def test_a_message_is_the_gateways_own(shared: Stage, client: Client):
    with pytest.raises(PromptVariables) as raised:
        client.chat("support/triage", {"ticket": 3})
    body = b'{"prompt": {"id": "support/triage", "variables": {"ticket": 3}}}'
    told = shared.gateway.request("/v1/chat/completions", body).error["message"]
    assert str(raised.value) == told


def test_limits_say_when_to_come_back(project_folder: Path):
    write_triage(project_folder)
    limits = '[budgets.little]\nper = "user"\nwindow = "day"\nlimit_usd = 0.000001\n'
    with stage(project_folder, extra=limits) as on, Client(on.gateway.url) as client:
        with pytest.raises(BudgetExceeded) as raised:
            client.chat("support/triage", SAYS, user="bo")
        assert raised.value.retry_after_s is not None
        assert raised.value.retry_after_s > 1
        assert "little" in str(raised.value)


def test_a_rate_limit(project_folder: Path):
    write_triage(project_folder)
    limits = '[limits.users]\nper = "user"\nrequests_per_minute = 1\n'
    with stage(project_folder, extra=limits) as on, Client(on.gateway.url) as client:
        client.chat("support/triage", SAYS, user="ana")
        with pytest.raises(RateLimited) as raised:
            client.chat("support/triage", SAYS, user="ana")
        assert raised.value.retry_after_s is not None
        assert 0 < raised.value.retry_after_s <= 60


def test_a_key_is_sent_and_never_shown(project_folder: Path, monkeypatch: pytest.MonkeyPatch):
    write_triage(project_folder)
    (project_folder / "trimtab.toml").write_text("[server]\nport = 0\n")
    made = command("keys", "create", "app", folder=project_folder).stdout
    (key,) = [word for word in made.split() if word.startswith("tt-")]
    with stage(project_folder) as on:
        with Client(on.gateway.url, key) as client:
            assert client.chat("support/triage", SAYS).text
            assert client.prompt("support/triage").version == "v1-draft"
        for wrong in ("", "tt-wrong"):
            with Client(on.gateway.url, wrong) as client:
                with pytest.raises(InvalidKey):
                    client.chat("support/triage", SAYS)
                with pytest.raises(InvalidKey):
                    client.prompt("support/triage")
        monkeypatch.setenv("TRIMTAB_BASE_URL", on.gateway.url)
        monkeypatch.setenv("TRIMTAB_API_KEY", key)
        with Client() as client:
            assert client.chat("support/triage", SAYS).text
    provider = trimtab.Provider("http://x/v1", key, model="m")
    assert key not in repr(provider)
    assert key not in repr(settings.settings_of(None, key, cache_dir=None, timeout_s=1.0,
                                                fresh_s=1.0, fallback=None))  # fmt: skip
    with Client("http://127.0.0.1:9/v1", f"{key}\r\nx: y") as client:
        with pytest.raises(UsageError) as raised:
            client.chat("support/triage", SAYS)
        assert key not in str(raised.value)


def test_what_is_no_json_is_told_before_it_is_sent(client: Client):
    with pytest.raises(UsageError, match="JSON values"):
        client.chat("support/triage", {"ticket": object()})
    for user in ("a\r\nx-evil: b", "\ud800"):
        with pytest.raises(UsageError, match="x-trimtab-user"):
            client.chat("support/triage", SAYS, user=user)
    with pytest.raises(UnknownPrompt):
        client.prompt("\ud800?/&", "\ud800?&")


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (Behaviour(status=503), ProviderRefused),
        (Behaviour(status=418, error={"message": "odd", "code": "teapot"}), ProviderRefused),
        (Behaviour(body="not json"), ProviderGarbage),
        (Behaviour(headers_after_s=30), ProviderTimeout),
    ],
)
def test_a_failing_provider_is_told_as_such(
    project_folder: Path, behaviour: Behaviour, error: type[TrimtabError]
):
    write_triage(project_folder)
    extra = "timeouts = {ttft_s = 0.3, total_s = 0.5}"
    with stage(project_folder, behaviour, extra=extra) as on, Client(on.gateway.url) as client:
        with pytest.raises(error) as raised:
            client.chat("support/triage", SAYS)
        assert type(raised.value) is error
        assert not isinstance(raised.value, AWAY)
        if isinstance(raised.value, ProviderRefused):
            assert raised.value.status == behaviour.status
        if isinstance(raised.value, ProviderTimeout):
            assert "limit of" in str(raised.value)
            assert raised.value.limit_s == 0.0, "which does not come over the wire"


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(tokens=9, cut="close", cut_after_tokens=4),
        Behaviour(tokens=9, events=(Event(at=4, data={"error": {"message": "x"}}, last=True),)),
    ],
)
def test_a_stream_that_breaks_off_raises_and_has_no_answer(
    project_folder: Path, behaviour: Behaviour
):
    write_triage(project_folder)
    with stage(project_folder, behaviour) as on, Client(on.gateway.url) as client:
        stream = client.chat("support/triage", SAYS, stream=True)
        seen: list[str] = []
        with pytest.raises((ProviderTruncated, ProviderRefused)):
            seen.extend(stream)
        with pytest.raises(UsageError):
            _ = stream.answer


def test_tool_calls_of_a_stream_are_put_together(project_folder: Path):
    write_triage(project_folder)
    calls = (ToolCall(name="find", pieces=3), ToolCall(name="tell", pieces=2, call_id="call_2"))
    with stage(project_folder, Behaviour(tool_calls=calls)) as on, Client(on.gateway.url) as client:
        whole = client.chat("support/triage", SAYS)
        stream = client.chat("support/triage", SAYS, stream=True)
        assert list(stream) == []
        for answer in (whole, stream.answer):
            message = answer.raw["choices"][0]["message"]
            assert [call["id"] for call in message["tool_calls"]] == ["call_1", "call_2"]
            assert message["tool_calls"][0]["function"]["arguments"] == calls[0].arguments
            assert answer.text == ""


def test_json_of_an_answer(project_folder: Path):
    text = "---\nmodel: main\noutput: {schema: {team: string}}\n---\nWho?\n"
    write_files(project_folder, {"who.prompt.md": text})
    said = Behaviour(text='{"team": "billing"}')
    with (
        stage(project_folder, said, Behaviour(text="billing")) as on,
        Client(on.gateway.url) as client,
    ):
        assert client.chat("who").json() == {"team": "billing"}
        with pytest.raises(ProviderGarbage, match="not JSON"):
            client.chat("who", model="other").json()


def test_several_threads_share_a_client(shared: Stage, client: Client):
    before = len(shared.provider.calls)
    answers: list[tuple[str, str]] = []

    def call(number: int) -> None:
        for turn in range(4):
            user = f"thread-{number}-{turn}"
            if turn % 2:
                answer = client.chat("support/triage", {"ticket": user}, user=user)
            else:
                stream = client.chat("support/triage", {"ticket": user}, user=user, stream=True)
                assert "".join(stream) == stream.answer.text
                answer = stream.answer
            answers.append((user, answer.inference_id))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 24
    assert len(shared.provider.calls) == before + 24
    for user, inference_id in answers:
        assert shared.event(inference_id).user == user, "nobody gets another one's answer"


SLOW = Behaviour(tokens=1_000, token_every_s=0.05)


@pytest.mark.parametrize("streamed", [True, False])
def test_cancelling_a_call_ends_it_at_the_provider(project_folder: Path, streamed: bool):
    write_triage(project_folder)
    slow = SLOW if streamed else Behaviour(headers_after_s=60)
    with stage(project_folder, slow) as on:

        async def leave() -> None:
            async with AsyncClient(on.gateway.url) as client:
                seen = asyncio.Event()

                async def call() -> None:
                    if not streamed:
                        await client.chat("support/triage", SAYS)
                        return
                    async for _ in await client.chat("support/triage", SAYS, stream=True):
                        seen.set()

                async with asyncio.TaskGroup() as group:
                    task = group.create_task(call())
                    if streamed:
                        await seen.wait()
                    else:
                        await asyncio.to_thread(on.provider.wait_for, lambda p: len(p.calls) == 1)
                    task.cancel()
                assert not client._gateway._transport._all, "its connection is closed"
                on_provider = await asyncio.to_thread(ended, on)
                assert on_provider == "caller closed"

        asyncio.run(leave())


def ended(on: Stage) -> str:
    return wait_until(lambda: on.provider.calls[0].ended_by)


def test_closing_a_stream_early_ends_it_at_the_provider(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder, SLOW) as on, Client(on.gateway.url) as client:
        with client.chat("support/triage", SAYS, stream=True) as stream:
            assert next(stream)
        assert ended(on) == "caller closed"
        assert list(stream) == []


def test_a_stream_that_is_forgotten_ends_at_the_provider(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder, SLOW) as on, Client(on.gateway.url) as client:
        stream = client.chat("support/triage", SAYS, stream=True)
        assert next(stream)
        del stream
        gc.collect()
        assert ended(on) == "caller closed"


def test_closing_a_client_ends_its_thread_and_its_calls(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder, SLOW) as on:
        client = Client(on.gateway.url)
        stream = client.chat("support/triage", SAYS, stream=True)
        assert next(stream)
        client.close()
        client.close()
        assert ended(on) == "caller closed"
        assert not [thread for thread in threading.enumerate() if thread.name == "trimtab-client"]
        stream.close()
        with pytest.raises(UsageError, match="is closed"):
            client.chat("support/triage", SAYS)


def test_a_client_that_is_forgotten_leaves_no_thread():
    script = (
        "import threading, trimtab\n"
        "client = trimtab.Client('http://127.0.0.1:9/v1')\n"
        "try: client.chat('x')\n"
        "except trimtab.GatewayUnreachable: pass\n"
        "assert threading.active_count() == 2\n"
        "del client\n"
        "assert threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_a_fork_is_told_and_does_not_hang():
    script = (
        "import os, trimtab\n"
        "client = trimtab.Client('http://127.0.0.1:9/v1')\n"
        "def error():\n"
        "    try: client.prompt('x')\n"
        "    except trimtab.errors.TrimtabError as error: return type(error).__name__\n"
        "assert error() == 'GatewayUnreachable'\n"
        "child = os.fork()\n"
        "if not child: os._exit(error() != 'UsageError')\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert error() == 'GatewayUnreachable'\n"
        "client.close()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


def test_the_shop_window():
    assert len(trimtab.__all__) <= 30
    for name in trimtab.__all__:
        assert getattr(trimtab, name) is getattr(package, name)
    assert set(package.__all__) == set(trimtab.__all__)
    with pytest.raises(AttributeError, match="no attribute"):
        _ = trimtab.Nothing  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]


def test_what_counts_as_away():
    assert LedgerUnavailable in AWAY
    assert not issubclass(ProviderTimeout, AWAY)
    assert TrimtabError not in AWAY


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8080", "ftp://x/v1", "http://", "http://u:p@h/v1", "http://h/v1?key=1",
     "http://h:99999/v1", "http://[::1/v1", "http://h/v1\r\nx: y"],
)  # fmt: skip
def test_addresses_that_are_none(url: str):
    with pytest.raises(UsageError) as raised:
        Client(url)
    assert "u:p" not in str(raised.value)
