"""Judges that like length, and judges that err differently on two setups."""

from math import log
from random import Random

import msgspec
import pytest

from evals.judges.labels import BASELINE, CANDIDATE, calibration_of, judge_of
from trimtab.evals.judges.bias import arm_errors, length_bias
from trimtab.evals.judges.calibration import Calibration


def judged_by_length(slope: float, *, labels: int = 400, seed: int = 1) -> Calibration:
    """A judge that errs: its logit rises with the length, and with what people say."""
    rng = Random(seed)
    said: list[tuple[float, float]] = []
    lengths: list[int] = []
    for _ in range(labels):
        human, length = float(rng.random() < 0.5), round(400 * 2 ** rng.gauss(0, 1))
        logit = 3 * (human - 0.5) + slope * log(length / 400)
        said.append((human, float(rng.random() < 1 / (1 + 2.718281828**-logit))))
        lengths.append(length)
    return calibration_of(said, lengths=lengths)


def test_a_judge_that_likes_length_is_found():
    found = length_bias(judged_by_length(1.0))
    assert found is not None
    assert found.found
    assert found.low < 1.0 < found.high
    assert found.odds_of_twice == pytest.approx(2**found.slope)
    assert found.labels == 400


def test_one_that_does_not_is_rarely_accused():
    found = [length_bias(judged_by_length(0.0, labels=120, seed=seed)) for seed in range(60)]
    accused = [one for one in found if one is not None and one.found]
    assert len(accused) <= 8


def test_good_answers_that_are_longer_are_no_bias():
    """People and the judge agree, and longer answers are better: length explains nothing more."""
    rng = Random(2)
    said = [(float(n % 2), float(n % 2)) for n in range(100)]
    lengths = [rng.randrange(300, 600) if n % 2 else rng.randrange(100, 350) for n in range(100)]
    found = length_bias(calibration_of(said, lengths=lengths))
    assert found is not None
    assert not found.found


def test_two_answers_are_compared_by_the_ratio_of_their_lengths():
    rng = Random(3)
    said: list[tuple[float, float]] = []
    lengths: list[int] = []
    for _ in range(300):
        length = round(100 * 2 ** rng.gauss(0, 1))
        said.append((rng.choice([-1.0, 0.0, 1.0]), 0.0 if rng.random() < 0.2 else 1.0))
        if said[-1][1] and rng.random() < 1 / (1 + (length / 100) ** 2):
            said[-1] = (said[-1][0], -1.0)
        lengths.append(length)
    found = length_bias(calibration_of(said, judge=judge_of("preference"), lengths=lengths))
    assert found is not None
    assert found.low < 2 < found.high
    assert found.labels == sum(verdict != 0 for _, verdict in said)


def test_where_nothing_varies_nothing_is_told():
    assert length_bias(calibration_of([(1.0, 1.0)] * 30)) is None
    assert length_bias(calibration_of([(1.0, 1.0), (0.0, 0.0)] * 2, lengths=[1, 2, 3, 4])) is None
    assert length_bias(calibration_of([(1.0, 1.0), (0.0, 0.0)] * 20)) is None, "one length"
    said = [(1.0, 1.0), (0.0, 0.0), (1.0, 0.0)] * 10
    told = length_bias(calibration_of(said, lengths=[400, 100, 400] * 10))
    assert told is None, "good answers are the long ones, all of them: nothing tells the two apart"


def both(candidate: list[tuple[float, float]], baseline: list[tuple[float, float]]) -> Calibration:
    one = calibration_of(candidate, setup=CANDIDATE)
    other = calibration_of(baseline, setup=BASELINE)
    return msgspec.structs.replace(
        one,
        population=[*one.population, *other.population],
        labels=[*one.labels, *other.labels],
    )


FAIR = [(1.0, 1.0)] * 45 + [(1.0, 0.0)] * 5 + [(0.0, 0.0)] * 40 + [(0.0, 1.0)] * 10
LENIENT = [(1.0, 1.0)] * 45 + [(1.0, 0.0)] * 5 + [(0.0, 0.0)] * 20 + [(0.0, 1.0)] * 30


def test_a_judge_that_spares_the_candidate_is_found():
    found = arm_errors(both(LENIENT, FAIR), candidate=CANDIDATE, baseline=BASELINE)
    assert found.told_apart
    assert found.sensitivity is not None
    assert found.specificity is not None
    assert not found.sensitivity.found
    assert found.specificity.value == pytest.approx(0.4 - 0.8)
    assert found.specificity.high < -0.1


def test_one_that_errs_alike_is_not():
    found = arm_errors(both(FAIR, FAIR), candidate=CANDIDATE, baseline=BASELINE)
    assert not found.told_apart
    assert found.specificity is not None
    assert found.specificity.low < -0.15, "how large a difference may still be"
    assert found.specificity.value == 0


def test_without_labels_of_both_nothing_is_told():
    found = arm_errors(calibration_of(FAIR), candidate=CANDIDATE, baseline=BASELINE)
    assert found == (None, None)
    assert not found.told_apart
    only_good = both([(1.0, 1.0)] * 30, FAIR)
    found = arm_errors(only_good, candidate=CANDIDATE, baseline=BASELINE)
    assert found.specificity is None
    assert found.sensitivity is not None


def test_judges_that_err_alike_are_rarely_accused():
    rng, accused = Random(5), 0
    for _ in range(200):
        arms = [
            [
                (human, human if rng.random() < 0.85 else 1 - human)
                for human in (float(rng.random() < 0.6) for _ in range(60))
            ]
            for _ in range(2)
        ]
        found = arm_errors(both(*arms), candidate=CANDIDATE, baseline=BASELINE)
        accused += found.told_apart
    assert accused / 200 <= 0.08
