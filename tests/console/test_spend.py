"""The pages about money say what the commands say; whatever is missing is a page, not a failure."""

import json
import re
from collections.abc import Generator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from console.spend_stage import HEAVY, ODD, lay_out
from harness import Gateway, project_text, running_gateway, trimtab
from trimtab.console.query import link
from trimtab.testing import running_fault_provider
from trimtab.types.money import NANO_PER_USD, format_usd

NO_INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=")


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    folder = tmp_path_factory.mktemp("spent")
    with running_fault_provider() as provider:
        text = lay_out(folder, provider.base_url)
        with running_gateway(folder, text) as gateway:
            yield gateway
            assert not [line for line in gateway.output if "Traceback" in line]


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """A gateway that nobody has asked anything yet."""
    folder = tmp_path_factory.mktemp("young")
    with (
        running_fault_provider() as provider,
        running_gateway(folder, project_text(provider.base_url)) as gateway,
    ):
        yield gateway


def shown(gateway: Gateway, path: str, status: int = 200) -> str:
    """The page; its text, entities read."""
    reply = gateway.request(path)
    assert reply.status == status, (path, reply.body[:2_000])
    html = reply.body.decode()
    assert not NO_INLINE.search(re.sub(r"data-chart=\"[^\"]*\"", "", html))
    return unescape(html)


def told(gateway: Gateway, *arguments: str) -> Any:
    """What a command prints."""
    done = trimtab("spend", *arguments, "--json", folder=gateway.folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ------------------------------------------------------------------ the same figures


def test_users_are_those_of_the_command(spent: Gateway):
    page = shown(spent, "/console/spend?range=7d")
    report = told(spent, "users", "--since", "7d")
    assert f"<dd>{format_usd(report['cost_nanousd'])}<small>" in page
    assert f"<dd>{format_usd(report['estimated_nanousd'])}<small>of the bill" in page
    assert f"<dd>{format_usd(report['unsettled_nanousd'])}<small>at most" in page
    cells = re.findall(r'data-label="Cost" class="figure">(\$[\d.,]+)', page)
    assert cells[:15] == [format_usd(user["cost_nanousd"]) for user in report["users"][:15]]
    [flagged] = [user for user in report["users"] if user["outlier"]]
    assert flagged["user"] == HEAVY
    assert flagged["outlier"] in page
    assert page.count(">outlier<") == 1
    rest = sum(user["cost_nanousd"] for user in report["users"][15:])
    assert f"{report['user_count'] - 15} others: {format_usd(rest)}" in page


@pytest.mark.parametrize("by", ["model", "route", "team", "key"])
def test_every_split_adds_up(spent: Gateway, by: str):
    page = shown(spent, f"/console/spend?range=7d&by={by}")
    shares = re.findall(
        r'data-label="Share" class="figure">([\d.]+)%</td>\s*<td[^>]*Requests', page
    )
    assert shares
    assert sum(map(float, shares)) == pytest.approx(100, abs=0.2)
    rest = '<span class="quiet">(no {})</span>'
    assert (rest.format("team") in page) == (by == "team")
    assert (rest.format("key") in page) == (by == "key")


def test_budgets_forecast_and_waste_are_those_of_the_commands(spent: Gateway):
    page = shown(spent, "/console/spend")
    for state in told(spent, "budgets"):
        assert f"<h3>{state['name']}</h3>" in page
        for row in state["rows"][:5]:
            limit, cost = (
                format_usd(row["burn"][f"{name}_nanousd"]) for name in ("limit", "spent")
            )
            assert f'{cost} <span class="quiet">of {limit}, ' in page
    total = told(spent, "forecast")["total"]
    drawn = re.search(r"interval</dt><dd>\$([\d.,]+) to \$([\d.,]+)<", page)
    assert drawn is not None
    ends = [float(amount.replace(",", "")) * NANO_PER_USD for amount in drawn.groups()]
    # Asked for a moment later, so a little less of the month is left.
    assert ends == pytest.approx([total["low_nanousd"], total["high_nanousd"]], rel=1e-3)
    page = shown(spent, "/console/spend?range=30d")
    waste = told(spent, "waste", "--since", "30d")
    assert waste["wasted_nanousd"]
    assert f"Of {format_usd(waste['cost_nanousd'])} in all." in page
    failed = next(line for line in waste["lines"] if line["name"] == "failed")
    assert f">{failed['attempts']}</td>" in page
    assert f">{format_usd(failed['cost_nanousd'])}</td>" in page


@pytest.mark.parametrize(
    ("address", "arguments"),
    [
        ("period=30d", ("--since", "30d")),
        ("period=7d&against=before", ("--against", "7d")),
        ("period=7d&against=14d", ("--against", "14d")),
    ],
)
def test_causes_are_those_of_the_command(spent: Gateway, address: str, arguments: tuple[str, ...]):
    page = shown(spent, f"/console/explain?{address}")
    since = () if "--since" in arguments else ("--since", "7d")
    report = told(spent, "explain", *since, *arguments)
    assert f"{report['ratio']:.2f} times" in page
    assert f"trimtab spend explain {' '.join((*since, *arguments))}" in page
    drawn = re.findall(r"<text class=\"cause cause-amount[^>]*>([▲▼]?)[ +]*(-?)\$", page)
    signs = [("▲", "") if cause["amount_nanousd"] > 0 else ("▼", "-") for cause in told_of(report)]
    assert drawn == [("", ""), *signs, ("", "")]
    for cause in told_of(report):
        amount = format_usd(cause["amount_nanousd"])
        assert f">{'+' if cause['amount_nanousd'] > 0 else ''}{amount}</td>" in page
        assert f">\N{MULTIPLICATION SIGN}{cause['factor']:.3f}</td>" in page
    assert page.count("<title id=") == page.count("<desc id=") == 1


def told_of(report: Any) -> list[Any]:
    return [cause for cause in report["causes"] if cause["amount_nanousd"]]


# ------------------------------------------------------------------ one user


def test_a_user_and_why_it_stands_out(spent: Gateway):
    page = shown(spent, f"/console/user?name={HEAVY}")
    report = told(spent, "users", "--since", "7d")
    [flagged] = report["flagged"]
    assert {reason["rule"] for reason in flagged["reasons"]} == {"peers", "past"}
    for reason in flagged["reasons"]:
        assert reason["text"] in page
        usual = format_usd(reason["usual_nanousd"])
        assert f"is {usual}:" in page
        if reason["rule"] == "past":
            assert f"the usual day, {usual}:" in page
    assert f"number 1 of {report['user_count']}" in page
    assert "bin-flagged" in page
    turns = re.findall(r'data-label="Turns" class="figure">(\d+)<', page)
    assert turns[:5] == ["6", "6", "6", "6", "1"]
    session = re.search(r'href="(/console/inferences\?[^"]*session=marathon[^"]*)"', page)
    assert session is not None
    assert shown(spent, session[1]).count('data-label="User"') == 6
    assert 'of <span class="quiet">' not in page
    assert "<h3>people</h3>" in page
    assert "<h3>models</h3>" not in page


def test_a_user_who_does_not_stand_out(spent: Gateway):
    page = shown(spent, "/console/user?name=trial-5&range=24h")
    assert "Does not stand out in the last 24 hours." in page
    assert "bin-own" in page
    assert "Class trial." in page


def test_any_name_has_its_page(spent: Gateway):
    listed = spent.request("/console/spend?range=24h").body.decode()
    users = spent.request("/console/users?range=24h").body.decode()
    address = link("/console/user", range="24h", name=ODD)
    for html in (listed, users):
        assert "<script>window" not in html
    assert f'href="{address}"' in unescape(users)
    html = spent.request(address).body.decode()
    assert "<script>window" not in html
    assert ODD.replace("\u202e", "\u27e6U+202E\u27e7") in unescape(html)
    assert "so there is no usual day" in html


def test_nobody(spent: Gateway):
    assert "Nothing is known of this user" in shown(spent, "/console/user?name=nobody")
    assert "names no user" in shown(spent, "/console/user", status=400)


def test_a_user_without_requests_in_the_range(spent: Gateway):
    page = shown(spent, "/console/user?name=user-03&from=2026-01-01&to=2026-01-02")
    assert "No requests in 2026-01-01 to 2026-01-02 UTC" in page
    assert "user-03/0" in page


# ------------------------------------------------------------------ what is missing


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/console/spend?by=luck", "user, model, route, key, team"),
        ("/console/spend?range=year", "30m, 24h, 7d or 4w"),
        ("/console/explain?period=2026-13", "no month"),
        ("/console/explain?period=soon", "not a span of time"),
        ("/console/explain?period=3000d", "more than two years"),
        ("/console/explain?against=3000d", "more than two years"),
        ("/console/explain?against=luck", "not a span of time"),
    ],
)
def test_a_wrong_address_is_explained(young: Gateway, path: str, words: str):
    assert words in shown(young, path, status=400)


