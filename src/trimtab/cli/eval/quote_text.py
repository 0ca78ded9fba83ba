"""What an experiment will take, and what it will be able to tell, in words."""

from collections.abc import Iterator

from trimtab.evals.conduct import Order, Quote
from trimtab.evals.outlook import Outlook
from trimtab.types.money import format_usd

__all__ = ["quote_lines"]


def quote_lines(order: Order, quote: Quote) -> Iterator[str]:
    """A few lines, before anything is spent."""
    suite = order.suite
    setups = "2 setups" if order.baseline is not None else "1 setup"
    shape = f"{len(suite.cases)} cases x {order.repeats} repeats x {setups}"
    yield f"{suite.name}: {shape} = {quote.planned:,} answers, {quote.missing:,} to ask for"
    yield f"candidate {_setup(order.candidate.setup.label, order.candidate.setup.model)}"
    if order.baseline is not None:
        yield f"baseline  {_setup(order.baseline.setup.label, order.baseline.setup.model)}"
    if quote.missing:
        yield _cost(order, quote)
    for outlook in quote.outlooks:
        yield _outlook(outlook, gate=order.baseline is not None)


def _setup(label: str, model: str) -> str:
    return f"{label} at {model}"


def _cost(order: Order, quote: Quote) -> str:
    most = f"at most {format_usd(quote.most_nanousd)}"
    if quote.likely_nanousd is not None:
        most = f"about {format_usd(quote.likely_nanousd)}, {most}"
    if quote.likely_s is not None:
        most += f"; about {_duration(quote.likely_s)}"
    if order.budget_nanousd is not None:
        most += f"; the budget is {format_usd(order.budget_nanousd)}"
    return f"cost      {most}"


def _outlook(outlook: Outlook, *, gate: bool) -> str:
    source = "" if outlook.known else " (supposed, for a suite that was never run)"
    found = (
        "no drop is found for certain"
        if outlook.detects is None
        else f"a drop of {_points(outlook.detects)} is found in 8 of 10 gates"
    )
    if not gate:
        return f"detects   {outlook.metric}: {found}{source}"
    passes = f"one that is no worse passes in {outlook.passes:.0%}"
    return f"detects   {outlook.metric}: {found}, {passes}{source}"


def _points(share: float) -> str:
    return f"{share * 100:.1f} points"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
