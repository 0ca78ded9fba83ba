"""Alerts as a table."""

from collections.abc import Sequence

from rich.text import Text

from trimtab.alerts.records import Delivery, ToldAlert
from trimtab.cli.output import console, format_time, print_table, table

__all__ = ["print_alerts"]


def print_alerts(found: Sequence[ToldAlert]) -> None:
    """Print alerts, the newest first, and below them what they say."""
    if not found:
        console.print("No alerts yet. Try your webhooks with `trimtab alerts test`.")
        return
    shown = table("Alerts", "alert", "kind", "noticed (UTC)", "told")
    for one in found:
        told = ", ".join(map(_words, one.deliveries)) or "nobody: no webhook wants this kind"
        shown.add_row(one.alert_id, one.alert.kind, format_time(one.alert.at_ns), Text(told))
    print_table(shown)
    console.print()
    for one in found:
        # What it says comes from outside: as Text it cannot carry markup.
        console.print(Text(f"{one.alert_id}  {' '.join(one.alert.message.split())}"))


def _words(delivery: Delivery) -> str:
    name, tries = delivery.webhook, delivery.tries
    match delivery.state:
        case "delivered":
            return f"{name} (delivered)"
        case "given_up":
            return f"{name} (given up after {tries}: {delivery.problem})"
        case "waiting":
            why = f": {delivery.problem}" if delivery.problem else ""
            return f"{name} (waiting, {tries} tries{why})"
