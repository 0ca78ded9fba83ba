"""What the console sends: headers, refusals, static files. Over real sockets."""

import re
from hashlib import sha256
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest

from console.conftest import Keyed, create
from harness import Gateway, project_text, running_gateway, trimtab
from server.wire import Answer, Caller, assert_error, head
from trimtab.testing import running_fault_provider

STATIC = Path(__file__).parent.parent.parent / "src" / "trimtab" / "console" / "static"
PAGES = (
    "/console",
    "/console/inferences",
    "/console/users",
    "/console/user?name=ana",
    "/console/spend",
    "/console/explain",
    "/console/latency",
)
# What they show is in files, not in the store.
OF_FILES = ("/console/prompts", "/console/releases")


def ask(
    gateway: Gateway, target: str, *headers: str, method: str = "GET", body: str = ""
) -> Answer:
    """One request on a connection of its own; nothing is followed."""
    length = (f"content-length: {len(body)}",) if body or method == "POST" else ()
    with Caller(gateway.port) as caller:
        caller.send(head(f"{method} {target} HTTP/1.1", *headers, *length) + body.encode())
        return caller.read_answer(method=method)


def log_in(gateway: Gateway, key: str, *headers: str, to: str = "/console") -> Answer:
    given = headers or (f"Origin: http://127.0.0.1:{gateway.port}",)
    host = f"Host: 127.0.0.1:{gateway.port}"
    body = urlencode({"key": key, "next": to})
    return ask(gateway, "/console/login", host, *given, method="POST", body=body)


def cookie_of(answer: Answer) -> str:
    return answer.headers["set-cookie"].split(";")[0]


# ------------------------------------------------------------------ headers


@pytest.mark.parametrize("path", [*PAGES, *OF_FILES, "/console/nothing"])
def test_every_page_has_the_policy(gateway: Gateway, path: str):
    answer = ask(gateway, path)
    assert answer.status == (404 if path.endswith("nothing") else 200)
    headers = answer.headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    html = unescape(answer.body.decode())
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://", html)


@pytest.mark.parametrize("path", [*PAGES, *OF_FILES, "/console/login", "/console/nothing"])
def test_head_sends_no_body(gateway: Gateway, path: str):
    answer = ask(gateway, path, method="HEAD")
    assert answer.status == ask(gateway, path).status
    assert answer.body == b""
    assert "content-length" in answer.headers


def test_what_is_not_there(gateway: Gateway):
    assert ask(gateway, "/console/").headers["location"] == "/console"
    for path in ("/console/x", "/console/inferences/inf_x", "/console/inferences/inf_x/request",
                 "/console/static/0/console.css", "/console/users/1"):  # fmt: skip
        answer = ask(gateway, path)
        assert answer.status == 404, path
        assert answer.body
    answer = ask(gateway, "/console/x", method="POST")
    assert answer.status == 405
    assert b"POST is not allowed" in answer.body
    # Its neighbours keep their own form, and name it.
    answer = ask(gateway, "/consoles")
    assert_error(answer, 404, "unknown_url")
    assert "/console" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("range=3x", "30m, 24h, 7d or 4w"),
        ("from=yesterday", "2026-11-24T21:30"),
        ("from=2026-01-02&to=2026-01-01", "Swap its ends"),
        ("from=2026-01-02T00:00&to=2026-01-01T00:00Z", "Swap its ends"),
        ("sort=loudest", "newest, costliest, slowest"),
        ("outcome=fine", "ok, error, timeout, cancelled"),
        ("cause=luck", "first, retry, fallback, hedge, continue, cache, stale"),
        ("after=nothing", "no page"),
        ("range=99999999w", "30m, 24h, 7d or 4w"),
        ("from=0001-01-01T00:00", "from 2000 to 2199"),
        ("to=9999-12-31T23:59", "from 2000 to 2199"),
        ("from=2199-12-31T23:59", "empty"),
    ],
)
def test_a_wrong_address_is_explained(gateway: Gateway, query: str, words: str):
    answer = ask(gateway, f"/console/inferences?{query}")
    assert answer.status == 400
    assert words in unescape(answer.body.decode())


