"""What ladders did, on the pages: as on the command line, and why each attempt was made."""

import json
from collections.abc import Generator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.ladder_stage import CAUSES, laddered_gateway
from browser.stage import SCREENSHOTS, Watched, open_context
from browser.test_looks import CROWDED, VIEWS, WIDE, check_page
from browser.test_looks import settle as painted
from harness import Gateway, trimtab
from trimtab.store.records import Event, EventQuery

ROWS = "table tbody tr"


@pytest.fixture(scope="module")
def laddered(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    with laddered_gateway(tmp_path_factory.mktemp("laddered")) as gateway:
        yield gateway


@pytest.fixture
def page(browser: Browser, laddered: Gateway) -> Generator[Page]:
    with open_context(browser) as context:
        watched = Watched(context, laddered.url.removesuffix("/v1"))
        yield watched.page
        watched.check()


def go(page: Page, laddered: Gateway, path: str) -> Page:
    page.goto(laddered.url.removesuffix("/v1") + path)
    return page


def an_event(laddered: Gateway, cause: str) -> Event:
    """One that took several attempts, or was answered from the cache."""
    query = EventQuery(since_ns=0, until_ns=1 << 62, where={"cause": cause})
    found = laddered.reader().event_page(query).events
    return next(event for event in found if event.attempts != 1 or cause == "stale")


def test_the_figures_are_those_of_the_command_line(page: Page, laddered: Gateway):
    rows = json.loads(trimtab("latency", "--ladder", "--json", folder=laddered.folder).stdout)
    printed = trimtab("latency", "--ladder", folder=laddered.folder).stdout
    lines = [line.split() for line in printed.splitlines()]
    go(page, laddered, "/console/latency?by=route")
    shown = page.get_by_role("table", name="Whole answer with and without").locator("tbody tr")
    assert shown.count() == 2 * len(rows["routes"])
    first_tokens = page.get_by_role("table", name="First token with and without")
    for cells in (*cells_of(shown), *cells_of(first_tokens.locator("tbody tr"))):
        figures = [cells[name] for name in ("Timed", "P50", "P95", "P99", "P99.9")]
        wanted = " ".join([*figures, cells.get("Failed", "")]).split()
        assert any(line[-len(wanted) :] == wanted for line in lines), (wanted, printed)
    told = " ".join(printed.split())
    for row, words in zip(rows["routes"], page.locator(".told dd").all_inner_texts(), strict=True):
        assert f"{row['route']}: {words}" in told


def cells_of(rows: Any) -> list[dict[str, str]]:
    return [
        {cell.get_attribute("data-label"): cell.inner_text() for cell in row.locator("td").all()}
        for row in rows.all()
    ]


def test_a_model_that_is_left_alone_is_told(page: Page, laddered: Gateway):
    for path in ("/console", "/console/latency"):
        go(page, laddered, path)
        expect(page.locator(".message.bad")).to_contain_text("fake:fault:away is left alone: open")
        expect(page.locator(".message.bad")).to_contain_text("next probe in")
    printed = trimtab("latency", folder=laddered.folder).stdout
    assert printed.startswith("fake:fault:away is left alone: open for ")
    assert "The ladder, by route" in printed


@pytest.mark.parametrize("cause", CAUSES)
def test_inferences_by_cause(page: Page, laddered: Gateway, cause: str):
    go(page, laddered, "/console/inferences")
    page.get_by_text("More filters").click()
    page.get_by_label("Cause").select_option(cause)
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(f"**cause={cause}**")
    assert page.locator(ROWS).count() >= 1
    assert set(page.locator(".mark").all_inner_texts()) == {cause}
    assert page.locator(".mark").count() == page.locator(ROWS).count()


def test_first_attempts_have_no_mark(page: Page, laddered: Gateway):
    go(page, laddered, "/console/inferences?cause=first")
    assert page.locator(ROWS).count() >= 1
    assert page.locator(".mark").count() == 0


def test_two_bars_of_a_hedge_overlap(page: Page, laddered: Gateway):
    event = an_event(laddered, "hedge")
    go(page, laddered, f"/console/inferences/{event.inference_id}")
    expect(page.locator("ol.attempts > li")).to_have_count(2)
    first, second = page.locator("ol.attempts > li").all()
    expect(first).to_contain_text("hedge_lost")
    expect(second).to_contain_text("hedge, rung 1")
    ends = [bar.locator("rect.waiting, rect.streaming").last for bar in (first, second)]
    begins = second.locator("rect.waiting").get_attribute("x")
    assert begins is not None
    first_end = sum(int(ends[0].get_attribute(name) or 0) for name in ("x", "width"))
    assert int(begins) < first_end


def test_an_answer_from_the_cache_says_so(page: Page, laddered: Gateway):
    event = an_event(laddered, "cache")
    go(page, laddered, f"/console/inferences/{event.inference_id}")
    expect(page.locator("ol.attempts > li")).to_have_count(1)
    expect(page.locator("ol.attempts")).to_contain_text("from the response cache")
    expect(page.locator("ol.attempts")).to_contain_text("Nobody was called, which saved $")
    expect(page.locator(".tiles")).to_contain_text("saved by the response cache")


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_pictures(browser: Browser, laddered: Gateway, width: int, scheme: str):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with open_context(browser, width, scheme) as context:
        watched = Watched(context, laddered.url.removesuffix("/v1"))
        for name, path in paths(laddered).items():
            page = watched.open(path)
            painted(page)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                raise AssertionError((name, page.evaluate(WIDE, width)))
            assert page.evaluate(CROWDED) == [], name
            page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
        watched.check()


def test_nothing_is_out_of_reach(browser: Browser, laddered: Gateway):
    with open_context(browser, bypass_csp=True) as context:
        page = context.new_page()
        for name, path in paths(laddered).items():
            go(page, laddered, path)
            check_page(page, name)


def paths(laddered: Gateway) -> dict[str, str]:
    found = {
        f"inference-{cause}": f"/console/inferences/{an_event(laddered, cause).inference_id}"
        for cause in ("hedge", "continue", "cache", "stale")
    }
    found["latency-ladder"] = "/console/latency?by=route"
    found["overview-breaker"] = "/console"
    found["inferences-causes"] = "/console/inferences"
    return found
