"""T14: a request that a caller declares to be one that it has made before."""

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.cached import answer
from trimtab.gateway.idempotency import Recalled, Remembered, digest_of, idempotency_key
from trimtab.testing.clock import FrozenClock

DAY_S = 86_400


def test_t14_the_same_request_is_answered_as_before():
    remembered = Remembered(FrozenClock())
    key = idempotency_key("key_1", "order-7")
    kept = answer(1)
    assert remembered.find(key, digest_of(b"{}")) is None
    remembered.keep(key, digest_of(b"{}"), kept)
    assert remembered.find(key, digest_of(b"{}")) == Recalled(kept, conflict=False)
    assert remembered.find(idempotency_key("key_2", "order-7"), digest_of(b"{}")) is None


def test_t14_another_body_under_the_same_key_is_a_conflict():
    remembered = Remembered(FrozenClock())
    key = idempotency_key("key_1", "order-7")
    remembered.keep(key, digest_of(b"{}"), answer(1))
    recalled = remembered.find(key, digest_of(b'{"a":1}'))
    assert recalled is not None
    assert recalled.conflict


@given(*(st.text(max_size=8) for _ in range(4)))
def test_no_two_tenants_share_a_key(tenant: str, name: str, other: str, other_name: str):
    assume((tenant, name) != (other, other_name))
    assert idempotency_key(tenant, name) != idempotency_key(other, other_name)
    if name:
        assert idempotency_key(tenant + name[0], name[1:]) != idempotency_key(tenant, name)


def test_it_forgets_after_a_day_whatever_the_wall_clock_says():
    clock = FrozenClock()
    remembered = Remembered(clock)
    remembered.keep(b"1", b"d", answer(1))
    clock.step_wall(-3_600)
    clock.advance(DAY_S - 1)
    remembered.keep(b"2", b"d", answer(2))
    assert remembered.find(b"1", b"d") is not None
    clock.advance(1)
    assert remembered.find(b"1", b"d") is None
    assert remembered.find(b"2", b"d") is not None
    clock.advance(DAY_S)
    assert remembered.find(b"2", b"d") is None
    assert (len(remembered), remembered.bytes) == (0, 0)


def test_the_oldest_go_when_there_are_too_many_or_too_large_ones():
    remembered = Remembered(FrozenClock(), most=3, most_bytes=5_000)
    for number in range(4):
        remembered.keep(b"%d" % number, b"d", answer(number, body=b"x"))
    assert [remembered.find(b"%d" % n, b"d") is not None for n in range(4)] == [False, *[True] * 3]
    remembered.keep(b"1", b"d", answer(9, body=b"y"))  # again, so it is the youngest now
    remembered.keep(b"large", b"d", answer(5, body=b"x" * 3_600))
    assert len(remembered) == 2
    assert remembered.find(b"1", b"d") is not None
    assert remembered.bytes == 3_600 + 1 + 2 * 500
    remembered.keep(b"too large", b"d", answer(6, body=b"x" * 5_000))
    assert (len(remembered), remembered.bytes) == (0, 0)
