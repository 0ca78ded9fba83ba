"""What `trimtab spend prices` shows: exact, dated, and never 0 for what is not known."""

from datetime import date
from pathlib import Path

import pytest

from spend.books import NOW_NS, PROVIDERS
from spend.test_dated import ALL_UNITS, CORRECTED, at
from trimtab.config.load import load_project
from trimtab.config.schema import Project
from trimtab.errors import UsageError
from trimtab.spend.pricebook import PriceBook
from trimtab.spend.quotes import ModelPrice, price_report

MODELS = f"""\
[models.listed]
ref = "openai:gpt-5.4"
also = ["groq:llama-3.3-70b-versatile"]
[models.rush]
ref = "unknown:x"
price_as = "deepseek:deepseek-v4-pro"
[models.search]
ref = "unknown:s"
price_as = "perplexity:sonar"
[models.none]
ref = "unknown:y"
[models.m]
{CORRECTED}
[models.full]
{ALL_UNITS.replace(".m.", ".full.")}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "trimtab.toml").write_text(PROVIDERS + MODELS, encoding="utf-8")
    return load_project(tmp_path, {}, kinds=("openai", "local"))


def of(project: Project, model: str, at_ns: int = NOW_NS) -> list[ModelPrice]:
    return price_report(project, at_ns, model=model).models


def test_every_model_at_every_provider_is_there(project: Project) -> None:
    found = price_report(project, NOW_NS).models
    assert [(price.alias, price.ref) for price in found] == [
        ("listed", "openai:gpt-5.4"),
        ("listed", "groq:llama-3.3-70b-versatile"),
        ("rush", "unknown:x"),
        ("search", "unknown:s"),
        ("none", "unknown:y"),
        ("m", "unknown:x"),
        ("full", "unknown:x"),
    ]


def test_a_model_without_a_price_is_refused_and_not_0(project: Project) -> None:
    (found,) = of(project, "none")
    assert (found.source, found.version, found.lines) == ("none", "", ())
    assert '[models."none".price]' in found.refused
    (early,) = of(project, "m", at("2026-09-01"))
    assert early.lines == ()
    assert "no price on 2026-09-01" in early.refused


def test_declared_prices_have_their_days_tiers_and_version(project: Project) -> None:
    (october,) = of(project, "m", at("2026-10-15"))
    assert (october.source, october.since, october.until) == (
        "project",
        date(2026, 10, 1),
        date(2026, 11, 1),
    )
    (november,) = of(project, "m")
    assert (november.since, november.until) == (date(2026, 11, 1), None)
    assert november.lines[0].usd_per_mtok == {"input": "3", "output": "8"}
    rung = project.targets["m"].rungs[0]
    assert november.version == PriceBook(project).card(rung, NOW_NS).version
    (full,) = of(project, "full")
    assert [(line.service_tier, line.above_input_tokens) for line in full.lines] == [
        (tier, start) for tier in ("", "flex", "priority") for start in (0, 1_000, 9_000)
    ]
    assert full.lines[4].usd_per_mtok["cache_read"] == "0.1"  # half of 0.2
    assert full.lines[8].usd_per_mtok["output"] == "35"  # 1.75 x 20
    assert (full.since, full.until) == (None, None)


def test_listed_prices_have_what_the_list_knows(project: Project) -> None:
    listed, _ = of(project, "listed")
    assert listed.source == "genai-prices"
    assert listed.version.startswith("genai-prices/")
    assert listed.lines[0].usd_per_mtok == {"input": "2.5", "cache_read": "0.25", "output": "15"}
    assert listed.lines[1].above_input_tokens == 272_000
    assert {"flex", "priority", "batch"} <= {line.service_tier for line in listed.lines}
    assert listed.since is not None
    assert not listed.changes_by_day
    assert of(project, "rush")[0].changes_by_day
    (search,) = of(project, "search")
    assert search.lines[0].usd_per_mtok


def test_the_list_tells_what_is_to_come(project: Project) -> None:
    """Between two dates of the list both are known."""
    (before,) = of(project, "openai:gpt-5.4", at("2026-10-12"))
    (after,) = of(project, "openai:gpt-5.4", at("2026-10-14"))
    assert before.since == date(2026, 10, 12)
    assert before.until == after.since == date(2026, 10, 14)
    assert "batch" not in {line.service_tier for line in before.lines}


def test_a_model_that_is_not_declared_may_be_asked_for(project: Project) -> None:
    (found,) = of(project, "openai:gpt-4.1-mini")
    assert (found.alias, found.lines[0].usd_per_mtok["input"]) == ("", "0.4")
    (found,) = of(project, "google:gemini-2.5-pro")  # an id of genai-prices
    assert found.lines[1].above_input_tokens == 200_000
    (found,) = of(project, "groq:llama-3.3-70b-versatile")
    assert found.alias == "listed"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("lsted", "Did you mean listed?"),
        ("openai:gpt-5.5.5.5", "openai:gpt-4.1-mini"),
        ("openai:whisper-1", "No price is known of"),  # listed, but by the hour
        ("unknown:gpt-4.1", "Give an alias of the project (listed, rush"),
        (":", "is not a model reference"),
        ("x" * 1_000_000, "No price is known of 'xxx"),
    ],
)
def test_an_unknown_model_gets_help(project: Project, model: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        price_report(project, NOW_NS, model=model)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 500
