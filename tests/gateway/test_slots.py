from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from trimtab.gateway.slots import Slots, Ticket


def nothing() -> None:
    pass


def test_a_free_slot_is_taken_at_once() -> None:
    slots = Slots(2, 0)
    assert slots.take()
    assert slots.take()
    assert not slots.take()
    assert (slots.busy, slots.waiting) == (2, 0)
    assert slots.wait(nothing) is None
    slots.give_back()
    assert slots.take()


def test_first_come_first_served() -> None:
    slots, served = Slots(1, 3), list[str]()
    assert slots.take()
    tickets = {name: slots.wait(lambda name=name: served.append(name)) for name in "abc"}
    assert slots.wait(nothing) is None
    assert slots.waiting == 3
    given_up = tickets["b"]
    assert given_up
    given_up.cancel()
    given_up.cancel()
    assert slots.waiting == 2
    slots.give_back()
    slots.give_back()
    assert served == ["a", "c"]
    assert (slots.busy, slots.waiting) == (1, 0)
    slots.give_back()
    assert slots.busy == 0


def test_cancelling_what_was_granted_changes_nothing() -> None:
    slots = Slots(1, 1)
    slots.take()
    ticket = slots.wait(nothing)
    assert ticket
    slots.give_back()
    ticket.cancel()
    assert slots.busy == 1
    assert not slots.take()


def test_many_that_fail_at_once_do_not_go_deep() -> None:
    slots = Slots(1, 10_000)
    slots.take()
    for _ in range(10_000):
        slots.wait(slots.give_back)
    slots.give_back()
    assert (slots.busy, slots.waiting) == (0, 0)


def test_nobody_overtakes_the_queue() -> None:
    slots, taken = Slots(1, 3), list[bool]()

    def give_back_and_take() -> None:
        slots.give_back()
        taken.append(slots.take())

    slots.take()
    slots.wait(give_back_and_take)
    slots.wait(give_back_and_take)
    slots.give_back()
    assert taken == [False, True]
    assert slots.busy == 1


def test_a_defect_of_one_does_not_keep_the_others_waiting() -> None:
    slots, served = Slots(1, 3), list[int]()

    def fail(number: int) -> None:
        served.append(number)
        slots.give_back()
        raise RuntimeError(f"defect {number}")

    slots.take()
    for number in range(3):
        slots.wait(lambda number=number: fail(number))
    with pytest.raises(RuntimeError, match="defect 0"):
        slots.give_back()
    assert served == [0, 1, 2]
    assert (slots.busy, slots.waiting) == (0, 0)
    assert slots.take()


def test_resize() -> None:
    slots, served = Slots(1, 3), list[str]()
    slots.take()
    for name in "abc":
        slots.wait(lambda name=name: served.append(name))
    slots.resize(3, 1)
    assert served == ["a", "b"]
    slots.resize(1, 0)
    assert slots.waiting == 1  # it keeps its place
    assert slots.wait(nothing) is None
    slots.give_back()
    slots.give_back()
    assert (slots.busy, served) == (1, ["a", "b"])
    slots.give_back()
    assert (slots.busy, served) == (1, ["a", "b", "c"])


def test_misuse_is_found_out() -> None:
    slots = Slots(1, 1)
    with pytest.raises(AssertionError, match="take it"):
        slots.wait(nothing)
    with pytest.raises(AssertionError, match="more slots"):
        slots.give_back()


class AnyOrder(RuleBasedStateMachine):
    """Compared with a list of who waits and a count of who holds a slot."""

    def __init__(self) -> None:
        super().__init__()
        self.slots = Slots(2, 3)
        self.limit, self.most_waiting = 2, 3
        self.held = 0
        self.queue: list[tuple[int, Ticket]] = []
        self.over: list[Ticket] = []  # cancelled or granted
        self.number = 0

    def on_granted(self, number: int, then: str) -> None:
        first, ticket = self.queue.pop(0)
        assert first == number  # in the order of the queue, and nobody who left it
        self.over.append(ticket)
        self.held += 1
        if then == "gives back":
            self.give()
        elif then == "takes another one away" and self.queue:
            _, last = self.queue.pop()
            last.cancel()
            self.over.append(last)

    def give(self) -> None:
        self.held -= 1
        self.slots.give_back()

    @rule(then=st.sampled_from(["holds", "gives back", "takes another one away"]))
    def arrive(self, then: str) -> None:
        free = self.held < self.limit
        assert self.slots.take() == free
        if free:
            self.held += 1
            return
        self.number += 1
        granted: Callable[[], None] = lambda n=self.number: self.on_granted(n, then)  # noqa: E731
        ticket = self.slots.wait(granted)
        assert (ticket is None) == (len(self.queue) >= self.most_waiting)
        if ticket is not None:
            self.queue.append((self.number, ticket))

    @precondition(lambda self: self.held)
    @rule()
    def give_back(self) -> None:
        self.give()

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        _, ticket = self.queue.pop(data.draw(st.integers(0, len(self.queue) - 1)))
        ticket.cancel()
        self.over.append(ticket)

    @precondition(lambda self: self.over)
    @rule(data=st.data())
    def cancel_late(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.over)).cancel()

    @rule(limit=st.integers(1, 4), most_waiting=st.integers(0, 4))
    def resize(self, limit: int, most_waiting: int) -> None:
        self.limit, self.most_waiting = limit, most_waiting
        self.slots.resize(limit, most_waiting)

    @invariant()
    def nothing_leaks(self) -> None:
        assert self.slots.busy == self.held
        assert self.slots.waiting == len(self.queue)
        assert not self.queue or self.held >= self.limit

    @override
    def teardown(self) -> None:
        while self.held:
            self.give()
        self.nothing_leaks()
        assert (self.slots.busy, self.slots.waiting) == (0, 0)


TestAnyOrder = AnyOrder.TestCase
