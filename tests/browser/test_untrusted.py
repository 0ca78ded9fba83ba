"""What models and users write is shown, and never obeyed."""

import re

import pytest

from browser.conftest import Shown
from browser.stage import EVIL, HEAVY_USER, LONG, MARKUP_USER, Watched

CREATED = ", ".join(
    f"#live {selector}"
    for selector in ("img", "iframe", "script", "a[href^=javascript]", "[onclick]", "[onload]")
)


@pytest.mark.parametrize("name", ["evil", "whole"])
def test_an_answer_full_of_markup_is_text(shown: Shown, watched: Watched, name: str):
    page = watched.open("/console/inferences")
    page.get_by_label("Model", exact=True).fill("fault:evil")
    page.get_by_role("button", name="Apply").click()
    page.locator(f'a[href$="{shown.ids[name]}"]').click()
    page.wait_for_url(f"**/{shown.ids[name]}")
    text = page.locator(".turn-answer pre").first.inner_text()
    assert '<img src=x onerror="window.pwned=1"><script>' in text
    assert "[click](javascript:window.pwned=5)" in text
    assert 'hx-get="/v1/models"' in text
    assert "{{ 7 * 7 }}" in text
    assert "\u27e6U+202E\u27e7gnp.exe" in text
    assert "\u202e" not in page.content()
    assert page.locator(CREATED).count() == 0
    assert page.locator("#live h4, #live b, #live i").count() == 0
    for link in page.locator("a").all():
        assert (link.get_attribute("href") or "").startswith(("/console", "#main"))


def test_names_full_of_markup_are_text(shown: Shown, watched: Watched):
    for path in (
        "/console",
        "/console/inferences",
        "/console/users",
        "/console/spend",
        "/console/latency?by=user",
    ):
        page = watched.open(path)
        assert page.get_by_text(MARKUP_USER).first.is_visible(), path
        assert page.locator(CREATED).count() == 0
    page.get_by_text(MARKUP_USER)
    page = watched.open("/console/users")
    page.get_by_role("link", name=MARKUP_USER).click()
    page.wait_for_url("**name=%3Cb**")
    assert page.locator(CREATED).count() == 0
    page.get_by_role("link", name="all inferences").click()
    page.wait_for_url("**user=%3Cb**")
    assert page.locator("tbody tr").count() == 2


def test_parameters_full_of_markup_are_text(watched: Watched):
    watched.allowed = {400, 404}
    mark = "%3Cimg%20src%3Dx%20onerror%3Dwindow.pwned%3D1%3E%22%27"
    for path in (
        f"/console/inferences?user={mark}&model={mark}&session={mark}",
        f"/console/inferences?range={mark}",
        f"/console/inferences?sort={mark}",
        f"/console/inferences?after={mark}",
        f"/console/inferences?from={mark}",
        f"/console?by=user&value={mark}",
        f"/console?by={mark}",
        f"/console/users?skip={mark}",
        f"/console/latency?by={mark}",
        f"/console/user?name={mark}",
        f"/console/user?name=ana&range={mark}",
        f"/console/spend?by={mark}",
        f"/console/spend?range={mark}",
        f"/console/explain?period={mark}",
        f"/console/explain?against={mark}",
        f"/console/inferences/{mark}",
        f"/console/{mark}",
    ):
        page = watched.open(path)
        assert page.locator(CREATED).count() == 0, path
        assert (
            "<img src=x onerror=window.pwned=1>"
            in page.content().replace("&lt;", "<").replace("&gt;", ">")
            or page.get_by_role("heading", name=re.compile("Not found|does not work")).is_visible()
        )


def test_a_very_long_text_is_folded(shown: Shown, watched: Watched):
    page = watched.open(f"/console/inferences/{shown.ids['long']}")
    answer = page.locator(".turn-answer")
    assert len(answer.locator("> pre").inner_text()) == 20_000
    page.get_by_text("Show the other").last.click()
    assert len(answer.locator("details pre").inner_text()) == len(LONG) - 20_000


def test_the_bytes_are_plain_text(shown: Shown, watched: Watched):
    page = watched.open(f"/console/inferences/{shown.ids['whole']}")
    page.get_by_role("link", name="answer", exact=True).click()
    page.wait_for_url("**/response")
    assert "onerror" in page.locator("body").inner_text()
    assert page.locator("img, script, a, iframe").count() == 0
    reply = shown.gateway.request(f"/console/inferences/{shown.ids['whole']}/request")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.json["messages"][1]["content"] == EVIL
    assert HEAVY_USER.encode() not in reply.body


def test_the_policy_would_stop_it_all_the_same(watched: Watched):
    """Even markup that came through would not run: the policy is tried, not only read."""
    page = watched.open("/console")
    page.evaluate(
        """() => {
          const live = document.getElementById("live");
          const put = (html) => live.insertAdjacentHTML("beforeend", html);
          put('<img src="https://evil.example/x.png" onerror="window.pwned=1">');
          put('<p style="color: red" onclick="window.pwned=2" id="bad">x</p>');
          const script = document.createElement("script");
          script.textContent = "window.pwned = 3";
          document.body.append(script);
        }"""
    )
    page.locator("#bad").click()
    assert page.evaluate("window.pwned") is None
    refused = [problem for problem in watched.problems if problem.startswith("console: policy")]
    assert len(refused) >= 4, watched.problems
    watched.problems.clear()