def test_any_text_may_be_looked_for(gateway: Gateway):
    for query in ("user=%00%ff&model=%F0%9F%9A%A2", f"session={'s' * 5_000}", "key=tt-&error=%3C"):
        answer = ask(gateway, f"/console/inferences?{query}")
        assert answer.status == 200
        assert b"No inference matches" in answer.body


def test_the_gateway_says_where_it_is(gateway: Gateway):
    assert gateway.wait_for_log(f"console: http://127.0.0.1:{gateway.port}/console")


@pytest.mark.parametrize("path", PAGES)
def test_a_damaged_store_is_told(tmp_path_factory: pytest.TempPathFactory, path: str):
    folder = tmp_path_factory.mktemp("damaged")
    with (
        running_fault_provider() as provider,
        running_gateway(folder, project_text(provider.base_url)) as gateway,
    ):
        assert gateway.chat().status == 200
        assert ask(gateway, path).status == 200
        for file in (folder / ".trimtab").iterdir():
            if file.name.startswith(("rollups", "events-")):
                file.write_bytes(b"no database" * 1_000)
        answer = ask(gateway, path)
        assert answer.status in {500, 503}
        assert "trimtab ledger" in unescape(answer.body.decode())
        assert "Something went wrong" in answer.body.decode()
        assert gateway.chat().status == 200, "the gateway serves on"


# ------------------------------------------------------------------ static files


def test_static_files_are_named_by_content_and_kept(gateway: Gateway):
    html = unescape(ask(gateway, "/console").body.decode())
    found = set(re.findall(r"/console/static/[0-9a-f]{16}/[\w.-]+", html))
    assert len(found) == 7
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    for address in found:
        answer = ask(gateway, address)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith(kinds[Path(address).suffix])
        assert answer.headers["x-content-type-options"] == "nosniff"
        digest = address.split("/")[3]
        assert sha256(answer.body).hexdigest().startswith(digest)
        assert ask(gateway, address.replace(digest, "0" * 16)).status == 404


def test_vendored_files_are_those_that_were_taken():
    page = (STATIC / "vendor" / "VENDORED.md").read_text()
    row = r"^\| `(.+?)` \| `.+?` \| [\d.]+ \| .+? \| `(\w{64})` \|$"
    rows = re.findall(row, page, re.MULTILINE)
    vendored = [path for path in (STATIC / "vendor").iterdir() if path.suffix in {".js", ".css"}]
    assert {name for name, _ in rows} == {path.name for path in vendored}
    for name, digest in rows:
        assert sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest, name


def test_no_template_switches_escaping_off():
    templates = STATIC.parent / "templates"
    for path in templates.iterdir():
        text = path.read_text()
        assert not re.search(r"\|\s*safe|autoescape|\sstyle=|<style|\son\w+=", text), path.name


# ------------------------------------------------------------------ who may look


@pytest.mark.parametrize("path", [*PAGES, *OF_FILES])
def test_without_keys_only_this_machine_is_let_in(gateway: Gateway, path: str):
    for header in ("Host: evil.example", "Origin: https://evil.example", "Host: 10.0.0.1"):
        answer = ask(gateway, path, header)
        assert answer.status == 403
        assert b"ana" not in answer.body
        assert b"trimtab keys create" in answer.body
    assert ask(gateway, path, "Host: localhost").status == 200
    assert ask(gateway, "/console/login").headers["location"] == "/console"


def test_with_keys_everything_leads_to_the_login(keyed: Keyed):
    gateway = keyed.gateway
    for path in (
        *PAGES,
        *OF_FILES,
        "/console/inferences/inf_x",
        "/console/inferences/inf_x/request",
    ):
        answer = ask(gateway, f"{path}?range=1h")
        assert answer.status == 303
        assert answer.headers["location"].startswith("/console/login?next=%2Fconsole")
        assert answer.headers["cache-control"] == "no-store"
        bearer = ask(gateway, path, f"Authorization: Bearer {keyed.person}")
        assert bearer.status == 303
    refresh = ask(gateway, "/console", "HX-Request: true")
    assert (refresh.status, refresh.headers["hx-refresh"]) == (401, "true")


