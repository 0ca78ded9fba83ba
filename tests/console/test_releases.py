"""Releases are changed by the console's own form, by those who may, and by nobody else."""

import re
import tomllib
from collections.abc import Generator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.conftest import create
from console.prompts_stage import (
    MARKUP,
    ODD,
    PIN,
    SCRIPT,
    TRIAGE,
    ask,
    author,
    lay_out,
    project,
    prove,
    release,
    triage,
    write,
)
from console.test_http import ask as call
from console.test_http import cookie_of, log_in
from harness import Gateway, running_gateway, wait_until
from server.wire import Answer
from trimtab.console.query import link
from trimtab.console.way_back import way_back
from trimtab.errors import UsageError
from trimtab.prompts.library import load_library
from trimtab.releases.edit import promote, rollback
from trimtab.releases.file import load_releases
from trimtab.testing import running_fault_provider

ROLLBACK = link("/console/release", env="production", id=TRIAGE, act="rollback")
PAUSE = link("/console/release", env="production", id=TRIAGE, act="pause")
WITHDRAW = link("/console/release", env="production", id=TRIAGE, act="withdraw")


@pytest.fixture
def gateway(tmp_path: Path) -> Generator[Gateway]:
    lay_out(tmp_path)
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(tmp_path, project(provider.base_url)) as found,
    ):
        yield found
        assert not [line for line in found.output if "Traceback" in line or "defect" in line]


def own(gateway: Gateway, *more: str) -> tuple[str, ...]:
    """What a browser sends along with a form of the console."""
    address = f"127.0.0.1:{gateway.port}"
    return (f"Host: {address}", f"Origin: http://{address}", *more)


def form(gateway: Gateway, path: str, *headers: str) -> str:
    """The page with the form; its text, entities read."""
    answer = call(gateway, path, *headers)
    assert answer.status == 200, answer.body
    return unescape(answer.body.decode())


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found is not None, page
    return found[1]


def send(
    gateway: Gateway, path: str, *headers: str, seen: str, reason: str = "it got worse"
) -> Answer:
    """The form, filled in and sent."""
    body = urlencode({"seen": seen, "reason": reason})
    return call(gateway, path, *headers, method="POST", body=body)


def log_of(gateway: Gateway, environment: str = "production") -> list[dict[str, Any]]:
    text = (gateway.folder / f"releases/{environment}.toml").read_text()
    return tomllib.loads(text)["log"]


def served(gateway: Gateway) -> dict[str, Any]:
    text = (gateway.folder / "releases/production.toml").read_text()
    return tomllib.loads(text)["prompts"][TRIAGE]


# ------------------------------------------------------------------ what one is asked


def test_the_form_says_what_will_be_served_instead(gateway: Gateway):
    page = form(gateway, ROLLBACK)
    told = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert f"Served in production now v2 at {PIN} since 2026-11-28 10:30 UTC no evidence" in told
    assert f"Served instead v1 at {PIN} evidence evals/triage/evidence/" in told
    assert "gets v1, and v3 is tried no more . This gateway follows" in told.replace(
        "more.", "more ."
    )
    assert "“console” as the name" in told
    assert link("/console/diff", id=TRIAGE, a="v2", b="v1") in page
    before = (gateway.folder / "releases/production.toml").read_bytes()
    form(gateway, f"{ROLLBACK}&reason=x&seen={seen_in(page)}")
    assert (gateway.folder / "releases/production.toml").read_bytes() == before


def test_releases_and_their_log(gateway: Gateway):
    page = form(gateway, "/console/releases")
    told = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "This gateway serves production." in told
    lines = [
        "support/odd serves v1",
        "tries v3 beside v2",
        "serves v2 instead of v1",
        "triage serves v1",
    ]
    places = [told.index(line, told.index("Log")) for line in lines]
    assert places == sorted(places), "the newest first"
    for path in (ROLLBACK, PAUSE, WITHDRAW):
        assert f'href="{path}"' in page
    assert link("/console/release", env="production", id=ODD, act="rollback") not in page
    assert "nothing to go back to" in told
    staging = form(gateway, "/console/releases?env=staging")
    assert "does not serve staging" in staging
    assert "act=pause" not in staging, "it is paused already"
    assert "act=withdraw" in staging


# ------------------------------------------------------------------ it is done


def test_a_rollback_from_the_form_to_the_next_inference(gateway: Gateway):
    assert ask(gateway) == "v2"
    answer = send(gateway, ROLLBACK, *own(gateway), seen=seen_in(form(gateway, ROLLBACK)))
    assert answer.status == 303, answer.body
    assert answer.headers["cache-control"] == "no-store"
    assert wait_until(lambda: ask(gateway) == "v1", timeout_s=1.0), "within a second"
    entry = log_of(gateway)[-1]
    assert (entry["act"], entry["before"], entry["after"]) == ("rollback", "v2", "v1")
    assert (entry["who"], entry["reason"]) == ("console", "it got worse")
    now = served(gateway)
    assert (now["version"], now["evidence"][:22]) == ("v1", "evals/triage/evidence/")
    assert "canary" not in now
    page = form(gateway, answer.headers["location"])
    assert f"Done: {TRIAGE} is back at v1 instead of v2" in page
    assert "it got worse" in page
    assert "Done:" not in form(gateway, "/console/releases?done=99&env=production")
    assert "Done:" not in form(gateway, "/console/releases?done=You+won")


