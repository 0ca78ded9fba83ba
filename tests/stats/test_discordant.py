"""Evidence of pairs that differ: published values, and that it may be looked at any time."""

from fractions import Fraction
from itertools import accumulate
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stats.discordant import evidence_of_difference, evidence_of_losing

counts = st.integers(0, 40)


def test_the_published_evidence():
    """V14."""
    assert evidence_of_difference(12, 2) == pytest.approx(12.0029, abs=1e-4)
    assert evidence_of_difference(16, 0) == pytest.approx(3855, abs=0.1)
    assert evidence_of_difference(0, 0) == 1


@given(counts, counts)
def test_it_is_the_formula_in_whole_numbers(wins: int, losses: int):
    exact = Fraction(2 ** (wins + losses), (wins + losses + 1) * comb(wins + losses, wins))
    assert evidence_of_difference(wins, losses) == pytest.approx(float(exact))
    assert evidence_of_difference(losses, wins) == pytest.approx(float(exact))


@given(counts, counts)
def test_the_next_pair_is_a_fair_bet_where_both_are_alike(wins: int, losses: int):
    one, other = evidence_of_difference(wins + 1, losses), evidence_of_difference(wins, losses + 1)
    assert (one + other) / 2 == pytest.approx(evidence_of_difference(wins, losses))
    worse, better = evidence_of_losing(wins, losses + 1), evidence_of_losing(wins + 1, losses)
    assert (worse + better) / 2 == pytest.approx(evidence_of_losing(wins, losses))
    assert worse >= better, "so it is an unfavourable one where losses are the rarer"


@given(counts, counts)
def test_a_difference_is_a_loss_or_a_win(wins: int, losses: int):
    both = evidence_of_losing(wins, losses) + evidence_of_losing(losses, wins)
    assert both / 2 == pytest.approx(evidence_of_difference(wins, losses))


def test_losing_is_told_from_winning():
    assert evidence_of_losing(2, 12) > 20
    assert evidence_of_losing(12, 2) < 0.1


def test_any_number_of_pairs_has_finite_evidence():
    assert evidence_of_difference(100_000, 0) > 1e300
    assert evidence_of_losing(100_000, 0) == pytest.approx(0)
    assert evidence_of_losing(0, 100_000) > 1e300
    with pytest.raises(ValueError, match="0 or more"):
        evidence_of_losing(-1, 0)


@pytest.mark.parametrize("chance", [0.5, 0.35])
def test_looking_after_each_pair_errs_as_rarely_as_promised(chance: float):
    """Versions that are alike, and a candidate that is better: 2,000 runs of 150 pairs."""
    rng = np.random.default_rng(9)
    table = [[evidence_of_losing(w, n - w) >= 20 for w in range(n + 1)] for n in range(151)]
    alarms = 0
    for _ in range(2_000):
        losses = accumulate(int(u < chance) for u in rng.random(150).tolist())
        alarms += any(table[n][n - lost] for n, lost in enumerate(losses, 1))
    assert alarms / 2_000 <= 0.05
