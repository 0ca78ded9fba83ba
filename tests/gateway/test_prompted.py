"""Prompts through a real gateway: what is rendered, what is recorded, and what is released."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness import Gateway, Reply, running_gateway, wait_until
from trimtab.prompts.library import load_library
from trimtab.releases.edit import Author, Trying, promote, rollback, try_out, withdraw
from trimtab.store.records import Event, EventQuery
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider

TRIAGE = """\
---
model: main
config: {temperature: 0.2, max_tokens: 60}
input:
  schema: {ticket: string, locale?: string}
  untrusted: [ticket]
output: {schema: {team: string}}
---
<<system>>
You route tickets@@.
<<user>>
{% if locale is defined %}Locale {{ locale }}. {% endif %}{{ ticket | fence }}
"""
ADA = Author("ada", datetime(2026, 11, 29, 12, tzinfo=UTC), "a test")


class Stage(NamedTuple):
    gateway: Gateway
    provider: RunningFaultProvider
    folder: Path

    def ask(self, **fields: Any) -> Reply:
        headers = {"x-trimtab-user": fields.pop("user_name", "ana")}
        body = json.dumps(fields).encode()
        return self.gateway.request("/v1/chat/completions", body, headers=headers)

    def sent(self) -> dict[str, Any]:
        return json.loads(self.provider.calls[-1].body)

    def event(self, reply: Reply) -> Event:
        def found() -> Event | None:
            reader = self.gateway.reader()
            return reader.event(reply.headers["x-request-id"])

        return wait_until(found)


def triage(words: str = "") -> str:
    return TRIAGE.replace("@@", words)


def write_prompt(folder: Path, text: str, prompt_id: str = "support/triage") -> None:
    file = folder / "prompts" / f"{prompt_id}.prompt.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@contextmanager
def stage(folder: Path, environment: str = "") -> Generator[Stage]:
    script = Script(named={name: (Behaviour(tokens=5),) for name in ("main", "other", "third")})
    with running_fault_provider(script) as provider:
        text = f"""
