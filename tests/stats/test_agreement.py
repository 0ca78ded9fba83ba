"""A judge against people: published values, statsmodels as oracle, and simulated judges."""

from math import isclose
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats import oracles
from trimtab.stats.agreement import Kappa, Stratum, agree, simple_sample

counts = st.integers(0, 60)
tables = st.lists(st.lists(counts, min_size=2, max_size=2), min_size=2, max_size=2)
larger_tables = st.lists(st.lists(counts, min_size=4, max_size=4), min_size=4, max_size=4)


def kappa_of(table: list[list[int]], *, linear: bool = False) -> Kappa | None:
    return agree(simple_sample(table), positive_from=None, linear=linear).kappa


def test_the_published_kappa():
    """V13."""
    found = agree(simple_sample([[20, 5], [10, 15]]), positive_from=1)
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(0.4)
    assert found.raw.value == pytest.approx(0.7)
    assert found.majority == pytest.approx(0.6)
    assert found.labels == 50
    assert found.unseen == 0


def test_sensitivity_and_specificity_have_wilsons_interval():
    found = agree(simple_sample([[20, 5], [10, 15]]), positive_from=1)
    for share, hits, of in ((found.sensitivity, 15, 20), (found.specificity, 20, 30)):
        assert share is not None
        low, high = oracles.rate_interval(hits, of, "wilson", 0.95)
        assert (share.value, share.of) == pytest.approx((hits / of, of))
        assert (share.low, share.high) == pytest.approx((low, high))
    low, high = oracles.rate_interval(35, 50, "wilson", 0.95)
    assert (found.raw.low, found.raw.high) == pytest.approx((low, high))


@given(larger_tables, st.booleans())
def test_kappa_is_that_of_statsmodels(table: list[list[int]], linear: bool):
    total = sum(map(sum, table))
    if max(*map(sum, table), *map(sum, zip(*table, strict=True))) == total:
        return  # all in one category of either side: their variance divides by 0
    value, se = oracles.kappa(table, linear=linear)
    found = kappa_of(table, linear=linear)
    assert found is not None
    assert found.value == pytest.approx(value, abs=1e-9)
    assert found.se == pytest.approx(se, abs=1e-6)
    assert found.low <= max(value - 1.9599 * se, -1) + 1e-9
    assert found.high >= min(value + 1.9599 * se, 1) - 1e-9


@given(tables)
def test_it_does_not_matter_which_category_is_called_first(table: list[list[int]]):
    if not any(map(sum, table)):
        return
    one = agree(simple_sample(table))
    other = agree(simple_sample([row[::-1] for row in table[::-1]]))
    assert one.raw == pytest.approx(other.raw)
    assert (one.kappa is None) == (other.kappa is None)
    if one.kappa is not None and other.kappa is not None:
        assert one.kappa == pytest.approx(other.kappa, abs=1e-9)
    for share, mirrored in (
        (one.sensitivity, other.specificity),
        (one.specificity, other.sensitivity),
    ):
        assert (share is None) == (mirrored is None)
        if share is not None and mirrored is not None:
            assert share == pytest.approx(mirrored, abs=1e-9)


def test_labels_that_all_agree_prove_less_than_everything():
    found = kappa_of([[25, 0], [0, 25]])
    assert found is not None
    assert found.value == 1
    assert found.se == 0
    assert 0.8 < found.low < 0.9
    few = kappa_of([[3, 0], [0, 3]])
    assert few is not None
    assert few.low < 0.6


def test_where_all_is_in_one_category_chance_explains_everything():
    found = agree(simple_sample([[0, 0], [0, 60]]))
    assert found.kappa is None
    assert found.specificity is None
    assert found.sensitivity is not None
    assert found.majority == 1


def test_a_judge_that_always_says_the_same_agrees_by_chance_only():
    found = agree(simple_sample([[0, 0], [6, 54]]))
    assert found.raw.value == found.majority == pytest.approx(0.9)
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(0)


