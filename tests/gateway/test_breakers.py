import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from trimtab.config.schema import Breakers
from trimtab.gateway.breakers import Breaker, BreakerBoard
from trimtab.testing import FrozenClock
from trimtab.types.breakers import BreakerRecords
from trimtab.types.refs import ModelRef

REF = ModelRef("fake", "gpt-test")
SETTINGS = Breakers()


class Stage:
    """A breaker whose calls all begin and end at once, unless they are kept."""

    def __init__(self, settings: Breakers = SETTINGS) -> None:
        self.clock = FrozenClock()
        self.board = BreakerBoard(settings, self.clock, seed=1)
        self.breaker = self.board.of(REF)

    def play(self, script: str) -> None:
        """`s`ucceeds, `f`ails, runs into a `t`imeout, is `r`eleased; `.` is a second."""
        for step in script:
            if step == ".":
                self.clock.advance(1)
                continue
            call = self.breaker.admits()
            assert call, "it is not let through"
            end(self.breaker, call, step)

    def until_probe(self) -> float:
        """Wait as long as the breaker says."""
        wait_s = self.breaker.retry_in_s
        self.clock.advance(wait_s + 1e-9)
        return wait_s


def end(breaker: Breaker, call: int, how: str) -> None:
    match how:
        case "s":
            breaker.succeeded(call)
        case "r":
            breaker.released(call)
        case _:
            breaker.failed(call, timeout=how == "t")


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("", "closed"),
        ("ffff", "closed"),
        ("fffff", "open"),
        ("ffffsffff", "closed"),
        ("ffffrf", "open"),
        ("tt", "closed"),
        ("ttt", "open"),
        ("ttftt", "open"),  # five failures, though never three timeouts
        ("ttftsftt", "closed"),
        ("ttsttstts", "closed"),
        ("sf" * 9 + "s", "closed"),  # 19 calls say nothing yet
        ("sf" * 10, "open"),
        ("ssf" * 20, "closed"),
        ("sf" * 9 + "." * 30 + "sf", "closed"),  # the first ones are out of the window
        ("sf" * 9 + "." * 20 + "sf", "open"),
        ("sf." * 10, "open"),
        ("sf....." * 12, "closed"),
        ("sf.." * 9 + "." * 3_600 + "sf" * 9, "closed"),
    ],
)
def test_what_opens_it(script: str, state: str) -> None:
    stage = Stage()
    stage.play(script)
    assert stage.breaker.state == state


def test_open_half_open_closed() -> None:
    stage = Stage()
    breaker = stage.breaker
    assert breaker.retry_in_s == 0
    stage.play("fffff")
    assert 4.5 <= breaker.retry_in_s <= 5.5
    assert not breaker.admits()
    stage.until_probe()
    assert breaker.state == "half-open"
    assert breaker.retry_in_s == 0
    probe = breaker.admits()
    assert probe
    assert not breaker.admits()
    assert breaker.retry_in_s == pytest.approx(20)
    breaker.succeeded(probe)
    assert breaker.state == "closed"
    stage.play("ffff")  # all was forgotten
    assert breaker.state == "closed"


def test_waits_double_up_to_the_longest_and_start_anew() -> None:
    stage = Stage()
    stage.play("fffff")
    waits: list[float] = []
    for _ in range(5):
        waits.append(stage.until_probe())
        stage.play("f")
    for wait_s, expected in zip(waits, [5, 10, 20, 20, 20], strict=True):
        assert wait_s == pytest.approx(expected, rel=0.1)
    assert len(set(waits)) == 5
    stage.until_probe()
    stage.play("sfffff")
    assert stage.breaker.retry_in_s == pytest.approx(5, rel=0.1)


def test_the_first_wait_is_no_longer_than_the_longest() -> None:
    stage = Stage(Breakers(open_s=100, most_open_s=10))
    stage.play("fffff")
    assert stage.breaker.retry_in_s <= 11


def test_late_results_change_nothing() -> None:
    stage = Stage()
    breaker = stage.breaker
    early = [breaker.admits() for _ in range(12)]
    stage.play("fffff")
    opened = stage.board.states()
    breaker.succeeded(early[0])
    breaker.failed(early[1], timeout=True)
    breaker.released(early[2])
    assert stage.board.states() == opened
    stage.until_probe()
    probe = breaker.admits()
    breaker.succeeded(early[3])
    breaker.failed(early[4], timeout=False)
    breaker.released(early[5])
    assert breaker.state == "half-open"
    assert not breaker.admits()
    breaker.succeeded(probe)
    for call in early[6:]:
        breaker.failed(call, timeout=True)
    assert breaker.state == "closed"
    assert stage.board.states()[0].failures_in_a_row == 0


def test_a_probe_that_is_given_back_can_be_taken_again() -> None:
    stage = Stage()
    stage.play("fffff")
    stage.until_probe()
    stage.play("rr")
    assert stage.breaker.retry_in_s == 0
    stage.play("s")
    assert stage.breaker.state == "closed"


