"""Limits through the real server: who may enter, and what callers are told of it."""

import http.client
import json
from pathlib import Path

from gateway.test_budgets import stage, text_of
from harness import at_once, wait_until
from trimtab.testing import Behaviour


def limit(**fields: str) -> str:
    rest = "\n".join(f"{name} = {value}" for name, value in fields.items())
    return f'[limits.fair]\nper = "user"\n{rest}'


def test_requests_a_minute_are_refused_with_the_time_to_return(project_folder: Path):
    with stage(project_folder, limit(requests_per_minute="3")) as on:
        replies = [on.ask() for _ in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429]
        told = [reply.headers["x-ratelimit-remaining-requests"] for reply in replies[:3]]
        assert told == ["2", "1", "0"]
        assert replies[0].headers["x-ratelimit-limit-requests"] == "3"
        assert replies[0].headers["x-ratelimit-reset-requests"] == "20s"
        refused = replies[3]
        assert refused.error["code"] == "rate_limit_exceeded"
        assert refused.error["type"] == "rate_limit_error"
        assert "'fair'" in refused.error["message"]
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert len(on.provider.calls) == 3
        assert on.ask("ben").status == 200


def test_t13_a_stream_tells_its_limits_before_it_begins(project_folder: Path):
    with stage(project_folder, limit(tokens_per_minute="10_000")) as on:
        reply = on.ask(stream=True)
        assert text_of(reply)
        assert reply.headers["x-ratelimit-limit-tokens"] == "10000"
        assert 9_000 < int(reply.headers["x-ratelimit-remaining-tokens"]) < 10_000
        assert "x-ratelimit-limit-requests" not in reply.headers


def test_t17_a_large_max_tokens_is_no_use_and_what_was_used_is(project_folder: Path):
    main = Behaviour(tokens=300)
    with stage(project_folder, limit(tokens_per_minute="1_000"), main=main) as on:
        first = on.ask(max_tokens=100_000, stream=True)
        before = int(first.headers["x-ratelimit-remaining-tokens"])
        assert before > 900, "only its input is taken"
        on.cost(first)
        event = on.gateway.reader().event(first.headers["x-request-id"])
        assert event is not None
        assert event.output_tokens == 300
        second = on.ask("ana", max_tokens=20)
        left = int(second.headers["x-ratelimit-remaining-tokens"])
        come_back = 1_000 // 6  # at most, within ten seconds
        assert before - 300 - 60 <= left <= before - 300 + come_back


def test_a_debt_of_tokens_admits_nobody(project_folder: Path):
    main = Behaviour(tokens=400)
    with stage(project_folder, limit(tokens_per_minute="100"), main=main) as on:
        assert on.ask(max_tokens=400).status == 200
        second = on.ask(max_tokens=1)
        assert (second.status, second.error["code"]) == (429, "rate_limit_exceeded")
        assert int(second.headers["retry-after"]) > 120


def test_so_many_at_once(project_folder: Path):
    slow = Behaviour(headers_after_s=0.5)
    with stage(project_folder, limit(concurrent="2"), main=slow) as on:
        statuses = sorted(reply.status for reply in at_once(4, on.ask))
        assert statuses == [200, 200, 429, 429]
        assert on.ask().status == 200, "their places came back"


def test_the_place_of_a_caller_who_left_comes_back(project_folder: Path):
    slow = Behaviour(headers_after_s=30)
    with stage(project_folder, limit(concurrent="1"), main=slow) as on:
        connection = http.client.HTTPConnection("127.0.0.1", on.gateway.port)
        body = json.dumps({"model": "main", "messages": []})
        connection.request(
            "POST", "/v1/chat/completions", body=body, headers={"x-trimtab-user": "ana"}
        )
        wait_until(lambda: on.provider.calls)
        assert on.ask(model="cheap").status == 429
        connection.close()
        wait_until(lambda: on.ask(model="cheap").status == 200)


def test_a_limit_for_some_classes_is_for_them_only(project_folder: Path):
    extra = '[classes.free]\nusers = ["free-*"]'
    with stage(
        project_folder, limit(requests_per_minute="1", classes='["free"]'), extra=extra
    ) as on:
        assert [on.ask("free-1").status for _ in range(2)] == [200, 429]
        assert [on.ask("paying").status for _ in range(2)] == [200, 200]
        named = {"x-trimtab-user": "paying", "x-trimtab-user-class": "free"}
        replies = [on.gateway.chat(model="main", headers=named) for _ in range(2)]
        assert [reply.status for reply in replies] == [200, 429]


def test_a_class_that_is_not_declared_is_the_callers_mistake(project_folder: Path):
    with stage(project_folder, "", extra='[classes.free]\nusers = ["free-*"]') as on:
        reply = on.gateway.chat(model="main", headers={"x-trimtab-user-class": "gold"})
        assert (reply.status, reply.error["param"]) == (400, "x-trimtab-user-class")
        assert "free" in reply.error["message"]
        assert "gold" not in reply.error["message"]


def test_a_limit_can_be_changed_while_it_runs(project_folder: Path):
    with stage(project_folder, limit(requests_per_minute="1")) as on:
        assert [on.ask().status for _ in range(2)] == [200, 429]
        file = project_folder / "trimtab.toml"
        file.write_text(file.read_text().replace("minute = 1\n", "minute = 3\n"))
        wait_until(lambda: on.ask().status == 200)
        replies = [on.ask().status for _ in range(2)]
        assert replies[-1] == 429, "what was used stays used"
        file.write_text(file.read_text().replace("[limits.fair]", "[limits.other]"))
        wait_until(lambda: on.ask().status == 200)
