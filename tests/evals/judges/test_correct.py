"""A run's figure without what its judge gets wrong."""

from random import Random

import pytest

from evals.judges.labels import JUDGE, calibration_of, judge_of
from trimtab.evals.judges.calibration import Calibration
from trimtab.evals.judges.correct import corrected

# V12: sensitivity 0.9 and specificity 0.7, of 200 labels each.
PUBLISHED = [(1.0, 1.0)] * 180 + [(1.0, 0.0)] * 20 + [(0.0, 0.0)] * 140 + [(0.0, 1.0)] * 60


def test_the_published_rate():
    found = corrected(calibration_of(PUBLISHED), [1.0] * 400 + [0.0] * 600)
    assert found.value == pytest.approx(1 / 6)
    assert (found.low, found.high) == pytest.approx((0.0564, 0.2627), abs=5e-5)
    assert found.method == "Rogan-Gladen, Lang-Reiczigel"
    assert not found.why_not


def test_cases_that_hang_together_are_worth_less():
    whole = corrected(calibration_of(PUBLISHED), [1.0, 0.0] * 200)
    fewer = corrected(calibration_of(PUBLISHED), [1.0, 0.0] * 200, of=50)
    assert whole.value == fewer.value
    assert whole.low is not None
    assert fewer.low is not None
    assert fewer.low < whole.low


def test_a_score_moves_by_what_the_judge_is_off():
    """It says a quarter too much of everything."""
    said = [(n / 4, n / 4 + 0.25) for n in range(4)] * 10
    found = corrected(calibration_of(said, judge=judge_of("score")), [0.5, 0.75, 1.0, 0.75])
    assert found.value == pytest.approx(0.5)
    assert found.method == "judge's mean, rectified by labels"
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high


def test_labels_stand_for_the_rows_that_they_were_drawn_from():
    """The judge calls 10 of 100 rows 0, and is off there only; labels are as many of both."""
    said = [(1.0, 0.0)] * 20 + [(1.0, 1.0)] * 20
    calibration = calibration_of(said, judge=judge_of("score"), rows={0.0: 100, 1.0: 900})
    found = corrected(calibration, [0.0] * 10 + [1.0] * 90)
    assert found.value == pytest.approx(1.0)


def test_preferences_too():
    said = [(0.0, 1.0), (-1.0, 0.0), (0.0, 0.0), (1.0, 1.0)] * 5
    found = corrected(calibration_of(said, judge=judge_of("preference")), [1.0, 0.0, 1.0, 1.0])
    assert found.value == pytest.approx(0.75 - 0.5)


@pytest.mark.parametrize(
    ("calibration", "values", "why_not"),
    [
        (calibration_of(PUBLISHED), [1.0], "fewer than two values"),
        (calibration_of([(1.0, 1.0)] * 30), [1.0, 0.0], "no labels of both kinds"),
        (Calibration(judge=JUDGE, population=[], labels=[]), [1.0, 0.0], "no labels of both kinds"),
        (calibration_of([(1.0, 0.0), (0.0, 1.0)] * 9), [1.0, 0.0], "no better than a coin"),
        (calibration_of([(1.0, 1.0)] * 9, judge=judge_of("score")), [1.0, 0.0], "9 labels"),
    ],
)
def test_where_nothing_can_be_told_it_says_why(
    calibration: Calibration, values: list[float], why_not: str
):
    found = corrected(calibration, values)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert why_not in found.why_not


def test_the_corrected_rate_covers_what_people_would_say():
    """A run of 150 cases, and 100 labels of another run that were drawn by verdict."""
    rng, inside, raw_inside = Random(6), 0, 0
    for _ in range(200):
        values = [judged(rng) for _ in range(150)]
        run = [verdict for _, verdict in values]
        pool = [judged(rng) for _ in range(600)]
        said: list[tuple[float, float]] = []
        for verdict in (0.0, 1.0):
            said += [pair for pair in pool if pair[1] == verdict][:50]
        rows = {v: sum(verdict == v for _, verdict in pool) for v in (0.0, 1.0)}
        found = corrected(calibration_of(said, rows=rows), run)
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 0.8 <= found.high
        raw_inside += abs(sum(run) / 150 - 0.8) < 1.96 * (0.8 * 0.2 / 150) ** 0.5
    assert inside / 200 >= 0.92
    assert raw_inside / 200 < 0.8, "without the correction the figure is off"


def judged(rng: Random) -> tuple[float, float]:
    """80 % are good; the judge finds 95 % of these, and is fooled by 40 % of the others."""
    human = float(rng.random() < 0.8)
    return human, float(rng.random() < (0.95 if human else 0.4))
