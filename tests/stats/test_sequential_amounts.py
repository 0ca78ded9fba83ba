"""The test of mean amounts: that it is valid by enumeration, and single cases."""

from itertools import product
from math import comb
from random import Random

import msgspec
import pytest

from trimtab.stats.sequential_amounts import AmountTest, nearest_rank

LOW, HIGH = 0.2, 1.0


def of_two_values(highs: int, count: int) -> list[float]:
    return [HIGH] * highs + [LOW] * (count - highs)


def expected(shares: tuple[float, float], counts: tuple[int, int], *, margin: float) -> float:
    """Of the evidence after one block of values that are either low or high."""
    total = 0.0
    for old, new in product(range(counts[0] + 1), range(counts[1] + 1)):
        test = AmountTest.begin([LOW] * 6 + [HIGH] * 4, margin=margin)
        test.add_released(of_two_values(old, counts[0]))
        test.add_candidate(of_two_values(new, counts[1]))
        chance = 1.0
        for bad, count, share in zip((old, new), counts, shares, strict=True):
            chance *= comb(count, bad) * share**bad * (1 - share) ** (count - bad)
        total += chance * test.stakes.evidence
    return total


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.8, 1.0])
@pytest.mark.parametrize("counts", [(4, 4), (12, 4), (4, 12)])
def test_no_evidence_is_expected_of_a_candidate_that_is_no_dearer(
    share: float, counts: tuple[int, int]
) -> None:
    assert expected((share, share), counts, margin=0) <= 1 + 1e-12
    assert expected((share, share / 2), counts, margin=0) <= 1 + 1e-12


def test_a_dearer_one_is_evidence_and_a_margin_forgives() -> None:
    assert expected((0.4, 0.6), (12, 4), margin=0) > 1.02
    assert expected((0.4, 0.6), (12, 4), margin=0.5) < 1


def test_amounts_are_clipped_at_the_reference() -> None:
    test = AmountTest.begin([float(amount) for amount in range(1, 101)])
    assert test.bound == 99
    test.add_released([1e9] * 3 + [0.0])
    test.add_candidate([1e12, 99.0, 99.0, 0.0])
    released, candidate = test.arms()
    assert released.estimate == candidate.estimate == pytest.approx(0.75 * 99)
    assert released.low < released.estimate < released.high
    assert test.peak == 1


def test_arms_of_nothing() -> None:
    assert AmountTest.begin([5.0]).arms() == ((0, 0, 5, 0), (0, 0, 5, 0))


def test_a_long_block_is_settled_in_parts() -> None:
    rng = Random(1)
    amounts = [rng.lognormvariate(0, 1) for _ in range(6_600)]
    test = AmountTest.begin(sorted(amounts[:1_000]))
    test.add_released(amounts[1_000:6_000])
    assert len(test.open_released) == 4_000
    test.add_candidate([2 * amount for amount in amounts[6_000:]])
    assert test.candidate.count + len(test.open_candidate) == 600
    assert test.released.count > 3_900
    assert 1e6 < test.peak < float("inf")


def test_units_make_no_difference() -> None:
    rng = Random(2)
    amounts = [rng.lognormvariate(0, 1) for _ in range(300)]
    peaks: list[float] = []
    for unit in (1, 2**20):
        test = AmountTest.begin([unit * amount for amount in amounts[:100]])
        test.add_released([unit * amount for amount in amounts[100:200]])
        test.add_candidate([unit * 1.5 * amount for amount in amounts[200:]])
        peaks.append(test.peak)
    assert peaks[0] == pytest.approx(peaks[1])


def test_a_test_goes_on_after_a_restart() -> None:
    test = AmountTest.begin([1.0, 2.0, 3.0], margin=0.1)
    test.add_released([1.0, 2.0, 3.0, 1.0, 2.0])
    test.add_candidate([1.0, 2.0, 3.0, 2.0])
    test.add_candidate([1.5])
    again = msgspec.json.decode(msgspec.json.encode(test), type=AmountTest)
    assert again == test


@pytest.mark.parametrize("reference", [[], [0.0, 0.0]])
def test_a_reference_of_nothing(reference: list[float]) -> None:
    with pytest.raises(ValueError, match="before the canary"):
        AmountTest.begin(reference)


def test_amounts_below_zero_and_a_margin_below_zero() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        AmountTest.begin([1.0], margin=-0.1)
    with pytest.raises(ValueError, match="amount is -1"):
        AmountTest.begin([1.0]).add_candidate([3.0, -1.0])


def test_nearest_rank() -> None:
    values = [float(value) for value in range(20, 0, -1)]
    assert [nearest_rank(values, q) for q in (0, 0.05, 0.5, 0.95, 1)] == [1, 1, 10, 19, 20]
