"""The suite of the demo: tickets that the prompt of the examples sorts, and what came of them."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

__all__ = ["PROMPT", "SUITE", "copy_suite", "run_suite"]

SUITE = "support-triage"
PROMPT = "support/triage"
_CASES = 16  # every fifth case: enough to look at, and done in some seconds
_STEP = 5


def copy_suite(folder: Path) -> None:
    """Put the prompts of the examples and a few cases of one suite into the demo's project."""
    with as_file(files("trimtab") / "examples" / "evals") as examples:
        shutil.copytree(examples / "prompts", folder / "prompts")
        shutil.copytree(examples / "evals" / SUITE, folder / "evals" / SUITE)
    cases = folder / "evals" / SUITE / "cases.jsonl"
    lines = cases.read_text(encoding="utf-8").splitlines(keepends=True)
    cases.write_text("".join(lines[::_STEP][:_CASES]), encoding="utf-8")


def run_suite(folder: Path) -> None:
    """Ask the cases through a gateway in this process, and print what the metrics are."""
    from trimtab.cli.eval.opened import open_suite
    from trimtab.cli.eval.order import new_order
    from trimtab.cli.eval.session import conduct
    from trimtab.cli.output import console
    from trimtab.evals.reports.terminal import TerminalReport
    from trimtab.evals.setups import Wish, resolve_setup

    console.print(f"\n[bold]trimtab eval run {SUITE}[/bold]: is this prompt any good?")
    opened = open_suite(folder, SUITE)
    ready = resolve_setup(opened.project, opened.library, opened.suite, wish=Wish())
    order = new_order(opened, "run", candidate=ready)
    console.print(TerminalReport(conduct(opened, order, quiet=False)))
