"""Which metrics of a suite gate nothing, because nobody has shown that their judge is good."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from trimtab.evals.judges.calibration import load_calibration
from trimtab.evals.judges.eligible import DEFAULT_POLICY, Policy, check_judge
from trimtab.evals.registry import SuiteEvaluator
from trimtab.types.experiments import Mark

__all__ = ["advisory_metrics", "judge_models"]


def advisory_metrics(
    suite: Path,
    evaluators: Sequence[SuiteEvaluator],
    *,
    judged_by: Mapping[str, Collection[str]] | None = None,
    policy: Policy = DEFAULT_POLICY,
) -> dict[str, str]:
    """By metric, why it gates nothing, in sentences; metrics without a judge are not in it.

    Args:
        suite: its folder.
        evaluators: of the suite.
        judged_by: by name of an evaluator, the models that judged: `judge_models`. Before a run
            nobody knows them, and None compares none.
        policy: what a judge must show.

    Raises:
        ConfigError: a calibration is not as it must be.
        UsageError: an evaluator that asks a model has a name that no file can have.
    """
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for one in evaluators:
        if not one.asks:
            continue
        calibration = load_calibration(suite, one.name)
        models = (judged_by or {}).get(one.name, ())
        standing = check_judge(calibration, one.hash, models, policy=policy)
        if not standing.eligible:
            reasons[one.metric].append(f"{one.name}: {standing.why}.")
    return {metric: " ".join(sentences) for metric, sentences in reasons.items()}


def judge_models(marks: Iterable[Mark]) -> dict[str, set[str]]:
    """By name of an evaluator, the models that gave its marks."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for mark in marks:
        if mark.judge_model:
            found[mark.evaluator].update(mark.judge_model.split(", "))
    return dict(found)
