"""docs/prices.md: its example is one, and its figures are those of the price book."""

import re
from pathlib import Path

from spend.books import NOW_NS
from spend.test_dated import at
from spend.test_reprice import RANGE, call
from trimtab.cli.output import console
from trimtab.cli.spend.reprice_table import print_repricing
from trimtab.config.load import load_project
from trimtab.spend.listprices import LIST_VERSION
from trimtab.spend.pricebook import PriceBook
from trimtab.spend.quotes import price_report
from trimtab.spend.reprice import report_of, reprice
from trimtab.types.usage import Usage

PAGE = (Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8")
PROJECT = '[providers.openai]\n[models.smart]\nref = "openai:gpt-5.4"\n'


def test_the_example_is_a_project(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "trimtab.toml").write_text(PROJECT + example, encoding="utf-8")
    project = load_project(tmp_path, {}, kinds=("openai",))
    book, rung = PriceBook(project), project.targets["tuned"].rungs[0]
    usage = Usage(input_tokens=1_000, cache_read_tokens=200, output_tokens=100)
    october = book.card(rung, at("2026-10-31"))
    november = book.card(rung, at("2026-11-01"), "flex")
    assert october.cost_nanousd(usage) == 1_000 * 800 + 100 * 3_200
    assert november.cost_nanousd(usage) * 2 == 800 * 600 + 200 * 150 + 100 * 2_400


def test_the_correction_is_what_would_be_printed(tmp_path: Path) -> None:
    """A thousand calls in November that were charged $1 and $2 per million tokens."""
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "trimtab.toml").write_text(PROJECT + example, encoding="utf-8")
    project = load_project(tmp_path, {}, kinds=("openai",))
    ref = project.models["tuned"].ref.partition(":")
    made = call(alias="tuned", provider=ref[0], model=ref[2])
    report = report_of(
        reprice(project, [made] * 1_000, since_ns=RANGE[0], until_ns=RANGE[1], now_ns=RANGE[1])
    )
    with console.capture() as printed:
        print_repricing(report)
    lines = [line.rstrip() for line in printed.get().splitlines()]
    shown = PAGE.split("$ trimtab spend reprice --since 3d\n")[1].split("```")[0]
    assert shown.splitlines() == lines


def test_the_table_is_what_the_price_book_says(tmp_path: Path) -> None:
    (tmp_path / "trimtab.toml").write_text(PROJECT, encoding="utf-8")
    project = load_project(tmp_path, {}, kinds=("openai",))
    (model,) = price_report(project, NOW_NS, model="smart").models
    shown = re.findall(r"^(?:smart|  )[^\n]*?((?: +[\d.]+){3})$", PAGE, re.MULTILINE)
    rows = [tuple(line.split()) for line in shown]
    assert rows == [tuple(line.usd_per_mtok.values()) for line in model.lines]
    assert f"{LIST_VERSION}, since {model.since}" in PAGE
