"""The pages about prompts and releases in a real browser: pictures, axe, and a rollback by hand."""

from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser.stage import SCREENSHOTS, Watched, open_context
from browser.test_looks import CROWDED, VIEWS, WIDE, check_page
from browser.test_looks import settle as painted
from console.prompts_stage import ODD, SCRIPT, TRIAGE, ask, lay_out, project
from harness import Gateway, running_gateway, wait_until
from trimtab.console.query import link
from trimtab.testing import running_fault_provider

PATHS = {
    "prompts": "/console/prompts",
    "prompt": link("/console/prompt", id=TRIAGE),
    "prompt-version": link("/console/prompt", id=TRIAGE, version="v1"),
    "prompt-odd": link("/console/prompt", id=ODD),
    "prompt-broken": link("/console/prompt", id="support/broken"),
    "diff-words": link("/console/diff", id=TRIAGE, a="v1", b="v2"),
    "diff-draft": link("/console/diff", id=TRIAGE, a="v2", b="draft"),
    "releases": "/console/releases",
    "releases-staging": "/console/releases?env=staging",
    "release-rollback": link("/console/release", env="production", id=TRIAGE, act="rollback"),
    "release-pause": link("/console/release", env="production", id=TRIAGE, act="pause"),
    "release-nothing": link("/console/release", env="production", id=ODD, act="rollback"),
}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    folder = tmp_path_factory.mktemp("released")
    lay_out(folder)
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(folder, project(provider.base_url)) as gateway,
    ):
        versions = [ask(gateway, f"user-{number}") for number in range(40)]
        assert set(versions) == {"v2", "v3"}
        yield gateway
        assert not [line for line in gateway.output if "Traceback" in line or "defect" in line]


def origin(gateway: Gateway) -> str:
    return gateway.url.removesuffix("/v1")


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_pictures(browser: Browser, released: Gateway, width: int, scheme: str):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with open_context(browser, width, scheme) as context:
        watched = Watched(context, origin(released))
        for name, path in PATHS.items():
            page = watched.open(path)
            painted(page)
            page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                raise AssertionError((name, page.evaluate(WIDE, width)))
            assert page.evaluate(CROWDED) == [], name
        watched.check()


def test_nothing_is_out_of_reach(browser: Browser, released: Gateway):
    with open_context(browser, bypass_csp=True) as context:
        page = context.new_page()
        for name, path in PATHS.items():
            page.goto(origin(released) + path)
            check_page(page, name)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_rollback_with_the_keyboard(browser: Browser, tmp_path: Path, scripts: bool):
    """From the menu to the old version in the next inference, with scripts and without."""
    lay_out(tmp_path)
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(tmp_path, project(provider.base_url)) as gateway,
        open_context(browser, java_script_enabled=scripts) as context,
    ):
        assert ask(gateway) == "v2"
        page = context.new_page()
        page.goto(f"{origin(gateway)}/console")
        page.get_by_role("link", name="Prompts", exact=True).click()
        page.get_by_role("link", name="Releases", exact=True).click()
        page.get_by_role("link", name=f"Roll back {TRIAGE}").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Roll back {TRIAGE}")
        expect(page.locator(".facts")).to_contain_text("v1")
        expect(page.locator(".facts")).to_contain_text("evidence")
        expect(page.locator(".consequence")).to_contain_text("v3 is tried no more")
        page.get_by_label("Why").focus()
        page.keyboard.type("answers got worse")
        page.screenshot(path=SCREENSHOTS / "rollback-asked.png")
        page.keyboard.press("Enter")
        done = page.locator(".message.good")
        expect(done).to_contain_text(f"{TRIAGE} is back at v1 instead of v2")
        page.screenshot(path=SCREENSHOTS / "rollback-done.png", full_page=True)
        log = page.get_by_role("table", name="Log").locator("tbody tr").first
        expect(log).to_contain_text("answers got worse")
        expect(log).to_contain_text("console")
        assert wait_until(lambda: ask(gateway) == "v1", timeout_s=1.5)
