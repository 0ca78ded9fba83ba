"""Price books for the tests."""

from pathlib import Path

from trimtab.config.load import load_project
from trimtab.spend.pricebook import PriceBook
from trimtab.spend.rates import RateCard

NOW_NS = 1_795_464_000_000_000_000  # 2026-11-23 20:00 UTC

PROVIDERS = """\
[providers.openai]
[providers.groq]
kind = "openai"
base_url = "https://api.groq.com/openai/v1"
[providers.unknown]
kind = "openai"
base_url = "https://llm.example/v1"
[providers.local]
"""


def book(folder: Path, models: str) -> PriceBook:
    (folder / "trimtab.toml").write_text(PROVIDERS + models, encoding="utf-8")
    return PriceBook(load_project(folder, {}, kinds=("openai", "local")))


def card(folder: Path, model: str, *, at_ns: int = NOW_NS, tier: str = "") -> RateCard:
    """The card of one model; `model` is the body of its table."""
    prices = book(folder, f"[models.m]\n{model}\n")
    project = load_project(folder, {}, kinds=("openai", "local"))
    return prices.card(project.resolve("m").rungs[0], at_ns, tier)
