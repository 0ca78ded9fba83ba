"""Requests that wait for one like them, and what they may rely on."""

import logging
from collections.abc import Callable

import pytest

from gateway.cached import answer
from trimtab.gateway.flights import Flight, Flights
from trimtab.store.answers import CachedAnswer

ANSWER = answer(1)


class Asker:
    """Does what an inference does: follow, else lead."""

    def __init__(self, flights: Flights, name: str, log: list[str]) -> None:
        self.flights = flights
        self.name = name
        self.log = log
        self.flight: Flight | None = None
        self.answer: CachedAnswer | None = None

    def ask(self) -> None:
        flight = self.flights.join(b"k")
        if flight is None:
            self.flight = self.flights.lead(b"k")
            self.log.append(f"{self.name} leads")
        else:
            self.ticket = flight.follow(self.on_landed)
            self.log.append(f"{self.name} follows")

    def on_landed(self, answer: CachedAnswer | None) -> None:
        if answer is None:
            self.ask()
        else:
            self.answer = answer
            self.log.append(f"{self.name} has it")

    def land(self, answer: CachedAnswer | None) -> None:
        assert self.flight is not None
        self.flight.landed(answer)


def askers(count: int) -> tuple[Flights, list[Asker], list[str]]:
    flights, log = Flights(), list[str]()
    made = [Asker(flights, "abcdef"[number], log) for number in range(count)]
    for asker in made:
        asker.ask()
    return flights, made, log


def test_followers_share_the_answer_of_the_first():
    flights, (a, b, c), log = askers(3)
    assert a.flight is not None
    assert a.flight.followers == 2
    a.land(ANSWER)
    assert log == ["a leads", "b follows", "c follows", "b has it", "c has it"]
    assert b.answer is c.answer is ANSWER
    assert len(flights) == 0
    assert flights.join(b"k") is None


def test_other_keys_fly_alone():
    flights = Flights()
    one, two = flights.lead(b"1"), flights.lead(b"2")
    assert flights.join(b"1") is one
    one.landed(None)
    assert flights.join(b"1") is None
    assert flights.join(b"2") is two


def test_when_it_fails_the_first_follower_leads_and_the_others_follow_it():
    flights, (a, b, c, d), log = askers(4)
    a.land(None)
    assert log[4:] == ["b leads", "c follows", "d follows"]
    b.land(None)
    assert log[7:] == ["c leads", "d follows"]
    c.land(ANSWER)
    assert d.answer is ANSWER
    assert b.answer is None
    assert len(flights) == 0


def test_who_has_left_is_not_told():
    _, (a, b, c), log = askers(3)
    b.ticket.cancel()
    b.ticket.cancel()
    assert a.flight is not None
    assert a.flight.followers == 1
    a.land(None)
    assert log[3:] == ["c leads"]
    c.ticket.cancel()
    c.land(ANSWER)
    assert b.answer is None


def test_a_follower_may_make_another_leave_while_they_are_told():
    flights = Flights()
    flight = flights.lead(b"k")
    heard: list[str] = []

    def first(_: CachedAnswer | None) -> None:
        heard.append("first")
        second.cancel()

    flight.follow(first)
    second = flight.follow(lambda _: heard.append("second"))
    flight.follow(lambda _: heard.append("third"))
    flight.landed(ANSWER)
    assert heard == ["first", "third"]


@pytest.mark.parametrize("ending", [ANSWER, None])
def test_only_the_first_landing_counts(ending: CachedAnswer | None):
    """So that a leader may say `landed(None)` wherever it ends, also after it has landed."""
    flights, (a, b), log = askers(2)
    a.land(ending)
    told = len(log)
    a.land(None)
    a.land(ANSWER)
    assert len(log) == told
    assert (b.answer is ANSWER) is (ending is ANSWER)
    assert len(flights) == (0 if ending else 1)


def test_a_leader_that_dies_strands_nobody():
    """The contract: whoever leads lands, whatever ends it."""
    _, (a, b, c), log = askers(3)

    def serve() -> None:
        assert a.flight is not None
        try:
            raise ZeroDivisionError
        finally:
            a.flight.landed(None)

    with pytest.raises(ZeroDivisionError):
        serve()
    assert log[3:] == ["b leads", "c follows"]
    assert b.flight is not None
    b.land(ANSWER)
    assert c.answer is ANSWER


def test_a_follower_with_a_defect_harms_nobody_else(caplog: pytest.LogCaptureFixture):
    flights, (a, b), _ = askers(2)
    flight = flights.join(b"k")
    assert flight is not None
    flight.leave(b.ticket)

    def defect(_: CachedAnswer | None) -> None:
        raise ZeroDivisionError

    flight.follow(defect)
    b.ask()
    with caplog.at_level(logging.ERROR):
        a.land(ANSWER)
    assert b.answer is ANSWER
    assert "could not go on" in caplog.text


def test_what_cannot_be_done_is_noticed():
    flights = Flights()
    flight = flights.lead(b"k")
    hopeless: list[Callable[[], object]] = [lambda: flights.lead(b"k")]
    for attempt in hopeless:
        with pytest.raises(AssertionError, match="join before"):
            attempt()
    flight.landed(None)
    with pytest.raises(AssertionError, match="found by nobody"):
        flight.follow(lambda _: None)


def test_a_leader_says_what_it_sent():
    flights = Flights()
    flights.lead(b"k", digest=b"one")
    flight = flights.join(b"k")
    assert flight is not None
    assert flight.digest == b"one"
