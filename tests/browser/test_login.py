"""Logging in: which keys open the console, and for how long."""

import re
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import Keyed, create
from browser.stage import Watched, open_context
from harness import trimtab


@pytest.fixture
def watched(browser: Browser, keyed: Keyed) -> Generator[Watched]:
    with open_context(browser) as context:
        found = Watched(context, keyed.url)
        yield found
        found.check()


def log_in(page: Page, secret: str) -> None:
    page.get_by_label("Console key").fill(secret)
    page.get_by_role("button", name="Log in").click()


def test_the_way_in_and_out(watched: Watched, keyed: Keyed):
    watched.allowed = {401}
    page = watched.open("/console/inferences?user=ana&sort=slowest")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "key"
    log_in(page, "tt-wrong")
    expect(page.get_by_role("alert")).to_contain_text("unknown or revoked")
    log_in(page, keyed.application)
    expect(page.get_by_role("alert")).to_contain_text("trimtab keys create NAME --console")
    log_in(page, keyed.person)
    page.wait_for_url(re.compile(r"/console/inferences\?user=ana&sort=slowest$"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(f"{watched.url}/console/inferences?key=app")  # by its name
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody a").click()
    expect(page.locator("dd").get_by_role("link", name="app")).to_be_visible()
    page.goto(f"{watched.url}/console?by=key&value=app")
    expect(page.locator(".tiles")).to_contain_text("$")
    (cookie,) = page.context.cookies()
    assert cookie.get("httpOnly") is True
    assert cookie.get("sameSite") == "Strict"
    assert cookie.get("path") == "/console"
    assert keyed.person not in str(cookie)
    assert "tt-" not in page.url
    page.get_by_role("link", name="Overview").click()
    expect(page.locator(".tiles")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/console/login")
    watched.open("/console")
    page.wait_for_url("**/console/login")
    assert not page.context.cookies()


def test_a_revoked_key_ends_its_session(watched: Watched, keyed: Keyed):
    watched.allowed = {401}
    gateway = keyed.gateway
    secret = create(gateway, "guest", "--console")
    page = watched.page
    page.clock.install()
    watched.open("/console")
    log_in(page, secret)
    expect(page.locator(".tiles")).to_be_visible()
    assert trimtab("keys", "revoke", "guest", folder=gateway.folder).returncode == 0
    page.clock.fast_forward(5_100)  # the page that refreshes itself notices
    page.wait_for_url("**/console/login**")
    log_in(page, secret)
    expect(page.get_by_role("alert")).to_contain_text("revoked")


def test_by_a_link_from_elsewhere(watched: Watched, keyed: Keyed):
    """A strict cookie does not come along; one click on the login page is enough."""
    page = watched.open("/console/login")
    log_in(page, keyed.person)
    expect(page.locator(".tiles")).to_be_visible()
    elsewhere = watched.url.replace("127.0.0.1", "localhost")
    page.route(
        "http://localhost:*/elsewhere",
        lambda route: route.fulfill(
            body=f'<a href="{watched.url}/console/users">users</a>', content_type="text/html"
        ),
    )
    page.goto(f"{elsewhere}/elsewhere")
    page.get_by_text("users").click()
    page.wait_for_url("**/console/login**")
    page.get_by_role("link", name="Go on").click()
    page.wait_for_url("**/console/users")
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    watched.problems = [text for text in watched.problems if "elsewhere" not in text]
