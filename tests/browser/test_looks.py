"""Every page, light and dark, wide and narrow: a picture, no overflow, nothing out of reach."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from browser.conftest import Shown
from browser.stage import ROOT, SCREENSHOTS, Watched, open_context

AXE = ROOT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
WIDE = """(width) => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > width + 1)
  .map((element) => `${element.tagName}.${element.className} ${element.innerText}`)"""


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


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
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
            page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
        watched.check()


def settle(page: Page) -> None:
    """Until charts are painted."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_is_out_of_reach(browser: Browser, shown: Shown, scheme: str):
    """No finding of axe above "minor": names, roles, contrast, order, focus."""
    with open_context(browser, scheme=scheme, bypass_csp=True) as context:
        watched = Watched(context, shown.url)
        watched.allowed = {404}
        for name, path in paths(shown).items():
            page = watched.open(path)
            page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                settle(page)
                page.evaluate(AXE.read_text())
                found: dict[str, Any] = page.evaluate("axe.run()")
                serious = [
                    (finding["id"], finding["help"], node["html"][:200])
                    for finding in found["violations"]
                    if finding["impact"] != "minor"
                    for node in finding["nodes"][:3]
                ]
                assert not serious, (name, width, serious)


def test_the_login_page(browser: Browser, shown: Shown, tmp_path_factory: pytest.TempPathFactory):
    """It is only there once a key exists."""
    del tmp_path_factory
    with open_context(browser) as context:
        page = context.new_page()
        page.goto(f"{shown.url}/console/login")
        assert page.url.endswith("/console")