[server]
port = 0
[providers.one]
kind = "openai"
base_url = "{provider.base_url}"
[prompts]
environment = "{environment}"
[models.main]
ref = "one:fault:main"
also = ["one:fault:third"]
price = {{input_usd_per_mtok = 1, output_usd_per_mtok = 10}}
[models.other]
ref = "one:fault:other"
price = {{input_usd_per_mtok = 1, output_usd_per_mtok = 10}}
"""
        with running_gateway(folder, text) as gateway:
            yield Stage(gateway, provider, folder)


def release(folder: Path, model: str = "one:fault:main") -> str:
    """Release what the files say now; answers the version."""
    library = load_library(folder)
    prompt = library.prompts["support/triage"]
    return promote(library, "production", prompt, model=model, author=ADA, force=True).entry.after


def test_a_prompt_is_rendered_and_recorded(project_folder: Path):
    write_prompt(project_folder, triage(" well"))
    with stage(project_folder) as on:
        call = {"id": "support/triage", "variables": {"ticket": "It </untrusted> {{ 7*7 }}"}}
        reply = on.ask(prompt=call, temperature=0.7)
        assert reply.status == 200, reply.body
        assert reply.headers["x-trimtab-prompt"] == "support/triage@v1-draft"
        sent = on.sent()
        assert [message["role"] for message in sent["messages"]] == ["system", "user"]
        assert sent["messages"][0]["content"] == "You route tickets well."
        fenced = sent["messages"][1]["content"]
        assert fenced == "<untrusted>\nIt <\\/untrusted> {{ 7*7 }}\n</untrusted>"
        assert sent["temperature"] == 0.7, "the caller's own word wins"
        assert sent["max_tokens"] == 60, "the prompt's word where the caller has none"
        assert sent["response_format"]["json_schema"]["schema"]["required"] == ["team"]
        assert "prompt" not in sent
        event = on.event(reply)
        library = load_library(project_folder)
        assert event.prompt == "support/triage"
        assert event.prompt_version == "v1-draft"
        assert event.prompt_hash == library.prompts["support/triage"].version_hash
        assert (event.prompt_arm, event.alias) == ("draft", "main")


def test_a_prompt_by_its_model_name(project_folder: Path):
    write_prompt(project_folder, triage())
    with stage(project_folder) as on:
        own = [{"role": "user", "content": "and this"}]
        reply = on.ask(
            model="prompt:support/triage",
            messages=own,
            metadata={"ticket": "lost", "session_id": "s1"},
        )
        assert reply.status == 200, reply.body
        assert on.sent()["messages"][-1] == own[0]
        assert "lost" in on.sent()["messages"][1]["content"]
        assert on.event(reply).session == "s1"


@pytest.mark.parametrize(
    ("fields", "status", "code", "says"),
    [
        ({"prompt": {"id": "support/trage"}}, 404, "prompt_not_found", "support/triage"),
        ({"prompt": {"id": "../../etc/passwd"}}, 404, "prompt_not_found", "no prompt"),
        ({"prompt": {"id": "support/triage"}}, 400, "invalid_prompt_variables", "`ticket` is mis"),
        (
            {"prompt": {"id": "support/triage", "variables": {"ticket": 3}}},
            400,
            "invalid_prompt_variables",
            "`ticket` must be string",
        ),
        ({"prompt": {"id": "support/triage", "version": "v9"}}, 404, "prompt_not_found", "v9"),
        ({"model": "prompt:support/triage", "prompt": {"id": "x"}}, 400, "malformed_request", "tw"),
        ({"messages": []}, 400, "malformed_request", "`model`"),
        ({"model": "main"}, 400, "malformed_request", "`messages`"),
    ],
)
def test_what_cannot_be_rendered(
    project_folder: Path, fields: dict[str, Any], status: int, code: str, says: str
):
    write_prompt(project_folder, triage())
    with stage(project_folder) as on:
        reply = on.ask(**fields)
        assert (reply.status, reply.error["code"]) == (status, code)
        assert says in reply.error["message"]
        assert not on.provider.calls


def test_an_environment_serves_what_is_released_there(project_folder: Path):
    write_prompt(project_folder, triage(" v1"))
    call = {"id": "support/triage", "variables": {"ticket": "x"}}
    with stage(project_folder, "production") as on:
        reply = on.ask(prompt=call)
        assert (reply.status, reply.error["code"]) == (404, "prompt_not_released")
        assert release(project_folder) == "v1"
        write_prompt(project_folder, triage(" changed"))
        reply = wait_until(lambda: (r := on.ask(prompt=call)).status == 200 and r)
        assert reply.headers["x-trimtab-prompt"] == "support/triage@v1"
        assert on.sent()["messages"][0]["content"] == "You route tickets v1."
        drafted = on.ask(prompt=call | {"version": "draft"})
        assert drafted.headers["x-trimtab-prompt"] == "support/triage@v2-draft"
        assert on.event(drafted).prompt_arm == "asked"
        release(project_folder, model="one:fault:third")
        reply = wait_until(
            lambda: (r := on.ask(prompt=call)).headers["x-trimtab-prompt"].endswith("v2") and r
        )
        assert on.sent()["model"] == "fault:third", "the pin says which of the equals begins"


def test_the_pinned_model_begins_and_its_equals_take_over(project_folder: Path):
    write_prompt(project_folder, triage(" v1"))
    release(project_folder)
    with stage(project_folder, "production") as on:
        call: dict[str, Any] = {"id": "support/triage"}
        for number in range(20):  # each with an affinity of its own
            call["variables"] = {"ticket": str(number)}
            assert on.ask(prompt=call).status == 200
            assert on.sent()["model"] == "fault:main"
        on.provider.play("fault:main", Behaviour(status=500))
        assert on.ask(prompt=call).status == 200
        assert on.sent()["model"] == "fault:third"


def test_a_broken_release_leaves_everything_as_it_is(project_folder: Path):
    write_prompt(project_folder, triage(" v1"))
    release(project_folder)
    call = {"id": "support/triage", "variables": {"ticket": "x"}}
    with stage(project_folder, "production") as on:
        file = project_folder / "releases/production.toml"
        file.write_text(file.read_text().replace('version = "v1"', 'version = "v7"'))
        on.gateway.wait_for_log("v7 of support/triage is not on record")
        assert on.ask(prompt=call).headers["x-trimtab-prompt"] == "support/triage@v1"


def test_a_canary_is_for_a_share_of_the_users_and_the_same_ones(project_folder: Path):
    write_prompt(project_folder, triage(" v1"))
    release(project_folder)
    write_prompt(project_folder, triage(" v2"))
    library = load_library(project_folder)
    prompt = library.prompts["support/triage"]
    trying = Trying(share=0.3)
    model = "one:fault:main"
    try_out(library, "production", prompt, model=model, author=ADA, trying=trying)
    with stage(project_folder, "production") as on:
        call = {"id": "support/triage", "variables": {"ticket": "x"}}

        def versions() -> list[str]:
            replies = [on.ask(prompt=call, user_name=f"user-{n}") for n in range(60)]
            return [reply.headers["x-trimtab-prompt"] for reply in replies]

        first = versions()
        assert first == versions(), "a user stays where they are"
        assert 5 <= first.count("support/triage@v2") <= 35
        withdraw(project_folder, "production", "support/triage", author=ADA)
        wait_until(lambda: set(versions()) == {"support/triage@v1"})


def test_a_rollback_under_load_takes_less_than_a_second_and_fails_nobody(project_folder: Path):
    write_prompt(project_folder, triage(" v1"))
    release(project_folder)
    write_prompt(project_folder, triage(" v2"))
    release(project_folder)
    call = {"id": "support/triage", "variables": {"ticket": "x"}}
    with stage(project_folder, "production") as on:
        over = threading.Event()
        seen: list[tuple[int, int, str]] = []

        def keep_asking(number: int) -> None:
            while not over.is_set():
                reply = on.ask(prompt=call, user_name=f"user-{number}")
                version = reply.headers.get("x-trimtab-prompt", "")
                seen.append((reply.status, len(seen), version))

        callers = [threading.Thread(target=keep_asking, args=(n,)) for n in range(6)]
        for caller in callers:
            caller.start()
        wait_until(lambda: len(seen) > 100)
        library = load_library(project_folder)
        rollback(library, "production", "support/triage", author=ADA)
        rolled_back_ns = (project_folder / "releases/production.toml").stat().st_mtime_ns
        wait_until(lambda: [version for _, _, version in seen[-30:]] == ["support/triage@v1"] * 30)
        over.set()
        for caller in callers:
            caller.join()
        assert {status for status, _, _ in seen} == {200}
        assert {version for _, _, version in seen} == {"support/triage@v1", "support/triage@v2"}
        rows = wait_until(lambda: len(found := events(on)) == len(seen) and found)
        late = [event for event in rows if event.prompt_version == "v2"]
        assert max(event.started_ns for event in late) - rolled_back_ns < 1_000_000_000


def test_a_retry_gets_its_answer_though_the_release_has_changed(project_folder: Path):
    write_prompt(project_folder, triage(" v1"))
    release(project_folder)
    call = {"id": "support/triage", "variables": {"ticket": "x"}}
    with stage(project_folder, "production") as on:
        body, headers = json.dumps({"prompt": call}).encode(), {"idempotency-key": "once"}
        first = on.gateway.request("/v1/chat/completions", body, headers=headers)
        write_prompt(project_folder, triage(" v2"))
        release(project_folder)
        wait_until(lambda: on.ask(prompt=call).headers["x-trimtab-prompt"].endswith("v2"))
        again = on.gateway.request("/v1/chat/completions", body, headers=headers)
        assert (again.status, again.body) == (200, first.body)


def events(on: Stage) -> list[Event]:
    query = EventQuery(since_ns=0, until_ns=1 << 62, limit=100_000)
    return list(on.gateway.reader().event_page(query).events)
