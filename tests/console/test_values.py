"""Pure parts: words, addresses, sessions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.console.access import SESSION_S, Access, Visitor, local_path
from trimtab.console.charts import charts_of, steps_of
from trimtab.console.inference import draw_bars
from trimtab.console.query import link, read_span
from trimtab.console.render import render
from trimtab.errors import ForbiddenOrigin, InvalidKey, Overloaded, UsageError
from trimtab.insights.overview import Overview, Totals
from trimtab.looks import words
from trimtab.store.records import AttemptRecord
from trimtab.store.sqlite import open_keys
from trimtab.testing import FrozenClock
from trimtab.types.clock import NS_PER_S

NOW_NS = 1_793_000_000 * NS_PER_S


def test_figures_and_times_in_words():
    assert words.milliseconds(None) == "\N{EN DASH}"
    assert words.milliseconds(0.4) == "0.4 ms"
    assert words.milliseconds(12_345) == "12.3 s"
    assert [words.amount(value) for value in (999, 9_999, 64_156, 1_234_567, 2_000_000_000)] == [
        "999", "9,999", "64.2\xa0k", "1.23\xa0M", "2\xa0G",
    ]  # fmt: skip
    at_ns = NOW_NS - 90 * NS_PER_S
    assert words.ago(at_ns, NOW_NS) == "90 s ago"
    assert words.ago(NOW_NS - 7_200 * NS_PER_S, NOW_NS) == "2 h ago"
    assert words.ago(NOW_NS + 5, NOW_NS) == "0 s ago"
    assert words.iso_time(1_500_000_000_123_000_000) == "2017-07-14T02:40:00.123Z"
    assert words.short("x" * 100).count("x") == 21


@given(st.text())
def test_what_cannot_be_seen_is_written_out(text: str):
    shown = words.visible(text)
    for hidden in "\u202e\u2066\u200b\x00\x1b\ufeff\U000e0041":
        assert hidden not in shown
    assert words.visible("a\tb\nc\u200dd") == "a\tb\nc\u200dd"
    assert words.visible("\u202e") == "\u27e6U+202E\u27e7"


@given(st.text().map(lambda text: text.replace("`", "")))  # between two of them it is code
def test_a_template_escapes_everything(text: str):
    values: dict[str, Any] = {
        "message": text, "status": 404, "here": text, "host": text, "path": text, "query": {},
        "now_ns": NOW_NS, "visitor": Visitor(text or "x"), "live": True,
    }  # fmt: skip
    html = render("error.html", values)
    plain = render("error.html", values | {"message": "", "here": "", "visitor": Visitor("x")})
    for mark in "<>\"'":
        assert html.count(mark) == plain.count(mark)


@given(st.dictionaries(st.sampled_from(["range", "from", "to"]), st.text(max_size=20)))
def test_any_range_is_read_or_explained(query: dict[str, str]):
    try:
        span = read_span(query, NOW_NS)
    except UsageError:
        return
    assert span.since_ns < span.until_ns


def test_addresses():
    assert link("/console") == "/console"
    assert link("/console", {"a": "1", "b": ""}, {"a": "2"}, c="é &") == "/console?a=2&c=%C3%A9+%26"
    span = read_span({"from": "2026-01-01T00:00", "to": ""}, NOW_NS)
    assert span.parameters == {"from": "2026-01-01T00:00", "to": ""}
    assert span.until_ns == NOW_NS
    assert read_span({"from": "2026-01-01T01:00+01:00"}, NOW_NS).since_ns == span.since_ns


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/console", "//evil.example/console", "/\\evil.example", "/consolex",
     "/v1/models", "javascript:alert(1)", "/console/../v1", "/console\r\nx", "http://[", "",
     "/console/logout", "/console/login?next=/console", "console", "/console\\..",
     "/console/\u202e"],
)  # fmt: skip
def test_the_login_leads_nowhere_else(path: str):
    assert local_path(path) == "/console"


@pytest.mark.parametrize("path", ["/console", "/console?range=1h", "/console/inferences/inf_1?a=b"])
def test_the_login_leads_back(path: str):
    assert local_path(path) == path


def let_in(_headers: Mapping[bytes, bytes]) -> None:
    """A guard that lets all in."""


def keep_out(_headers: Mapping[bytes, bytes]) -> None:
    raise ForbiddenOrigin("no")


def test_sessions_end(tmp_path: Path):
    clock = FrozenClock()
    keys = open_keys(tmp_path, clock)
    access = Access(keys, clock, let_in)
    assert access.visitor({}, "") == Visitor()
    with pytest.raises(ForbiddenOrigin):
        Access(keys, clock, keep_out).visitor({}, "")
    _, secret = keys.create("ana", console=True)
    assert access.visitor({}, "") is None
    cookie = access.open_session(secret)
    assert access.visitor({}, cookie) == Visitor("ana")
    assert Access(keys, clock, let_in).visitor({}, cookie) is None, "another process"
    clock.advance(SESSION_S - 1)
    assert access.visitor({}, cookie) == Visitor("ana")
    clock.advance(1)
    assert access.visitor({}, cookie) is None
    fresh = access.open_session(secret)
    keys.revoke("ana")
    assert access.visitor({}, fresh) is None
    with pytest.raises(InvalidKey):
        access.open_session(secret)
    keys.close()


def test_logins_are_limited_and_recover(tmp_path: Path):
    clock = FrozenClock()
    keys = open_keys(tmp_path, clock)
    _, secret = keys.create("ana", console=True)
    access = Access(keys, clock, let_in)
    for _ in range(5):
        with pytest.raises(InvalidKey):
            access.open_session("tt-guess")
    with pytest.raises(Overloaded):
        access.open_session(secret)
    clock.advance(0.5)
    assert access.open_session(secret)
    keys.close()


def attempt(number: int, after_us: int, **more: Any) -> AttemptRecord:
    return AttemptRecord(
        attempt=number, provider="p", model="m", after_us=after_us, hold_nanousd=1,
        price_version="", settled=more.get("latency_us") is not None, **more,
    )  # fmt: skip


def test_attempts_are_drawn_to_one_scale():
    bars = draw_bars(
        [
            attempt(1, 0, latency_us=400, outcome="error"),
            attempt(2, 500, latency_us=1_000, ttft_us=750, outcome="ok"),
        ],
        1_000,
    )
    assert [(bar.start, bar.waiting, bar.rest) for bar in bars] == [(0, 400, 0), (500, 250, 250)]
    (later,) = draw_bars([attempt(2, 500, latency_us=900, ttft_us=100, outcome="ok")], 1_000)
    assert (later.start, later.waiting, later.rest) == (500, 4, 400), "the first token was older"
    (still,) = draw_bars([attempt(1, 0)], 1)
    assert (still.start, still.waiting, still.rest) == (0, 4, 0)


def test_several_and_pieces():
    assert words.several(1, "error") == "1 error"
    assert words.several(1_000, "error") == "1,000 errors"
    assert words.pieces("Run `trimtab up` now") == ["Run ", "trimtab up", " now"]
    assert words.pieces("a ` alone") == ["a ` alone"]


def test_charts_have_every_step():
    found = Overview(
        dimension="total", value="", since_ns=NOW_NS, until_ns=NOW_NS + 3_600 * NS_PER_S,
        step_s=60, totals=Totals(),
    )  # fmt: skip
    steps = steps_of(found)
    assert 60 <= len(steps) <= 61
    assert all(point is None for _, point in steps)
    assert {chart.name for chart in charts_of(found, "now")} == {
        "latency", "ttft", "requests", "cost",
    }  # fmt: skip
