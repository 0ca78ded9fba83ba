"""Budgets at their edges: retries and hedges, several choices, lines, reloads and crashes."""

import http.client
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.test_budgets import INPUT, OUTPUT, PRICE, Stage, per_user, stage, text_of, usd
from harness import Reply, at_once, wait_until
from telemetry.figures import samples, value
from trimtab.archive import verify_store
from trimtab.store.records import AttemptRecord
from trimtab.testing import Behaviour
from trimtab.types.money import NANO_PER_USD

PLENTY = per_user(100 * NANO_PER_USD)
FREE = f"""
[models.free]
ref = "one:fault:free"
price = {PRICE.replace("= 10", "= 0").replace("= 1", "= 0")}
"""


def figure(on: Stage, name: str) -> float:
    text = on.gateway.request("/metrics").body.decode()
    return value(samples(text), f"trimtab_{name}")


def attempts(on: Stage, reply: Reply) -> list[AttemptRecord]:
    on.cost(reply)
    return on.gateway.reader().attempts(reply.headers["x-request-id"])


def sent(on: Stage, call: int = -1) -> dict[str, Any]:
    return json.loads(on.provider.calls[call].body)


def spent(on: Stage) -> int:
    groups = on.gateway.reader().usage_by("total", 0, 1 << 62)
    return sum(group.cost_nanousd for group in groups)


@contextmanager
def left_open(on: Stage, **fields: Any) -> Generator[http.client.HTTPConnection]:
    """A request under way, which ends at the latest with the block."""
    connection = http.client.HTTPConnection("127.0.0.1", on.gateway.port, timeout=30)
    body = {"model": "main", "messages": [{"role": "user", "content": "hi"}]} | fields
    connection.request(
        "POST", "/v1/chat/completions", json.dumps(body), headers={"x-trimtab-user": "ana"}
    )
    try:
        yield connection
    finally:
        connection.close()


# ---------------------------------------------------------------- clamps and cuts


def test_several_choices_share_what_is_left(project_folder: Path):
    with stage(project_folder, per_user(1_200_000), main=Behaviour(tokens=200)) as on:
        reply = on.ask(max_tokens=200, n=3)
        each = sent(on)["max_tokens"]
        assert 16 <= each < 40
        assert int(reply.headers["x-trimtab-max-tokens"]) // 3 == each
        assert len(reply.json["choices"]) == 3
        assert on.cost(reply) <= 1_200_000


@pytest.mark.parametrize(
    "fields",
    [
        {"max_completion_tokens": 400},
        {"max_completion_tokens": 400, "max_tokens": 300},
        {"max_tokens": -1},
        {"max_tokens": 0},
    ],
)
def test_a_limit_by_any_name_is_cut(project_folder: Path, fields: dict[str, int]):
    with stage(project_folder, per_user(600_000), main=Behaviour(tokens=500)) as on:
        reply = on.gateway.chat(model="main", headers={"x-trimtab-user": "ana"}, **fields)
        assert reply.status == 200
        for name in fields:
            assert 16 <= sent(on)[name] < 60
        assert on.cost(reply) <= 600_000


@pytest.mark.parametrize("fields", [{"reasoning_effort": "low"}, {"hidden": True}])
def test_where_output_may_be_unseen_all_of_it_is_held_at_once(
    project_folder: Path, fields: dict[str, Any]
):
    hides = fields.pop("hidden", False)
    hidden = f"hidden_reasoning = {str(bool(hides)).lower()}"
    with stage(project_folder, PLENTY, hidden=hidden) as on:
        reply = on.ask(stream=True, max_tokens=8_000, **fields)
        (attempt,) = attempts(on, reply)
        assert attempt.hold_nanousd >= 8_000 * OUTPUT
        seen = on.ask(stream=True, max_tokens=8_000)
        (attempt,) = attempts(on, seen)
        assert (attempt.hold_nanousd < 8_000 * OUTPUT) == (not hides)


