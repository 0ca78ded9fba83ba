"""One try: signature, TLS, slow and odd receivers."""

import base64
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any, cast

import pytest

from alerts.receiver import SECRET, Planned, Receiver, free_port, running_receiver, webhook
from alerts.samples import CLOCK, alert
from server.test_tls import certificate
from trimtab.alerts.message import Message, body_of
from trimtab.alerts.outbox import _MOST_WAITING, KEPT_S
from trimtab.alerts.post import _STEP_S, Answer, post
from trimtab.alerts.schedule import SCHEDULE, Schedule
from trimtab.config.alerts import problem_with_url, signing_key
from trimtab.config.secret import Secret
from trimtab.testing import FrozenClock
from trimtab.types.clock import NS_PER_S

DOCS = Path(__file__).parents[2] / "docs" / "alerts.md"
MESSAGE = Message("alert_1", body_of(alert()))


def send(url: str, **changes: Any) -> Answer:
    return post(MESSAGE, webhook(url, **changes), now_ns=CLOCK.wall_ns())


# ------------------------------------------------------------------ the signature


def recipe() -> Callable[[str, dict[str, str], bytes], bool]:
    """The function that the docs offer."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return cast("Callable[[str, dict[str, str], bytes], bool]", names["is_genuine"])


def test_the_recipe_of_the_docs_tells_genuine_from_forged():
    is_genuine = recipe()
    with running_receiver() as receiver:
        assert send(receiver.url).fate == "delivered"
    (request,) = receiver.requests
    assert is_genuine(SECRET, request.headers, request.body)
    assert not is_genuine(SECRET, request.headers, request.body + b" ")
    assert not is_genuine(SECRET, request.headers | {"webhook-id": "alert_2"}, request.body)
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    assert not is_genuine(other, request.headers, request.body)
    late = str(int(request.headers["webhook-timestamp"]) - 301)
    assert not is_genuine(SECRET, request.headers | {"webhook-timestamp": late}, request.body)


def test_the_signature_is_what_openssl_computes():
    with running_receiver() as receiver:
        send(receiver.url)
    (request,) = receiver.requests
    key = base64.b64decode(SECRET.removeprefix("whsec_")).hex()
    timestamp = request.headers["webhook-timestamp"]
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary"],
        input=f"{request.alert_id}.{timestamp}.".encode() + request.body,
        capture_output=True,
        check=True,
    )
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(done.stdout).decode()}"
    assert abs(int(timestamp) - CLOCK.wall_ns() / NS_PER_S) < 60


def test_without_a_secret_there_is_no_signature():
    with running_receiver() as receiver:
        assert send(receiver.url, secret=None).fate == "delivered"
    assert "webhook-signature" not in receiver.requests[0].headers
    assert receiver.requests[0].alert_id == "alert_1"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        (SECRET, 33),
        ("whsec_" + base64.b64encode(bytes(24)).decode(), 24),
        ("whsec_" + base64.b64encode(bytes(64)).decode(), 64),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), None),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), None),
        (base64.b64encode(bytes(32)).decode(), None),
        ("whsec_not base64", None),
        ("whsec_ümlaut", None),
        ("", None),
    ],
)
def test_which_secrets_have_a_key(text: str, length: int | None):
    key = signing_key(Secret(text))
    assert (len(key) if key is not None else None) == length


def test_the_docs_have_the_figures_of_the_code():
    page = " ".join(DOCS.read_text(encoding="utf-8").split())
    assert f"for {KEPT_S // 86_400} days" in page
    assert f"If {_MOST_WAITING:,} alerts wait" in page
    assert f"has {_STEP_S:g} seconds to answer" in page
    assert Schedule(1, 3_600, 86_400) == SCHEDULE, "after a second, up to an hour, a day"


# ------------------------------------------------------------------ receivers


def test_what_a_receiver_says_is_cut():
    with running_receiver() as receiver:
        receiver.plan = [Planned(202, body=b"x" * 100_000), Planned(500, body=b"busy")]
        taken, failed = send(receiver.url), send(receiver.url)
    assert (taken.fate, taken.status, taken.problem) == ("delivered", 202, "")
    assert 0 < len(taken.said) <= 2_048
    assert (failed.fate, failed.said) == ("again", "busy")


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (200, "delivered"), (299, "delivered"), (301, "again"), (399, "again"), (400, "refused"),
        (408, "again"), (409, "refused"), (425, "again"), (429, "again"), (499, "refused"),
        (500, "again"), (599, "again"),
    ],
)  # fmt: skip
def test_fates(status: int, fate: str):
    with running_receiver() as receiver:
        receiver.plan = [Planned(status)]
        answer = send(receiver.url)
    assert (answer.status, answer.fate) == (status, fate)
    assert bool(answer.problem) is (fate != "delivered")


def seconds(text: str, status: int = 503) -> float | None:
    with running_receiver() as receiver:
        receiver.plan = [Planned(status, {"retry-after": text})]
        return send(receiver.url).retry_after_s


def test_retry_after():
    assert seconds("120") == 120
    assert seconds("0") == 0
    assert seconds("9" * 400) == 30 * 86_400
    soon = seconds(formatdate(CLOCK.wall_ns() / NS_PER_S + 90, usegmt=True))
    assert soon is not None
    assert 80 < soon < 100
    assert seconds(formatdate(0, usegmt=True)) == 0
    assert seconds("Wed, 01 Jan 2020 00:00:00 -0000") == 0
    assert seconds("soon") is None
    assert seconds("-3") is None
    assert seconds("") is None
    assert seconds("5", status=200) is None


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Generator[str]:
    """Whatever a socket can do, for one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with listener.accept()[0] as peer:
                peer.recv(65_536)
                serve(peer)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/token"
        thread.join(10)
        assert not thread.is_alive()


