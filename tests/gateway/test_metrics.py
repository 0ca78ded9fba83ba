"""`/metrics` of a real gateway after real traffic, beside what stands in its ledger."""

import json
import re
from collections import Counter
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.test_ladder import HEALTHY, Stage, stage
from harness import PRICE, project_text, running_gateway, trimtab, wait_until
from telemetry.figures import OPENMETRICS, families, samples, value
from trimtab.testing import Behaviour, running_fault_provider
from trimtab.types.money import NANO_PER_USD
from whole.book import Book, Entries

ROOT = Path(__file__).parent.parent.parent
SCRIPT = {
    "main": (HEALTHY, Behaviour(status=500), HEALTHY),
    "spare": Behaviour(tokens=9),
    "down": Behaviour(status=503),
    "silent": Behaviour(headers_after_s=20),
    "refuses": Behaviour(status=400, error={"message": "no", "type": "invalid_request_error"}),
}
MODELS = "".join(
    f'[models.{name}]\nref = "one:fault:{name}"\nprice = {PRICE}\n'
    for name in ("down", "silent", "refuses")
)
ROUTES = """
[routes.cached]
model = "spare"
cache = {ttl_s = 60}
[routes.hedged]
model = "silent"
fallback = ["spare"]
hedge = {after_s = 0.05, max_share = 1}
[routes.falls]
model = "down"
fallback = ["spare"]
"""
HOSTILE = 'evil"}\n# TYPE trimtab_evil counter\ntrimtab_evil{user="mallory'


def scraped(on: Stage, accept: str = "") -> str:
    reply = on.gateway.request("/metrics", headers={"accept": accept})
    assert reply.status == 200
    return reply.body.decode()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """A gateway that has seen all kinds of attempts, and callers who write what they like."""
    folder = tmp_path_factory.mktemp("busy")
    with stage(folder, SCRIPT, models=MODELS + ROUTES) as on:
        chat = on.gateway.chat
        for model in ("r", "r", "main", "cached", "cached", "hedged", "silent", "refuses"):
            for stream in (False, True):
                chat(model=model, stream=stream)
        for _ in range(7):
            chat(model="falls", stream=True)
        for model in (HOSTILE, "no-such-model", "mallory" * 100):
            assert chat(model=model).status == 404
        secret = {"x-trimtab-user": "mallory", "x-trimtab-session": "mallory-session"}
        chat(model="spare", headers=secret)
        chat(model="spare", user=HOSTILE, metadata={"session_id": HOSTILE, "team": "mallory"})
        yield on


def entries_of(on: Stage) -> Entries:
    book = Book(on.gateway.folder)
    wait_until(lambda: not book.read().unsettled)
    return book.entries


def test_what_is_counted_is_what_stands_in_the_ledger(busy: Stage):
    entries = entries_of(busy)
    wanted: dict[str, Counter[tuple[str, ...]]] = {}
    for attempt, settle in entries.settles.items():
        intent = entries.intents[attempt]
        cause: str = intent.get("cause", "first")
        kind = (intent["route"], intent["provider"], intent["model"], cause, settle["outcome"])
        usage: dict[str, int] = settle.get("usage", {})
        for name, amount in (
            ("attempts_total", 1),
            ("cost_usd_total", settle.get("cost_nanousd", 0)),
            ("input_tokens_total", usage.get("input_tokens", 0)),
            ("output_tokens_total", usage.get("output_tokens", 0)),
        ):
            wanted.setdefault(f"trimtab_{name}", Counter())[kind] += amount
    found: dict[str, Counter[tuple[str, ...]]] = {}
    for (name, labels), amount in samples(scraped(busy)).items():
        if name in wanted:
            by_label = dict(labels)
            kind = tuple(
                by_label[label] for label in ("route", "provider", "model", "cause", "outcome")
            )
            unit = NANO_PER_USD if name == "trimtab_cost_usd_total" else 1
            exact = Decimal(repr(amount)) * unit
            assert exact == int(exact)
            found.setdefault(name, Counter())[kind] += int(exact)
    assert found == wanted
    causes = {kind[3] for kind in found["trimtab_attempts_total"]}
    assert causes >= {"first", "retry", "fallback", "hedge", "cache"}
    outcomes = {kind[4] for kind in found["trimtab_attempts_total"]}
    assert outcomes == {"ok", "error", "timeout", "cancelled"}


def test_each_inference_is_in_the_histogram_of_how_it_ended(busy: Stage):
    entries = entries_of(busy)
    ended: list[tuple[str, dict[str, Any]]] = [
        (entries.intents[attempt]["route"], settle)
        for attempt, settle in entries.settles.items()
        if settle.get("final", True)
    ]
    found = samples(scraped(busy))
    latency, ttft = "trimtab_inference_duration_seconds", "trimtab_time_to_first_token_seconds"
    for route, outcome in {(route, settle["outcome"]) for route, settle in ended}:
        mine = [one for name, one in ended if (name, one["outcome"]) == (route, outcome)]
        labels = {"route": route, "outcome": outcome}
        assert value(found, f"{latency}_count", **labels) == len(mine)
        total_s = sum(one["latency_us"] for one in mine) / 1e6
        assert value(found, f"{latency}_sum", **labels) == pytest.approx(total_s)
        quick = sum(one["latency_us"] <= 250_000 for one in mine)
        assert value(found, f"{latency}_bucket", le="0.25", **labels) == quick
        streamed = [one["ttft_us"] for one in mine if one.get("ttft_us") is not None]
        if streamed:
            assert value(found, f"{ttft}_count", **labels) == len(streamed)
            assert value(found, f"{ttft}_sum", **labels) == pytest.approx(sum(streamed) / 1e6)
    count = sum(v for (name, _), v in found.items() if name == f"{latency}_count")
    assert count == len({one["inference_id"] for one in entries.intents.values()})


