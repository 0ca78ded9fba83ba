"""What happens after a failure: through real sockets, with what the caller sees and the record."""

import json
import socket
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from harness import PRICE, Gateway, Reply, running_gateway, wait_until
from trimtab.store.records import AttemptRecord, Event
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider

HEALTHY = Behaviour(tokens=6)


class Stage(NamedTuple):
    gateway: Gateway
    provider: RunningFaultProvider

    def calls(self, model: str) -> int:
        return sum(call.model == f"fault:{model}" for call in self.provider.calls)

    def event(self, reply: Reply) -> Event:
        request_id = reply.headers["x-request-id"]
        return wait_until(lambda: self.gateway.reader().event(request_id))

    def attempts(self, reply: Reply) -> list[AttemptRecord]:
        self.event(reply)
        return self.gateway.reader().attempts(reply.headers["x-request-id"])


@contextmanager
def stage(
    folder: Path,
    script: Mapping[str, Behaviour | tuple[Behaviour, ...]],
    *,
    route: str = "",
    default: str = "",
    models: str = "",
    one: str = "",
) -> Generator[Stage]:
    """A gateway whose alias `main` falls back to `spare`."""
    named = {
        name: behaviours if isinstance(behaviours, tuple) else (behaviours,)
        for name, behaviours in script.items()
    }
    with running_fault_provider(Script(named=named)) as provider:
        text = f"""
[server]
port = 0
[providers.one]
kind = "openai"
base_url = "{provider.base_url}"
{one}
[providers.two]
kind = "openai"
base_url = "{provider.base_url}"
[models.main]
ref = "one:fault:main"
price = {PRICE}
[models.spare]
ref = "two:fault:spare"
price = {PRICE}
{models}
[routes.default]
timeouts = {{ttft_s = 0.4, idle_s = 0.3, total_s = 3}}
{default}
[routes.r]
model = "main"
fallback = ["spare"]
{route}
"""
        with running_gateway(folder, text) as gateway:
            yield Stage(gateway, provider)


