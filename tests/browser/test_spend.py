"""The pages about money in a real browser: their pictures, the keyboard, no scripts, odd names."""

import re
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.stage import SCREENSHOTS, Watched, open_context
from browser.test_looks import CROWDED, VIEWS, WIDE, check_page
from browser.test_looks import settle as painted
from console.spend_stage import HEAVY, ODD, lay_out
from harness import Gateway, running_gateway
from trimtab.console.query import link
from trimtab.testing import running_fault_provider

# Words of a picture that lie upon each other, or outside of the page.
CLASHES = """() => [...document.querySelectorAll("svg.drawing")].flatMap((drawing) => {
  const boxes = [...drawing.querySelectorAll("text")].map((text) => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    return { words: text.textContent, left, right, top, bottom: bottom - 1 };
  });
  const outside = (one) => one.left < 0 || one.right > document.documentElement.clientWidth;
  const on = (one, other) => one.left < other.right && other.left < one.right
    && one.top < other.bottom && other.top < one.bottom;
  return boxes.flatMap((one, at) => [
    ...(outside(one) ? [`outside: ${one.words}`] : []),
    ...boxes.slice(at + 1).filter((other) => on(one, other)).map((other) => [one, other]),
  ]);
})"""
PATHS = {
    "spend": "/console/spend",
    "spend-hours": "/console/spend?range=24h&by=team",
    "spend-nothing": "/console/spend?from=2026-01-01&to=2026-01-02",
    "user": f"/console/user?name={HEAVY}",
    "user-odd-name": link("/console/user", name=ODD),
    "user-unknown": "/console/user?name=nobody",
    "explain": "/console/explain",
    "explain-before": "/console/explain?period=7d&against=before",
    "explain-nothing": "/console/explain?period=2025-01&against=plan",
}


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    folder = tmp_path_factory.mktemp("spent")
    with running_fault_provider() as provider:
        text = lay_out(folder, provider.base_url)
        with running_gateway(folder, text) as gateway:
            yield gateway
            assert not [line for line in gateway.output if "Traceback" in line]


def origin(gateway: Gateway) -> str:
    return gateway.url.removesuffix("/v1")


@pytest.fixture
def seen(browser: Browser, spent: Gateway) -> Generator[Watched]:
    with open_context(browser) as context:
        found = Watched(context, origin(spent))
        yield found
        found.check()


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_pictures(browser: Browser, spent: Gateway, width: int, scheme: str):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with open_context(browser, width, scheme) as context:
        watched = Watched(context, origin(spent))
        for name, path in PATHS.items():
            page = watched.open(path)
            painted(page)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                raise AssertionError((name, page.evaluate(WIDE, width)))
            assert page.evaluate(CROWDED) == [], name
            assert page.evaluate(CLASHES) == [], name
            page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
        watched.check()


def test_nothing_is_out_of_reach(browser: Browser, spent: Gateway):
    with open_context(browser, bypass_csp=True) as context:
        page = context.new_page()
        for name, path in PATHS.items():
            page.goto(origin(spent) + path)
            check_page(page, name)


def test_without_scripts(browser: Browser, spent: Gateway):
    """From the bill to an inference of the user who stands out, and to the causes."""
    with open_context(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{origin(spent)}/console/spend")
        expect(page.get_by_role("img", name="Cost over time")).to_be_visible()
        page.get_by_role("link", name="7 days").click()
        page.wait_for_url("**range=7d**")
        page.get_by_role("table", name="Bill by user").get_by_role("link", name=HEAVY).click()
        page.wait_for_url(re.compile(rf"/console/user\?.*name={HEAVY}"))
        expect(page.get_by_role("link", name="Users", exact=True).first).to_have_attribute(
            "aria-current", "true"
        )
        expect(page.get_by_text("stands out:")).to_be_visible()
        page.get_by_role("link", name="marathon 0").click()
        expect(page.locator("table tbody tr")).to_have_count(6)
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Explain").click()
        expect(page.get_by_role("img", name="The bill from planned to actual")).to_be_visible()


def test_the_causes_by_keyboard(seen: Watched):
    page = seen.open("/console/explain")
    page.get_by_label("Bill of").focus()
    page.keyboard.type("last 7")
    page.keyboard.press("Tab")
    page.keyboard.type("the time")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"period=7d&against=before"))
    expect(page.get_by_label("Bill of")).to_have_value("7d")
    expect(page.get_by_label("against")).to_have_value("before")
    assert_hung(page)


def assert_hung(page: Page) -> None:
    """Each bar of the waterfall begins where the one before ended, as painted."""
    boxes = [bar.bounding_box() for bar in page.locator(".step").all()]
    kinds = [bar.get_attribute("class") for bar in page.locator(".step").all()]
    ends = [0.0]
    for box, kind in zip(boxes, kinds, strict=True):
        assert box is not None
        left, right = box["x"], box["x"] + box["width"]
        if kind == "step step-down":
            assert abs(right - ends[-1]) < 3
            ends.append(left)
        else:
            if kind == "step step-up":
                assert abs(left - ends[-1]) < 3
            ends.append(right)
    assert abs(ends[-1] - ends[-2]) < 3


def test_an_odd_name_is_only_a_name(seen: Watched):
    page = seen.open("/console/users?range=24h&sort=user")
    page.locator("td.main a", has_text="window.pwned=8").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text('x"><script>window.pwned=8')
    expect(page.get_by_role("heading", level=1)).to_contain_text("\u27e6U+202E\u27e7")
    page.get_by_role("link", name="all inferences").click()
    expect(page.locator("table tbody tr")).to_have_count(1)
    expect(page.get_by_label("User", exact=True)).to_have_value(ODD)
