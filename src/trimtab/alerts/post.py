"""One try to deliver: an HTTP POST that follows no redirect and never takes long.

Nothing that is returned contains the URL, which may hold a token. Proxies are not used.
"""

import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final, Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

from trimtab.alerts.message import Message, headers_of
from trimtab.config.alerts import Webhook
from trimtab.types.clock import NS_PER_S

__all__ = ["Answer", "Fate", "post"]

Fate = Literal["delivered", "again", "refused"]

_STEP_S: Final = 10.0  # to connect, and between two packets
_TOTAL_S: Final = 20.0  # however small the packets are
_MOST_READ: Final = 2_048  # of the answer, for people; the status alone decides
_LONGEST_WAIT_S: Final = 30 * 86_400.0
_TRY_AGAIN: Final = frozenset((408, 425, 429))


class Answer(NamedTuple):
    """What a receiver made of an alert.

    Attributes:
        status: HTTP status; 0 where there was no answer.
        problem: in words, without the URL; "" if it took it.
        retry_after_s: how long it wants to be left alone, or None.
        said: the first characters of its answer.
    """

    status: int = 0
    problem: str = ""
    retry_after_s: float | None = None
    said: str = ""

    @property
    def fate(self) -> Fate:
        """What follows: nothing more to do, another try, or no further try."""
        if 200 <= self.status < 300:
            return "delivered"
        if 400 <= self.status < 500 and self.status not in _TRY_AGAIN:
            return "refused"
        return "again"


def post(message: Message, webhook: Webhook, *, now_ns: int) -> Answer:
    """Send an alert to a webhook that has an address. Never raises for what the network does."""
    assert webhook.address is not None
    url = urlsplit(webhook.address.reveal())
    try:
        connection = _connection(url, webhook)
    except (OSError, ssl.SSLError):
        return Answer(problem=f"its ca_file cannot be used: {webhook.ca_file}")
    watchdog = threading.Timer(_TOTAL_S, _cut, (connection,))
    watchdog.daemon = True
    watchdog.start()
    try:
        headers = headers_of(message, webhook, now_ns=now_ns)
        connection.request("POST", _target(url), message.body, headers)
        return _read(connection.getresponse(), now_ns)
    except (OSError, HTTPException) as error:
        return Answer(problem=_in_words(error))
    finally:
        watchdog.cancel()
        connection.close()


def _connection(url: SplitResult, webhook: Webhook) -> HTTPConnection:
    assert url.hostname is not None
    if url.scheme == "http":
        return HTTPConnection(url.hostname, url.port, timeout=_STEP_S)
    context = ssl.create_default_context(cafile=webhook.ca_file)
    return HTTPSConnection(url.hostname, url.port, timeout=_STEP_S, context=context)


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _cut(connection: HTTPConnection) -> None:
    """End a connection from another thread, whatever it waits for."""
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _read(response: HTTPResponse, now_ns: int) -> Answer:
    status = response.status
    try:
        said = response.read1(_MOST_READ).decode(errors="replace")
    except (OSError, HTTPException):
        said = ""  # the status had arrived, and it decides
    wait_s = _retry_after_s(response.getheader("retry-after", ""), now_ns)
    answer = Answer(status, _problem(status), wait_s, said)
    return answer if answer.problem else answer._replace(retry_after_s=None)


def _problem(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it answered {status}, a redirect, which is not followed: set the final URL"
    return f"it answered {status}"


def _in_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with it: {error.reason or 'the handshake failed'}"
    if isinstance(error, TimeoutError):
        return f"no answer within {_STEP_S:g} s"
    if isinstance(error, socket.gaierror):
        return "its host name is not known"
    if isinstance(error, OSError):
        return f"no connection: {error.strerror or type(error).__name__}"
    return f"its answer is not HTTP ({type(error).__name__})"


def _retry_after_s(text: str, now_ns: int) -> float | None:
    """Seconds or a date, as RFC 9110 has it; None for anything else."""
    if text.isascii() and text.strip().isdigit():
        return min(float(text[:20]), _LONGEST_WAIT_S)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(at.timestamp() - now_ns / NS_PER_S, 0.0), _LONGEST_WAIT_S)
