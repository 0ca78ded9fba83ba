"""What an experiment will take, before anything is spent."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trimtab.errors import TrimtabError
from trimtab.evals.answering import Answerer
from trimtab.evals.order import Lab, Order
from trimtab.evals.outlook import Outlook, outlooks
from trimtab.evals.run import Planned, plan_rows
from trimtab.evals.scores import Scores
from trimtab.evals.serving import side_of
from trimtab.evals.setups import Ready

__all__ = ["Quote", "quote_of"]


class Quote(NamedTuple):
    """What it will take.

    Attributes:
        planned: rows of all setups.
        missing: of these, that must be asked for.
        most_nanousd: what they can cost; retries left out, and judges.
        likely_nanousd: by what rows of these setups have cost; None where there are none.
        likely_s: by how long they took; None where there are none.
        outlooks: what the gate will be able to tell.
    """

    planned: int
    missing: int
    most_nanousd: int
    likely_nanousd: int | None
    likely_s: float | None
    outlooks: list[Outlook]


def quote_of(lab: Lab, order: Order) -> Quote:
    """Read what is there, and tell what the rest will take."""
    setups = order.setups
    missing = plan_rows(
        setups,
        order.suite,
        order.repeats,
        store=lab.store,
        since_ns=lab.clock.wall_ns() if order.fresh else 0,
    )
    scores = [_scores(lab, order, ready) for ready in setups]
    return Quote(
        planned=len(order.suite.cases) * order.repeats * len(setups),
        missing=len(missing),
        most_nanousd=_most_nanousd(lab.answerer, missing),
        likely_nanousd=_likely(scores, missing),
        likely_s=_likely_s(scores, missing, order.suite.concurrency),
        outlooks=outlooks(
            scores[0].metrics(),
            scores[1].metrics() if len(scores) > 1 else [],
            order.frame(),
            repeats=order.repeats,
        ),
    )


def _scores(lab: Lab, order: Order, ready: Ready) -> Scores:
    base = order.baseline.setup.hash if order.baseline is not None else ""
    beside = side_of(lab.store, base) if ready is order.candidate else ""
    return Scores(
        lab.store,
        ready.setup.hash,
        order.suite.cases,
        evaluators=order.evaluators.evaluators,
        repeats=order.repeats,
        baseline=beside,
    )


def _most_nanousd(answerer: Answerer, missing: Sequence[Planned]) -> int:
    """Repeats of a case cost the same at most."""
    ways = {(one.ready.setup.hash, one.case.id): one for one in missing}
    times = Counter((one.ready.setup.hash, one.case.id) for one in missing)
    return sum(times[way] * _most_of_one(answerer, one) for way, one in ways.items())


def _most_of_one(answerer: Answerer, one: Planned) -> int:
    try:
        return answerer.most_nanousd(one.ready, one.case)
    except TrimtabError:  # it will be an error then, and cost nothing
        return 0


def _likely(scores: Sequence[Scores], missing: Sequence[Planned]) -> int | None:
    """What the missing rows will cost by what the others have."""
    known = np.concatenate([one.facts.cost_nanousd[one.facts.answered] for one in scores])
    return int(known.mean() * len(missing)) if known.size else None


def _likely_s(scores: Sequence[Scores], missing: Sequence[Planned], at_once: int) -> float | None:
    known = np.concatenate([one.facts.latency_ms[one.facts.answered] for one in scores])
    return float(known.mean()) / 1000 * len(missing) / at_once if known.size else None