def test_a_probe_that_is_lost_does_not_block_for_ever() -> None:
    stage = Stage()
    stage.play("fffff")
    stage.until_probe()
    lost = stage.breaker.admits()
    stage.clock.advance(19.9)
    assert not stage.breaker.admits()
    stage.clock.advance(0.2)
    probe = stage.breaker.admits()
    assert probe
    stage.breaker.failed(lost, timeout=True)
    stage.breaker.released(lost)
    assert stage.breaker.state == "half-open"
    assert not stage.breaker.admits()
    stage.breaker.failed(probe, timeout=True)
    assert stage.breaker.state == "open"
    stage.breaker.succeeded(lost)
    assert stage.breaker.state == "open"


def test_an_answer_that_takes_longer_than_the_wait_still_closes() -> None:
    stage = Stage()
    stage.play("fffff")
    stage.until_probe()
    slow = stage.breaker.admits()
    stage.clock.advance(21)
    assert stage.breaker.admits()
    stage.breaker.succeeded(slow)
    assert stage.breaker.state == "closed"


def test_a_step_of_the_wall_clock_changes_nothing() -> None:
    stage = Stage()
    stage.play("fffff")
    before = stage.board.states()
    for step_s in (-3_600, 7_200, -1e9):
        stage.clock.step_wall(step_s)
        assert stage.board.states() == before
        assert not stage.breaker.admits()


def test_states_for_people() -> None:
    stage = Stage()
    assert stage.board.states() == []
    stage.board.of(ModelRef("fake", "other")).admits()
    stage.play("s")
    assert msgspec.to_builtins(stage.board.states()) == [
        {
            "provider": "fake",
            "model": "gpt-test",
            "state": "closed",
            "failures_in_a_row": 0,
            "opened_ago_s": None,
            "retry_in_s": 0.0,
        }
    ]
    stage.play("fffff..")
    (state,) = stage.board.states()
    assert (state.state, state.failures_in_a_row, state.opened_ago_s) == ("open", 5, 2.0)
    assert state.retry_in_s == stage.breaker.retry_in_s
    stage.until_probe()
    stage.play("f")
    (state,) = stage.board.states()
    assert state.failures_in_a_row == 6
    assert state.opened_ago_s is not None
    assert state.opened_ago_s > 4.5


def test_a_reload_keeps_what_is_open() -> None:
    stage = Stage(Breakers(open_s=1_000, most_open_s=4_000))
    stage.play("fffff")
    stage.board.use(Breakers(failures=2, window_s=10))
    assert stage.board.of(REF) is stage.breaker
    assert stage.breaker.state == "open"
    assert stage.breaker.retry_in_s == 20
    stage.until_probe()
    stage.play("sff")
    assert stage.breaker.state == "open"
    other = stage.board.of(ModelRef("fake", "other"))
    for _ in range(2):
        other.failed(other.admits(), timeout=False)
    assert other.state == "open"


def test_a_reload_with_the_same_window_keeps_its_counts() -> None:
    stage = Stage()
    stage.play("sf" * 9)
    stage.board.use(Breakers(failures=6))
    stage.play("sf")
    assert stage.breaker.state == "open"


def test_slow_calls_of_a_good_moment_are_no_failures_in_a_row() -> None:
    breaker = Stage().breaker
    for began_s in (1.0, 4.0, 9.0):  # among many that began at the same time and ended well
        breaker.succeeded(breaker.admits(), began_s=began_s)
    for began_s in (2.0, 3.0, 5.0, 8.0, 8.5):
        breaker.failed(breaker.admits(), timeout=True, began_s=began_s)
    assert breaker.state == "closed"
    for began_s in (9.0, 10.0, 11.0):
        assert breaker.state == "closed"
        breaker.failed(breaker.admits(), timeout=True, began_s=began_s)
    assert breaker.state == "open"


# ---------------------------------------------------------------- hints


def hinted(records: BreakerRecords, *, after_s: float = 1.0) -> Breaker:
    """The breaker of `REF` in a process that begins with `records`."""
    clock = FrozenClock(monotonic_s=1.0)
    clock.advance(after_s)
    board = BreakerBoard(SETTINGS, clock)
    board.take_hints(records)
    return board.of(REF)


def records_of_an_open_one() -> BreakerRecords:
    stage = Stage()
    stage.board.of(ModelRef("fake", "fine")).succeeded(1)
    stage.play("fffff")
    return stage.board.records()


HINTS = records_of_an_open_one()


def test_what_is_told_to_others_has_moments_in_it() -> None:
    opened, fine = HINTS.breakers
    assert (fine.state, fine.opened_ns, fine.retry_at_ns) == ("closed", None, None)
    assert (opened.model, opened.state, opened.failures_in_a_row) == ("gpt-test", "open", 5)
    assert opened.opened_ns == HINTS.written_ns
    assert opened.retry_at_ns is not None
    wait_s = (opened.retry_at_ns - HINTS.written_ns) / 1e9
    assert wait_s == pytest.approx(SETTINGS.open_s, rel=0.11)


