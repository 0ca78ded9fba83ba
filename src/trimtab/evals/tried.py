"""Which setups were ever tried on a suite, and their scores by its evaluators as they are now."""

from collections.abc import Iterator, Sequence
from typing import Final

from trimtab.datasets.suite import Suite
from trimtab.evals.registry import SuiteEvaluator
from trimtab.evals.scores import Scores
from trimtab.store.protocol import Experiments
from trimtab.types.experiments import Experiment, Setup

__all__ = ["scores_of_setups", "tried_pairs"]

_MOST: Final = 1_000  # experiments that are looked at


def scores_of_setups(
    store: Experiments, suite: Suite, evaluators: Sequence[SuiteEvaluator]
) -> Iterator[tuple[Setup, Scores]]:
    """Each setup with an answer to a case of the suite, that of the newest experiment first."""
    tried: dict[str, Setup] = {}
    repeats: dict[str, int] = {}
    for one in _experiments(store, suite):
        for setup in _setups(one):
            tried.setdefault(setup.hash, setup)
            repeats[setup.hash] = max(repeats.get(setup.hash, 1), one.repeats)
    for setup in tried.values():
        scores = Scores(
            store,
            setup.hash,
            suite.cases,
            evaluators=evaluators,
            repeats=repeats[setup.hash],
        )
        if scores.facts.answered.any():
            yield setup, scores


def tried_pairs(store: Experiments, suite: Suite) -> list[tuple[Setup, Setup, int]]:
    """Candidates with what they were compared with, and the most repeats of both."""
    found: dict[tuple[str, str], tuple[Setup, Setup, int]] = {}
    for one in _experiments(store, suite):
        if one.baseline is None:
            continue
        key = (one.candidate.hash, one.baseline.hash)
        before = found.get(key, (one.candidate, one.baseline, 0))
        found[key] = (*before[:2], max(before[2], one.repeats))
    return list(found.values())


def _experiments(store: Experiments, suite: Suite) -> list[Experiment]:
    return store.experiments(_MOST, suite=suite.name)


def _setups(one: Experiment) -> list[Setup]:
    return [one.candidate] if one.baseline is None else [one.candidate, one.baseline]