def test_before_anything_was_spent(young: Gateway):
    assert "Nothing has been spent yet" in shown(young, "/console/spend")
    page = shown(young, "/console/explain")
    assert "trimtab spend plan --users" in page
    assert "Nothing has been spent yet" in page
    assert "Nothing is known of this user" in shown(young, "/console/user?name=ana")


@pytest.mark.parametrize(
    "path",
    [
        "/console/spend?from=2026-01-01&to=2026-01-03",
        "/console/spend?from=2026-01-01&to=2026-01-01T05:00",
    ],
)
def test_nothing_in_a_range(spent: Gateway, path: str):
    page = shown(spent, path)
    assert "Nothing was spent in 2026-01-01 to" in page
    assert '<h2 id="h-budgets">Budgets</h2>' in page


@pytest.mark.parametrize(
    "query", ["from=2026-01-01", "to=2199-01-01", "from=2026-11-01&to=2026-11-02"]
)
def test_any_range_can_be_drawn(spent: Gateway, query: str):
    page = shown(spent, f"/console/spend?{query}")
    assert 0 < page.count('<rect class="column') <= 93 or "Nothing was spent" in page


def test_what_cannot_be_explained(spent: Gateway):
    page = shown(spent, "/console/explain?period=2025-01&against=plan")
    assert "has no estimate for this time" in page
    assert "the difference to the time before" in page
    page = shown(spent, "/console/explain?period=2030-Q1")
    assert "is over yet" in page


def test_a_plan_that_cannot_be_read_hides_nothing_else(tmp_path: Path):
    with running_fault_provider() as provider:
        text = lay_out(tmp_path, provider.base_url, plan="[plan.soon.everyone]\nusers = 3\n")
        with running_gateway(tmp_path, text) as gateway:
            page = shown(gateway, "/console/spend")
            assert "plan.toml" in page
            assert "By user" in page
            assert "plan.toml" in shown(gateway, "/console/explain")
            (tmp_path / "plan.toml").unlink()
            page = shown(gateway, "/console/explain")
            assert "No plan yet" in page
            assert "what it was from" in page
            assert "trimtab spend plan" in shown(gateway, "/console/explain?against=plan")