def test_what_was_open_begins_half_open() -> None:
    breaker = hinted(HINTS)
    assert breaker.state == "half-open"
    probe = breaker.admits()
    assert probe
    assert not breaker.admits()
    breaker.failed(probe, timeout=False)
    assert breaker.state == "open"
    breaker = hinted(HINTS)
    breaker.succeeded(breaker.admits())
    assert breaker.state == "closed"


def test_hints_reach_breakers_that_have_seen_nothing_yet() -> None:
    stage, used = Stage(), Stage()
    stage.board.take_hints(HINTS)
    assert stage.breaker.state == "half-open"
    used.play("s")
    used.board.take_hints(HINTS)
    assert used.breaker.state == "closed"


@pytest.mark.parametrize("after_s", [601, 86_400])
def test_old_hints_are_ignored(after_s: float) -> None:
    assert hinted(HINTS, after_s=after_s).state == "closed"


def renamed(*models: str) -> BreakerRecords:
    """The hints, of other models."""
    opened = HINTS.breakers[0]
    changed = [msgspec.structs.replace(opened, model=model) for model in models]
    return msgspec.structs.replace(HINTS, breakers=changed)


def test_hints_about_other_models_change_nothing() -> None:
    assert hinted(renamed("gpt-gone")).state == "closed"


def test_hints_grow_old_in_the_process_too() -> None:
    stage = Stage()
    stage.board.take_hints(renamed("gpt-a", "b"))
    stage.clock.advance(599)
    assert stage.board.of(ModelRef("fake", "gpt-a")).state == "half-open"
    stage.clock.advance(2)
    assert stage.board.of(ModelRef("fake", "b")).state == "closed"


@pytest.mark.parametrize(("step_s", "state"), [(-60, "half-open"), (-7_200, "closed")])
def test_hints_from_the_future(step_s: float, state: str) -> None:
    stage = Stage()
    stage.clock.step_wall(step_s)
    stage.board.take_hints(HINTS)
    assert stage.breaker.state == state


# ---------------------------------------------------------------- any history


class AnyHistory(RuleBasedStateMachine):
    """Calls begin, end, are lost, in any order, while time goes on and the wall clock steps."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(Breakers(failures=3, timeouts=2, least_calls=6))
        self.breaker = self.stage.breaker
        self.calls: list[int] = []  # under way, and those that will never report
        self.probes: list[tuple[int, float]] = []  # not reported, with when they began

    @property
    def now_s(self) -> float:
        return self.stage.clock.monotonic_s()

    @rule()
    def begin(self) -> None:
        state, retry_in_s = self.breaker.state, self.breaker.retry_in_s
        call = self.breaker.admits()
        assert bool(call) == (retry_in_s == 0)
        if call:
            assert state != "open"
            self.calls.append(call)
            if state == "half-open":
                self.probes.append((call, self.now_s))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), how=st.sampled_from("sftr"))
    def end(self, data: st.DataObject, how: str) -> None:
        call = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        state, retry_in_s = self.breaker.state, self.breaker.retry_in_s
        end(self.breaker, call, how)
        was_probe = call in {number for number, _ in self.probes}
        self.probes = [probe for probe in self.probes if probe[0] != call]
        if state == "closed":
            return
        if not was_probe:
            assert (self.breaker.state, self.breaker.retry_in_s) == (state, retry_in_s)
        if self.breaker.state == "closed":
            assert was_probe
            assert how == "s"
            self.probes.clear()
        elif self.breaker.state == "open":
            self.probes.clear()

    @rule(seconds=st.sampled_from([0.1, 1, 4, 6, 15, 21, 100]))
    def advance(self, seconds: float) -> None:
        self.stage.clock.advance(seconds)

    @rule(seconds=st.sampled_from([-3_600, 3_600]))
    def step_wall(self, seconds: float) -> None:
        self.stage.clock.step_wall(seconds)

    @rule()
    def a_probe_that_succeeds_closes(self) -> None:
        if self.breaker.state == "half-open" and (call := self.breaker.admits()):
            self.breaker.succeeded(call)
            assert self.breaker.state == "closed"
            self.probes.clear()

    @invariant()
    def one_probe_at_a_time(self) -> None:
        longest_s = SETTINGS.most_open_s
        assert sum(self.now_s - began_s < longest_s for _, began_s in self.probes) <= 1

    @invariant()
    def never_far_from_the_next_probe(self) -> None:
        assert self.breaker.retry_in_s <= SETTINGS.most_open_s * 1.1

    @override
    def teardown(self) -> None:
        """From now on the provider is well; what is under way is lost."""
        recovered_s, call = self.now_s, 0
        while not (call := self.breaker.admits()):
            self.stage.clock.advance(0.5)
        self.breaker.succeeded(call)
        assert self.breaker.state == "closed"
        assert self.now_s - recovered_s <= SETTINGS.most_open_s * 1.1 + 0.5


TestAnyHistory = AnyHistory.TestCase
