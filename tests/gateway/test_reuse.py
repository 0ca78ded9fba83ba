"""Answers that are given again, through real sockets: who gets them, and what is on record."""

import json
from pathlib import Path
from typing import Any

from gateway.test_ladder import HEALTHY, Stage, content, stage, together
from harness import Reply, wait_until
from trimtab.testing import Behaviour

CACHE = "cache = {ttl_s = 60}"


def ask(
    on: Stage, text: str = "hi", *, headers: dict[str, str] | None = None, **fields: Any
) -> Reply:
    messages = [{"role": "user", "content": text}]
    return on.gateway.chat(model="r", messages=messages, headers=headers, **fields)


def test_t25_the_same_request_is_answered_again_at_no_cost(project_folder: Path):
    with stage(project_folder, {"main": HEALTHY}, route=CACHE) as on:
        first = ask(on, user="ann")
        again = ask(on, user="ann")
        assert again.body == first.body
        assert (again.headers["x-trimtab-cache"], again.headers["age"]) == ("hit", "0")
        assert again.headers["x-trimtab-cost-nanousd"] == "0"
        assert int(first.headers["x-trimtab-cost-nanousd"]) > 0
        assert on.calls("main") == 1
        event = on.event(again)
        assert (event.cost_nanousd, event.outcome, event.user) == (0, "ok", "ann")


def test_t25_nothing_is_shared_across_users_models_or_words(project_folder: Path):
    with stage(project_folder, {"main": HEALTHY}, route=CACHE) as on:
        ask(on, user="ann")
        for reply in (
            ask(on, user="bob"),
            ask(on),
            ask(on, "ho", user="ann"),
            ask(on, user="ann", temperature=1),
            ask(on, user="ann", stream=True),
        ):
            assert "x-trimtab-cache" not in reply.headers
        assert on.calls("main") == 6


def test_t25_a_stream_is_replayed_with_its_frames_and_usage(project_folder: Path):
    options: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    with stage(project_folder, {"main": HEALTHY}, route=CACHE) as on:
        first, again = ask(on, **options), ask(on, **options)
        assert again.headers["x-trimtab-cache"] == "hit"
        assert again.body == first.body
        assert b'"usage":{' in again.body
        assert again.body.endswith(b"data: [DONE]\n\n")
        assert content(again)


def test_failures_are_never_cached(project_folder: Path):
    script = {"main": (Behaviour(status=400, error={"message": "no"}), HEALTHY)}
    with stage(project_folder, script, route=CACHE) as on:
        assert ask(on).status == 400
        assert ask(on).status == 200
        assert ask(on).headers["x-trimtab-cache"] == "hit"


def test_an_answer_of_a_fallback_is_not_kept(project_folder: Path):
    script = {"main": (Behaviour(status=503, times=3), HEALTHY), "spare": HEALTHY}
    with stage(project_folder, script, route=CACHE + "\nretries = 2") as on:
        assert ask(on).headers["x-trimtab-provider"] == "two"
        reply = ask(on)
        assert reply.headers["x-trimtab-provider"] == "one"
        assert "x-trimtab-cache" not in reply.headers


def test_a_stale_answer_is_the_last_rung_and_says_so(project_folder: Path):
    script = {
        "main": (HEALTHY, Behaviour(status=503, times=100)),
        "spare": Behaviour(status=503),
    }
    route = "cache = {ttl_s = 0.01, stale_s = 60}\nretries = 0"
    with stage(project_folder, script, route=route) as on:
        first = ask(on)
        wait_until(lambda: ask(on).headers.get("x-trimtab-cache") == "stale")
        reply = ask(on)
        assert (reply.status, reply.body) == (200, first.body)
        assert reply.headers["x-trimtab-attempts"] == "2"
        attempts = on.attempts(reply)
        assert [attempt.outcome for attempt in attempts] == ["error", "error", "ok"]
        assert attempts[-1].cost_nanousd == 0


