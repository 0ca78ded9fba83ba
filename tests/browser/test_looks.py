"""Every page, light and dark, wide and narrow: a picture, no overflow, nothing out of reach."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from browser.conftest import Keyed, Shown
from browser.stage import ROOT, SCREENSHOTS, Watched, open_context

AXE = ROOT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
VIEWS = (("light", 1280), ("dark", 390))  # what fits does not hang on colours
WIDE = """(width) => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > width + 1)
  .map((element) => `${element.tagName}.${element.className} ${element.innerText}`)"""
# A figure that is wider than its tile runs into the next one.
CROWDED = """[...document.querySelectorAll(".tiles dd")]
  .filter((tile) => tile.scrollWidth > tile.clientWidth).map((tile) => tile.innerText)"""


def paths(shown: Shown) -> dict[str, str]:
    return {
        "overview": "/console",
        "overview-user": "/console?by=user&value=greta%40example.com",
        "inferences": "/console/inferences",
        "inferences-none": "/console/inferences?user=nobody",
        "inference-markup": f"/console/inferences/{shown.ids['evil']}",
        "inference-tool": f"/console/inferences/{shown.ids['tool']}",
        "inference-error": f"/console/inferences/{shown.ids['error']}",
        "inference-long": f"/console/inferences/{shown.ids['long']}",
        "users": "/console/users",
        "latency": "/console/latency",
        "not-found": "/console/inferences/inf_unknown",
    }


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_pictures(browser: Browser, shown: Shown, width: int, scheme: str):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with open_context(browser, width, scheme) as context:
        watched = Watched(context, shown.url)
        watched.allowed = {404}
        for name, path in paths(shown).items():
            page = watched.open(path)
            settle(page)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                raise AssertionError((name, page.evaluate(WIDE, width)))
            assert page.evaluate(CROWDED) == [], name
            page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
        watched.check()


def settle(page: Page) -> None:
    """Until charts are painted."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("width", WIDTHS)
def test_login_and_refusal_pictures(browser: Browser, keyed: Keyed, width: int):
    for scheme in SCHEMES:
        with open_context(browser, width, scheme) as context:
            page = context.new_page()
            page.goto(f"{keyed.url}/console/users")
            page.screenshot(path=SCREENSHOTS / f"login-{scheme}-{width}.png")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.get_by_label("Console key").fill(keyed.application)
            page.get_by_role("button", name="Log in").click()
            page.get_by_role("alert").wait_for()
            page.screenshot(path=SCREENSHOTS / f"login-refused-{scheme}-{width}.png")
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_out_of_reach(browser: Browser, shown: Shown, keyed: Keyed):
    """No finding of axe above "minor": names, roles, contrast, order, focus."""
    with open_context(browser, bypass_csp=True) as context:
        page = context.new_page()
        for name, path in paths(shown).items():
            if name == "inference-long":  # the same page, with much text to measure
                continue
            page.goto(shown.url + path)
            check_page(page, name)
        page.goto(f"{keyed.url}/console/users")
        check_page(page, "login")


def check_page(page: Page, name: str) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    page.evaluate(AXE.read_text())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        assert_no_finding(page, f"{name} {width}", {"resultTypes": ["violations"]})
    page.emulate_media(color_scheme="dark")
    settle(page)
    only_contrast = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}
    assert_no_finding(page, f"{name} dark", only_contrast)
    page.emulate_media(color_scheme="light")


def assert_no_finding(page: Page, name: str, options: dict[str, Any]) -> None:
    found: dict[str, Any] = page.evaluate("(options) => axe.run(options)", options)
    serious = [
        (finding["id"], finding["help"], node["html"][:200])
        for finding in found["violations"]
        if finding["impact"] != "minor"
        for node in finding["nodes"][:3]
    ]
    assert not serious, (name, serious)