def together(on: Stage, count: int, **fields: Any) -> list[Reply]:
    """The same request several times at once."""
    replies: list[Reply] = []
    threads = [
        threading.Thread(target=lambda: replies.append(on.gateway.chat(**fields)))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return replies


def content(reply: Reply) -> str:
    """The text of a stream."""
    texts: list[str] = []
    for line in reply.body.decode().splitlines():
        if line.startswith("data: {"):
            chunk = json.loads(line[6:])
            texts += [c["delta"].get("content") or "" for c in chunk.get("choices", [])]
    return "".join(texts)


def test_a_500_is_tried_again_and_the_caller_never_knows(project_folder: Path):
    with stage(project_folder, {"main": (Behaviour(status=500), HEALTHY)}) as on:
        reply = on.gateway.chat(model="r")
        assert (reply.status, reply.headers["x-trimtab-attempts"]) == (200, "2")
        assert reply.headers["x-trimtab-provider"] == "one"
        assert on.event(reply).attempts == 2
        first, _ = on.attempts(reply)
        assert (first.outcome, first.cost_nanousd) == ("error", 0)


def test_a_model_that_stays_away_is_left_for_the_fallback(project_folder: Path):
    script = {"main": Behaviour(status=503), "spare": HEALTHY}
    with stage(project_folder, script) as on:
        reply = on.gateway.chat(model="r", stream=True)
        assert reply.status == 200
        assert reply.headers["x-trimtab-provider"] == "two"
        assert reply.headers["x-trimtab-attempts"] == "4"
        assert reply.body.endswith(b"data: [DONE]\n\n")
        assert (on.calls("main"), on.calls("spare")) == (3, 1)


def test_t15_a_silent_model_is_asked_once(project_folder: Path):
    script = {"main": Behaviour(headers_after_s=20), "spare": HEALTHY}
    with stage(project_folder, script) as on:
        reply = on.gateway.chat(model="r", stream=True)
        assert (reply.status, reply.headers["x-trimtab-attempts"]) == (200, "2")
        assert on.calls("main") == 1


def test_t15_the_callers_own_fault_goes_nowhere_else(project_folder: Path):
    refused = Behaviour(status=400, error={"message": "no", "type": "invalid_request_error"})
    with stage(project_folder, {"main": refused, "spare": HEALTHY}) as on:
        reply = on.gateway.chat(model="r")
        assert (reply.status, reply.error["message"]) == (400, "no")
        assert reply.headers["x-should-retry"] == "false"
        assert (on.calls("main"), on.calls("spare")) == (1, 0)


def test_t16_what_failed_first_is_what_the_caller_hears(project_folder: Path):
    script = {
        "main": Behaviour(status=503, error={"message": "first", "type": "server_error"}),
        "spare": Behaviour(status=400, error={"message": "second", "type": "bad"}),
    }
    with stage(project_folder, script, route="retries = 0") as on:
        reply = on.gateway.chat(model="r")
        assert (reply.status, reply.error["message"]) == (503, "first")


def test_too_long_for_one_model_is_tried_on_a_larger_one_only(project_folder: Path):
    too_long = {"message": "x", "type": "invalid_request_error", "code": "context_length_exceeded"}
    models = f"""
[models.small]
ref = "two:fault:small"
context_tokens = 1000
price = {PRICE}
[models.large]
ref = "two:fault:large"
context_tokens = 9000
price = {PRICE}
[routes.grows]
model = "small"
fallback = ["main", "large"]
"""
    script = {
        "small": Behaviour(status=400, error=too_long),
        "large": HEALTHY,
        "main": HEALTHY,
    }
    with stage(project_folder, script, models=models) as on:
        reply = on.gateway.chat(model="grows")
        assert (reply.status, reply.headers["x-trimtab-provider"]) == (200, "two")
        assert [on.calls(name) for name in ("small", "main", "large")] == [1, 0, 1]


def test_a_break_after_the_first_tokens_is_an_error_event_where_nobody_continues(
    project_folder: Path,
):
    cut = Behaviour(tokens=60, token_every_s=0.01, cut="close", cut_after_tokens=40)
    with stage(project_folder, {"main": cut, "spare": HEALTHY}) as on:
        reply = on.gateway.chat(model="r", stream=True)
        assert b'"code":"provider_truncated"' in reply.body
        assert b"[DONE]" not in reply.body
        assert on.calls("spare") == 0


def test_a_break_within_the_buffer_begins_anew_unseen(project_folder: Path):
    cut = Behaviour(tokens=60, token_every_s=0.01, cut="close", cut_after_tokens=40)
    script = {"main": cut, "spare": HEALTHY}
    with stage(project_folder, script, route="buffer_tokens = 50\nretries = 0") as on:
        reply = on.gateway.chat(model="r", stream=True)
        assert reply.headers["x-trimtab-provider"] == "two"
        assert reply.body.endswith(b"data: [DONE]\n\n")
        assert len(content(reply).split()) == 6


def test_a_hedge_wins_over_a_slow_beginning_and_the_loser_is_on_record(project_folder: Path):
    script = {"main": Behaviour(first_token_after_s=2), "spare": HEALTHY}
    with stage(project_folder, script, route="hedge = {after_s = 0.1, max_share = 1}") as on:
        reply = on.gateway.chat(model="r", stream=True)
        assert reply.headers["x-trimtab-provider"] == "two"
        assert content(reply)
        first, second = on.attempts(reply)
        assert (first.outcome, first.error_code, first.usage_source) == (
            "cancelled",
            "hedge_lost",
            "estimated",
        )
        assert second.outcome == "ok"
        wait_until(lambda: on.provider.calls[0].ended_by == "caller closed")


def test_a_route_with_side_effects_is_never_hedged(project_folder: Path):
    script = {"main": Behaviour(first_token_after_s=0.3, tokens=3), "spare": HEALTHY}
    route = "hedge = {after_s = 0.05, max_share = 1}\nside_effects = true"
    with stage(project_folder, script, route=route) as on:
        reply = on.gateway.chat(model="r", stream=True)
        assert reply.headers["x-trimtab-provider"] == "one"
        assert on.calls("spare") == 0


def test_t13_a_client_that_retries_by_itself_is_not_multiplied(project_folder: Path):
    with stage(project_folder, {"main": Behaviour(status=503)}) as on:
        on.gateway.chat(model="main", headers={"x-stainless-retry-count": "1"})
        assert on.calls("main") == 1


def test_when_all_are_left_alone_nobody_is_called(project_folder: Path):
    text = "retries = 0"
    with stage(project_folder, {"main": Behaviour(status=503)}, default=text) as on:
        for _ in range(5):
            assert on.gateway.chat(model="main").status == 503
        reply = on.gateway.chat(model="main")
        assert (reply.status, reply.error["code"]) == (503, "route_unavailable")
        assert int(reply.headers["retry-after"]) >= 1
        assert on.calls("main") == 5


def test_the_same_with_limits_budgets_and_a_cache(project_folder: Path):
    """Its place is given back when it cannot even begin; once, whichever way it took."""
    more = """
[limits.all]
per = "user"
concurrent = 1
[budgets.all]
per = "total"
window = "day"
limit_usd = 100
"""
    text = "retries = 0\ncache = {ttl_s = 5}"
    script = {"main": Behaviour(status=503)}
    with stage(project_folder, script, default=text, models=more) as on:
        for _ in range(5):
            assert on.gateway.chat(model="main").status == 503
        for _ in range(3):
            reply = on.gateway.chat(model="main")
            assert (reply.status, reply.error["code"]) == (503, "route_unavailable")


def test_t11_a_call_may_be_read_to_its_usage_after_the_caller_left(project_folder: Path):
    slow = Behaviour(tokens=20, token_every_s=0.02)
    with stage(project_folder, {"main": slow}, route='on_disconnect = "drain"') as on:
        body = json.dumps(
            {"model": "r", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        ).encode()
        with socket.create_connection(("127.0.0.1", on.gateway.port)) as caller:
            caller.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
                b"content-length: %d\r\n\r\n%b" % (len(body), body)
            )
            head = caller.recv(4096)
        request_id = head.split(b"x-request-id: ")[1].split(b"\r\n")[0].decode()
        event = wait_until(lambda: on.gateway.reader().event(request_id))
        assert (event.outcome, event.usage_source, event.output_tokens) == (
            "cancelled",
            "reported",
            20,
        )
        assert on.provider.calls[0].ended_by == "complete"


def test_t05_nothing_is_sent_before_the_first_content_so_a_fallback_stays_unseen(
    project_folder: Path,
):
    chatty = Behaviour(comment="PROCESSING", role_first=True, first_token_after_s=20)
    with stage(project_folder, {"main": chatty, "spare": HEALTHY}) as on:
        reply = on.gateway.chat(model="r", stream=True)
        assert (reply.status, reply.headers["x-trimtab-provider"]) == (200, "two")
        assert b"PROCESSING" not in reply.body
        assert reply.headers["cache-control"] == "no-cache, no-transform"
        assert reply.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in reply.headers


def test_t20_each_attempt_is_made_from_the_callers_own_bytes(project_folder: Path):
    script = {"main": Behaviour(status=503), "spare": HEALTHY}
    with stage(project_folder, script, route="retries = 1") as on:
        body = (
            b'{"seed":12345678901234567890.10,"model":"r", "messages":[{"role":"user",'
            b'"content":"the \\"model\\" is r"}],"odd":{"b":1,"a":[1.0]}}'
        )
        reply = on.gateway.request("/v1/chat/completions", body)
        assert reply.status == 200
        sent = [call.body for call in on.provider.calls]
        assert sent == [
            body.replace(b'"model":"r"', b'"model":"fault:main"'),
            body.replace(b'"model":"r"', b'"model":"fault:main"'),
            body.replace(b'"model":"r"', b'"model":"fault:spare"'),
        ]


def test_t22_the_callers_credentials_and_wishes_for_compression_stay_here(project_folder: Path):
    with stage(project_folder, {"main": HEALTHY}) as on:
        headers = {
            "authorization": "Bearer tt-the-callers",
            "accept-encoding": "br, gzip",
            "cookie": "a=b",
            "x-api-key": "mine",
            "proxy-authorization": "Basic eA==",
        }
        assert on.gateway.chat(model="r", headers=headers).status == 200
        seen = on.provider.calls[0].headers
        assert "tt-the-callers" not in str(seen)
        assert not {"cookie", "x-api-key", "proxy-authorization", "authorization"} & seen.keys()
        assert seen["accept-encoding"] == "identity"


def test_t16_a_stream_goes_on_with_another_model_and_the_caller_is_told(project_folder: Path):
    cut = Behaviour(
        text="one two three four", tokens=4, token_every_s=0.05, cut="close", cut_after_tokens=2
    )
    models = f"""
[models.other]
ref = "two:fault:other"
continues = true
price = {PRICE}
[routes.goes-on]
model = "main"
fallback = ["other"]
"""
    script = {"main": cut, "other": Behaviour(text=" and on", tokens=2)}
    with stage(project_folder, script, models=models) as on:
        options = {"include_usage": True}
        reply = on.gateway.chat(model="goes-on", stream=True, stream_options=options)
        text = content(reply)
        assert text.startswith("one two")
        assert text.endswith(" and on")
        assert b": x-trimtab-continued-by: two:fault:other\n\n" in reply.body
        assert reply.body.endswith(b"data: [DONE]\n\n")
        asked = json.loads(on.provider.calls[1].body)["messages"]
        assert asked[-1] == {"role": "assistant", "content": text.removesuffix(" and on")}
        first, second = on.attempts(reply)
        assert (first.outcome, first.error_code) == ("error", "truncated")
        assert (second.outcome, second.usage.output_tokens) == ("ok", 2)
        event = on.event(reply)
        assert (event.outcome, event.attempts) == ("ok", 2)
        shown = [line for line in reply.body.split(b"\n\n") if b'"usage":{' in line]
        assert json.loads(shown[-1].removeprefix(b"data: "))["usage"]["completion_tokens"] == 4


def test_t16_a_refused_continuation_is_an_error_event_of_what_broke(project_folder: Path):
    cut = Behaviour(tokens=6, token_every_s=0.05, cut="close", cut_after_tokens=3)
    models = f"""
[models.other]
ref = "two:fault:other"
continues = true
price = {PRICE}
[routes.goes-on]
model = "main"
fallback = ["other"]
"""
    refuses = Behaviour(status=400, error={"message": "no prefill", "type": "bad"})
    with stage(project_folder, {"main": cut, "other": refuses}, models=models) as on:
        reply = on.gateway.chat(model="goes-on", stream=True)
        assert b"provider_truncated" in reply.body
        assert b"no prefill" not in reply.body
        assert b"[DONE]" not in reply.body


def test_t11_a_caller_that_leaves_between_attempts_ends_it(project_folder: Path):
    slow = Behaviour(status=503, headers={"retry-after": "2"})
    with stage(project_folder, {"main": slow}) as on:
        body = json.dumps(
            {"model": "main", "messages": [{"role": "user", "content": "x"}]}
        ).encode()
        with socket.create_connection(("127.0.0.1", on.gateway.port)) as caller:
            caller.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
                b"content-length: %d\r\n\r\n%b" % (len(body), body)
            )
            wait_until(lambda: on.calls("main") == 1 and on.provider.calls[0].ended_by)
        usage = wait_until(lambda: on.gateway.reader().usage_by("total", 0, 2**62))
        assert (usage[0].requests, usage[0].cancelled) == (1, 1)
        assert on.calls("main") == 1