def test_a_stream_of_several_choices_is_cut_in_all_of_them(project_folder: Path):
    main = Behaviour(tokens=1_000, token_every_s=0.001)
    with stage(project_folder, per_user(6_000_000), main=main) as on:
        on.ask("ben", stream=True, max_tokens=50)
        replies = at_once(2, lambda: on.ask(stream=True, max_tokens=None, n=2))
        assert sum(map(on.cost, replies)) <= 6_000_000
        cut = [reply for reply in replies if attempts(on, reply)[-1].error_code == "budget"]
        assert cut
        for reply in cut:
            *_, finish = text_of(reply)
            assert [choice["index"] for choice in finish["choices"]] == [0, 1]
            assert {choice["finish_reason"] for choice in finish["choices"]} == {"length"}
            assert b'"usage":{' not in reply.body, "nobody asked for it"
            assert reply.body.endswith(b"data: [DONE]\n\n")
            event = on.gateway.reader().event(reply.headers["x-request-id"])
            assert event is not None
            assert (event.outcome, event.finish_reason) == ("ok", "length")
        assert figure(on, "budget_cuts_total") == len(cut)
        assert figure(on, "hold_exceeded_total") == 0


def test_a_provider_that_goes_on_past_its_limit_is_cut(project_folder: Path):
    good = Behaviour(tokens=30, token_every_s=0.001, times=1)
    endless = Behaviour(tokens=5_000, token_every_s=0.005, honours_max_tokens=False)
    with stage(project_folder, per_user(1_500_000), main=(good, endless)) as on:
        on.ask("ben", stream=True, max_tokens=30)  # no token is in two frames: that is learnt
        reply = on.ask(stream=True, max_tokens=100)
        (attempt,) = attempts(on, reply)
        assert (attempt.outcome, attempt.error_code) == ("ok", "budget")
        # What was made beyond the limit was made: it is on the bill, and told of.
        assert 100 < attempt.usage.output_tokens < 140
        assert figure(on, "hold_exceeded_total") == 1
        assert len(text_of(reply)) < 150
        wait_until(lambda: all(call.ended_by for call in on.provider.calls))


# ---------------------------------------------------------------- more than one attempt


def test_a_retry_that_is_not_paid_for_is_not_made_and_the_first_error_is_told(
    project_folder: Path,
):
    # The answer breaks off after much of it: that much is spent, and no second try fits.
    main = Behaviour(tokens=100, cut="close", cut_after_tokens=90)
    with stage(
        project_folder,
        per_user(1_300_000),
        main=main,
        extra='[routes.r]\nmodel = "main"\nretries = 2\non_break = "continue"',
    ) as on:
        reply = on.ask(model="r", stream=True, max_tokens=100)
        assert b"budget" not in reply.body
        made = attempts(on, reply)
        assert len(made) == 1
        assert 900_000 <= spent(on) <= 1_300_000
        assert figure(on, "budget_holds") == 0


def test_the_hold_of_a_failed_attempt_pays_for_the_next(project_folder: Path):
    script = Behaviour(status=503)
    extra = '[routes.r]\nmodel = "main"\nfallback = ["dear"]\nretries = 1\n'
    extra += f'[models.dear]\nref = "one:fault:dear"\nprice = {PRICE}\n'
    with stage(project_folder, per_user(400_000), main=script, extra=extra) as on:
        reply = on.ask(model="r", max_tokens=25)  # two of them would not fit beside each other
        assert reply.status == 200
        assert reply.headers["x-trimtab-served-model"] == "fault:dear"
        assert [attempt.cost_nanousd > 0 for attempt in attempts(on, reply)] == [
            False,
            False,
            True,
        ]
        assert figure(on, "budget_holds") == 0


def test_a_hedge_that_is_not_paid_for_is_not_made(project_folder: Path):
    slow = Behaviour(headers_after_s=0.4)
    extra = '[routes.r]\nmodel = "main"\nfallback = ["dear"]\n'
    extra += "hedge = {after_s = 0.05, max_share = 1}\n"
    extra += f'[models.dear]\nref = "one:fault:dear"\nprice = {PRICE}\n'
    with stage(project_folder, per_user(400_000), main=slow, extra=extra) as on:
        reply = on.ask(model="r", max_tokens=25)
        assert (reply.status, len(attempts(on, reply))) == (200, 1)
        rich = on.ask("rich", model="r", max_tokens=2)
        assert len(attempts(on, rich)) == 2, "both fit into the budget of somebody else"
        assert figure(on, "budget_holds") == 0


def test_t14_each_physical_attempt_is_billed_once_under_its_own_number(project_folder: Path):
    main = Behaviour(tokens=30, cut="close", cut_after_tokens=10)
    extra = '[routes.r]\nmodel = "main"\nfallback = ["dear"]\non_break = "continue"\n'
    extra += f'[models.dear]\nref = "one:fault:dear"\nprice = {PRICE}\ncontinues = true\n'
    with stage(project_folder, PLENTY, main=main, extra=extra) as on:
        reply = on.ask(model="r", stream=True, max_tokens=100)
        made = attempts(on, reply)
        assert [attempt.attempt for attempt in made] == [1, 2]
        assert all(attempt.cost_nanousd > 0 for attempt in made)
        total = sum(attempt.cost_nanousd for attempt in made)
        assert on.cost(reply) == total == spent(on)
        assert len(on.provider.calls) == 2


