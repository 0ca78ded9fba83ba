"""Chat while the gateway is away: what leads to the fallback, what never does, what it sends."""

import asyncio
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from client.stage import CORPUS, Stage, stage, write_corpus, write_triage
from harness import wait_until
from server.wire import Peer, RawServer, head
from trimtab import (
    AnswerTimeout,
    AsyncClient,
    Client,
    GatewayGarbage,
    GatewayUnreachable,
    Provider,
)
from trimtab.errors import (
    LedgerUnavailable,
    PromptVariables,
    ProviderRefused,
    ProviderRejectedKey,
    ProviderTruncated,
    ProviderUnreachable,
    TrimtabError,
)
from trimtab.testing import Behaviour, running_fault_provider

SAYS = {"ticket": "lost"}
SLOW = Behaviour(tokens=400, token_every_s=0.02)


def direct(on: Stage) -> Provider:
    return Provider(on.provider.base_url, "sk-direct", model="fault:direct")


def test_a_killed_gateway_is_gone_around(project_folder: Path, caplog: pytest.LogCaptureFixture):
    write_corpus(project_folder)
    with stage(project_folder) as on, Client(on.gateway.url, fallback=direct(on)) as client:
        sent: dict[str, dict[str, Any]] = {}
        for name, (_, variables) in CORPUS.items():
            assert not client.chat(name, variables, temperature=0.5, user="ana").stale
            sent[name] = on.sent()
        on.gateway.kill()
        for name, (_, variables) in CORPUS.items():
            answer = client.chat(name, variables, temperature=0.5, user="ana")
            assert answer.stale
            assert answer.text
            assert (answer.prompt_version, answer.served_model) == ("v1-draft", "fault:direct")
            assert (answer.cost_nanousd, answer.inference_id) == (None, "")
            call = on.provider.calls[-1]
            assert json.loads(call.body) == {**sent[name], "model": "fault:direct"}
            assert call.headers["authorization"] == "Bearer sk-direct"
            assert not [name for name in call.headers if name.startswith("x-trimtab")]
    assert [record.levelno for record in caplog.records] == [logging.WARNING], "once an outage"
    assert "sk-direct" not in caplog.text


@pytest.mark.parametrize(
    "own", [{"max_tokens": 7}, {"max_completion_tokens": 7}, {"max_tokens": None}, {"tools": []}]
)
def test_what_the_caller_says_wins_here_as_there(project_folder: Path, own: dict[str, Any]):
    write_corpus(project_folder)
    with stage(project_folder) as on, Client(on.gateway.url, fallback=direct(on)) as client:
        for name in ("triage", "folder/with-partial"):
            client.chat(name, CORPUS[name][1], **own)
        sent = [json.loads(call.body) for call in on.provider.calls]
        on.gateway.kill()
        for name, there in zip(("triage", "folder/with-partial"), sent, strict=True):
            client.chat(name, CORPUS[name][1], **own)
            assert on.sent() == {**there, "model": "fault:direct"}


def test_streams_and_messages_without_a_prompt_go_around_too(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder) as on, Client(on.gateway.url, fallback=direct(on)) as client:
        client.chat("support/triage", SAYS)
        on.gateway.kill()
        stream = client.chat("support/triage", SAYS, stream=True)
        assert "".join(stream) == stream.answer.text != ""
        assert stream.answer.stale
        assert stream.answer.prompt_version == "v1-draft"
        own = [{"role": "user", "content": "hi"}]
        assert client.chat(messages=own, model="main").stale
        assert on.sent()["messages"] == own
        with pytest.raises(PromptVariables):
            client.chat("support/triage", {"ticket": 3})


def test_a_new_process_goes_around_with_files_from_the_disk(project_folder: Path, tmp_path: Path):
    write_triage(project_folder)
    with stage(project_folder) as on:
        with Client(on.gateway.url, cache_dir=tmp_path / "cache") as client:
            client.prompt("support/triage")
        on.gateway.kill()
        cache = tmp_path / "cache"
        with Client(on.gateway.url, fallback=direct(on), cache_dir=cache) as client:
            assert client.chat("support/triage", SAYS).stale
            with pytest.raises(GatewayUnreachable, match="never fetched"):
                client.chat("other", SAYS)


