"""Options that the commands of `trimtab eval` share."""

from typing import Annotated, Any

import typer

__all__ = [
    "Budget",
    "DryRun",
    "Fresh",
    "JudgeAgain",
    "ModelName",
    "Overrides",
    "Repeats",
    "Reports",
    "SuiteName",
    "nanousd_of",
    "overrides_of",
]

SuiteName = Annotated[str, typer.Argument(help="A folder below evals/.", metavar="SUITE")]
ModelName = Annotated[
    str,
    typer.Option(
        "--model",
        help="An alias, a route, or a pin such as openai:gpt-5.2-2026-08-01.",
        show_default="the prompt's own",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Change a parameter of the call: temperature=0.7. Any number of times."
    ),
]
Repeats = Annotated[
    int | None,
    typer.Option(
        "--repeats", "-k", min=1, max=1_000, help="Of each case.", show_default="the suite's own"
    ),
]
Budget = Annotated[
    float | None,
    typer.Option("--budget", min=0, help="USD that may be spent.", show_default="no limit"),
]
Fresh = Annotated[
    bool,
    typer.Option("--fresh", help="Ask again for answers that are there; latency needs it."),
]
JudgeAgain = Annotated[
    bool, typer.Option("--judge-again", help="Ask judges again about answers they have judged.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what it would take and could tell.")
]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Also write a report: .html, .md, .json, or .xml for JUnit. Any number of times.",
    ),
]


def overrides_of(texts: list[str] | None) -> dict[str, Any]:
    """What `--set` says.

    Raises:
        UsageError: one sets nothing, or a name is set twice.
    """
    from trimtab.errors import UsageError
    from trimtab.evals.setups import parse_override

    found: dict[str, Any] = {}
    for text in texts or ():
        name, value = parse_override(text)
        if name in found:
            raise UsageError(f"--set names {name} twice. Say it once.")
        found[name] = value
    return found


def nanousd_of(usd: float | None) -> int | None:
    """An amount of the command line."""
    from trimtab.types.money import NANO_PER_USD

    return None if usd is None else round(usd * NANO_PER_USD)
