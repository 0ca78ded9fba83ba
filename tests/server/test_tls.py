"""Providers behind TLS: trusted, not trusted, and not TLS at all."""

import ssl
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import pytest

from harness import PRICE, Gateway, running_gateway
from server.test_upstream import OK, WHOLE, length
from server.wire import Answer, Caller, Peer, RawServer, assert_error, chat


class Setting(NamedTuple):
    """A gateway, and the providers that it calls."""

    gateway: Gateway
    tls: RawServer
    plain: RawServer

    def ask(self, model: str) -> Answer:
        with Caller(self.gateway.port) as caller:
            caller.send(chat(model))
            return caller.read_answer()


def certificate(folder: Path, name: str, subject: str) -> tuple[Path, Path]:
    """A certificate for `subject` that signs itself, and its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={subject}",
         "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return cert, key


def serve_one(peer: Peer) -> None:
    while peer.read_request():
        peer.send(OK + length(WHOLE))


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Generator[Setting]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key = certificate(folder, "good", "DNS:localhost,IP:127.0.0.1")
    other, _ = certificate(folder, "other", "DNS:localhost")
    wrong_cert, wrong_key = certificate(folder, "wrong", "DNS:elsewhere.example")
    tls, wrong, plain = (
        RawServer(speaking(cert, key)),
        RawServer(speaking(wrong_cert, wrong_key)),
        RawServer(),
    )
    for server in (tls, wrong, plain):
        server.play(serve_one)
    plain.play(lambda peer: peer.send(b"HTTP/1.1 400 This is not TLS\r\n\r\n"))
    port = tls.port
    providers = {
        "good": (f"https://localhost:{port}/v1", cert),
        "address": (f"https://127.0.0.1:{port}/v1", cert),
        "untrusted": (f"https://localhost:{port}/v1", None),
        "othertrust": (f"https://localhost:{port}/v1", other),
        "wrongname": (f"https://localhost:{wrong.port}/v1", wrong_cert),
        "nottls": (f"https://localhost:{plain.port}/v1", cert),
        "toplain": (f"http://localhost:{port}/v1", None),
    }
    text = "[server]\nport = 0\n"
    for name, (url, ca_file) in providers.items():
        trust = f'ca_file = "{ca_file}"\n' if ca_file else ""
        text += f'[providers.{name}]\nkind = "openai"\nbase_url = "{url}"\n{trust}'
        text += f'[models.{name}]\nref = "{name}:m"\nprice = {PRICE}\n'
    with running_gateway(folder, text) as gateway:
        yield Setting(gateway, tls, plain)
    for server in (tls, wrong, plain):
        server.close()


def speaking(cert: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def test_a_trusted_provider_is_called_on_one_connection(setting: Setting) -> None:
    before = setting.tls.connections
    for _ in range(5):
        assert setting.ask("good").body == WHOLE
    assert setting.tls.connections == before + 1


def test_an_address_may_be_certified(setting: Setting) -> None:
    assert setting.ask("address").body == WHOLE


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        ("untrusted", "certificate is not trusted"),
        ("othertrust", "certificate is not trusted"),
        ("wrongname", "certificate is not trusted"),
        ("nottls", "TLS failed"),
    ],
)
def test_what_is_not_trusted_is_not_called(setting: Setting, model: str, cause: str) -> None:
    answer = setting.ask(model)
    assert_error(answer, 502, "provider_unreachable")
    assert cause in answer.json["error"]["message"]


def test_plain_text_to_a_tls_provider(setting: Setting) -> None:
    assert setting.ask("toplain").status == 502


def test_an_answer_cut_inside_tls_is_not_a_200(setting: Setting) -> None:
    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send((OK + length(WHOLE))[:-10])

    setting.tls.play(play)
    assert_error(setting.ask("good"), 502, "provider_truncated")
    setting.tls.play(serve_one)
    assert setting.ask("good").status == 200
