"""`trimtab eval gate`: is the candidate as good as what is released?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.eval.options import (
    Budget,
    DryRun,
    Fresh,
    JudgeAgain,
    ModelName,
    Overrides,
    Repeats,
    Reports,
    SuiteName,
    nanousd_of,
    overrides_of,
)
from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.cli.eval.opened import OpenedSuite
    from trimtab.evals.order import Order
    from trimtab.evals.setups import Ready, Wish

__all__ = ["gate", "gate_order"]


def gate(
    suite: SuiteName,
    candidate: Annotated[
        str,
        typer.Option(help="The version that is tried: v12, a hash, or draft for the file."),
    ] = "draft",
    model: ModelName = "",
    overrides: Overrides = None,
    baseline: Annotated[
        str,
        typer.Option(
            help="The version it is compared with; `none` to hold it against the floors.",
            show_default="what the environment has released",
        ),
    ] = "",
    baseline_model: Annotated[
        str, typer.Option(help="Its pin.", show_default="as released, else the prompt's own")
    ] = "",
    environment: Annotated[
        str, typer.Option("--env", "-e", help="Whose release is the baseline.")
    ] = "",
    repeats: Repeats = None,
    budget: Budget = None,
    fresh: Fresh = False,
    judge_again: JudgeAgain = False,
    dry_run: DryRun = False,
    report: Reports = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Compare with the released version: pass, fail or inconclusive; writes the evidence."""
    from trimtab.cli.eval.opened import open_suite
    from trimtab.cli.eval.shown import show_quote, show_result
    from trimtab.evals.setups import Wish

    opened = open_suite(project, suite)
    order = gate_order(
        opened,
        Wish("", candidate, model, overrides_of(overrides)),
        baseline=baseline,
        baseline_model=baseline_model,
        environment=environment,
        repeats=repeats,
        budget_usd=budget,
    )
    order = order._replace(fresh=fresh, judge_again=judge_again)
    if dry_run:
        show_quote(opened, order, as_json=as_json)
    else:
        show_result(opened, order, reports=report or [], as_json=as_json)


def gate_order(
    opened: "OpenedSuite",
    wish: "Wish",
    *,
    baseline: str = "",
    baseline_model: str = "",
    environment: str = "",
    repeats: int | None = None,
    budget_usd: float | None = None,
) -> "Order":
    """The order of a gate; the arguments are the options of the command.

    Raises:
        TrimtabError: a version, a model or an environment is not there.
    """
    from trimtab.cli.eval.order import new_order
    from trimtab.evals.setups import resolve_setup

    return new_order(
        opened,
        "gate",
        candidate=resolve_setup(opened.project, opened.library, opened.suite, wish=wish),
        baseline=_baseline(opened, baseline, baseline_model, environment=environment),
        repeats=repeats,
        budget_nanousd=nanousd_of(budget_usd),
    )


def _baseline(
    opened: "OpenedSuite", version: str, model: str, *, environment: str
) -> "Ready | None":
    """What the candidate is held against.

    Raises:
        UsageError: there are several environments, and none is named; or nothing says which version
            the model is of.
    """
    from trimtab.errors import UsageError
    from trimtab.evals.baseline import released_wish
    from trimtab.evals.setups import Wish, resolve_setup

    if version == "none":
        if model:
            raise UsageError("--baseline none compares with nothing: leave out --baseline-model.")
        return None
    prompt = opened.suite.prompt
    wish = Wish("", version, model)
    if not version and prompt:
        found = released_wish(opened.project, prompt, environment)
        if found is None and model:
            raise UsageError(
                f"Nothing of {prompt!r} is released. Name the version too: --baseline draft."
            )
        if found is None:
            return None
        wish = found._replace(model=model or found.model)
    elif not version and not model:
        return None
    return resolve_setup(opened.project, opened.library, opened.suite, wish=wish)
