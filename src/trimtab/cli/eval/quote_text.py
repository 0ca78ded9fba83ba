"""What an experiment will take, and what it will be able to tell, in words."""

from collections.abc import Iterator

from trimtab.evals.order import Order
from trimtab.evals.outlook import Outlook
from trimtab.evals.quoting import Quote
from trimtab.looks.words import several
from trimtab.types.money import format_usd

__all__ = ["quote_lines"]


def quote_lines(order: Order, quote: Quote) -> Iterator[str]:
    """A few lines, before anything is spent."""
    suite = order.suite
    setups = several(len(order.setups), "setup")
    cases, repeats = several(len(suite.cases), "case"), several(order.repeats, "repeat")
    counts = f"{several(quote.planned, 'answer')}, {quote.missing:,} to ask for"
    yield f"{suite.name}: {cases} x {repeats} x {setups} = {counts}"
    yield f"candidate {order.candidate.setup.label} at {order.candidate.setup.model}"
    if order.baseline is not None:
        yield f"baseline  {order.baseline.setup.label} at {order.baseline.setup.model}"
    if quote.missing:
        yield _cost(order, quote)
    early = [str(look.repeats) for look in order.looks if look.kind == "early"]
    if early:
        yield f"ends      after {' or '.join(early)} of {repeats} if it is clear by then"
    if order.kind == "gate" and order.baseline is None:
        yield "baseline  none: it is held against [gate.floors]"
        return
    for outlook in quote.outlooks:
        yield f"detects   {outlook.metric}: {_outlook(outlook, gate=order.kind == 'gate')}"


def _cost(order: Order, quote: Quote) -> str:
    most = f"at most {format_usd(quote.most_nanousd)}"
    if quote.likely_nanousd is not None:
        most = f"about {format_usd(quote.likely_nanousd)}, {most}"
    if any(one.asks for one in order.evaluators.evaluators):
        most += ", and what judges cost"
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
        else f"a drop by {_change(outlook, outlook.detects)} is found in 8 of 10 gates"
    )
    if not gate:
        return f"{found}{source}"
    if outlook.cases < outlook.needs:
        margin = _change(outlook, outlook.margin)
        return (
            f"nothing can pass: to show that nothing is worse by {margin} takes {outlook.needs:,} "
            f"independent cases, and it applies to {outlook.cases:,}; {found}{source}"
        )
    return f"{found}, one that is no worse passes in {outlook.passes:.0%}{source}"


def _change(outlook: Outlook, value: float) -> str:
    return f"a factor of {value:.2f}" if outlook.kind == "amount" else f"{value * 100:.1f} points"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
