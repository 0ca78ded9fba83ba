"""`trimtab demo`."""

from typing import Annotated
import typer

__all__ = ["demo"]


def demo(exit_when_done: Annotated[bool, typer.Option("--exit")] = False) -> None:
    """x."""
