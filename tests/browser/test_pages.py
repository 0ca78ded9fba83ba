"""The pages as people use them: filters, order, links, the keyboard, the refresh."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser.conftest import Shown
from browser.stage import (
    HEAVY_USER,
    LIGHT_USERS,
    SCREENSHOTS,
    SCRIPT,
    Asked,
    Watched,
    open_context,
    project,
    send,
)
from harness import project_text, running_gateway, start_gateway, trimtab
from trimtab.testing import running_fault_provider

ROWS = "table tbody tr"


# ------------------------------------------------------------------ filters, order, links


def test_filters_are_in_the_address(watched: Watched):
    page = watched.open("/console/inferences")
    page.get_by_label("User", exact=True).fill("ana")
    page.get_by_label("Outcome").select_option("timeout")
    page.get_by_label("Range").select_option("1h")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile(r"user=ana.*outcome=timeout.*range=1h"))
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(ROWS)).to_contain_text("timeout_total")
    # Whoever is given the address sees the same.
    again = watched.open(page.url.removeprefix(watched.url))
    expect(again.locator(ROWS)).to_have_count(1)
    expect(again.get_by_label("User", exact=True)).to_have_value("ana")
    again.get_by_role("link", name="Clear filters").click()
    expect(again.locator(ROWS)).to_have_count(50)


def test_every_filter_finds_its_own(shown: Shown, watched: Watched):
    page = watched.open("/console/inferences")
    page.get_by_text("More filters").click()
    for label, value in (
        ("Model", "large"), ("Route", "impatient"), ("Session", "ana-1"), ("Provider", "fake"),
        ("Error code", "scripted_fault"),
    ):  # fmt: skip
        watched.open(f"/console/inferences?{FILTERS[label]}={value}")
        expect(page.get_by_label(label, exact=True)).to_have_value(value)
        assert page.locator(ROWS).count() >= 1, label
    watched.open("/console/inferences?user=nobody&team=none")
    assert page.locator(ROWS).count() == 0


FILTERS = {
    "Model": "model",
    "Route": "route",
    "Session": "session",
    "Provider": "provider",
    "Error code": "error",
}


def test_order_and_pages(watched: Watched):
    page = watched.open("/console/inferences")
    page.get_by_role("link", name="Cost", exact=True).click()
    page.wait_for_url("**sort=costliest**")
    expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute(
        "aria-sort", "descending"
    )
    costs = [float(text.strip("$ est.")) for text in column(watched, "Cost")]
    assert costs == sorted(costs, reverse=True)
    page.get_by_role("link", name="Latency", exact=True).nth(1).click()
    page.wait_for_url("**sort=slowest**")
    first = {link.get_attribute("href") for link in page.locator(f"{ROWS} a").all()}
    assert len(first) == 50
    page.get_by_role("link", name="More inferences").click()
    page.wait_for_url("**after=**")
    second = {link.get_attribute("href") for link in page.locator(f"{ROWS} a").all()}
    assert second
    assert not first & second
    page.get_by_role("link", name="Back to the first page").click()
    expect(page.locator(ROWS)).to_have_count(50)


def column(watched: Watched, label: str) -> list[str]:
    return watched.page.locator(f"{ROWS} td[data-label='{label}']").all_inner_texts()


def test_users_can_be_ranked_by_everything(watched: Watched):
    page = watched.open("/console/users")
    assert page.locator(f"{ROWS} .main").first.inner_text().startswith(HEAVY_USER)
    expect(page.get_by_text("stands out:").first).to_contain_text(HEAVY_USER)
    for words, label in (("Requests", "Requests"), ("Tokens in", "Tokens in")):
        page.get_by_role("link", name=words, exact=True).click()
        expect(page.get_by_role("columnheader", name=words, exact=True)).to_have_attribute(
            "aria-sort", "descending"
        )
        figures = [int(text.replace(",", "")) for text in column(watched, label)]
        assert figures == sorted(figures, reverse=True)
    page.get_by_role("link", name="User", exact=True).click()
    page.wait_for_url("**sort=user**")
    names = page.locator(f"{ROWS} .main bdi").all_inner_texts()
    assert names == sorted(names)
    page.get_by_role("link", name="ana", exact=True).click()
    page.wait_for_url("**/console/user?**name=ana")
    page.get_by_role("link", name="Inferences", exact=True).nth(1).click()
    page.wait_for_url("**user=ana**")
    assert all(text == "ana" for text in column(watched, "User"))


def test_overview_of_one_user(watched: Watched):
    page = watched.open("/console")
    page.get_by_label("Only", exact=True).select_option("user")
    page.get_by_label("Which one").fill("ana")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**by=user&value=ana**")
    expect(page.get_by_text("Only user ana")).to_be_visible()
    page.get_by_role("link", name="Its inferences").click()
    page.wait_for_url("**user=ana**")
    assert page.locator(ROWS).count() >= 6


def test_one_inference_in_full(shown: Shown, watched: Watched):
    page = watched.open(f"/console/inferences/{shown.ids['tool']}")
    for text in ("find_ticket", '{"id": 4711}', "calls tool", "finish reason tool_calls",
                 "You answer questions about ships", "temperature"):  # fmt: skip
        expect(page.locator("#live")).to_contain_text(text)
    expect(page.locator("ol.attempts > li")).to_have_count(1)
    page.get_by_role("link", name="deniz").click()
    page.wait_for_url("**user=deniz**")
    page = watched.open(f"/console/inferences/{shown.ids['error']}")
    expect(page.locator("#live")).to_contain_text("scripted_fault, HTTP 503")
    expect(page.locator("dd .outcome-error")).to_have_text("error")


# ------------------------------------------------------------------ figures


def test_the_figures_are_those_of_the_command_line(shown: Shown, watched: Watched):
    folder = shown.gateway.folder
    spend = json.loads(trimtab("spend", "users", "--json", folder=folder).stdout)
    page = watched.open("/console/users")
    assert page.locator(ROWS).count() == len(spend["users"])
    for row, user in zip(page.locator(ROWS).all(), spend["users"], strict=True):
        cells = {
            cell.get_attribute("data-label"): cell.inner_text() for cell in row.locator("td").all()
        }
        assert cells["Requests"] == f"{user['requests']:,}"
        assert cells["Tokens in"] == f"{user['input_tokens']:,}"
        assert cells["Tokens out"] == f"{user['output_tokens']:,}"
        assert cells["Share"] == f"{user['share']:.1%}"
    printed = trimtab("spend", "users", folder=folder).stdout
    for cost in column(watched, "Cost"):
        assert cost in printed
    page = watched.open("/console?range=7d")
    assert tile(watched, "Requests") == f"{spend['requests']:,}"
    assert tile(watched, "Cost") in printed
    for by in ("model", "route"):
        rows = json.loads(trimtab("latency", "--by", by, "--json", folder=folder).stdout)
        printed = trimtab("latency", "--by", by, folder=folder).stdout
        page = watched.open(f"/console/latency?by={by}")
        whole = page.get_by_role("table", name="Whole answer").locator("tbody tr")
        assert whole.count() == len(rows)
        for shown_row, row in zip(whole.all(), rows, strict=True):
            line = next(line for line in printed.splitlines() if line.startswith(row["value"]))
            for share in ("P50", "P90", "P95", "P99", "P99.9"):
                cell = shown_row.locator(f"td[data-label='{share}']").inner_text()
                assert cell in line, (cell, line)


def tile(watched: Watched, name: str) -> str:
    found = watched.page.locator(".tiles div", has=watched.page.locator(f"dt:text-is('{name}')"))
    return found.locator("dd").inner_text().split("\n")[0]


def test_charts_are_drawn_and_told(watched: Watched):
    page = watched.open("/console")
    expect(page.locator(".chart canvas")).to_have_count(4)
    for chart in page.locator(".chart").all():
        assert chart.get_attribute("aria-label")
        painted = chart.locator("canvas").evaluate(
            "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
            ".data.some((value) => value !== 0)"
        )
        assert painted
    page.get_by_text("Figures of the charts").click()
    figures = page.locator(".figures tbody tr td:nth-child(2)").all_inner_texts()
    total = int(tile(watched, "Requests").replace(",", ""))
    assert sum(int(text.replace(",", "")) for text in figures) == total


def test_pages_are_whole_without_scripts(browser: Browser, shown: Shown):
    with open_context(browser, java_script_enabled=False) as context:
        page = context.new_page()
        for path, word in (
            ("/console", "Cost by user"), ("/console/inferences", "Older inferences"),
            ("/console/users", HEAVY_USER), ("/console/latency", "P99.9"),
            (f"/console/inferences/{shown.ids['evil']}", "onerror"),
        ):  # fmt: skip
            page.goto(shown.url + path)
            expect(page.get_by_text(word).first).to_be_visible()
        page.goto(shown.url + "/console/inferences")
        page.get_by_label("User", exact=True).fill("ben")
        page.get_by_role("button", name="Apply").click()
        assert page.locator(ROWS).count() >= 5


# ------------------------------------------------------------------ keyboard


def test_with_the_keyboard_alone(watched: Watched):
    page = watched.open("/console/inferences")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "user"
    page.keyboard.type("chloe")
    page.keyboard.press("Enter")
    page.wait_for_url("**user=chloe**")
    for _ in range(60):
        page.keyboard.press("Tab")
        href = page.evaluate("document.activeElement.getAttribute('href') ?? ''")
        if href.startswith("/console/inferences/inf_"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "2px"
    page.keyboard.press("Enter")
    page.wait_for_url("**/inferences/inf_**")
    expect(page.locator("#live")).to_contain_text("chloe")


# ------------------------------------------------------------------ refresh


def test_a_new_inference_appears_by_itself(shown: Shown, watched: Watched):
    page = watched.open("/console/inferences?user=newcomer")
    expect(page.get_by_role("heading", name="No inference matches")).to_be_visible()
    page.evaluate("window.stayed = true")
    send(shown.gateway, Asked("newcomer"))
    expect(page.locator(ROWS)).to_have_count(1, timeout=8_000)
    assert page.evaluate("window.stayed")


def test_the_refresh_leaves_the_reader_alone(shown: Shown, watched: Watched):
    page = watched.page
    page.clock.install()
    user = LIGHT_USERS[0]
    watched.open(f"/console/inferences?user={user}")

    def five_seconds_later() -> int:
        page.clock.fast_forward(5_100)
        return page.locator(ROWS).count()

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.headers.get("hx-request", "")))
    before = page.locator(ROWS).count()
    page.locator(f"{ROWS} a").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    send(shown.gateway, Asked(user))
    assert five_seconds_later() == before
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.getSelection().selectAllChildren(document.querySelector('tbody'))")
    assert five_seconds_later() == before
    page.evaluate("document.getSelection().empty()")
    page.get_by_role("button", name="Pause").click()
    assert five_seconds_later() == before
    assert "true" not in asked
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(ROWS)).to_have_count(before + 1)
    assert asked.count("true") == 1


def test_the_refresh_keeps_what_is_open_and_the_charts(shown: Shown, watched: Watched):
    page = watched.page
    page.clock.install()
    watched.open("/console")
    page.get_by_text("Figures of the charts").click()
    page.evaluate("window.canvas = document.querySelector('.chart canvas')")
    page.evaluate("scrollTo(0, 400)")
    before = tile(watched, "Requests")
    send(shown.gateway, Asked("ben"))
    page.evaluate("document.activeElement.blur()")
    page.clock.fast_forward(5_100)
    expect(page.locator(".tiles dd").first).not_to_contain_text(before)
    assert page.locator("details.figures").get_attribute("open") is not None
    assert page.evaluate("window.canvas.isConnected"), "the chart was made anew"
    assert page.evaluate("scrollY") == pytest.approx(400, abs=60)


# ------------------------------------------------------------------ nothing, and what goes wrong


def test_before_the_first_request(browser: Browser, tmp_path: Path):
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(tmp_path, project_text(provider.base_url)) as gateway,
        open_context(browser) as context,
    ):
        watched = Watched(context, gateway.url.removesuffix("/v1"))
        page = watched.open("/console")
        expect(page.get_by_role("heading", name="Nothing has been recorded yet")).to_be_visible()
        expect(page.locator("pre.code")).to_contain_text(f"127.0.0.1:{gateway.port}/v1")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 900})
                page.screenshot(path=SCREENSHOTS / f"overview-empty-{scheme}-{width}.png")
                assert page.evaluate("document.documentElement.scrollWidth") <= width
        watched.open("/console/inferences")
        expect(page.locator("pre.code")).to_contain_text("/v1/chat/completions")
        for path in ("/console/users", "/console/latency"):
            watched.open(path)
            expect(page.get_by_role("heading", name="No requests")).to_be_visible()
        reply = gateway.chat(user="ana")
        watched.open(f"/console/inferences/{reply.headers['x-request-id']}")
        expect(page.get_by_text('bodies = "full"')).to_be_visible()
        watched.check()


def test_what_does_not_exist(watched: Watched):
    watched.allowed = {404, 400}
    page = watched.open("/console/inferences/inf_unknown")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    expect(page.locator(".message")).to_contain_text("There is no inference inf_unknown")
    expect(page.locator(".message")).to_contain_text("x-request-id")
    watched.open("/console/nothing")
    page.locator("#live").get_by_role("link", name="Overview").click()
    page.wait_for_url("**/console")
    watched.open("/console/inferences?range=3x")
    expect(page.locator(".message")).to_contain_text("30m, 24h, 7d or 4w")


def test_a_gateway_that_goes_away_and_comes_back(browser: Browser, tmp_path: Path):
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(tmp_path, project(provider.base_url)) as gateway,
        open_context(browser) as context,
    ):
        gateway.chat(user="ana")
        watched = Watched(context, gateway.url.removesuffix("/v1"))
        page = watched.page
        page.clock.install()
        watched.open("/console/inferences")
        gateway.stop()
        page.clock.fast_forward(5_100)
        expect(page.get_by_role("status")).to_contain_text("does not answer")
        expect(page.locator(ROWS)).to_have_count(1)
        again = start_gateway(tmp_path, arguments=["--port", str(gateway.port)])
        try:
            page.clock.fast_forward(5_100)
            expect(page.locator("#trouble")).to_be_empty()
        finally:
            page.close()
            assert again.stop() == 0
        away = re.compile("ERR_CONNECTION|Failed to fetch")
        assert all(away.search(problem) for problem in watched.problems), watched.problems
