"""Budgets through the real server: what is refused, clamped, cut, and what comes back."""

import http.client
import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness import NO_BREAKERS, Gateway, Reply, running_gateway, wait_until
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider
from trimtab.types.money import NANO_PER_USD

# 1 dollar per million tokens of input, 10 of output: 1,000 and 10,000 nano-dollars a token.
PRICE = "{input_usd_per_mtok = 1, output_usd_per_mtok = 10}"
INPUT, OUTPUT = 1_000, 10_000


class Stage(NamedTuple):
    gateway: Gateway
    provider: RunningFaultProvider

    def ask(self, user: str = "ana", *, max_tokens: int | None = 20, **fields: Any) -> Reply:
        limit = {} if max_tokens is None else {"max_tokens": max_tokens}
        return self.gateway.chat(
            headers={"x-trimtab-user": user}, **({"model": "main"} | limit | fields)
        )

    def cost(self, reply: Reply) -> int:
        request_id = reply.headers["x-request-id"]
        event = wait_until(lambda: self.gateway.reader().event(request_id))
        return event.cost_nanousd


@contextmanager
def stage(
    folder: Path,
    budgets: str,
    *,
    main: Behaviour | tuple[Behaviour, ...] | None = None,
    extra: str = "",
    server: str = "",
    hidden: str = "hidden_reasoning = false",
) -> Generator[Stage]:
    healthy = (Behaviour(),)
    main = main or Behaviour(tokens=20)
    named = {"main": main if isinstance(main, tuple) else (main,)}
    script = Script(named=named | dict.fromkeys(("cheap", "dear", "free", "odd"), healthy))
    with running_fault_provider(script) as provider:
        text = f"""
[server]
port = 0
{server}
[providers.one]
kind = "openai"
base_url = "{provider.base_url}"
[models.main]
ref = "one:fault:main"
price = {PRICE}
{hidden}
[models.cheap]
ref = "one:fault:cheap"
price = {{input_usd_per_mtok = 0.1, output_usd_per_mtok = 0.1}}
[routes.default]
timeouts = {{ttft_s = 5, idle_s = 5, total_s = 10}}
retries = 0
{NO_BREAKERS}
{budgets}
{extra}
"""
        with running_gateway(folder, text) as gateway:
            yield Stage(gateway, provider)


def usd(nanousd: int) -> str:
    return f"{nanousd / NANO_PER_USD:.9f}"


def per_user(nanousd: int, **more: str) -> str:
    rest = "\n".join(f"{key} = {value}" for key, value in more.items())
    return f'[budgets.daily]\nper = "user"\nwindow = "day"\nlimit_usd = {usd(nanousd)}\n{rest}'


def text_of(reply: Reply) -> list[Any]:
    return [
        json.loads(line[6:])
        for line in reply.body.decode().splitlines()
        if line.startswith("data: {")
    ]


def test_a_used_up_budget_refuses_and_says_until_when(project_folder: Path):
    with stage(project_folder, per_user(400_000)) as on:
        first = on.ask()
        assert first.status == 200
        assert on.cost(first) > 200_000
        second = on.ask()
        assert (second.status, second.error["code"]) == (429, "budget_exceeded")
        assert second.error["type"] == "insufficient_quota"
        assert "daily" in second.error["message"]
        assert 0 < int(second.headers["retry-after"]) <= 86_400
        assert second.headers["x-should-retry"] == "false"
        assert len(on.provider.calls) == 1, "nothing is spent on a refusal"
        assert on.ask("ben").status == 200, "others have their own"


def test_a_limit_on_output_is_cut_to_what_is_left(project_folder: Path):
    main = Behaviour(tokens=500)
    with stage(project_folder, per_user(600_000), main=main) as on:
        reply = on.ask(max_tokens=400)
        sent = json.loads(on.provider.calls[0].body)["max_tokens"]
        assert 16 <= sent < 60
        assert reply.headers["x-trimtab-max-tokens"] == str(sent)
        assert reply.json["choices"][0]["finish_reason"] == "length"
        assert on.cost(reply) <= 600_000


def test_a_whole_answer_without_a_limit_gets_the_models_own(project_folder: Path):
    with stage(project_folder, per_user(100 * NANO_PER_USD)) as on:
        assert on.ask(max_tokens=None).status == 200
        assert json.loads(on.provider.calls[0].body)["max_tokens"] == 4_096


def test_a_stream_with_room_is_left_as_it_is(project_folder: Path):
    with stage(project_folder, per_user(100 * NANO_PER_USD), main=Behaviour(tokens=300)) as on:
        reply = on.ask(stream=True, max_tokens=None)
        assert "max_tokens" not in json.loads(on.provider.calls[0].body)
        assert "x-trimtab-max-tokens" not in reply.headers
        assert reply.body.endswith(b"data: [DONE]\n\n")
        assert text_of(reply)[-1]["choices"][0]["finish_reason"] == "stop"


