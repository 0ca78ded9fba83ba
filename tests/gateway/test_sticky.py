import subprocess
import sys
from collections import Counter
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.config.schema import Rung
from trimtab.gateway.sticky import affinity_of, order
from trimtab.types.refs import ModelRef


def rungs_of(*providers: str) -> tuple[Rung, ...]:
    return tuple(
        Rung(alias="fast", ref=ModelRef(name, "gpt-test"), max_output_tokens=100)
        for name in providers
    )


SESSIONS = [f"session-{number}".encode() for number in range(12_000)]
FOUR = rungs_of("a", "b", "c", "d")


def firsts(rungs: tuple[Rung, ...], equals: int) -> list[str]:
    return [rungs[order(rungs, equals, session)[0]].ref.provider for session in SESSIONS]


def test_nothing_to_choose() -> None:
    assert order(FOUR, 1, b"x") == (0, 1, 2, 3)
    assert order(FOUR, 1, b"y") is order(FOUR, 1, b"x")
    assert order(FOUR[:1], 1, b"x") == (0,)


@given(st.integers(1, 4), st.binary(max_size=100))
def test_only_the_equal_ones_change_places(equals: int, affinity: bytes) -> None:
    found = order(FOUR, equals, affinity)
    assert sorted(found[:equals]) == list(range(equals))
    assert found[equals:] == tuple(range(equals, 4))
    assert order(FOUR, equals, affinity) == found


@pytest.mark.parametrize("equals", [2, 3, 4])
def test_spread_evenly(equals: int) -> None:
    counts = Counter(firsts(FOUR, equals))
    assert len(counts) == equals
    for count in counts.values():
        assert count == pytest.approx(len(SESSIONS) / equals, rel=0.04)


def test_second_places_are_spread_too() -> None:
    pairs = Counter(order(FOUR[:3], 3, session) for session in SESSIONS)
    assert len(pairs) == 6
    for count in pairs.values():
        assert count == pytest.approx(len(SESSIONS) / 6, rel=0.06)


@pytest.mark.parametrize("gone", range(4))
def test_taking_one_out_moves_its_own_share_only(gone: int) -> None:
    left = FOUR[:gone] + FOUR[gone + 1 :]
    name = FOUR[gone].ref.provider
    moved = Counter[str]()
    for before, after in zip(firsts(FOUR, 4), firsts(left, 3), strict=True):
        if before == name:
            moved[after] += 1
        else:
            assert after == before
    for count in moved.values():
        assert count == pytest.approx(len(SESSIONS) / 12, rel=0.1)


def test_who_is_written_first_makes_no_difference() -> None:
    turned = FOUR[::-1]
    assert firsts(FOUR, 4) == firsts(turned, 4)


def test_the_same_in_every_process() -> None:
    script = (
        "from test_sticky import FOUR, SESSIONS, order\n"
        "print([order(FOUR, 4, session) for session in SESSIONS[:50]])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=__file__.rpartition("/")[0],
        env={"PYTHONHASHSEED": "7"},
    ).stdout
    assert found.strip() == str([order(FOUR, 4, session) for session in SESSIONS[:50]])
    # Releases must not move sessions either.
    assert sha256(str(firsts(FOUR, 4)).encode()).hexdigest()[:8] == "988df622"


def test_affinity() -> None:
    messages = b'[{"role":"system","content":"' + b"x" * 5_000 + b'"}]'
    assert affinity_of("ann-1", messages) == b"ann-1"
    assert affinity_of("", messages) == messages[:2_048]
    assert affinity_of("", msgspec.Raw(messages)) == messages[:2_048]
    assert affinity_of("", messages[:40]) == messages[:40]
    assert affinity_of("\ud800", b"") == b"\xed\xa0\x80"
