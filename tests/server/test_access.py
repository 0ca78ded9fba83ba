"""Who is let in: keys, and what guards a gateway that has none."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from harness import Gateway, project_text, running_gateway, trimtab, wait_until
from server.wire import Answer, Caller, Stage, assert_error, body_of, chat, head, post
from trimtab.testing import running_fault_provider

MODELS = "GET /v1/models HTTP/1.1"


# ------------------------------------------------------------------ without keys


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:80", "127.0.0.1:9", "[::1]:8", "LOCALHOST"]
)
def test_names_of_this_machine_are_served(stage: Stage, host: str) -> None:
    assert stage.ask(head(MODELS, f"Host: {host}")).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example",
     "192.168.0.1", "0.0.0.0", "[::2]", "[::1", "", "localhost@evil.example"],
)  # fmt: skip
def test_a_foreign_host_name_is_refused(stage: Stage, host: str) -> None:
    """A page of that name may have been made to point to this machine."""
    with stage.caller() as caller:
        for request in (head(MODELS, f"Host: {host}"), post(body_of(), f"Host: {host}")):
            caller.send(request)
            assert_error(caller.read_answer(), 403, "forbidden_origin")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:8080", "null", ""])
def test_web_pages_are_refused(stage: Stage, origin: str) -> None:
    assert_error(stage.ask(post(body_of(), f"Origin: {origin}")), 403, "forbidden_origin")
    assert_error(stage.ask(head(MODELS, f"Origin: {origin}")), 403, "forbidden_origin")


def test_health_is_told_to_everyone(stage: Stage) -> None:
    for path in ("/healthz", "/readyz"):
        assert stage.ask(head(f"GET {path} HTTP/1.1", "Host: 10.0.0.7:8080")).status == 200


@pytest.mark.parametrize("header", ["X-Trimtab-User", "X-Trimtab-Session"])
def test_names_in_headers_have_bounds(stage: Stage, header: str) -> None:
    assert stage.ask(post(body_of(), f"{header}: {'u' * 256}")).status == 200
    answer = stage.ask(post(body_of(), f"{header}: {'u' * 257}"))
    assert_error(answer, 400, "malformed_request")
    assert answer.json["error"]["param"] == header.lower()


def test_names_in_headers_that_are_not_utf_8_are_latin_1(stage: Stage) -> None:
    answer = stage.ask(post(body_of(), "X-Trimtab-User: J\xfcrg"))
    assert stage.event(answer.request_id).user == "Jürg"


def test_a_foreign_address_needs_a_key(stage: Stage) -> None:
    ran = trimtab("up", "--host", "0.0.0.0", folder=stage.gateway.folder)
    assert ran.returncode == 2
    assert "trimtab keys create" in ran.stderr


def test_ipv6(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ipv6")
    with running_fault_provider() as provider:
        text = project_text(provider.base_url)
        with running_gateway(folder, text, arguments=["--host", "::1"]) as gateway:
            with Caller(gateway.port, host="::1") as caller:
                caller.send(post(body_of(), f"Host: [::1]:{gateway.port}"))
                assert caller.read_answer().status == 200
            with pytest.raises(ConnectionRefusedError):
                Caller(gateway.port)


# ------------------------------------------------------------------ with keys


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    folder = tmp_path_factory.mktemp("keyed")
    with running_fault_provider() as provider:
        text = project_text(provider.base_url)
        (folder / "trimtab.toml").write_text(text, encoding="utf-8")
        create(folder, "first")
        with running_gateway(folder, text) as gateway:
            yield gateway


def create(folder: Path, name: str) -> str:
    """A new key; its secret."""
    made = trimtab("keys", "create", name, "--json", folder=folder)
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)["secret"]


def ask(gateway: Gateway, request: bytes) -> Answer:
    with Caller(gateway.port) as caller:
        caller.send(request)
        return caller.read_answer()


def bearer(secret: str) -> bytes:
    return post(body_of(), f"Authorization: Bearer {secret}")


@pytest.mark.parametrize(
    "authorization",
    [
        (),
        ("Authorization:",),
        ("Authorization: Bearer",),
        ("Authorization: Bearer ",),
        ("Authorization: Basic dHQtYTpi",),
        ("Authorization: tt-abc",),
        ("Authorization: Bearer tt-unknown",),
        ("Authorization: Bearer " + "x" * 20_000,),
        ("Authorization: Bearer \xff\xfe",),
        ("Authorization: Bearer tt-a tt-b",),
        ("X-Api-Key: tt-abc",),
    ],
)
def test_no_valid_key(keyed: Gateway, authorization: tuple[str, ...]) -> None:
    for request in (post(body_of(), *authorization), head(MODELS, *authorization)):
        answer = ask(keyed, request)
        assert_error(answer, 401, "invalid_api_key")
        assert answer.json["error"]["type"] == "authentication_error"
        assert b"tt-unknown" not in answer.body


def test_a_key_opens(keyed: Gateway) -> None:
    secret = create(keyed.folder, "opens")
    answer = ask(keyed, bearer(secret))
    assert answer.status == 200
    # With a key, neither the name of the host nor a web page matters.
    page = post(
        body_of(),
        f"authorization:  bearer {secret} ",
        "Host: gateway.example",
        "Origin: https://app.example",
    )
    assert ask(keyed, page).status == 200
    event = wait_until(lambda: keyed.reader().event(answer.request_id))
    assert event.key_id
    assert secret not in "".join(keyed.output)


def test_a_key_is_not_passed_on(keyed: Gateway) -> None:
    secret = create(keyed.folder, "inward")
    answer = ask(keyed, bearer(secret))
    assert secret.encode() not in answer.body
    assert "authorization" not in answer.headers


def test_a_revoked_key_is_refused_by_the_very_next_request(keyed: Gateway) -> None:
    secret = create(keyed.folder, "shortlived")
    with Caller(keyed.port) as caller:
        caller.send(bearer(secret))
        assert caller.read_answer().status == 200
        assert trimtab("keys", "revoke", "shortlived", folder=keyed.folder).returncode == 0
        caller.send(bearer(secret))
        assert_error(caller.read_answer(), 401, "invalid_api_key")
        other = create(keyed.folder, "successor")
        caller.send(bearer(other))
        assert caller.read_answer().status == 200


def test_an_almost_right_key_is_wrong(keyed: Gateway) -> None:
    secret = create(keyed.folder, "exact")
    for wrong in (secret[:-1], secret + "a", secret.upper(), secret[:-1] + "\xe9"):
        assert_error(ask(keyed, bearer(wrong)), 401, "invalid_api_key")


def test_the_first_key_closes_an_open_gateway_at_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("opened")
    with (
        running_fault_provider() as provider,
        running_gateway(folder, project_text(provider.base_url)) as gateway,
    ):
        assert ask(gateway, chat()).status == 200
        create(folder, "first")
        assert_error(ask(gateway, chat()), 401, "invalid_api_key")