# ---------------------------------------------------------------- what costs nothing


@pytest.mark.parametrize("limit", ["0", "0.0000001"])
def test_a_free_model_is_never_blocked_nor_clamped(project_folder: Path, limit: str):
    budget = f'[budgets.b]\nper = "total"\nwindow = "day"\nlimit_usd = {limit}'
    with stage(project_folder, budget, extra=FREE) as on:
        assert on.ask().status == 429
        reply = on.ask(model="free", max_tokens=None)
        assert (reply.status, on.cost(reply)) == (200, 0)
        assert "max_tokens" not in sent(on)


def test_a_free_model_is_not_blocked_where_more_is_spent_than_the_limit(project_folder: Path):
    with stage(project_folder, PLENTY, extra=FREE) as on:
        assert [on.ask().status for _ in range(2)] == [200, 200]
        file = project_folder / "trimtab.toml"
        file.write_text(file.read_text().replace(usd(100 * NANO_PER_USD), usd(1_000)))
        wait_until(lambda: on.ask().status == 429)
        assert [on.ask(model="free", stream=stream).status for stream in (False, True)] == [200] * 2


def test_a_model_without_a_price_is_refused_under_a_budget(project_folder: Path):
    extra = '[models.odd]\nref = "one:fault:odd"'
    with stage(project_folder, PLENTY, extra=extra) as on:
        reply = on.ask(model="odd")
        assert reply.status >= 400
        assert "price" in reply.error["message"]
        assert not on.provider.calls


def test_a_cached_answer_is_given_under_a_used_up_budget(project_folder: Path):
    extra = '[routes.r]\nmodel = "main"\ncache = {ttl_s = 60}'
    with stage(project_folder, per_user(400_000), extra=extra) as on:
        first = on.ask(model="r")
        assert first.status == 200
        on.cost(first)
        assert on.ask(model="r", messages=[{"role": "user", "content": "new"}]).status == 429
        again = on.ask(model="r")
        assert (again.status, again.headers["x-trimtab-cache"]) == (200, "hit")
        assert on.cost(again) == 0


def test_those_who_wait_for_a_refused_request_hear_of_it_too(project_folder: Path):
    with stage(project_folder, per_user(1_000)) as on:
        key = {"x-trimtab-user": "ana", "idempotency-key": "a"}
        replies = at_once(4, lambda: on.gateway.chat(model="main", max_tokens=20, headers=key))
        assert [reply.status for reply in replies] == [429] * 4
        assert figure(on, "inferences_in_flight") == 0


# ---------------------------------------------------------------- waiting


def test_one_users_waiting_does_not_block_others(project_folder: Path):
    main = Behaviour(tokens=5, headers_after_s=0.8)
    budgets = per_user(1_600_000)
    budgets += f'\n[budgets.all]\nper = "total"\nwindow = "day"\nlimit_usd = {usd(10**12)}'
    with stage(project_folder, budgets, main=main) as on:
        replies: list[Reply] = []
        threads = [
            threading.Thread(target=lambda: replies.append(on.ask(max_tokens=100)))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: figure(on, "budget_waiting") == 2)
        assert on.ask("ben", model="cheap").status == 200
        assert figure(on, "budget_waiting") == 2, "he did not wait for them"
        for thread in threads:
            thread.join(30)
        assert [reply.status for reply in replies] == [200] * 3


def test_who_waits_too_long_hears_that_others_hold_it(project_folder: Path):
    slow = Behaviour(headers_after_s=30)
    extra = '[routes.hasty]\nmodel = "cheap"\ntimeouts = {ttft_s = 0.3}'
    with stage(project_folder, per_user(1_600_000), main=slow, extra=extra) as on:
        with left_open(on, max_tokens=100):
            wait_until(lambda: on.provider.calls)
            reply = on.ask(model="hasty", max_tokens=10_000)
            assert (reply.status, reply.error["code"]) == (429, "budget_busy")
            assert reply.headers["retry-after"] == "1"
            assert figure(on, "budget_waiting") == 0
        wait_until(lambda: figure(on, "budget_holds") == 0)
        assert on.ask(model="hasty", max_tokens=10_000).status == 200