def test_the_gauges_are_those_of_this_moment(busy: Stage):
    found = samples(scraped(busy))
    down = {"provider": "one", "model": "fault:down"}
    assert value(found, "trimtab_breaker_state", state="closed", **down) == 0
    assert value(found, "trimtab_breaker_failures_in_a_row", **down) >= 5
    spare = {"provider": "two", "model": "fault:spare"}
    assert value(found, "trimtab_breaker_state", state="closed", **spare) == 1
    assert value(found, "trimtab_breaker_state", state="open", **spare) == 0
    assert value(found, "trimtab_inferences_in_flight") == 0
    assert value(found, "trimtab_provider_calls", provider="two", state="busy") == 0
    assert value(found, "trimtab_extra_attempts_total", decision="made") >= 1
    assert value(found, "trimtab_ledger_trouble") == 0
    assert value(found, "trimtab_cache_hits_total") == 2
    assert value(found, "process_resident_memory_bytes") > 1_000_000


def test_nothing_that_a_caller_wrote_is_in_it(busy: Stage):
    for accept in ("", OPENMETRICS):
        text = scraped(busy, accept)
        assert "mallory" not in text
        assert "evil" not in text
        assert "no-such-model" not in text
        families(text, opened=bool(accept))


def test_calls_under_way_are_seen(project_folder: Path):
    slow = Behaviour(tokens=100, token_every_s=0.05)
    with stage(project_folder, {"main": slow}) as on:
        import threading  # noqa: PLC0415 - one caller beside the scraper

        caller = threading.Thread(target=lambda: on.gateway.chat(model="main", stream=True))
        caller.start()
        wait_until(lambda: value(samples(scraped(on)), "trimtab_inferences_in_flight") == 1)
        found = samples(scraped(on))
        assert value(found, "trimtab_provider_calls", provider="one", state="busy") == 1
        caller.join()


def test_a_key_is_needed_where_there_are_keys(project_folder: Path):
    with running_fault_provider() as provider:
        text = project_text(provider.base_url)
        (project_folder / "trimtab.toml").write_text(text)

        def secret(*options: str) -> str:
            made = trimtab("keys", "create", *options, "--json", folder=project_folder)
            return json.loads(made.stdout)["secret"]

        application, console = secret("prometheus"), secret("ann", "--console")
        with running_gateway(project_folder, text) as gateway:
            for headers, status in (
                ({}, 401),
                ({"authorization": "Bearer tt-wrong"}, 401),
                ({"authorization": f"Bearer {console}"}, 401),
                ({"authorization": f"Bearer {application}"}, 200),
            ):
                assert gateway.request("/metrics", headers=headers).status == status


def test_without_keys_only_this_machine_is_told(busy: Stage):
    reply = busy.gateway.request("/metrics", headers={"host": "evil.example"})
    assert (reply.status, reply.error["code"]) == (403, "forbidden_origin")


def test_a_strange_wish_is_answered_in_a_format_that_exists(busy: Stage):
    for accept in (f"{OPENMETRICS};version=evil", f"{OPENMETRICS};version=9.0.0", "q=q;q", ","):
        reply = busy.gateway.request("/metrics", headers={"accept": accept})
        assert reply.status == 200
        assert "evil" not in reply.headers["content-type"]
        assert "9.0.0" not in reply.headers["content-type"]


# ------------------------------------------------------------------ the page about it


def page() -> str:
    return (ROOT / "docs" / "metrics.md").read_text()


def test_the_page_has_a_row_for_each_metric_and_for_no_other(busy: Stage):
    rows = set(
        re.findall(r"^\| `(\w+)` \| (?:counter|gauge|histogram|info) \|", page(), re.MULTILINE)
    )
    suffix = {"counter": "_total", "info": "_info"}
    opened = families(scraped(busy, OPENMETRICS), opened=True)
    assert rows == {name + suffix.get(one.type, "") for name, one in opened.items()}


def test_alert_rules_name_only_what_exists(busy: Stage):
    labels_of: dict[str, set[str]] = {}
    for name, labels in samples(scraped(busy)):
        labels_of.setdefault(name, set()).update(label for label, _ in labels)
    (rules,) = re.findall(r"```yaml\n(groups:.*?)```", page(), re.DOTALL)
    expressions = re.findall(r"expr: (.*)", rules)
    assert len(expressions) == rules.count("- alert:") >= 5
    for expression in expressions:
        named = re.findall(r"\b(?:trimtab|process)_\w+", expression)
        assert named
        for name in named:
            assert name in labels_of, name
        for name, chosen in re.findall(r"\b(\w+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)[=!]", chosen)) <= labels_of[name], expression
        for grouped in re.findall(r"\bby \(([^)]*)\)", expression):
            assert set(grouped.split(", ")) <= set().union(*(labels_of[one] for one in named))