def test_without_a_fallback_the_error_says_what_can_be_done(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder) as on, Client(on.gateway.url) as client:
        client.chat("support/triage", SAYS)
        on.gateway.kill()
        for streamed in (True, False):
            with pytest.raises(GatewayUnreachable, match=r"trimtab up.*fallback=Provider"):
                client.chat("support/triage", SAYS, stream=streamed)


def test_what_the_gateway_refuses_is_refused(project_folder: Path):
    write_triage(project_folder)
    refused = Behaviour(status=503)
    with (
        stage(project_folder, refused) as on,
        Client(on.gateway.url, fallback=direct(on)) as client,
    ):
        with pytest.raises(PromptVariables):
            client.chat("support/triage", {"ticket": 3})
        with pytest.raises(ProviderRefused):
            client.chat("support/triage", SAYS)
        assert len(on.provider.calls) == 1, "a provider that fails is no gateway that is away"


def test_a_provider_that_cannot_be_reached_is_the_gateways_matter(project_folder: Path):
    write_triage(project_folder)
    extra = (
        '[providers.nowhere]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
        '[models.lost]\nref = "nowhere:m"\n'
        "price = {input_usd_per_mtok = 1, output_usd_per_mtok = 1}\n"
    )
    with (
        stage(project_folder, extra=extra) as on,
        Client(on.gateway.url, fallback=direct(on)) as client,
    ):
        with pytest.raises(ProviderUnreachable):
            client.chat("support/triage", SAYS, model="lost")
        assert not on.provider.calls


def test_after_the_first_token_nobody_else_is_asked(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder, SLOW) as on, Client(on.gateway.url, fallback=direct(on)) as client:
        stream = client.chat("support/triage", SAYS, stream=True)
        assert next(stream)
        on.gateway.kill()
        with pytest.raises(ProviderTruncated):
            list(stream)
        assert len(on.provider.calls) == 1


def test_a_gateway_killed_while_it_thinks_is_gone_around(project_folder: Path):
    write_triage(project_folder)
    slow = Behaviour(headers_after_s=60)
    with stage(project_folder, slow) as on, Client(on.gateway.url, fallback=direct(on)) as client:
        answers: list[Any] = []
        caller = threading.Thread(
            target=lambda: answers.append(client.chat("support/triage", SAYS))
        )
        caller.start()
        on.provider.wait_for(lambda provider: len(provider.calls) == 1)
        wait_until(lambda: client._client._bundles._seen)
        on.gateway.kill()
        caller.join(30)
        assert answers[0].stale


def test_cancelling_a_call_around_the_gateway_closes_its_connection(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder) as on, running_fault_provider(Behaviour(headers_after_s=60)) as slow:

        async def leave() -> None:
            fallback = Provider(slow.base_url, model="m")
            async with AsyncClient(on.gateway.url, fallback=fallback) as client:
                await client.chat("support/triage", SAYS)
                on.gateway.kill()
                async with asyncio.TaskGroup() as group:
                    task = group.create_task(client.chat("support/triage", SAYS))
                    await asyncio.to_thread(slow.wait_for, lambda p: len(p.calls) == 1)
                    task.cancel()

        asyncio.run(leave())
        wait_until(lambda: slow.calls[0].ended_by == "caller closed")


# ------------------------------------------------------------------ a gateway that is scripted


def reply(status: str, body: bytes, *headers: str) -> bytes:
    return head(f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers) + body


def ours(code: str, kind: str = "server_error") -> bytes:
    return json.dumps({"error": {"message": "told", "type": kind, "code": code}}).encode()