def test_when_the_first_of_two_runs_out_of_time_a_third_is_asked_at_once(project_folder: Path):
    models = f"""
[models.third]
ref = "two:fault:third"
price = {PRICE}
[routes.three]
model = "main"
fallback = ["spare", "third"]
hedge = {{after_s = 0.3, max_share = 1}}
"""
    silent = Behaviour(headers_after_s=20)
    script = {"main": silent, "spare": silent, "third": HEALTHY}
    with stage(project_folder, script, models=models) as on:
        reply = on.gateway.chat(model="three", stream=True)
        assert reply.headers["x-trimtab-attempts"] == "3"
        attempts = on.attempts(reply)
        assert [attempt.error_code for attempt in attempts] == ["timeout_ttft", "hedge_lost", ""]


def test_an_open_breaker_is_a_hint_for_the_next_process_and_no_more(project_folder: Path):
    script = {"main": Behaviour(status=503), "spare": HEALTHY}
    with stage(project_folder, script, route="retries = 0") as on:
        for _ in range(6):
            on.gateway.chat(model="r")
        assert on.calls("main") == 5
        path = project_folder / ".trimtab" / "breakers.json"
        wait_until(lambda: path.exists() and b'"open"' in path.read_bytes())
    with stage(project_folder, script, route="retries = 0") as on:
        for _ in range(3):
            assert on.gateway.chat(model="r").headers["x-trimtab-provider"] == "two"
        assert on.calls("main") == 1  # one probe has decided


