"""Small ledgers of money: some calls a day, of users of some classes."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

from config.projects import load
from store.samples import CLOCK, DAY_NS, NOON_NS, intent, record, settle
from trimtab.insights.explain import Books
from trimtab.spend.unit_prices import ModelPrices
from trimtab.store.chain import Record
from trimtab.store.sqlite import open_reader
from trimtab.types.identity import Caller
from trimtab.types.usage import Usage

__all__ = ["CALL_NANOUSD", "TODAY", "Books", "books", "calls", "write"]

TODAY: Final = date(2026, 11, 23)
"""The day of `NOON_NS`."""

PROJECT: Final = """\
[providers.openai]
[classes.pro]
users = ["pro-*"]
[models.smart]
ref = "openai:smart-1"
price = { input_usd_per_mtok = 2, cache_read_usd_per_mtok = 0.5, output_usd_per_mtok = 8 }
[models.fast]
ref = "openai:fast-1"
price = { input_usd_per_mtok = 1, output_usd_per_mtok = 4 }
[models.unknown]
ref = "openai:never-heard-of"
"""
CALL_NANOUSD: Final = 1_000 * 2_000 + 100 * 8_000
"""Of a call with 1,000 tokens in and 100 out."""


def books(folder: Path) -> Books:
    """Of the project in a folder; what is written later is seen."""
    project = load(folder, PROJECT)
    return Books(open_reader(folder / "data", CLOCK), project, ModelPrices(project))


def calls(
    count: int, *, days_ago: int = 1, user_class: str = "", name: str = "", **changes: Any
) -> Iterator[Record]:
    """So many calls at noon, of as many users with a session each."""
    asked: dict[str, Any] = {"model": "smart-1", "alias": "smart"}
    asked |= {
        key: changes.pop(key) for key in ("model", "cause", "rung", "repeat") & changes.keys()
    }
    ended: dict[str, Any] = {
        "usage": Usage(input_tokens=1_000, output_tokens=100),
        "cost_nanousd": CALL_NANOUSD,
    }
    for number in range(count):
        inference_id = f"inf_{days_ago}_{user_class}_{name}_{number}"
        user = f"{user_class}-{number}"
        yield intent(
            inference_id,
            started_ns=NOON_NS - days_ago * DAY_NS,
            caller=Caller("key_1", "", user, f"{user}-{days_ago}", user_class),
            **asked,
        )
        yield settle(inference_id, **ended | changes)


def write(folder: Path, *parts: Iterator[Record]) -> None:
    """Write calls into the ledger that `books` reads."""
    record(folder / "data", [entry for part in parts for entry in part])