def test_a_stale_answer_is_given_when_all_models_are_left_alone(project_folder: Path):
    script = {
        "main": (HEALTHY, Behaviour(status=503, times=100)),
        "spare": Behaviour(status=503),
    }
    route = "cache = {ttl_s = 0.01, stale_s = 60}\nretries = 0"
    with stage(project_folder, script, route=route) as on:
        ask(on)

        def nobody_is_called() -> bool:
            headers = ask(on).headers
            return (headers["x-trimtab-cache"], headers["x-trimtab-attempts"]) == ("stale", "0")

        wait_until(lambda: ask(on).headers.get("x-trimtab-cache") == "stale")
        wait_until(nobody_is_called)


def test_cached_answers_outlive_the_process(project_folder: Path):
    with stage(project_folder, {"main": HEALTHY}, route=CACHE) as on:
        first = ask(on)
    with stage(project_folder, {"main": Behaviour(status=503)}, route=CACHE) as on:
        again = ask(on)
        assert (again.status, again.body) == (200, first.body)
        assert on.calls("main") == 0


def test_identical_requests_share_one_call_where_the_route_says_so(project_folder: Path):
    slow = Behaviour(tokens=6, headers_after_s=0.5)
    route = CACHE + "\nsingle_flight = true"
    with stage(project_folder, {"main": slow}, route=route) as on:
        replies = together(on, 8, model="r")
        assert {reply.status for reply in replies} == {200}
        assert len({reply.body for reply in replies}) == 1
        assert on.calls("main") == 1
        assert sum("x-trimtab-cache" in reply.headers for reply in replies) == 7


def test_without_single_flight_each_makes_its_own_call(project_folder: Path):
    slow = Behaviour(tokens=6, headers_after_s=0.3)
    with stage(project_folder, {"main": slow}, route=CACHE) as on:
        together(on, 3, model="r")
        assert on.calls("main") == 3


def test_t14_one_idempotency_key_is_one_call(project_folder: Path):
    slow = Behaviour(tokens=6, headers_after_s=0.3)
    with stage(project_folder, {"main": slow}) as on:
        key = {"idempotency-key": "a"}
        replies = together(on, 4, model="r", headers=key)
        later = ask(on, headers=key)
        assert {reply.body for reply in (*replies, later)} == {later.body}
        assert on.calls("main") == 1
        other = ask(on, headers={"idempotency-key": "b"})
        assert "x-trimtab-cache" not in other.headers
        assert on.calls("main") == 2


def test_t14_a_key_of_another_request_is_a_conflict(project_folder: Path):
    with stage(project_folder, {"main": HEALTHY}) as on:
        ask(on, headers={"idempotency-key": "a"})
        reply = ask(on, "other", headers={"idempotency-key": "a"})
        assert (reply.status, reply.error["code"]) == (422, "idempotency_conflict")
        assert on.calls("main") == 1


def test_t14_after_a_failure_the_key_may_try_again(project_folder: Path):
    script = {"main": (Behaviour(status=400, error={"message": "no"}), HEALTHY)}
    with stage(project_folder, script) as on:
        key = {"idempotency-key": "a"}
        assert ask(on, headers=key).status == 400
        assert ask(on, headers=key).status == 200


def test_t23_the_model_of_an_answer_is_what_the_route_says(project_folder: Path):
    named = Behaviour(tokens=6, served_model="gpt-test-2026")
    with stage(project_folder, {"main": named}, route='answer_model = "asked"') as on:
        whole = ask(on)
        assert whole.json["model"] == "r"
        stream = ask(on, stream=True)
        models = {
            json.loads(line[6:])["model"]
            for line in stream.body.decode().splitlines()
            if line.startswith("data: {")
        }
        assert models == {"r"}
        assert whole.headers["x-trimtab-served-model"] == "gpt-test-2026"
        assert on.event(whole).served_model == "gpt-test-2026"
        assert on.gateway.chat(model="main").json["model"] == "gpt-test-2026"