def test_a_stream_is_cut_with_a_proper_finish_when_the_rest_was_spent_meanwhile(
    project_folder: Path,
):
    # Alone the stream could go on; another one takes what is left while it flows.
    main = Behaviour(tokens=2_000, token_every_s=0.005)
    with stage(project_folder, per_user(4_000_000), main=main) as on:
        on.ask("ben", stream=True, max_tokens=50)  # how many tokens its frames have is learnt
        replies: list[Reply] = []
        threads = [
            threading.Thread(
                target=lambda: replies.append(
                    on.ask(stream=True, max_tokens=None, stream_options={"include_usage": True})
                )
            )
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        costs = [on.cost(reply) for reply in replies]
        assert sum(costs) <= 4_000_000
        assert sum(costs) >= 3_000_000
        for reply in replies:
            assert reply.status == 200
            assert reply.body.endswith(b"data: [DONE]\n\n")
            *_, finish, usage = text_of(reply)
            assert finish["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "length"}
            assert finish["id"] == text_of(reply)[0]["id"]
            assert usage["choices"] == []
            assert usage["usage"]["completion_tokens"] > 100


def test_who_would_fit_without_the_holds_of_others_waits(project_folder: Path):
    main = Behaviour(tokens=10, headers_after_s=0.4)
    with stage(project_folder, per_user(1_600_000), main=main) as on:
        started = time.monotonic()
        replies: list[Reply] = []
        threads = [
            threading.Thread(target=lambda: replies.append(on.ask(max_tokens=100)))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert [reply.status for reply in replies] == [200] * 5
        assert time.monotonic() - started > 1.5, "one after the other: each holds most of it"


@pytest.mark.parametrize("per", ["key", "team", "model", "route", "total"])
def test_every_kind_of_budget_holds(project_folder: Path, per: str):
    budget = f'[budgets.b]\nper = "{per}"\nwindow = "month"\nlimit_usd = {usd(400_000)}'
    with stage(project_folder, budget) as on:
        assert on.ask("ana").status == 200
        second = on.ask("ben")
        assert (second.status, second.error["code"]) == (429, "budget_exceeded")


def test_a_soft_budget_warns_and_serves(project_folder: Path):
    with stage(project_folder, per_user(100_000, over='"warn"')) as on:
        assert "x-trimtab-budget" not in on.ask().headers
        second = on.ask()
        assert second.status == 200
        assert second.headers["x-trimtab-budget"].startswith("daily; used=2")


def test_an_exhausted_user_is_served_by_the_cheaper_model(project_folder: Path):
    extra = '[routes.r]\nmodel = "main"\nfallback = ["cheap"]'
    with stage(project_folder, per_user(100_000, over='"downgrade"'), extra=extra) as on:
        assert on.ask(model="r").headers["x-trimtab-served-model"] == "fault:main"
        second = on.ask(model="r")
        assert second.headers["x-trimtab-served-model"] == "fault:cheap"
        assert second.headers["x-trimtab-downgraded"] == "daily"


def test_classes_have_their_own_amounts(project_folder: Path):
    budgets = per_user(
        100 * NANO_PER_USD, class_limits_usd="{free = 0.0004}", name_limits_usd="{free-vip = 50}"
    )
    with stage(project_folder, budgets, extra='[classes.free]\nusers = ["free-*"]') as on:
        assert [on.ask("free-1").status for _ in range(2)] == [200, 429]
        assert [on.ask("free-vip").status for _ in range(2)] == [200, 200]
        assert [on.ask("paying").status for _ in range(2)] == [200, 200]


def test_what_was_spent_survives_a_restart(project_folder: Path):
    with stage(project_folder, per_user(400_000)) as on:
        assert on.ask().status == 200
    with stage(project_folder, per_user(400_000)) as on:
        assert on.ask().status == 429
        assert on.ask("ben").status == 200


def test_a_caller_who_leaves_gives_back_what_was_not_used(project_folder: Path):
    slow = Behaviour(tokens=50, headers_after_s=30)
    with stage(project_folder, per_user(1_500_000), main=slow) as on:
        connection = http.client.HTTPConnection("127.0.0.1", on.gateway.port)
        body = json.dumps(
            {"model": "main", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
        )
        connection.request(
            "POST", "/v1/chat/completions", body=body, headers={"x-trimtab-user": "ana"}
        )
        wait_until(lambda: on.provider.calls)
        connection.close()
        wait_until(lambda: on.provider.calls[0].ended_by)
        later = on.gateway.chat(headers={"x-trimtab-user": "ana"}, model="cheap", max_tokens=20)
        assert later.status == 200
