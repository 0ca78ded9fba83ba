"""Below the bill: who stands out, and how much the few at the top have."""

from collections.abc import Iterable

from rich.text import Text

from trimtab.cli.output import console
from trimtab.insights.concentration import Concentration

__all__ = ["print_concentration", "print_outliers"]

_MOST = 20


def print_outliers(found: Iterable[tuple[str, str]]) -> None:
    """Print names and why they stand out, the first twenty."""
    lines = [Text(f"{name} stands out: {reason}.", "bold") for name, reason in found]
    for line in lines[:_MOST]:
        console.print(line)
    if len(lines) > _MOST:
        console.print(f"{len(lines) - _MOST:,} more stand out; see them with --json.")


def print_concentration(shares: Concentration, noun: str) -> None:
    """Print the shares of the few at the top, as far as they are not everyone."""
    if shares.count < 2:
        return
    parts = [f"the top {noun} has {shares.top_1:.1%}"]
    if shares.count > 5:
        parts.append(f"the top 5 have {shares.top_5:.1%}")
    if shares.percent_count > 1:
        parts.append(f"the top 1 % ({shares.percent_count:,}) {shares.top_percent:.1%}")
    console.print(f"Of the cost {', '.join(parts)}.")
