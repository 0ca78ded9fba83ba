"""What a bill is explained by, against a straight look at the records."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.ladders import Ladders, interleaved
from store.samples import CLOCK, DAY_NS, NOON_NS, intent, record, settle
from trimtab.store.chain import Record
from trimtab.store.records import Fate, SpendFacts, Visits
from trimtab.store.sqlite import open_reader, rebuild
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller
from trimtab.types.records import Intent, Settle
from trimtab.types.usage import Usage

HOUR_NS = 3_600 * NS_PER_S
MIDNIGHT_NS = NOON_NS - 12 * HOUR_NS
WEEK = (MIDNIGHT_NS - DAY_NS, MIDNIGHT_NS + 6 * DAY_NS)


def facts(data_dir: Path, edges_ns: tuple[int, ...] = WEEK) -> list[SpendFacts]:
    return open_reader(data_dir, CLOCK).spend_facts(edges_ns)


def fates(data_dir: Path) -> dict[Fate, tuple[int, int, int]]:
    """Inferences, attempts and cost by fate."""
    found: dict[Fate, tuple[int, int, int]] = {}
    for fact in facts(data_dir):
        before = found.get(fact.fate, (0, 0, 0))
        new = (fact.inferences, fact.attempts, fact.cost_nanousd)
        found[fact.fate] = (before[0] + new[0], before[1] + new[1], before[2] + new[2])
    return found


def failed(attempt: int = 1, **changes: Any) -> Settle:
    values: dict[str, Any] = {"outcome": "error", "error_code": "provider_error", "final": False}
    return settle("inf_1", attempt=attempt, **values | changes)


def begun(attempt: int = 1, **changes: Any) -> Intent:
    return intent("inf_1", attempt=attempt, **changes)


def ended(attempt: int = 1, **changes: Any) -> Settle:
    return settle("inf_1", attempt=attempt, **changes)


@pytest.mark.parametrize(
    ("changes", "fate"),
    [
        ({}, "answered"),
        ({"finish_reason": "length"}, "cut"),
        ({"finish_reason": "MAX_TOKENS"}, "cut"),
        ({"outcome": "error", "error_code": "truncated"}, "broken"),
        ({"outcome": "error", "error_code": "busy"}, "failed"),
        ({"outcome": "timeout", "error_code": "timeout_ttft"}, "failed"),
        ({"outcome": "cancelled", "error_code": "caller_gone"}, "cancelled"),
    ],
)
def test_an_inference_ends_one_way(tmp_path: Path, changes: dict[str, Any], fate: Fate) -> None:
    record(tmp_path, [begun(), ended(**changes)])
    assert fates(tmp_path) == {fate: (1, 1, 1_200)}


def test_an_answer_from_the_response_cache_is_no_attempt(tmp_path: Path) -> None:
    record(tmp_path, [begun(cause="cache"), ended(cost_nanousd=0, saved_nanousd=900)])
    [fact] = facts(tmp_path)
    assert (fact.fate, fact.inferences, fact.attempts) == ("cached", 1, 0)
    assert (fact.cost_nanousd, fact.saved_nanousd) == (0, 900)


@pytest.mark.parametrize(
    ("second", "fate"),
    [
        ({"cause": "retry"}, "retried"),
        ({"cause": "retry", "provider": "azure"}, "retried"),
        ({"cause": "fallback", "provider": "azure", "rung": 1}, "failed_over"),
        ({"cause": "hedge"}, "retried"),
        ({"cause": "hedge", "model": "gpt-5-nano", "rung": 1}, "failed_over"),
    ],
)
def test_a_failed_attempt_is_told_by_what_followed(
    tmp_path: Path, second: dict[str, Any], fate: Fate
) -> None:
    record(tmp_path, [begun(), failed(cost_nanousd=70), begun(2, **second), ended(2)])
    assert fates(tmp_path) == {fate: (0, 1, 70), "answered": (1, 1, 1_200)}


def test_a_failed_attempt_that_nothing_followed_is_failed(tmp_path: Path) -> None:
    record(tmp_path, [begun(), failed(cost_nanousd=70)])
    assert fates(tmp_path) == {"failed": (0, 1, 70)}
    record(tmp_path, [begun(2, cause="stale", rung=1), ended(2, cost_nanousd=0)])
    # Its second attempt is of another writer, and of another chunk.
    assert fates(tmp_path) == {"failed": (0, 1, 70), "cached": (1, 0, 0)}


def test_a_stale_answer_beside_an_answer_keeps_its_fate(tmp_path: Path) -> None:
    entries = [begun(cause="stale"), failed(cost_nanousd=0), begun(2, cause="retry"), ended(2)]
    record(tmp_path, entries)
    assert fates(tmp_path)["cached"] == (0, 0, 0)


def test_the_slower_one_of_a_hedge(tmp_path: Path) -> None:
    lost: dict[str, Any] = {"outcome": "cancelled", "error_code": "hedge_lost", "final": False}
    record(tmp_path, [begun(), begun(2, cause="hedge"), ended(2), ended(**lost, cost_nanousd=80)])
    assert fates(tmp_path) == {"hedge_lost": (0, 1, 80), "answered": (1, 1, 1_200)}


def test_a_stream_that_was_continued(tmp_path: Path) -> None:
    broken = failed(error_code="truncated", cost_nanousd=300)
    record(tmp_path, [begun(), broken, begun(2, cause="continue", rung=1), ended(2)])
    assert fates(tmp_path) == {"continued": (0, 1, 300), "answered": (1, 1, 1_200)}


def test_an_attempt_that_was_cancelled_is_not_retried(tmp_path: Path) -> None:
    gone = failed(outcome="cancelled", error_code="shutting_down", cost_nanousd=5)
    record(tmp_path, [begun(), gone, begun(2, cause="retry"), ended(2)])
    assert fates(tmp_path) == {"cancelled": (0, 1, 5), "answered": (1, 1, 1_200)}


def test_facts_keep_apart_what_explains(tmp_path: Path) -> None:
    caller = Caller("key_1", "search", "ann", "s1", "pro")
    usage = Usage(9, 8, 7, 6, 5, 4, 3, 2, 1)
    record(
        tmp_path,
        [begun(caller=caller, repeat=True), ended(usage=usage), intent("inf_2"), settle("inf_2")],
    )
    classless, pro = facts(tmp_path)
    assert pro == SpendFacts(
        since_ns=WEEK[0],
        until_ns=WEEK[1],
        user_class="pro",
        route="main",
        model="openai:gpt-5-mini",
        cause="first",
        rung=0,
        fate="answered",
        repeat=True,
        with_user=True,
        with_session=True,
        inferences=1,
        attempts=1,
        usage=usage,
        cost_nanousd=1_200,
        saved_nanousd=0,
    )
    assert (classless.user_class, classless.repeat) == ("", False)


def test_edges_part_the_hours(tmp_path: Path) -> None:
    hours = [0, 1, 1, 3]
    record(
        tmp_path,
        [
            entry
            for number, hour in enumerate(hours)
            for entry in (
                intent(f"inf_{number}", started_ns=NOON_NS + hour * HOUR_NS),
                settle(f"inf_{number}"),
            )
        ],
    )
    edges = tuple(NOON_NS + hour * HOUR_NS + 1 for hour in (0, 1, 3))
    found = facts(tmp_path, edges)
    assert [(fact.since_ns - NOON_NS, fact.inferences) for fact in found] == [(0, 1), (HOUR_NS, 2)]
    assert facts(tmp_path, edges[:1]) == []


def many(seed: int) -> list[Record]:
    ladders = Ladders(seed)
    return interleaved([ladders.inference() for _ in range(60)], seed)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most_in_tail", [1, 10_000])
def test_facts_add_up_to_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, most_in_tail: int
) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", most_in_tail)
    monkeypatch.setattr("trimtab.store.sqlite.projector._CHUNK", 23)
    entries = many(seed)
    record(tmp_path, entries)
    intents = [entry for entry in entries if isinstance(entry, Intent)]
    settles = [entry for entry in entries if isinstance(entry, Settle)]
    found = facts(tmp_path)
    assert sum(fact.cost_nanousd for fact in found) == sum(s.cost_nanousd for s in settles)
    assert sum(fact.saved_nanousd for fact in found) == sum(s.saved_nanousd for s in settles)
    ids = {entry.inference_id for entry in settles if entry.final}
    assert sum(fact.inferences for fact in found) == len(ids)
    called = {(i.inference_id, i.attempt) for i in intents if i.cause not in {"cache", "stale"}}
    assert sum(fact.attempts for fact in found) == sum(
        (entry.inference_id, entry.attempt) in called for entry in settles
    )
    assert sum(fact.usage.input_tokens for fact in found) == sum(
        entry.usage.input_tokens for entry in settles
    )
    before = found, open_reader(tmp_path, CLOCK).visits(WEEK)
    rebuild(tmp_path)
    assert (facts(tmp_path), open_reader(tmp_path, CLOCK).visits(WEEK)) == before


Seen = list[tuple[int, str, str]]
"""Hour, user and session of some inferences."""

SEEN = st.lists(
    st.tuples(
        st.integers(0, 100), st.sampled_from(["", "ann", "bob"]), st.sampled_from(["", "s", "t"])
    ),
    max_size=12,
)


def straight(seen: Iterable[tuple[int, str, str]], edges: list[int]) -> list[tuple[int, int, int]]:
    """Number of the range, users and sessions begun."""
    users: defaultdict[int, set[str]] = defaultdict(set)
    first: dict[tuple[str, str, int], int] = {}
    for hour, user, session in seen:
        place = next((n for n in range(len(edges) - 1) if edges[n] <= hour < edges[n + 1]), -1)
        users[place] |= {user} - {""}
        if session:
            day = (user, session, hour // 24)
            first[day] = min(first.get(day, hour), hour)
    begun = Counter(
        next((n for n in range(len(edges) - 1) if edges[n] <= hour < edges[n + 1]), -1)
        for (user, session, day), hour in first.items()
        if (user, session, day - 1) not in first
    )
    counts = [(place, len(users[place]), begun[place]) for place in range(len(edges) - 1)]
    return [count for count in counts if count[1] or count[2]]


@settings(max_examples=25, deadline=None)
@given(seen=SEEN, tail=st.sampled_from([1, 3, 1_000]))
def test_visits_in_whichever_order_they_come(seen: Seen, tail: int) -> None:
    edges = [0, 7, 24, 50, 97]
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", tail)
        patch.setattr("trimtab.store.sqlite.projector._CHUNK", 2)
        record(
            Path(folder),
            [
                entry
                for number, (hour, user, session) in enumerate(seen)
                for entry in (
                    intent(
                        f"inf_{number}",
                        started_ns=MIDNIGHT_NS + hour * HOUR_NS,
                        caller=Caller("key_1", "", user, session),
                    ),
                    settle(f"inf_{number}"),
                )
            ],
        )
        reader = open_reader(Path(folder), CLOCK)
        found = reader.visits([MIDNIGHT_NS + hour * HOUR_NS for hour in edges])
    told = [
        (edges.index((v.since_ns - MIDNIGHT_NS) // HOUR_NS), v.users, v.sessions) for v in found
    ]
    assert told == straight(seen, edges)


def test_many_users_are_kept_as_bits_and_few_as_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", 1)
    entries: list[Record] = []
    for number in range(200):
        hour = 0 if number < 199 else 1
        caller = Caller("key_1", "", f"user{number}", "", "free")
        started_ns = NOON_NS + hour * HOUR_NS
        entries += [
            intent(f"i{number}", started_ns=started_ns, caller=caller),
            settle(f"i{number}"),
        ]
    record(tmp_path, entries)
    edges = (NOON_NS, NOON_NS + HOUR_NS, NOON_NS + 2 * HOUR_NS)
    found = open_reader(tmp_path, CLOCK).visits(edges)
    assert found == [
        Visits(since_ns=edges[0], until_ns=edges[1], user_class="free", users=199, sessions=0),
        Visits(since_ns=edges[1], until_ns=edges[2], user_class="free", users=1, sessions=0),
    ]
