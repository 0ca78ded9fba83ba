"""Faults of our own machine: a full disk, a locked ledger, a wrong project file, a new key."""

import json
import resource
import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from harness import Gateway, Reply, project_text, running_gateway, trimtab, wait_until
from trimtab.archive import verify_store
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider
from whole.book import Book
from whole.wire import chat_body

Breakage = Callable[[Gateway], AbstractContextManager[None]]

TOKENS = 6
SLOW = '[models.slow]\nref = "fake:slow"\nprice = {input_usd_per_mtok = 1, output_usd_per_mtok = 2}'
SECOND = """
[models.second]
ref = "fake:gpt-test"
price = {input_usd_per_mtok = 7, output_usd_per_mtok = 9}
"""


def script(stall_s: float) -> Script:
    """The model `slow` falls silent in the middle of a stream."""
    pause = Behaviour(tokens=TOKENS, stall_after_tokens=TOKENS // 2, stall_s=stall_s)
    return Script(models={"slow": (pause,)})


class OpenStream:
    """A stream of which half has been read."""

    def __init__(self, gateway: Gateway) -> None:
        self._connection = HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        self._connection.request(
            "POST", "/v1/chat/completions", chat_body("slow", stream=True, user="stream")
        )
        self._answer: HTTPResponse = self._connection.getresponse()
        assert self._answer.status == 200
        self.request_id = self._answer.headers["x-request-id"]
        tokens = 0
        while tokens < TOKENS // 2:
            tokens += b'"content":"' in self._answer.readline().replace(b'"content":""', b"")

    def rest(self) -> bytes:
        """Everything to the end."""
        return self._answer.read()

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()
        self._connection.close()


@contextmanager
def full_disk(gateway: Gateway) -> Generator[None]:
    """The gateway cannot write to any file: a limit at today's size would leave it old room."""
    pid, kind = gateway.process.pid, resource.RLIMIT_FSIZE
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, kind, before)


@contextmanager
def locked_ledger(gateway: Gateway) -> Generator[None]:
    """Another process holds the lock of the ledger."""
    path = gateway.folder / ".trimtab" / "ledger.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def assert_refused(reply: Reply) -> None:
    """503 in OpenAI's shape, with the time after which to come again."""
    assert reply.status == 503, reply.body
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.error.keys() == {"message", "type", "param", "code"}
    assert reply.error["code"] == "ledger_unavailable"
    assert reply.error["type"] == "server_error"
    assert "x-request-id" in reply.headers


def users_of_calls(provider: RunningFaultProvider) -> list[str]:
    return [json.loads(call.body)["user"] for call in provider.calls]


def settled_users(folder: Path) -> list[str]:
    entries = Book(folder).read()
    return [entries.intents[attempt]["caller"]["user"] for attempt in entries.settles]


@pytest.mark.parametrize("broken", [full_disk, locked_ledger])
def test_without_a_ledger_nothing_is_served(project_folder: Path, broken: Breakage):
    file = project_folder / "trimtab.toml"
    with (
        running_fault_provider(script(stall_s=1.0)) as provider,
        running_gateway(project_folder, project_text(provider.base_url, extra=SLOW)) as gateway,
        closing(OpenStream(gateway)) as stream,
    ):
        assert gateway.chat(user="before").status == 200
        with broken(gateway):
            assert_refused(gateway.chat(user="first", stream=True))
            calls = len(provider.calls)
            for number in range(6):
                assert_refused(gateway.chat(user=f"later{number}", stream=bool(number % 2)))
            assert len(provider.calls) == calls
            ready = gateway.request("/readyz")
            assert ready.status == 503
            assert ready.error["code"] == "ledger_unavailable"
            assert gateway.request("/healthz").status == 200
            provider.wait_for(lambda it: all(call.ended_by for call in it.calls))
            assert "stream" not in settled_users(project_folder)
        wait_until(lambda: gateway.request("/readyz").status == 200)
        rest = stream.rest()
        assert rest.endswith(b"data: [DONE]\n\n"), rest
        event = wait_until(lambda: gateway.reader().event(stream.request_id))
        assert (event.outcome, event.output_tokens) == ("ok", TOKENS)
        assert gateway.chat(user="after").status == 200
        assert gateway.wait_for_log("cannot be written")
        assert gateway.wait_for_log("can be written again")
        # Whatever reached the provider is on record, the refused one too.
        called = sorted(users_of_calls(provider))
        wait_until(lambda: sorted(settled_users(project_folder)) == called)
        report = verify_store(file)
        assert report.ok, report.findings
        assert report.unsettled == report.in_flight == 0


@pytest.mark.parametrize("broken", [full_disk, locked_ledger])
def test_a_whole_answer_is_not_sent_unrecorded(project_folder: Path, broken: Breakage):
    with (
        running_fault_provider() as provider,
        running_gateway(project_folder, project_text(provider.base_url)) as gateway,
    ):
        assert gateway.chat(user="before").status == 200
        with broken(gateway):
            assert_refused(gateway.chat(user="first"))
        wait_until(lambda: gateway.request("/readyz").status == 200)
        wait_until(lambda: settled_users(project_folder) == users_of_calls(provider))
        assert verify_store(project_folder / "trimtab.toml").ok


