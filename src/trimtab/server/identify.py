"""Who asks: the key, and what headers say of the end user. No database on this path."""

from collections.abc import Mapping
from typing import Protocol

from trimtab.errors import ForbiddenOrigin, InvalidKey, MalformedRequest
from trimtab.store.protocol import KeyStore
from trimtab.types.identity import Caller

__all__ = ["Callers", "WithHeaders", "check_local", "identify", "named"]

_MAX_NAME = 256
_MOST_HEADERS = 10_000  # with valid keys; one key may be sent in many spellings
_NAMES = (b"x-trimtab-user", b"x-trimtab-session", b"x-trimtab-user-class")
_LOOPBACK_HOSTS = frozenset((b"localhost", b"127.0.0.1", b"[::1]"))


class WithHeaders(Protocol):
    """A request as far as it matters here."""

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """By lower-case name."""
        ...


class Callers:
    """Tells who asks. Remembers whose key a header has, as long as no key is made or revoked."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._generation: object = None
        self._holders: dict[bytes, Caller] = {}  # by the header with their key

    def of(self, exchange: WithHeaders) -> Caller:
        """The caller of `exchange`. Raises what `identify` raises."""
        generation = self._keys.generation()
        if generation != self._generation or len(self._holders) > _MOST_HEADERS:
            self._generation = generation
            self._holders.clear()
        headers = exchange.headers
        sent = headers.get(b"authorization", b"")
        holder = self._holders.get(sent)
        if holder is None:
            holder = _holder(headers, self._keys)
            if holder.key_id:
                self._holders[sent] = holder
        return holder if headers.keys().isdisjoint(_NAMES) else _with_names(holder, headers)


def identify(exchange: WithHeaders, keys: KeyStore) -> Caller:
    """The caller of `exchange`.

    Raises:
        InvalidKey: keys are configured and this request has none that is valid for applications.
        ForbiddenOrigin: no keys are configured, and the request comes through a web page or a
            foreign host name, as an attack on a local service would.
        MalformedRequest: a header is too long.
    """
    return _with_names(_holder(exchange.headers, keys), exchange.headers)


def _holder(headers: Mapping[bytes, bytes], keys: KeyStore) -> Caller:
    """Whose key a request has; nobody in particular where no keys are configured."""
    scheme, _, secret = headers.get(b"authorization", b"").partition(b" ")
    sent = secret.strip() if scheme.lower() == b"bearer" else b""
    key = keys.find(sent.decode("latin-1")) if sent else None
    if key is None:
        if not keys.any_configured():
            check_local(headers)
            return Caller()
        if not sent:
            raise InvalidKey(
                "No key was sent. Send `Authorization: Bearer tt-...`; "
                "`trimtab keys create NAME` makes a key."
            )
        raise InvalidKey(
            "This key is unknown or revoked. `trimtab keys list` shows the valid ones."
        )
    if key.console:
        raise InvalidKey(
            "This key opens the console and nothing else. Make one for the application with "
            "`trimtab keys create NAME`."
        )
    return Caller(key.key_id, key.team)


def _with_names(holder: Caller, headers: Mapping[bytes, bytes]) -> Caller:
    """With what headers say of the end user."""
    user, session, user_class = (named(headers, name) for name in _NAMES)
    return Caller(holder.key_id, holder.team, user, session, user_class)


def check_local(headers: Mapping[bytes, bytes]) -> None:
    """Let only this machine in, as a gateway without keys must.

    Raises:
        ForbiddenOrigin: the request comes through a web page or a foreign host name.
    """
    host = headers.get(b"host", b"localhost")
    # A colon inside brackets belongs to the address. A bracket without its fellow is no name.
    name = host[: host.find(b"]") + 1] if host.startswith(b"[") else host.partition(b":")[0]
    if name.lower() not in _LOOPBACK_HOSTS or b"origin" in headers:
        raise ForbiddenOrigin(
            "This gateway has no keys, so it answers only to programs on this machine that call it "
            "as localhost, and not to web pages. Make a key with `trimtab keys create NAME`."
        )


def named(headers: Mapping[bytes, bytes], header: bytes) -> str:
    """The text of a header that names somebody; "" without it.

    Raises:
        MalformedRequest: it is too long.
    """
    value = headers.get(header)
    if value is None:
        return ""
    if len(value) > _MAX_NAME:
        raise MalformedRequest(
            f"The header {header.decode()} is longer than {_MAX_NAME} bytes.", param=header.decode()
        )
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")  # what the fetch API of browsers and Node sends
