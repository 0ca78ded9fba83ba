"""Who asks the same again though there was an answer."""

import json

import pytest

from trimtab.gateway.repeats import Repeats
from trimtab.providers.wire.chat_request import ChatRequest, parse_request
from trimtab.testing import FrozenClock
from trimtab.types.identity import Caller

ANA = Caller(key_id="key_1", user="ana")


def request(text: str = "hi", **fields: object) -> ChatRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]} | fields
    return parse_request(json.dumps(body).encode())


def test_the_same_messages_again_not_long_after_the_answer():
    clock = FrozenClock()
    repeats = Repeats(clock)
    mark = repeats.mark_of(ANA, request())
    assert not repeats.is_repeat(mark), "there was no answer yet"
    repeats.answered(mark)
    assert repeats.is_repeat(repeats.mark_of(ANA, request(temperature=1, model="other")))
    assert not repeats.is_repeat(repeats.mark_of(ANA, request("ho")))
    for other in (Caller(key_id="key_2", user="ana"), Caller(key_id="key_1", user="ben")):
        assert not repeats.is_repeat(repeats.mark_of(other, request()))
    for advanced_s, known in ((1_799, True), (1, True), (1_799, True), (1, False)):
        clock.advance(advanced_s)
        repeats.forget_old()
        assert repeats.is_repeat(mark) is known


def test_of_those_who_do_not_say_who_asks_nothing_is_known():
    repeats = Repeats(FrozenClock())
    nobody = repeats.mark_of(Caller(key_id="key_1"), request())
    assert nobody == 0
    repeats.answered(nobody)
    assert not repeats.is_repeat(nobody)
    assert repeats.mark_of(Caller(session="s"), request()) != 0


def test_only_the_latest_are_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trimtab.gateway.repeats._MOST", 2)
    repeats = Repeats(FrozenClock())
    for mark in (1, 2, 3):
        repeats.answered(mark)
        repeats.forget_old()
    assert [repeats.is_repeat(mark) for mark in (1, 2, 3)] == [False, False, True]