ID = "x-request-id: inf_1"
GONE_AROUND = {
    "nginx": reply("502 Bad Gateway", b"<html>nginx</html>"),
    "balancer": reply("503 Service Unavailable", b'{"error": {"message": "no backend"}}'),
    "ledger": reply("503 Service Unavailable", ours("ledger_unavailable"), ID, "retry-after: 2"),
    "stopping": reply("503 Service Unavailable", ours("shutting_down"), ID),
    "full": reply("503 Service Unavailable", ours("overloaded"), ID),
    "closed": b"",
}
REFUSED: dict[str, tuple[bytes, type[TrimtabError]]] = {
    "busy": (reply("503 x", ours("provider_busy", "upstream_error"), ID), TrimtabError),
    "of the provider": (reply("503 x", ours("their_word"), ID), ProviderRefused),
    "redirect": (reply("302 Found", b"", "location: http://127.0.0.1:9/"), GatewayGarbage),
    "no gateway": (reply("404 Not Found", b"<html></html>"), GatewayGarbage),
    "no HTTP": (b"SSH-2.0-OpenSSH_9\r\n\r\n", GatewayGarbage),
    "half a head": (b"HTTP/1.1 503 Service Unav", ProviderTruncated),
    "half a body": (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", ProviderTruncated),
    "compressed": (reply("200 OK", b"x", "content-encoding: gzip"), GatewayGarbage),
    "endless head": (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 60_000, GatewayGarbage),
    "not a completion": (reply("200 OK", b"[]"), TrimtabError),
}
HI = [{"role": "user", "content": "hi"}]


def scripted(answer: bytes) -> RawServer:
    def play(peer: Peer) -> None:
        if peer.read_request() and answer:
            peer.send(answer)

    server = RawServer()
    server.play(play)
    return server


@pytest.mark.parametrize("case", GONE_AROUND)
def test_a_gateway_that_serves_nobody_is_gone_around(case: str):
    server = scripted(GONE_AROUND[case])
    url = f"http://127.0.0.1:{server.port}/v1"
    with running_fault_provider() as provider:
        with Client(url, fallback=Provider(provider.base_url, model="m")) as client:
            assert client.chat(messages=HI, model="x").stale
        with Client(url) as client, pytest.raises(TrimtabError) as raised:
            client.chat(messages=HI, model="x")
        assert len(provider.calls) == 1
    if case == "ledger":
        assert isinstance(raised.value, LedgerUnavailable)
        assert raised.value.retry_after_s == 2.0
    server.close()


@pytest.mark.parametrize("case", REFUSED)
def test_all_else_is_told_and_nobody_else_is_asked(case: str):
    answer, error = REFUSED[case]
    server = scripted(answer)
    url = f"http://127.0.0.1:{server.port}/v1"
    with running_fault_provider() as provider:
        fallback = Provider(provider.base_url, model="m")
        with Client(url, fallback=fallback) as client, pytest.raises(error):
            client.chat(messages=HI, model="x")
        assert not provider.calls
    server.close()


def test_silence_is_no_absence():
    with running_fault_provider(Behaviour(headers_after_s=60)) as silent:
        fallback = Provider(silent.base_url, model="m")
        with (
            Client(silent.base_url, timeout_s=0.2, fallback=fallback) as client,
            pytest.raises(AnswerTimeout, match=r"0\.2 s"),
        ):
            client.chat(messages=HI, model="x")
        assert len(silent.calls) == 1


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (Behaviour(status=401, error={"message": "sk-secret is wrong"}), ProviderRejectedKey),
        (Behaviour(status=429, headers={"retry-after": "2"}), ProviderRefused),
        (Behaviour(cut="reset"), ProviderUnreachable),
        (Behaviour(raw="nonsense\r\n\r\n"), TrimtabError),
    ],
)
def test_a_fallback_that_fails_is_told_as_what_it_is(
    behaviour: Behaviour, error: type[TrimtabError]
):
    with running_fault_provider(behaviour) as provider:
        fallback = Provider(provider.base_url, "sk-secret", model="m")
        with (
            Client("http://127.0.0.1:9/v1", fallback=fallback) as client,
            pytest.raises(error) as raised,
        ):
            client.chat(messages=HI)
        assert "sk-secret" not in str(raised.value)