def test_a_session(keyed: Keyed):
    answer = log_in(keyed.gateway, f" {keyed.person} ", to="/console/users?range=1h")
    assert (answer.status, answer.headers["location"]) == (303, "/console/users?range=1h")
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert parts >= {"httponly", "samesite=strict", "path=/console", "max-age=43200"}
    assert keyed.person not in answer.headers["set-cookie"]
    cookie = cookie_of(answer)
    assert ask(keyed.gateway, "/console", f"Cookie: {cookie}").status == 200
    login = ask(keyed.gateway, "/console/login", f"Cookie: {cookie}")
    assert login.headers["location"] == "/console"
    name, _, value = cookie.partition("=")
    key_id, until, signature = value.split(".")
    for wrong in (
        "", "x", "..", f"{key_id}.{int(until) + 1}.{signature}",
        f"{key_id}.{until}.{signature[:-1]}", f"{key_id}x.{until}.{signature}",
        f"{key_id}.{until}.", f"{key_id}.{until}.\xe9",
    ):  # fmt: skip
        assert ask(keyed.gateway, "/console", f"Cookie: {name}={wrong}").status == 303, wrong


def test_a_key_of_each_kind_opens_its_own_door(keyed: Keyed):
    refused = log_in(keyed.gateway, keyed.application)
    assert refused.status == 401
    assert b"trimtab keys create NAME --console" in refused.body
    assert "set-cookie" not in refused.headers
    assert keyed.application.encode() not in refused.body
    answer = ask(keyed.gateway, "/v1/models", f"Authorization: Bearer {keyed.person}")
    assert_error(answer, 401, "invalid_api_key")
    assert "opens the console and nothing else" in answer.json["error"]["message"]
    chat = keyed.gateway.chat(headers={"Authorization": f"Bearer {keyed.person}"})
    assert chat.status == 401
    listed = trimtab("keys", "list", folder=keyed.gateway.folder).stdout
    assert re.search(r"person\s+console", listed)
    assert re.search(r"app\s+gateway", listed)


@pytest.mark.parametrize(
    "origin",
    ["Origin: https://evil.example", "Origin: null", "Referer: http://127.0.0.1/console/login",
     "Origin: http://[", "Origin: http://127.0.0.1:1"],
)  # fmt: skip
def test_a_form_of_another_site_is_refused(keyed: Keyed, origin: str):
    answer = log_in(keyed.gateway, keyed.person, origin)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert b"Host and Origin" in answer.body
    out = ask(keyed.gateway, "/console/logout", origin, method="POST")
    assert out.status == 403


def test_logging_out(keyed: Keyed):
    answer = ask(
        keyed.gateway,
        "/console/logout",
        f"Host: 127.0.0.1:{keyed.gateway.port}",
        f"Origin: http://127.0.0.1:{keyed.gateway.port}",
        method="POST",
    )
    assert (answer.status, answer.headers["location"]) == (303, "/console/login")
    assert "max-age=0" in answer.headers["set-cookie"].lower()


def test_guessing_is_slowed_down(keyed: Keyed):
    answers = [log_in(keyed.gateway, "tt-guess") for _ in range(12)]
    refused = [answer for answer in answers if answer.status == 503]
    assert refused
    assert refused[0].headers["retry-after"] == "1"
    assert b"Too many attempts" in refused[0].body
    assert all(answer.status in {401, 503} for answer in answers)


def test_a_form_that_is_too_long(keyed: Keyed):
    assert log_in(keyed.gateway, "k" * 9_000).status == 400


def test_a_revoked_key_ends_its_sessions_at_once(keyed: Keyed):
    secret = create(keyed.gateway, "brief", "--console")
    answer = log_in(keyed.gateway, secret)
    while answer.status == 503:  # guessing was slowed down before
        answer = log_in(keyed.gateway, secret)
    cookie = f"Cookie: {cookie_of(answer)}"
    assert ask(keyed.gateway, "/console", cookie).status == 200
    assert trimtab("keys", "revoke", "brief", folder=keyed.gateway.folder).returncode == 0
    assert ask(keyed.gateway, "/console", cookie).status == 303
