"""Pages of inferences: none missed, none repeated, in any order, over any limit of time."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.samples import CLOCK, DAY_NS, NOON_NS, all_events, intent, record, settle
from trimtab.errors import UsageError
from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.store.records import Event, EventQuery
from trimtab.store.sqlite import open_reader, pages
from trimtab.types.identity import Caller

COUNT = 400
KEYS = {"newest": "started_ns", "costliest": "cost_nanousd", "slowest": "latency_us"}


def traffic() -> Iterator[Record]:
    """Over four days, with many ties in time, cost and latency."""
    rng = Random(5)
    for number in rng.sample(range(COUNT), COUNT):
        inference_id = f"inf_{number:04}"
        yield intent(
            inference_id,
            started_ns=NOON_NS + rng.randrange(40) * DAY_NS // 10,
            caller=Caller("key_1", "search", f"user{min(rng.randrange(30), 9)}", ""),
            provider=rng.choice(["a", "b"]),
            cause="fallback" if number % 9 == 0 else "first",
        )
        yield settle(
            inference_id,
            outcome="ok" if number % 50 else "error",
            error_code="" if number % 50 else "server",
            cost_nanousd=rng.choice([0, 0, 5, 70, rng.randrange(10_000)]),
            latency_us=rng.choice([1, 1_000, rng.randrange(10_000)]),
        )


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), traffic())
        yield open_reader(Path(folder), CLOCK)


def expected(events: list[Event], order: str, **where: str) -> list[str]:
    def place(event: Event) -> tuple[int, int, str]:
        return getattr(event, KEYS[order]), event.started_ns, event.inference_id

    ordered = sorted(events, key=place, reverse=True)
    return [
        event.inference_id
        for event in ordered
        if all(getattr(event, field) == value for field, value in where.items())
    ]


WHERE: list[dict[str, str]] = [
    {},
    {"user": "user1"},
    {"user": "user9"},
    {"user": "nobody"},
    {"outcome": "error"},
    {"error_code": "server", "provider": "a"},
    {"team": "search", "provider": "b"},
    {"session": "none"},
    {"cause": "fallback", "provider": "b"},
]


@settings(max_examples=150, deadline=None)
@given(
    order=st.sampled_from(list(KEYS)),
    where=st.sampled_from(WHERE),
    limit=st.integers(1, 60),
    first=st.integers(0, 45),
    length=st.integers(0, 45),
    band=st.integers(1, 50),
    hurried=st.booleans(),
)
def test_pages_are_the_sorted_list(reader: Reader, **drawn: Any) -> None:
    since_ns = NOON_NS + drawn["first"] * DAY_NS // 10
    until_ns = since_ns + drawn["length"] * DAY_NS // 10
    everything = [e for e in all_events(reader) if since_ns <= e.started_ns < until_ns]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "_BAND", drawn["band"])
        if drawn["hurried"]:
            patch.setattr(pages, "_BUDGET_S", -1.0)
        found = all_events(
            reader,
            since_ns=since_ns,
            until_ns=until_ns,
            order=drawn["order"],
            where=drawn["where"],
            limit=drawn["limit"],
        )
    ids = [event.inference_id for event in found]
    assert ids == expected(everything, drawn["order"], **drawn["where"])


def test_a_page_that_ran_out_of_time_says_how_far_it_looked(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_BUDGET_S", -1.0)
    monkeypatch.setattr(pages, "_BAND", 20)
    query = EventQuery(since_ns=0, until_ns=1 << 62, where={"session": "none"})
    page = reader.event_page(query)
    assert page.events == []
    assert page.next
    assert page.searched_to_ns is not None
    assert NOON_NS < page.searched_to_ns < NOON_NS + 4 * DAY_NS


@pytest.mark.parametrize("after", ["x", "1.2", "1.x.inf", "-1.2.inf", "1." + "9" * 40 + ".inf"])
def test_a_page_that_never_was(reader: Reader, after: str) -> None:
    with pytest.raises(UsageError, match="no page after"):
        reader.event_page(EventQuery(since_ns=0, until_ns=1, after=after))


def test_more_days_than_can_be_open_at_once(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_MOST_DAYS", 3)
    assert all_events(reader)
    with pytest.raises(UsageError, match="shorter time"):
        all_events(reader, order="costliest")


def test_unknown_order_field_or_size(reader: Reader) -> None:
    values: dict[str, Any] = {"since_ns": 0, "until_ns": 1}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"order": "best"}, "No order 'best'"),
        ({"where": {"price": "1"}}, "No filter 'price'"),
        ({"limit": 0}, "A page of 0"),
    ]
    for wrong, words in cases:
        with pytest.raises(UsageError, match=words):
            reader.event_page(EventQuery(**(values | wrong)))