def test_a_trial_is_paused_and_ended(gateway: Gateway):
    answer = send(gateway, PAUSE, *own(gateway), seen=seen_in(form(gateway, PAUSE)), reason=MARKUP)
    assert answer.status == 303, answer.body
    assert served(gateway)["canary"]["paused"] == MARKUP
    html = call(gateway, answer.headers["location"]).body.decode()
    assert "v3 is paused" in html
    assert "<b onclick" not in html
    assert "\u202e" not in html
    assert "paused already" in form(gateway, PAUSE)
    again = send(gateway, PAUSE, *own(gateway), seen="x")
    assert again.status == 400
    answer = send(gateway, WITHDRAW, *own(gateway), seen=seen_in(form(gateway, WITHDRAW)))
    assert answer.status == 303
    assert "canary" not in served(gateway)
    assert [entry["act"] for entry in log_of(gateway)[-2:]] == ["pause", "withdraw"]
    assert "tries no version" in form(gateway, WITHDRAW)


def test_another_environment_than_the_one_that_is_served(gateway: Gateway):
    path = link("/console/release", env="staging", id=TRIAGE, act="withdraw")
    answer = send(gateway, path, *own(gateway), seen=seen_in(form(gateway, path)))
    assert answer.status == 303
    page = form(gateway, answer.headers["location"])
    assert "A gateway that serves staging from this folder does so within a second" in page
    assert log_of(gateway, "staging")[-1]["act"] == "withdraw"


# ------------------------------------------------------------------ what is refused


def unchanged(gateway: Gateway, answer: Answer, status: int, words: str) -> None:
    """Refused, with a reason that people understand, and nothing was done."""
    assert answer.status == status, answer.body
    assert words in unescape(answer.body.decode())
    assert served(gateway)["version"] == "v2"
    assert len(log_of(gateway)) == 4


@pytest.mark.parametrize(
    "headers",
    [
        ("Host: 127.0.0.1:{port}",),
        ("Host: 127.0.0.1:{port}", "Origin: https://evil.example"),
        ("Host: 127.0.0.1:{port}", "Origin: null"),
        ("Host: 127.0.0.1:{port}", "Origin: http://127.0.0.1:1"),
        ("Host: 127.0.0.1:{port}", "Referer: http://127.0.0.1:{port}/console/release"),
        ("Host: evil.example", "Origin: http://evil.example"),
    ],
)
def test_a_form_of_another_site_is_refused(gateway: Gateway, headers: tuple[str, ...]):
    sent = [header.format(port=gateway.port) for header in headers]
    answer = send(gateway, ROLLBACK, *sent, seen=seen_in(form(gateway, ROLLBACK)))
    words = "trimtab keys create" if "evil.example" in headers[0] else "Host and Origin"
    unchanged(gateway, answer, 403, words)


def test_only_a_post_changes_anything(gateway: Gateway):
    seen = seen_in(form(gateway, ROLLBACK))
    for method in ("PUT", "PATCH", "DELETE"):
        body = urlencode({"seen": seen, "reason": "x"})
        answer = call(gateway, ROLLBACK, *own(gateway), method=method, body=body)
        unchanged(gateway, answer, 405, "not allowed")
    for path in ("/console/releases", "/console/prompts", "/console/diff"):
        answer = send(gateway, path, *own(gateway), seen=seen)
        unchanged(gateway, answer, 405, "POST is not allowed")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": " \t "}, "Say why"),
        ({"reason": "w" * 501}, "at most 500 characters"),
        ({"seen": "0" * 16}, "Somebody changed this release"),
        ({"seen": ""}, "Somebody changed this release"),
    ],
)
def test_a_form_that_is_not_filled_in_right(gateway: Gateway, fields: dict[str, str], words: str):
    filled = {"seen": seen_in(form(gateway, ROLLBACK)), "reason": "kept words"} | fields
    answer = send(gateway, ROLLBACK, *own(gateway), seen=filled["seen"], reason=filled["reason"])
    unchanged(gateway, answer, 400, words)
    page = unescape(answer.body.decode())
    assert 'role="alert"' in page
    assert f'value="{" ".join(filled["reason"].split())}"' in page, "nobody writes it twice"


