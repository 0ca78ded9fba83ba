"""The frozen clock moves only when it is told to."""

import pytest

from trimtab.testing import FrozenClock
from trimtab.types.clock import NS_PER_S, Clock


def test_it_stands_still_and_moves_when_told() -> None:
    frozen = FrozenClock(wall_ns=5 * NS_PER_S, monotonic_s=1.0)
    clock: Clock = frozen
    assert (clock.wall_ns(), clock.monotonic_s()) == (5 * NS_PER_S, 1.0)
    frozen.advance(2.5)
    assert (clock.wall_ns(), clock.monotonic_s()) == (7_500_000_000, 3.5)


def test_only_the_wall_clock_goes_back() -> None:
    clock = FrozenClock(wall_ns=10 * NS_PER_S, monotonic_s=1.0)
    clock.step_wall(-3)
    assert (clock.wall_ns(), clock.monotonic_s()) == (7 * NS_PER_S, 1.0)
    with pytest.raises(ValueError, match="step_wall"):
        clock.advance(-1)