def test_labels_stand_for_the_rows_of_their_stratum():
    """Of 1,000 rows 50 fail; 25 labels of each verdict, 5 of the judge's passes are none."""
    found = agree([Stratum(0, 50, (25, 0)), Stratum(1, 950, (5, 20))])
    assert found.raw.value == pytest.approx(0.05 + 0.95 * 0.8)
    assert found.sensitivity is not None
    assert found.specificity is not None
    assert found.sensitivity.value == pytest.approx(1)
    assert found.specificity.value == pytest.approx(50 / (50 + 190))
    assert found.raw.of < 30, "of 50 labels: half of them stand for a twentieth of the rows"


def test_rows_of_a_verdict_without_labels_are_left_out_and_told():
    found = agree([Stratum(0, 10, (0, 0)), Stratum(1, 90, (1, 9))])
    assert found.unseen == pytest.approx(0.1)
    assert found.raw.value == pytest.approx(0.9)


def test_it_says_what_is_wrong_with_labels():
    with pytest.raises(ValueError, match="no label"):
        agree([Stratum(0, 10, (0, 0))])
    with pytest.raises(ValueError, match="3 labels for 2 rows"):
        agree([Stratum(0, 2, (1, 2))])
    with pytest.raises(ValueError, match="other categories than 0 to 1"):
        agree([Stratum(0, 2, (1, 1)), Stratum(2, 2, (1, 1))])


POPULATION = {(0, 0): 0.09, (0, 1): 0.03, (1, 0): 0.03, (1, 1): 0.85}
"""Judge, people: share of rows."""
TRUE_KAPPA = (0.94 - (0.12 * 0.12 + 0.88 * 0.88)) / (1 - (0.12 * 0.12 + 0.88 * 0.88))


def labelled(rng: Random, labels: int, *, by_verdict: bool) -> list[Stratum]:
    """Labels of 2,000 rows of a judge: a quarter of them fails, or as they come."""
    rows = rng.choices(list(POPULATION), list(POPULATION.values()), k=2_000)
    if not by_verdict:
        table = [[0, 0], [0, 0]]
        for judge, person in rows[:labels]:
            table[judge][person] += 1
        return simple_sample(table)
    strata: list[Stratum] = []
    for verdict in (0, 1):
        ours = [person for judge, person in rows if judge == verdict]
        drawn = ours[: labels // 4 if verdict == 0 else labels - labels // 4]
        strata.append(Stratum(verdict, len(ours), (drawn.count(0), drawn.count(1))))
    return strata


def wrong_bounds(runs: int, labels: int, *, by_verdict: bool) -> tuple[float, float, float]:
    """How often the lower end is above true kappa and the upper end below; and the mean width."""
    rng = Random(7)
    over = under = width = 0.0
    for _ in range(runs):
        kappa = agree(labelled(rng, labels, by_verdict=by_verdict)).kappa
        if kappa is None:  # nothing but passes: that proves nothing, and is the widest interval
            width += 2
            continue
        over += kappa.low > TRUE_KAPPA
        under += kappa.high < TRUE_KAPPA
        width += kappa.high - kappa.low
    return over / runs, under / runs, width / runs


def test_the_interval_of_kappa_holds_its_promise_with_labels_by_verdict():
    over, under, width = wrong_bounds(800, 100, by_verdict=True)
    assert over <= 0.04
    assert under <= 0.06
    _, _, at_random = wrong_bounds(800, 100, by_verdict=False)
    assert width < at_random, "labels by verdict tell more, and that is why they are drawn so"


@pytest.mark.soak
@pytest.mark.parametrize("labels", [50, 100, 200])
@pytest.mark.parametrize("by_verdict", [False, True])
def test_the_interval_of_kappa_holds_its_promise(labels: int, by_verdict: bool):
    over, under, _ = wrong_bounds(4_000, labels, by_verdict=by_verdict)
    assert over <= 0.035, "a judge that is no good must not gate"
    assert under <= 0.06


def test_specificity_is_not_biased_by_drawing_labels_by_verdict():
    rng, runs = Random(3), 400
    found = [agree(labelled(rng, 100, by_verdict=True)).specificity for _ in range(runs)]
    mean = sum(share.value for share in found if share is not None) / runs
    assert isclose(mean, 0.09 / 0.12, abs_tol=0.02), "the plain share of labels would be 0.96"