def test_calls_above_the_limit_of_a_provider_wait_or_go_elsewhere(project_folder: Path):
    slow = Behaviour(tokens=3, headers_after_s=0.3)
    script = {"main": slow, "spare": HEALTHY}
    with stage(project_folder, script, one="max_concurrent = 1\nmax_waiting = 1") as on:
        served = [reply.headers["x-trimtab-provider"] for reply in together(on, 3, model="r")]
        assert sorted(served) == ["one", "one", "two"]


def test_beyond_the_queue_is_a_503_that_says_when_to_come_back(project_folder: Path):
    slow = Behaviour(tokens=3, headers_after_s=0.3)
    limits = "max_concurrent = 1\nmax_waiting = 0"
    with stage(project_folder, {"main": slow}, one=limits) as on:
        replies = together(on, 2, model="main")
        assert sorted(reply.status for reply in replies) == [200, 503]
        refused = max(replies, key=lambda reply: reply.status)
        assert refused.error["code"] == "provider_busy"
        assert refused.headers["retry-after"] == "1"
        assert on.calls("main") == 1


def test_time_in_the_queue_counts_against_the_limits(project_folder: Path):
    silent = Behaviour(headers_after_s=20)
    limits = "max_concurrent = 1\nmax_waiting = 9"
    patient = '[routes.patient]\nmodel = "main"\ntimeouts = {ttft_s = 2}'
    with stage(project_folder, {"main": silent}, one=limits, models=patient) as on:
        first = threading.Thread(target=lambda: on.gateway.chat(model="patient", stream=True))
        first.start()
        wait_until(lambda: on.calls("main") == 1)
        reply = on.gateway.chat(model="main", stream=True)  # waits for the only slot
        assert reply.status == 504
        assert on.event(reply).ttft_us == 400_000
        assert on.calls("main") == 1
        first.join(30)