def test_who_leaves_the_line_makes_room_for_those_behind(project_folder: Path):
    slow = Behaviour(headers_after_s=30)
    with stage(project_folder, per_user(2_400_000), main=slow) as on:
        with left_open(on, max_tokens=100):
            wait_until(lambda: on.provider.calls)
            with left_open(on, max_tokens=200):
                wait_until(lambda: figure(on, "budget_waiting") == 1)
                replies: list[Reply] = []
                behind = threading.Thread(
                    target=lambda: replies.append(on.ask(model="cheap", max_tokens=20))
                )
                behind.start()
                wait_until(lambda: figure(on, "budget_waiting") == 2)
            behind.join(3)
            assert [reply.status for reply in replies] == [200]
        wait_until(lambda: figure(on, "budget_holds") == 0)
        assert len(on.provider.calls) == 2, "the one that left was never called for"


def test_whoever_waits_is_told_when_the_gateway_stops(project_folder: Path):
    slow = Behaviour(headers_after_s=30)
    with stage(project_folder, per_user(1_600_000), main=slow, server="drain_s = 0.2") as on:
        with left_open(on, max_tokens=100) as first, left_open(on, max_tokens=100) as second:
            wait_until(lambda: figure(on, "budget_waiting") == 1)
            stopping = threading.Thread(target=on.gateway.stop)
            stopping.start()
            statuses = sorted(one.getresponse().status for one in (first, second))
            stopping.join(30)
        assert statuses[-1] == 503
        assert statuses[0] >= 500


# ---------------------------------------------------------------- reloads and crashes


def test_a_limit_that_is_raised_or_lowered_keeps_what_was_spent(project_folder: Path):
    with stage(project_folder, per_user(400_000)) as on:
        assert [on.ask().status for _ in range(2)] == [200, 429]
        file = project_folder / "trimtab.toml"
        file.write_text(file.read_text().replace(usd(400_000), usd(600_000)))
        wait_until(lambda: on.ask().status == 200)
        assert on.ask().status == 429
        assert spent(on) <= 600_000


def test_a_budget_that_is_added_knows_what_was_spent_before(project_folder: Path):
    with stage(project_folder, "") as on:
        on.cost(on.ask())
        file = project_folder / "trimtab.toml"
        file.write_text(f"{file.read_text()}\n{per_user(spent(on) + 100_000)}")
        wait_until(lambda: on.ask().status == 429)
        assert on.ask("ben").status == 200


def test_a_stream_that_a_crash_ended_counts_at_the_hold_on_record(project_folder: Path):
    main = Behaviour(tokens=2_000, stall_after_tokens=300, stall_s=30)
    with stage(project_folder, per_user(20_000_000), main=main) as on:
        on.ask("ben", stream=True, max_tokens=20)
        with left_open(on, stream=True) as connection:
            answer = connection.getresponse()
            seen = b""
            while seen.count(b"\n\n") < 301:
                seen += answer.read1()
            inference_id = answer.headers["x-request-id"]
            reader = on.gateway.reader()

            def hold() -> int:
                return reader.attempts(inference_id)[0].hold_nanousd

            wait_until(lambda: hold() > 300 * OUTPUT)
            on.gateway.kill()
    held = hold()
    assert held < 2_000 * OUTPUT, "as far as it had come, and no more"
    assert verify_store(project_folder / "trimtab.toml").findings == ()
    least = 100 * INPUT + 20 * OUTPUT
    with stage(project_folder, per_user(held + least // 2)) as on:
        assert on.ask().status == 429
    with stage(project_folder, per_user(held + 2 * least)) as on:
        assert on.ask().status == 200


def test_the_cheaper_model_has_a_budget_of_its_own_that_is_known_after_a_start(
    project_folder: Path,
):
    budgets = per_user(0, over='"downgrade"')
    model = f'[budgets.models]\nper = "model"\nwindow = "day"\nlimit_usd = {usd(10**9)}'
    extra = '[routes.r]\nmodel = "main"\ndowngrade = "cheap"'
    with stage(project_folder, f"{budgets}\n{model}", extra=extra) as on:
        first = on.ask(model="cheap")
        assert first.status == 200
        assert on.cost(first) > 0
        used = spent(on)
    model = model.replace(usd(10**9), usd(used))
    with stage(project_folder, f"{budgets}\n{model}", extra=extra) as on:
        assert on.ask(model="r").error["code"] == "budget_exceeded"