@pytest.mark.parametrize("broken", [full_disk, locked_ledger])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("first_token_after_s", [0.0, 1.5])
def test_no_byte_is_served_whose_intent_failed(
    project_folder: Path, broken: Breakage, stream: bool, first_token_after_s: float
):
    # The intent fails before the provider's first token, or after it.
    behaviour = Behaviour(first_token_after_s=first_token_after_s)
    with (
        running_fault_provider(behaviour) as provider,
        running_gateway(project_folder, project_text(provider.base_url)) as gateway,
    ):
        with broken(gateway):
            assert_refused(gateway.chat(user="first", stream=stream))
        wait_until(lambda: gateway.request("/readyz").status == 200)
        wait_until(lambda: settled_users(project_folder) == users_of_calls(provider))


def test_what_waits_for_the_ledger_outlives_a_stop(project_folder: Path):
    with (
        running_fault_provider(script(stall_s=0.3)) as provider,
        running_gateway(project_folder, project_text(provider.base_url, extra=SLOW)) as gateway,
        closing(OpenStream(gateway)) as stream,
    ):
        with locked_ledger(gateway):
            provider.wait_for(lambda it: all(call.ended_by for call in it.calls))
            gateway.wait_for_log("cannot be written")
            gateway.process.terminate()
        assert stream.rest().endswith(b"data: [DONE]\n\n")
    assert settled_users(project_folder) == ["stream"]
    assert verify_store(project_folder / "trimtab.toml").ok


def change(gateway: Gateway, text: str) -> None:
    """Put a new project file in place of the old one, as an editor does."""
    new = gateway.folder / "trimtab.toml.new"
    new.write_text(text)
    new.replace(gateway.folder / "trimtab.toml")


def test_a_changed_project_is_taken_up_under_way(project_folder: Path):
    with running_fault_provider(script(stall_s=3.0)) as provider:
        text = project_text(provider.base_url, extra=SLOW)
        with (
            running_gateway(project_folder, text) as gateway,
            closing(OpenStream(gateway)) as stream,
        ):
            assert gateway.chat(model="second").status == 404
            change(gateway, text + SECOND)
            gateway.wait_for_log("project reloaded")
            reply = gateway.chat(model="second")
            assert reply.status == 200
            usage = reply.json["usage"]
            cost = usage["prompt_tokens"] * 7_000 + usage["completion_tokens"] * 9_000
            assert reply.headers["x-trimtab-cost-nanousd"] == str(cost)
            assert provider.calls[0].ended_by == ""
            assert stream.rest().endswith(b"data: [DONE]\n\n")
            models = gateway.request("/v1/models").json["data"]
            assert {model["id"] for model in models} >= {"fast", "slow", "second"}


def test_a_wrong_project_changes_nothing_and_says_where(project_folder: Path):
    with running_fault_provider(script(stall_s=2.0)) as provider:
        text = project_text(provider.base_url, extra=SLOW)
        with (
            running_gateway(project_folder, text) as gateway,
            closing(OpenStream(gateway)) as stream,
        ):
            wrong = text + SECOND + "max_output_tokns = 5\n"
            change(gateway, wrong)
            line = wrong.splitlines().index("max_output_tokns = 5") + 1
            said = gateway.wait_for_log(rf"trimtab\.toml:{line}\b")
            assert "max_output_tokns" in said
            assert gateway.chat().status == 200
            assert gateway.chat(model="second").status == 404
            assert stream.rest().endswith(b"data: [DONE]\n\n")
            change(gateway, "[[[")
            gateway.wait_for_log(r"trimtab\.toml:1\b")
            assert gateway.chat().status == 200
            change(gateway, text + SECOND)
            gateway.wait_for_log("project reloaded")
            assert gateway.chat(model="second").status == 200


def test_the_first_key_closes_an_open_gateway_at_once(project_folder: Path):
    with (
        running_fault_provider() as provider,
        running_gateway(project_folder, project_text(provider.base_url)) as gateway,
    ):
        assert gateway.chat().status == 200
        made = trimtab("keys", "create", "web", "--json", folder=project_folder)
        with_key = {"authorization": f"Bearer {json.loads(made.stdout)['secret']}"}
        without = gateway.chat()
        assert (without.status, without.error["code"]) == (401, "invalid_api_key")
        assert gateway.request("/v1/models").status == 401
        reply = gateway.chat(headers=with_key)
        assert reply.status == 200
        event = wait_until(lambda: gateway.reader().event(reply.headers["x-request-id"]))
        assert event.key_id == json.loads(made.stdout)["key"]["key_id"]
        revoked = trimtab("keys", "revoke", "web", folder=project_folder)
        assert revoked.returncode == 0, revoked.stderr
        assert gateway.chat(headers=with_key).status == 401
        assert gateway.chat().status == 401  # revoking the last key does not open it again
        assert len(provider.calls) == 2