def test_what_is_not_http():
    with raw_server(lambda peer: peer.sendall(b"220 smtp ready\r\n")) as url:
        answer = send(url)
    assert answer == Answer(0, "its answer is not HTTP (BadStatusLine)")
    assert answer.fate == "again"


def test_a_connection_that_ends_without_an_answer():
    with raw_server(lambda peer: None) as url:
        answer = send(url)
    assert (answer.status, answer.fate) == (0, "again")
    assert "token" not in answer.problem


def test_the_status_decides_though_the_body_breaks():
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"
    with raw_server(lambda peer: peer.sendall(head)) as url:
        assert send(url).fate == "delivered"
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
    with raw_server(lambda peer: peer.sendall(head)) as url:
        assert send(url).fate == "delivered"


def test_who_is_silent_is_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trimtab.alerts.post._STEP_S", 0.2)
    gone = threading.Event()
    with raw_server(lambda peer: assert_left(peer, gone)) as url:
        answer = send(url)
        assert (answer.status, answer.fate) == (0, "again")
        assert "no answer within 0.2 s" in answer.problem
        assert gone.wait(10)


@pytest.mark.parametrize(
    ("head", "fate"), [(b"HTTP/1.1 2", "again"), (b"HTTP/1.1 200 OK\r\nx: ", "delivered")]
)
def test_who_never_ends_is_left(monkeypatch: pytest.MonkeyPatch, head: bytes, fate: str):
    """The status decides, if it had arrived."""
    monkeypatch.setattr("trimtab.alerts.post._TOTAL_S", 0.3)
    with raw_server(lambda peer: drip(peer, head)) as url:
        began_s = time.monotonic()
        assert send(url).fate == fate
        assert time.monotonic() - began_s < 5


def assert_left(peer: socket.socket, gone: threading.Event) -> None:
    while peer.recv(65_536):
        pass
    gone.set()


def drip(peer: socket.socket, head: bytes) -> None:
    """A line that never ends."""
    try:
        peer.sendall(head)
        while True:
            peer.sendall(b"x")
            threading.Event().wait(0.01)
    except OSError:
        return


def test_nobody_there():
    assert "no connection: Connection refused" in send(f"http://127.0.0.1:{free_port()}/x").problem
    assert send("http://name.invalid/x").problem == "its host name is not known"


# ------------------------------------------------------------------ TLS


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.fail("openssl is needed")
    folder = tmp_path_factory.mktemp("certificates")
    certificate(folder, "good", "IP:127.0.0.1")
    certificate(folder, "wrong", "DNS:elsewhere.example")
    return folder


@contextmanager
def tls_receiver(tls: Path, name: str) -> Generator[Receiver]:
    with running_receiver(tls=(tls / f"{name}.pem", tls / f"{name}.key")) as receiver:
        yield receiver


def test_tls_that_is_trusted(tls: Path):
    with tls_receiver(tls, "good") as receiver:
        assert send(receiver.url, ca_file=tls / "good.pem").fate == "delivered"
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(("name", "ca"), [("good", None), ("wrong", "wrong"), ("good", "wrong")])
def test_tls_that_is_not_trusted_gets_nothing(tls: Path, name: str, ca: str | None):
    with tls_receiver(tls, name) as receiver:
        answer = send(receiver.url, ca_file=tls / f"{ca}.pem" if ca else None)
    assert answer.fate == "again"
    assert "its certificate is not trusted" in answer.problem
    assert receiver.requests == []


def test_tls_where_there_is_none(tls: Path):
    with running_receiver() as receiver:
        answer = send(receiver.url.replace("http:", "https:"))
    assert "no TLS with it" in answer.problem
    answer = send(receiver.url.replace("http:", "https:"), ca_file=tls / "good.key")
    assert "its ca_file cannot be used" in answer.problem


# ------------------------------------------------------------------ addresses and waits


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://example.org/x?y=1", ""),
        ("http://[::1]:80/", ""),
        ("ftp://example.org/", "http:// or https://"),
        ("https:///secret", "http:// or https://"),
        ("example.org/secret", "http:// or https://"),
        ("https://example.org:99999/secret", "not a URL"),
        ("https://example.org:0/secret", "http:// or https://"),
        ("https://[secret/", "not a URL"),
        ("https://me:secret@example.org/", "user name"),
        ("https://example.org/sec ret", "encoded"),
        ("https://example.org/sec\nret", "encoded"),
        ("https://example.org/secrét", "encoded"),
    ],
)
def test_which_urls_can_be_used(url: str, problem: str):
    found = problem_with_url(url)
    assert problem in found
    assert bool(found) is bool(problem)
    assert "secret" not in found


def test_the_longer_it_fails_the_rarer_it_is_tried():
    waits = [SCHEDULE.wait_s(tries, 1.0) for tries in range(1, 15)]
    assert waits[:12] == [2.0**power for power in range(12)]
    assert waits[12:] == [3_600.0, 3_600.0]
    assert SCHEDULE.wait_s(3, 0.0) == 2.0
    assert SCHEDULE.wait_s(1_000_000, 0.0) == 1_800.0
    assert SCHEDULE.wait_s(1, 0.5, 7.5) == 7.5
    assert Schedule(first_s=4.0).wait_s(1, 0.5, 0.0) == 3.0


def test_the_body_is_json_whatever_it_says():
    odd = alert('"\\\n\x00', message="</script>\u2028", at_ns=FrozenClock().wall_ns())
    assert json.loads(body_of(odd))["data"]["key"] == '"\\\n\x00'
