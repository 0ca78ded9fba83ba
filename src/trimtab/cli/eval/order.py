"""From the options of a command to the order of an experiment."""

from trimtab.cli.eval.opened import OpenedSuite
from trimtab.cli.eval.session import new_experiment_id
from trimtab.evals.judges.gating import advisory_metrics
from trimtab.evals.order import Kind, Order
from trimtab.evals.setups import Ready

__all__ = ["new_order"]


def new_order(
    opened: OpenedSuite,
    kind: Kind,
    *,
    candidate: Ready,
    baseline: Ready | None = None,
    repeats: int | None = None,
    budget_nanousd: int | None = None,
) -> Order:
    """The order of an experiment with a new id."""
    suite = opened.suite
    return Order(
        id=new_experiment_id(),
        kind=kind,
        suite=suite,
        evaluators=opened.evaluators,
        advisory=advisory_metrics(suite.folder, opened.evaluators.evaluators),
        candidate=candidate,
        baseline=baseline,
        repeats=repeats or suite.repeats,
        budget_nanousd=budget_nanousd,
    )
