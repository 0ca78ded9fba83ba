"""Funds with a clock that the test moves, and a real store that knows what was spent before."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from store.samples import CLOCK, intent, record, settle
from trimtab.config.load import load_project
from trimtab.config.schema import Project
from trimtab.gateway.call import Call
from trimtab.gateway.funds import Fund, Funds
from trimtab.providers.wire.chat_request import parse_request
from trimtab.spend.credit import Hold, take
from trimtab.store.sqlite import open_reader
from trimtab.testing import FrozenClock
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

BODY = b'{"model":"m","messages":[]}'
HOUR_NS = 3_600 * NS_PER_S
MIDNIGHT_NS = int(datetime(2026, 11, 24, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * NS_PER_S


def project(folder: Path, budgets: str, zone: str = "Europe/Berlin") -> Project:
    file = folder / "trimtab.toml"
    file.write_text(f"""
[providers.p]
kind = "openai"
base_url = "http://127.0.0.1:9"
[models.m]
ref = "p:x"
price = {{input_usd_per_mtok = 1, output_usd_per_mtok = 1}}
[spend]
time_zone = "{zone}"
{budgets}
""")
    return load_project(file)


def budget(window: str = "day", *, name: str = "b", limit: str = "0.000001", rest: str = "") -> str:
    return f'[budgets.{name}]\nper = "user"\nwindow = "{window}"\nlimit_usd = {limit}\n{rest}'


class Bench:
    """Funds of one user, and calls that begin when the clock says."""

    def __init__(self, folder: Path, declared: Project, at_ns: int) -> None:
        self.folder = folder
        self.project = declared
        self.clock = FrozenClock(wall_ns=at_ns)
        self.funds_reader = open_reader(folder, CLOCK)
        self.funds = Funds(declared, self.funds_reader, self.clock)

    def call(self, user: str = "ana", user_class: str = "") -> Call:
        serving: Any = None  # funds ask for nothing of it
        return Call(
            inference_id="i",
            started_ns=self.clock.wall_ns(),
            begun_s=0.0,
            caller=Caller(user=user, user_class=user_class),
            request=parse_request(BODY),
            body=BODY,
            target=self.project.resolve("m"),
            serving=serving,
        )

    def of(self, call: Call) -> Sequence[Fund]:
        return self.funds.of(call, call.target.rungs[0]).funds

    def known(self, call: Call) -> Sequence[Fund]:
        found = self.of(call)
        asyncio.run(self.funds.load(found))
        return found

    def hold(self, call: Call, amount_nanousd: int) -> Hold | None:
        accounts = [fund.account for fund in self.known(call)]
        return take(accounts, amount_nanousd, began_ns=call.started_ns)


@contextmanager
def bench(
    folder: Path, budgets: str, *, at_ns: int = MIDNIGHT_NS, zone: str = "Europe/Berlin"
) -> Generator[Bench]:
    data = folder / ".trimtab"
    data.mkdir(exist_ok=True)
    if not (data / "ledger.sqlite").exists():
        record(data, [])
    yield Bench(data, project(folder, budgets, zone), at_ns)


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Europe/Berlin", (2026, 10, 25)),
        ("Europe/Berlin", (2026, 3, 29)),
        ("America/Havana", (2026, 11, 1)),
        ("Asia/Kolkata", (2026, 11, 24)),
        ("UTC", (2026, 11, 24)),
    ],
)
def test_t27_a_reset_at_local_midnight_happens_once_and_erases_nothing_under_way(
    project_folder: Path, zone: str, midnight: tuple[int, int, int]
):
    begin = datetime(*midnight, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    at_ns = int(begin.timestamp()) * NS_PER_S
    with bench(project_folder, budget(), at_ns=at_ns - 2 * NS_PER_S, zone=zone) as on:
        before = on.call()
        hold = on.hold(before, 900)
        assert hold is not None
        (old,) = on.of(before)
        assert on.hold(on.call(), 200) is None
        on.clock.advance(2)
        after = on.call()
        (new,) = on.of(after)
        assert new is not old
        assert (new.window.begin_ns, new.account.spent_nanousd) == (at_ns, 0)
        assert on.of(on.call()) == [new], "once"
        second = on.hold(after, 900)
        assert second is not None
        on.funds.drop_idle()
        assert on.of(before) == [old], "a second attempt of it is still of its own day"
        assert on.hold(before, 200) is None
        hold.settle(800)
        assert (old.account.spent_nanousd, old.account.held_nanousd) == (800, 0)
        assert (new.account.spent_nanousd, new.account.held_nanousd) == (0, 900)
        second.settle(700)
        on.funds.drop_idle()
        assert new.account.spent_nanousd == 700
        assert on.of(on.call()) == [new]
        third = on.hold(before, 200)
        assert third is not None
        third.settle(200)
        assert old.account.spent_nanousd == 1_000


def test_t27_a_clock_that_is_set_back_makes_no_second_day(project_folder: Path):
    with bench(project_folder, budget(), at_ns=MIDNIGHT_NS + NS_PER_S) as on:
        hold = on.hold(on.call(), 900)
        on.clock.step_wall(-5)
        assert on.hold(on.call(), 200) is None, "midnight has been, and is not to come again"
        on.clock.step_wall(5)
        assert on.hold(on.call(), 200) is None
        assert hold is not None
        hold.settle(0)


def spent_before(folder: Path, *costs: tuple[int, int]) -> None:
    """What the ledger knows: (UTC ns, nano-dollars) each."""
    data = folder / ".trimtab"
    data.mkdir()
    caller = Caller(user="ana")
    entries: list[Any] = []
    for number, (at_ns, cost) in enumerate(costs):
        begun = intent(f"inf_{number}", started_ns=at_ns, caller=caller, provider="p", model="x")
        ended = settle(f"inf_{number}", ended_ns=at_ns + NS_PER_S, cost_nanousd=cost)
        entries += [begun, ended]
    lost = intent("lost", started_ns=costs[-1][0], caller=caller, hold_nanousd=40)
    record(data, [*entries, lost])


@pytest.mark.parametrize(
    ("window", "rest", "spent"),
    [
        ("day", "", 2 + 40),
        ("day", "rolling = true", 1 + 2 + 40),
        ("hour", "", 2 + 40),
        ("week", "", 1 + 2 + 40),
        ("month", "", 1 + 2 + 40 + 4),
    ],
)
def test_what_was_spent_before_is_known_of_each_window(
    project_folder: Path, window: str, rest: str, spent: int
):
    hour = HOUR_NS
    spent_before(
        project_folder,
        (MIDNIGHT_NS - 20 * 24 * hour, 4),
        (MIDNIGHT_NS - 2 * hour, 1),
        (MIDNIGHT_NS + 60 * NS_PER_S, 2),
    )
    with bench(project_folder, budget(window, rest=rest), at_ns=MIDNIGHT_NS + 120 * NS_PER_S) as on:
        (fund,) = on.known(on.call())
        assert fund.account.spent_nanousd == spent
        asyncio.run(on.funds.load([fund]))
        assert fund.account.spent_nanousd == spent, "only once"


def test_funds_that_are_over_go_when_no_inference_can_need_them(project_folder: Path):
    with bench(project_folder, budget()) as on:
        (first,) = on.known(on.call())
        first.account.spend(5, 0)
        hold = take([first.account], 10, began_ns=0)
        on.clock.advance(25 * 3_600)
        on.funds.drop_idle()
        on.clock.step_wall(-2 * 3_600)
        assert on.of(on.call()) == [first], "something is held"
        assert hold is not None
        hold.settle(10)
        on.clock.advance(4 * 3_600)
        on.funds.drop_idle()
        on.clock.step_wall(-4 * 3_600)
        assert on.of(on.call()) != [first]


def test_of_too_many_funds_the_idle_ones_go(project_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trimtab.gateway.funds._MOST_KEPT", 2)
    with bench(project_folder, budget()) as on:
        idle = [on.known(on.call(user))[0] for user in ("a", "b")]
        on.clock.advance(2 * 3_600)
        in_use = [on.known(on.call(user))[0] for user in ("c", "d")]
        on.funds.drop_idle()
        assert [on.of(on.call(user))[0] for user in ("c", "d")] == in_use
        assert not {id(on.of(on.call(user))[0]) for user in ("a", "b")} & set(map(id, idle))


def test_another_time_zone_begins_with_what_the_store_knows(project_folder: Path):
    spent_before(project_folder, (MIDNIGHT_NS - 2 * HOUR_NS, 1), (MIDNIGHT_NS + 60 * NS_PER_S, 2))
    with bench(project_folder, budget(), at_ns=MIDNIGHT_NS + 120 * NS_PER_S) as on:
        (berlin,) = on.known(on.call())
        assert berlin.account.spent_nanousd == 2 + 40
        on.funds.use(project(project_folder, budget(limit="0.000002")))
        assert on.of(on.call()) == [berlin]
        assert berlin.amount_nanousd == 2_000
        on.funds.use(project(project_folder, budget(), zone="America/New_York"))
        (york,) = on.known(on.call())
        assert york is not berlin
        assert york.account.spent_nanousd == 1 + 2 + 40


def test_another_window_or_subject_is_another_fund(project_folder: Path):
    with bench(project_folder, budget()) as on:
        (day,) = on.known(on.call())
        on.funds.use(project(project_folder, budget("week")))
        (week,) = on.of(on.call())
        assert week is not day
        assert not week.loaded
        on.funds.use(project(project_folder, ""))
        assert on.of(on.call()) == []


def test_what_is_more_than_a_rolling_amount_is_a_window_away(project_folder: Path):
    rest = "rolling = true"
    with bench(project_folder, budget(rest=rest, limit="0.000001")) as on:
        (fund,) = on.known(on.call())
        now_ns = on.clock.wall_ns()
        fund.account.spend(900, now_ns)
        on.clock.advance(40 * 3_600)
        later_ns = on.clock.wall_ns()
        assert fund.frees_at_ns(2_000, later_ns) >= later_ns + 24 * HOUR_NS
        assert now_ns + 24 * HOUR_NS < fund.frees_at_ns(500, now_ns) <= now_ns + 25 * HOUR_NS


def test_marks_are_told_once_and_again_for_a_raised_amount(project_folder: Path):
    with bench(project_folder, budget()) as on:
        (fund,) = on.known(on.call())
        assert not fund.passes_mark()
        fund.account.spend(850, 0)
        assert [fund.passes_mark(), fund.passes_mark()] == [True, False]
        fund.account.spend(200, 0)
        assert (fund.passes_mark(), fund.passed, fund.exhausted) == (True, 1.0, True)
        on.funds.use(project(project_folder, budget(limit="0.000002")))
        assert on.of(on.call()) == [fund]
        assert (fund.exhausted, fund.used) == (False, 0.525)
        fund.account.spend(700, 0)
        assert (fund.passes_mark(), fund.passed) == (True, 0.8)


def test_amounts_by_class_and_none(project_folder: Path):
    classes = 'class_limits_usd = {free = 0.000000001}\n[classes.free]\nusers = ["f*"]\n'
    text = budget(rest=classes).replace("limit_usd = 0.000001\n", "", 1)
    with bench(project_folder, text) as on:
        (fund,) = on.of(on.call("fay", "free"))
        assert (fund.amount_nanousd, fund.account.limit_nanousd) == (1, 1)
        assert on.of(on.call("ana")) == [], "no amount: no limit"
        soft = text.replace('window = "day"', 'window = "day"\nover = "warn"')
        on.funds.use(project(project_folder, soft))
        assert on.of(on.call("fay", "free")) == [fund]
        assert (fund.amount_nanousd, fund.account.limit_nanousd) == (1, None)
        assert fund.used == 0.0


def test_funds_are_found_once_for_a_caller_and_model(project_folder: Path):
    with bench(project_folder, budget()) as on:
        call = on.call()
        (rung,) = call.target.rungs
        on.known(call)
        backing = on.funds.of(call, rung)
        assert backing is on.funds.of(on.call(), rung)
        assert backing is not on.funds.of(on.call("bob"), rung)
        assert backing is not on.funds.of(on.call(user_class="vip"), rung)
        on.funds.drop_idle()
        again = on.funds.of(on.call(), rung)
        assert again is not backing
        assert again.funds == backing.funds
        on.clock.advance(24 * 3_600)
        (tomorrow,) = on.of(on.call())
        assert tomorrow not in backing.funds
        assert on.of(call) == backing.funds, "it goes on in its own window"
        on.funds.use(project(project_folder, budget(limit="0.000002")))
        (raised,) = on.of(on.call())
        assert raised is tomorrow
        assert raised.account.limit_nanousd == 2_000


@pytest.mark.parametrize(
    "declared", [budget("hour", rest="rolling = true"), budget(rest="class_limits_usd = {vip = 1}")]
)
def test_funds_that_change_from_call_to_call_are_found_anew(project_folder: Path, declared: str):
    with bench(project_folder, declared + '\n[classes.vip]\nusers = ["v-*"]\n') as on:
        call = on.call()
        (rung,) = call.target.rungs
        on.known(call)
        assert on.funds.of(call, rung) is not on.funds.of(call, rung)