def test_forms_that_nobody_filled_in(gateway: Gateway):
    for body, words in (("a=1&" * 9, "more fields"), ("r" * 9_000, "too long"), ("", "Somebody")):
        answer = call(gateway, ROLLBACK, *own(gateway), method="POST", body=body)
        unchanged(gateway, answer, 400, words)


def test_what_somebody_else_did_meanwhile_is_not_undone(gateway: Gateway):
    seen = seen_in(form(gateway, ROLLBACK))
    assert send(gateway, PAUSE, *own(gateway), seen=seen).status == 303
    answer = send(gateway, ROLLBACK, *own(gateway), seen=seen)
    assert answer.status == 400
    assert "Somebody changed this release" in unescape(answer.body.decode())
    assert served(gateway)["version"] == "v2"


def test_nothing_to_go_back_to(gateway: Gateway):
    path = link("/console/release", env="production", id=ODD, act="rollback")
    assert "served no version of support/odd before v1" in form(gateway, path)
    answer = send(gateway, path, *own(gateway), seen="x")
    unchanged(gateway, answer, 400, "trimtab release rollback support/odd")


def test_a_version_that_is_not_on_record_any_more(gateway: Gateway):
    (gateway.folder / f"prompts/_versions/{TRIAGE}/v1.json").unlink()
    page = form(gateway, ROLLBACK)
    assert "v1 of support/triage is not on record" in page
    assert "<form" not in page.partition("<main")[2]


def test_a_file_that_cannot_be_written(gateway: Gateway):
    seen = seen_in(form(gateway, ROLLBACK))
    # As root everything can be written; a folder in the place of the new file cannot.
    lock = gateway.folder / "releases/.production.lock"
    lock.unlink()
    lock.mkdir()
    answer = send(gateway, ROLLBACK, *own(gateway), seen=seen, reason="kept words")
    unchanged(gateway, answer, 503, "cannot be written")
    assert 'value="kept words"' in unescape(answer.body.decode())
    lock.rmdir()
    assert send(gateway, ROLLBACK, *own(gateway), seen=seen).status == 303


# ------------------------------------------------------------------ with keys


def test_with_keys_only_a_session_may(gateway: Gateway):
    seen = seen_in(form(gateway, ROLLBACK))
    application = create(gateway, "app")
    person = create(gateway, "Åsa <b>", "--console")
    wait_until(lambda: call(gateway, ROLLBACK).status == 303)
    for headers in (
        (),
        (f"Authorization: Bearer {person}",),
        (f"Authorization: Bearer {application}",),
        ("Cookie: trimtab_console=x.1.y",),
    ):
        answer = send(gateway, ROLLBACK, *own(gateway), *headers, seen=seen)
        assert answer.status == 303
        location = answer.headers["location"]
        assert location.startswith("/console/login?next=%2Fconsole%2Frelease%3F"), location
        assert served(gateway)["version"] == "v2"
    cookie = f"Cookie: {cookie_of(log_in(gateway, person))}"
    foreign = send(gateway, ROLLBACK, cookie, "Origin: https://evil.example", seen=seen)
    assert foreign.status == 403
    assert served(gateway)["version"] == "v2"
    page = form(gateway, ROLLBACK, cookie)
    assert "the name of your key" in page
    answer = send(gateway, ROLLBACK, *own(gateway), cookie, seen=seen_in(page))
    assert answer.status == 303
    assert answer.headers["location"].startswith("/console/releases?")
    assert log_of(gateway)[-1]["who"] == "Åsa <b>"
    html = call(gateway, answer.headers["location"], cookie).body.decode()
    assert "Åsa &lt;b&gt;" in html


# ------------------------------------------------------------------ told and done are the same

ACTS = st.lists(st.sampled_from(["a", "b", "c", "a at other", "back"]), min_size=1, max_size=9)


@settings(max_examples=30)  # each writes and syncs a file or two per act
@given(ACTS)
def test_what_is_told_is_what_a_rollback_does(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str]
):
    folder = tmp_path_factory.mktemp("told")
    write(folder, "_partials/tone.md", "Be kind.\n")
    prove(folder, triage("b"))
    release(folder, triage("first"), author(8, "first"))
    for act in [*acts, "back"]:
        library = load_library(folder)
        before = load_releases(folder, "production")
        told = way_back(library, before, TRIAGE, environment="production")
        try:
            if act == "back":
                rollback(library, "production", TRIAGE, author=author(9, "back"))
            elif act == "a at other":
                write(folder, f"{TRIAGE}.prompt.md", triage("a"))
                library = load_library(folder)
                found, by = library.prompts[TRIAGE], author(9, "other")
                promote(library, "production", found, model="one:other", author=by, force=True)
            else:
                release(folder, triage(act), author(9, act))
        except UsageError:
            assert act != "back" or told.trouble
            continue
        if act == "back":
            now = load_releases(folder, "production").prompts[TRIAGE]
            done = (now.version, now.model, now.evidence)
            assert done == (told.version, told.model, told.evidence)
            assert not told.trouble
