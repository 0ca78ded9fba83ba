"""The test of rates: that it is valid by enumeration, and what it says of single cases."""

from itertools import product
from math import comb
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stats.sequential import BLOCK, RateTest, Stakes, wilson


def binomial(bad: int, count: int, rate: float) -> float:
    return comb(count, bad) * rate**bad * (1 - rate) ** (count - bad)


def after_block(test: RateTest, released: tuple[int, int], candidate: tuple[int, int]) -> float:
    """The evidence after one more block of (bad, count)."""
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(test), type=RateTest)
    copy.add_released(*released)
    copy.add_candidate(*candidate)
    return copy.stakes.evidence


def expected(test: RateTest, rates: tuple[float, float], counts: tuple[int, int]) -> float:
    """Of the evidence after one more block, over all its outcomes."""
    return sum(
        binomial(old, counts[0], rates[0])
        * binomial(new, counts[1], rates[1])
        * after_block(test, (old, counts[0]), (new, counts[1]))
        for old, new in product(range(counts[0] + 1), range(counts[1] + 1))
    )


def begun(margin: float, reference: tuple[int, int]) -> RateTest:
    return RateTest.begin(margin=margin, reference_bad=reference[0], reference_count=reference[1])


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.3, 0.9])
@pytest.mark.parametrize("reference", [(0, 0), (5, 100), (90, 100)])  # the rate, and far from it
def test_no_evidence_is_expected_of_a_candidate_that_is_no_worse(
    margin: float, reference: tuple[int, int]
) -> None:
    test = begun(margin, reference)
    for counts in ((4, 4), (9, 4), (4, 9)):
        for rate in (0.0, 0.01, 0.05, 0.2, 0.6, 1.0):
            edge = min(rate + margin, 1.0)
            for candidate in (edge, 0.9 * edge, 0.5 * edge):
                assert expected(test, (rate, candidate), counts) <= 1 + 1e-12


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=1, max_size=12))
def test_nor_after_any_past(past: list[tuple[int, int]]) -> None:
    test = begun(0.0, (0, 0))
    for old, new in past:
        test.add_released(old, 9)
        test.add_candidate(new, 4)
    before = test.stakes.evidence
    assert before <= test.peak
    assert expected(test, (0.1, 0.1), (9, 4)) <= before * (1 + 1e-12)
    assert expected(test, (0.04, 0.6), (9, 4)) > before


def test_hardly_anything_is_lost_to_caution() -> None:
    """Of rates that are as supposed, the expected evidence is 1; a margin costs next to nothing."""
    assert expected(begun(0.0, (5, 100)), (0.05, 0.05), (36, 4)) > 0.97
    assert expected(begun(0.02, (5, 100)), (0.05, 0.07), (36, 4)) > 0.97


def test_single_inferences_and_whole_blocks_are_the_same() -> None:
    one, whole = begun(0.0, (5, 100)), begun(0.0, (5, 100))
    for bad in (0, 1, 0, 0, 0, 1):
        one.add_released(bad)
    for bad in (1, 0, 1, 1):
        assert one.stakes.evidence == 1
        one.add_candidate(bad)
    whole.add_candidate(3, 4)
    whole.add_released(2, 6)
    assert one == whole
    assert one.stakes.evidence > 1


def test_a_block_waits_for_both() -> None:
    test = begun(0.0, (0, 0))
    test.add_candidate(100, 100)
    test.add_released(0, BLOCK - 1)
    assert test.stakes.evidence == 1
    assert [arm.inferences for arm in test.arms()] == [BLOCK - 1, 100]
    test.add_released(0)
    assert test.stakes.evidence > 20
    assert [arm.estimate for arm in test.arms()] == [0, 1]


def test_a_margin_forgives_what_it_allows() -> None:
    strict, lax = begun(0.0, (40, 1_000)), begun(0.05, (40, 1_000))
    for test in (strict, lax):
        for _ in range(250):
            test.add_released(4, 100)
            test.add_candidate(1, 12)
    assert strict.peak > 1_000
    assert lax.peak < 2


def test_evidence_of_huge_blocks_stays_a_number() -> None:
    test = begun(0.0, (0, 0))
    for _ in range(500):
        test.add_released(0, 900_000)
        test.add_candidate(100_000, 100_000)
    assert 1e100 < test.stakes.evidence < float("inf")
    for _ in range(3):
        test.add_released(900_000, 900_000)
        test.add_candidate(0, 100_000)
    assert 0 < test.stakes.evidence < 1e120
    assert test.peak > test.stakes.evidence


def test_a_candidate_that_becomes_worse_late_is_found() -> None:
    test = begun(0.0, (40, 1_000))
    for _ in range(1_000):
        test.add_released(4, 100)
        test.add_candidate(0, 10)
    assert test.peak < 10
    for _ in range(40):
        test.add_released(4, 100)
        test.add_candidate(2, 10)
    assert test.peak > 100


def test_an_incident_that_hits_both_versions_is_no_evidence() -> None:
    rng, paused = Random(5), 0
    for _ in range(300):
        test = begun(0.0, (40, 1_000))
        for block in range(150):
            rate = 0.5 if 50 <= block < 80 else 0.04
            test.add_released(sum(rng.random() < rate for _ in range(12)), 12)
            test.add_candidate(sum(rng.random() < rate for _ in range(4)), 4)
        paused += test.peak >= 20
    assert paused <= 15


def test_a_test_goes_on_after_a_restart() -> None:
    test = begun(0.01, (5, 100))
    test.add_released(1, 30)
    test.add_candidate(2, 5)
    test.add_candidate(1)
    again = msgspec.json.decode(msgspec.json.encode(test), type=RateTest)
    assert again == test
    assert again.open_candidate == 1


def test_stakes_keep_what_is_there() -> None:
    stakes = Stakes.on(2)
    stakes.multiply([1.0, 1.0])
    assert stakes.evidence == pytest.approx(1)
    stakes.multiply([3.0, 0.0])
    assert stakes.untouched + sum(stakes.stakes) == pytest.approx(stakes.evidence)
    assert stakes.evidence == stakes.peak == pytest.approx(0.1 + 3 * 0.45)


@pytest.mark.parametrize(
    ("bad", "count", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_of_newcombe_1998(bad: int, count: int, low: float, high: float) -> None:
    arm = wilson(bad, count)
    assert (arm.estimate, arm.inferences) == (bad / count, count)
    assert (arm.low, arm.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_and_of_all() -> None:
    assert wilson(0, 0) == (0, 0, 1, 0)
    assert wilson(7, 7).high == 1


@pytest.mark.parametrize("margin", [-0.1, 1.0])
def test_a_margin_out_of_range(margin: float) -> None:
    with pytest.raises(ValueError, match="two points"):
        begun(margin, (0, 0))


def test_more_bad_ones_than_all() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        begun(0.0, (3, 2))
    with pytest.raises(ValueError, match="2 of 1"):
        begun(0.0, (0, 0)).add_candidate(2)
    with pytest.raises(ValueError, match="-1 of 1"):
        begun(0.0, (0, 0)).add_released(-1)
