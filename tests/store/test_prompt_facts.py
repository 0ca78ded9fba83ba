"""What is told of versions of prompts, against a straight look at events and records."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from store.ladders import Ladders, hedged, interleaved
from store.samples import CLOCK, DAY_NS, NOON_NS, all_events, derived, intent, pairs, record, settle
from store.samples import rows as rows_in
from trimtab.errors import UsageError
from trimtab.stats.histogram import LogHistogram
from trimtab.store.chain import Record
from trimtab.store.records import Event, PromptFacts
from trimtab.store.sqlite import open_reader, rebuild, verify
from trimtab.store.sqlite.served import SettledAttempt, seen_of
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Arm, Intent, PromptUse, Settle
from trimtab.types.usage import Usage

HOUR_NS = 3_600 * NS_PER_S
MIDNIGHT_NS = NOON_NS - 12 * HOUR_NS
STORED = "SELECT * FROM prompts ORDER BY 1, 2, 3, 4, 5, 6"
WEEK = (MIDNIGHT_NS, MIDNIGHT_NS + 7 * DAY_NS)

Key = tuple[str, str, str, str]


def use(version: str = "v1", *, name: str = "support/triage", arm: Arm = "released") -> PromptUse:
    return PromptUse(id=name, version=version, hash=f"hash-{version}", arm=arm)


def facts(data_dir: Path, **asked: Any) -> list[PromptFacts]:
    return open_reader(data_dir, CLOCK).prompt_facts(*WEEK, **asked)


def one(data_dir: Path) -> PromptFacts:
    [found] = facts(data_dir)
    return found


def key_of(fact: PromptFacts) -> Key:
    return fact.prompt, fact.version, fact.hash, fact.arm


def histogram(values: Iterable[int]) -> LogHistogram:
    found = LogHistogram()
    for value in values:
        found.add(value)
    return found


def traffic(count: int, seed: int = 1) -> list[Record]:
    """Inferences of one attempt each, most of them of a prompt, in the order of their ends."""
    rng = Random(seed)
    entries: list[Record] = []
    for number in range(count):
        name = rng.choice(["", "a", "b/c"])
        arm: Arm = rng.choice(["released", "canary", "shadow"])
        prompt = use(rng.choice(["v1", "v2"]), name=name, arm=arm) if name else None
        began = intent(
            f"inf_{number:05}",
            started_ns=WEEK[0] + rng.randrange(7 * 86_400) * NS_PER_S,
            prompt=prompt,
        )
        outcome = rng.choice(["ok"] * 6 + ["error", "timeout", "cancelled"])
        ended = settle(
            began.inference_id,
            outcome=outcome,
            latency_us=int(rng.lognormvariate(13, 1)),
            cost_nanousd=rng.randrange(90_000),
            usage=Usage(input_tokens=9, output_tokens=rng.randrange(900)),
            form=rng.choice(["", "ok", "ok", "invalid"]) if outcome == "ok" else "",
            finish_reason=rng.choice(["stop", "length", "content_filter", "refusal", "SAFETY"]),
        )
        entries += [began, ended]
    return entries


def counted(key: Key, events: Sequence[Event]) -> dict[str, Any]:
    """The facts of some events of one attempt each, one event at a time."""
    outcomes = Counter(event.outcome for event in events)
    answers = [event.output_tokens for event in events if event.outcome == "ok"]
    reasons = [event.finish_reason for event in events if event.outcome == "ok"]
    refusals = {"content_filter", "refusal", "SAFETY"}
    return {
        **dict(zip(("prompt", "version", "hash", "arm"), key, strict=True)),
        "inferences": len(events),
        "ok": outcomes["ok"],
        "errors": outcomes["error"],
        "timeouts": outcomes["timeout"],
        "cancelled": outcomes["cancelled"],
        "cached": 0,
        "form_ok": sum(event.form == "ok" for event in events),
        "form_invalid": sum(event.form == "invalid" for event in events),
        "refused": sum(reason in refusals for reason in reasons),
        "output_tokens": sum(answers),
        "cost_nanousd": sum(event.cost_nanousd for event in events),
        "cost_histogram": histogram(event.cost_nanousd for event in events),
        "latency_histogram": histogram(event.latency_us for event in events),
        "output_histogram": histogram(answers),
    }


def by_version(events: Iterable[Event]) -> dict[Key, list[Event]]:
    found: defaultdict[Key, list[Event]] = defaultdict(list)
    for event in events:
        if event.prompt:
            key = (event.prompt, event.prompt_version, event.prompt_hash, event.prompt_arm)
            found[key].append(event)
    return found


def without_times(fact: PromptFacts) -> dict[str, Any]:
    times = {"since_ns", "until_ns", "first_ns", "last_ns"}
    return {name: getattr(fact, name) for name in fact.__struct_fields__ if name not in times}


@pytest.mark.parametrize("most_in_tail", [1, 150, 10_000])
def test_facts_are_those_of_the_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_in_tail: int
) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", most_in_tail)
    monkeypatch.setattr("trimtab.store.sqlite.projector._CHUNK", 101)
    record(tmp_path, traffic(700))
    events = by_version(all_events(open_reader(tmp_path, CLOCK)))
    assert len(events) == 12
    found = facts(tmp_path)
    assert [key_of(fact) for fact in found] == sorted(events)
    for fact in found:
        key = key_of(fact)
        assert without_times(fact) == counted(key, events[key])
        days = [event.started_ns - event.started_ns % DAY_NS for event in events[key]]
        assert (fact.first_ns, fact.last_ns) == (min(days), max(days))
        assert (fact.since_ns, fact.until_ns) == WEEK


@pytest.mark.parametrize("step_h", [1, 6, 24, 48])
def test_steps_add_up_and_hold_what_began_in_them(tmp_path: Path, step_h: int) -> None:
    record(tmp_path, traffic(300))
    step_ns = step_h * HOUR_NS
    seen: Counter[tuple[int, Key]] = Counter()
    for key, events in by_version(all_events(open_reader(tmp_path, CLOCK))).items():
        seen.update((event.started_ns // step_ns * step_ns, key) for event in events)
    found = facts(tmp_path, step_s=step_h * 3_600)
    assert {(fact.since_ns, key_of(fact)): fact.inferences for fact in found} == dict(seen)
    assert all(fact.until_ns - fact.since_ns == step_ns for fact in found)
    assert [fact.since_ns for fact in found] == sorted(fact.since_ns for fact in found)


def test_a_range_in_the_middle_and_one_prompt(tmp_path: Path) -> None:
    record(tmp_path, traffic(300))
    reader = open_reader(tmp_path, CLOCK)
    span = (MIDNIGHT_NS + 5 * HOUR_NS, MIDNIGHT_NS + 3 * DAY_NS + 7 * HOUR_NS)
    events = all_events(reader, since_ns=span[0], until_ns=span[1], where={"prompt": "a"})
    found = reader.prompt_facts(span[0] + 1, span[1] - 1, prompt="a")
    assert {fact.prompt for fact in found} == {"a"}
    assert {key_of(fact): without_times(fact) for fact in found} == {
        key: counted(key, some) for key, some in by_version(events).items()
    }
    assert reader.prompt_facts(*span, prompt="nobody's") == []
    assert reader.prompt_facts(span[0], span[0]) == []


@pytest.mark.parametrize("step_s", [-3_600, 60, 5_400])
def test_steps_that_cannot_be_shown(tmp_path: Path, step_s: int) -> None:
    with pytest.raises(UsageError, match="multiple of 3600"):
        facts(tmp_path, step_s=step_s)


def test_inferences_without_a_prompt_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, pairs(20))
    rollups = tmp_path / "rollups.sqlite"
    assert rows_in(rollups, "SELECT * FROM prompt_tail") == []
    monkeypatch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", 1)
    record(tmp_path, [intent("x"), settle("x")])
    assert rows_in(rollups, "SELECT count(*) FROM tail") == [(0,)]
    assert rows_in(rollups, "SELECT * FROM prompts") == []


def test_an_answer_from_the_cache_is_counted_and_not_measured(tmp_path: Path) -> None:
    record(
        tmp_path,
        [
            intent("a", prompt=use(), cause="cache"),
            settle("a", cost_nanousd=0, usage=Usage(), latency_us=90),
            intent("b", prompt=use()),
            settle("b"),
        ],
    )
    found = one(tmp_path)
    assert (found.inferences, found.ok, found.cached) == (2, 2, 1)
    assert found.latency_histogram == histogram([1_000_000])
    assert found.cost_histogram == histogram([1_200])
    assert found.output_histogram == histogram([50])


def test_a_stale_answer_after_a_call_costs_what_the_call_did(tmp_path: Path) -> None:
    failed = settle("a", outcome="error", final=False, cost_nanousd=70)
    second = intent("a", attempt=2, prompt=use(), cause="stale", rung=1)
    record(
        tmp_path,
        [intent("a", prompt=use()), failed, second, settle("a", attempt=2, cost_nanousd=0)],
    )
    found = one(tmp_path)
    assert (found.inferences, found.cached, found.cost_nanousd) == (1, 1, 70)
    assert found.cost_histogram == histogram([70])
    assert found.latency_histogram.count == found.output_histogram.count == 0


def test_an_attempt_that_another_one_follows_is_not_counted_yet(tmp_path: Path) -> None:
    failed = settle("a", outcome="error", final=False, cost_nanousd=70)
    record(tmp_path, [intent("a", prompt=use()), failed])
    assert facts(tmp_path) == []
    # Of another writer, and of another chunk.
    record(tmp_path, [intent("a", attempt=2, prompt=use(), cause="retry"), settle("a", attempt=2)])
    found = one(tmp_path)
    assert (found.inferences, found.ok, found.errors, found.cost_nanousd) == (1, 1, 0, 1_270)
    assert found.cost_histogram == histogram([1_270])


def test_the_loser_of_a_hedge_adds_its_cost_and_no_output(tmp_path: Path) -> None:
    lost = settle("a", outcome="cancelled", error_code="hedge_lost", final=False, cost_nanousd=80)
    hedge = intent("a", attempt=2, prompt=use(), cause="hedge")
    record(tmp_path, [intent("a", prompt=use()), hedge, settle("a", attempt=2), lost])
    found = one(tmp_path)
    assert (found.inferences, found.cancelled, found.cost_nanousd) == (1, 0, 1_280)
    assert found.cost_histogram == histogram([1_200])
    assert (found.output_tokens, found.output_histogram) == (50, histogram([50]))


def with_prompts(entries: Sequence[Record], seed: int) -> list[Record]:
    """The same inferences, two of three rendered from a prompt."""
    rng, uses = Random(seed), [None, use("v1"), use("v2", arm="canary")]
    chosen: defaultdict[str, PromptUse | None] = defaultdict(lambda: rng.choice(uses))
    return [
        msgspec.structs.replace(entry, prompt=chosen[entry.inference_id])
        if isinstance(entry, Intent)
        else entry
        for entry in entries
    ]


def ended(entries: Sequence[Record]) -> dict[str, list[list[SettledAttempt]]]:
    """By hash of the version, the attempts of each inference in the order of their ends."""
    intents = {(e.inference_id, e.attempt): e for e in entries if isinstance(e, Intent)}
    settled: defaultdict[str, list[SettledAttempt]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, Settle):
            begun = intents[entry.inference_id, entry.attempt]
            settled[entry.inference_id].append(SettledAttempt(begun, entry))
    found: defaultdict[str, list[list[SettledAttempt]]] = defaultdict(list)
    for attempts in settled.values():
        prompt = attempts[0].intent.prompt
        if prompt is not None and any(settle.final for _, settle in attempts):
            found[prompt.hash].append(attempts)
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most_in_tail", [1, 10_000])
def test_facts_of_ladders_are_those_of_the_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, most_in_tail: int
) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", most_in_tail)
    monkeypatch.setattr("trimtab.store.sqlite.projector._CHUNK", 23)
    ladders = Ladders(seed)
    entries = with_prompts(interleaved([ladders.inference() for _ in range(90)], seed), seed)
    record(tmp_path, entries)
    there = ended(entries)
    found = {fact.hash: fact for fact in facts(tmp_path)}
    assert found.keys() == there.keys()
    for version, inferences in there.items():
        fact, costs, answers = found[version], list[int](), list[int]()
        for attempts in inferences:
            last = next(at for at, (_, settle) in enumerate(attempts) if settle.final)
            served = attempts[last]
            if any(i.cause not in {"cache", "stale"} for i, _ in attempts[: last + 1]):
                costs.append(sum(settle.cost_nanousd for _, settle in attempts[: last + 1]))
            if served.settle.outcome == "ok" and served.intent.cause not in {"cache", "stale"}:
                seen = seen_of(attempts[: last + 1])
                answers.append(sum(s.usage.output_tokens for i, s in attempts if i.attempt in seen))
        assert fact.inferences == len(inferences)
        assert fact.cost_nanousd == sum(s.cost_nanousd for some in inferences for _, s in some)
        assert fact.cost_histogram == histogram(costs)
        assert (fact.output_tokens, fact.output_histogram) == (sum(answers), histogram(answers))


def test_a_rebuild_gives_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", 1)
    entries = traffic(250) + with_prompts(hedged("hedge", hedge_wins=True, loser_last=True), 0)
    record(tmp_path, entries)
    before = derived(tmp_path)
    stored = rows_in(tmp_path / "rollups.sqlite", STORED)
    assert before["prompts"]
    assert {row[0] for row in stored} == {3_600, 86_400}
    rebuild(tmp_path)
    assert derived(tmp_path) == before
    assert rows_in(tmp_path / "rollups.sqlite", STORED) == stored
    assert verify(tmp_path).ok
