"""Prices as a table."""

from rich.text import Text

from trimtab.cli.output import console, format_time, print_table, table
from trimtab.spend.quotes import ModelPrice, PriceLine, PriceReport
from trimtab.spend.rates import UNITS, Unit

__all__ = ["print_prices"]


def print_prices(report: PriceReport) -> None:
    """Print one line for each model, service tier and size of request; then where it is from."""
    if not report.models:
        console.print("The project declares no model. Add one as [models.NAME] to trimtab.toml.")
        return
    priced = [model for model in report.models if model.lines]
    if priced:
        _print_lines(priced, report.at_ns)
    for model in priced:
        console.print(Text(f"{_name(model)}: {_origin(model)}"))
    for model in report.models:
        if model.refused:
            console.print(Text(f"{_name(model)} is refused. {model.refused}", "bold"))


def _print_lines(priced: list[ModelPrice], at_ns: int) -> None:
    lines = [line for model in priced for line in model.lines]
    units: list[Unit] = [unit for unit in UNITS if any(unit in line.usd_per_mtok for line in lines)]
    by_call = any(line.usd_per_thousand_requests != "0" for line in lines)
    columns = ["model", *(unit.replace("_", " ") for unit in units)]
    title = f"USD per million tokens, {format_time(at_ns)} UTC"
    shown = table(title, *columns, *(["1,000 calls"] if by_call else []))
    for model in priced:
        for line in model.lines:
            cells = [_cell(line, unit) for unit in units]
            calls = [line.usd_per_thousand_requests] if by_call else []
            shown.add_row(_label(model, line), *cells, *calls)
    print_table(shown)


def _label(model: ModelPrice, line: PriceLine) -> Text:
    """The name, on the first line; below it only what is different."""
    if line is model.lines[0]:
        return Text(_name(model))
    parts = [line.service_tier] if line.service_tier else []
    if line.above_input_tokens:
        parts.append(f"above {line.above_input_tokens:,} input")
    return Text("  " + ", ".join(parts))


def _cell(line: PriceLine, unit: Unit) -> str:
    return line.usd_per_mtok.get(unit, "-")


def _name(model: ModelPrice) -> str:
    return f"{model.alias} ({model.ref})" if model.alias else model.ref


def _origin(model: ModelPrice) -> str:
    parts = [model.version]
    if model.since is not None:
        parts.append(f"since {model.since}")
    if model.until is not None:
        parts.append(f"until {model.until}")
    if model.changes_by_day:
        parts.append("other prices at other times of the day")
    return ", ".join(parts)