def test_sessions_stay_with_one_of_several_providers(project_folder: Path):
    models = f"""
[models.both]
ref = "one:fault:a"
also = ["two:fault:b"]
price = {PRICE}
"""
    with stage(project_folder, {"a": HEALTHY, "b": HEALTHY}, models=models) as on:
        served: dict[str, set[str]] = {}
        for number in range(40):
            session = f"s{number % 10}"
            reply = on.gateway.chat(model="both", headers={"x-trimtab-session": session})
            served.setdefault(session, set()).add(reply.headers["x-trimtab-provider"])
        assert all(len(providers) == 1 for providers in served.values())
        assert {name for providers in served.values() for name in providers} == {"one", "two"}


def test_a_burst_of_which_three_are_slow_leaves_the_breaker_closed(project_folder: Path):
    fast = Behaviour(tokens=2, headers_after_s=0.2)
    silent = Behaviour(headers_after_s=20)
    script = (
        *(fast,) * 10, silent, *(fast,) * 10, silent, *(fast,) * 10, silent, *(fast,) * 30
    )  # fmt: skip
    with stage(project_folder, {"main": script}, default="retries = 0") as on:
        replies = together(on, 60, model="main", stream=True)
        assert sorted(reply.status for reply in replies) == [200] * 57 + [504] * 3
        assert on.gateway.chat(model="main").status == 200
