"""An experiment at the terminal: what it will take, how far it is, what came of it."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from trimtab.app import App
from trimtab.archive import open_experiments
from trimtab.cli.eval.opened import OpenedSuite
from trimtab.cli.eval.quote_text import quote_lines
from trimtab.cli.output import console
from trimtab.evals.answering import GatewayAnswerer
from trimtab.evals.conduct import Conduct
from trimtab.evals.order import Lab, Order
from trimtab.evals.quoting import Quote
from trimtab.evals.result import Result
from trimtab.evals.run import Progress
from trimtab.types.clock import SystemClock
from trimtab.types.ids import IdSource
from trimtab.types.money import format_usd

__all__ = ["conduct", "exit_code", "new_experiment_id", "quote"]

_FAILED, _INCONCLUSIVE, _BUDGET, _INTERRUPTED = 1, 3, 4, 130

T = TypeVar("T")


def new_experiment_id() -> str:
    """As the ledger and reports name it."""
    return IdSource(SystemClock()).new("exp")


def quote(opened: OpenedSuite, order: Order) -> Quote:
    """What an experiment would take; nothing is asked."""

    async def ask() -> Quote:
        async with _lab(opened, order) as lab:
            return Conduct(lab, order).quote()

    return _run(ask)


def conduct(opened: OpenedSuite, order: Order, *, quiet: bool) -> Result:
    """Carry out an experiment, with a bar where somebody looks. Ctrl-C ends it in good order."""

    async def carry_out() -> Result:
        async with _lab(opened, order) as lab:
            conducted = Conduct(lab, order)
            quoted = conducted.quote()
            if not quiet:
                for line in quote_lines(order, quoted):
                    console.print(line, markup=False)
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, _stopper(conducted))
            with _bar(quoted, quiet=quiet) as on_progress:
                return await conducted.carry_out(on_progress)

    return _run(carry_out)


def exit_code(result: Result, *, warns: bool = False) -> int:
    """0 passed, 1 failed, 3 inconclusive, 4 the budget ended it, 130 somebody did.

    Args:
        result: of an experiment.
        warns: an inconclusive gate that was seen to its end is let through.
    """
    match result.stopped:
        case "budget":
            return _BUDGET
        case "told":
            return _INTERRUPTED
        case "down":
            return _INCONCLUSIVE if result.verdict else _FAILED
        case "":
            pass
    if result.verdict == "inconclusive":
        return 0 if warns else _INCONCLUSIVE
    nothing = result.planned > 0 and not result.answered
    return _FAILED if result.verdict == "fail" or nothing else 0


@asynccontextmanager
async def _lab(opened: OpenedSuite, order: Order) -> AsyncGenerator[Lab]:
    """A gateway in this process, with the ledger, budgets and limits of the project."""
    clock = SystemClock()
    app = await App.open(opened.file, clock)
    try:
        async with app.working():
            answerer = GatewayAnswerer(app.gateway, clock, order.id)
            yield Lab(open_experiments(opened.file), answerer, clock)
    finally:
        await app.close()


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        return uvloop.run(work())
    except asyncio.CancelledError:
        typer.echo("Left. Answers that were there are kept; run it again to go on.", err=True)
        raise typer.Exit(130) from None


def _stopper(conducted: Conduct) -> Callable[[], None]:
    """The first Ctrl-C begins no more requests; the second one ends those under way."""
    running = asyncio.current_task()
    asked = False

    def stop() -> None:
        nonlocal asked
        if asked and running is not None:
            running.cancel()
        asked = True
        conducted.stop()
        typer.echo("\nEnding; what is under way is awaited. Ctrl-C again to leave it.", err=True)

    return stop


@contextmanager
def _bar(quoted: Quote, *, quiet: bool) -> Generator[Callable[[Progress], None]]:
    if quiet or not quoted.missing:
        yield lambda _progress: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[spent]}"),
        TimeRemainingColumn(),
    )
    shown = Console(file=sys.stderr, highlight=False)
    with Bar(*columns, console=shown, transient=True) as bar:
        task = bar.add_task("asking", total=quoted.missing, spent="")

        def tell(progress: Progress) -> None:
            failed = f", {progress.failed} failed" if progress.failed else ""
            bar.update(
                task,
                completed=progress.done,
                total=max(progress.planned, progress.done),
                spent=f"{format_usd(progress.spent_nanousd)}{failed}",
            )

        yield tell
