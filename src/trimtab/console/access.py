"""Who may see the console: this machine while there are no keys, then who logged in with one."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec

from trimtab.errors import ForbiddenOrigin, InvalidKey, Overloaded
from trimtab.store.protocol import KeyStore
from trimtab.types.clock import NS_PER_S, Clock

__all__ = ["COOKIE", "SESSION_S", "Access", "CheckLocal", "Visitor", "check_own_form", "local_path"]

COOKIE = "trimtab_console"
SESSION_S = 12 * 3600
_HOME = "/console"
_LOGINS_AT_ONCE = 5
_LOGINS_PER_S = 2.0

CheckLocal = Callable[[Mapping[bytes, bytes]], None]
"""Raises `ForbiddenOrigin` unless a request comes from this machine and from no foreign page."""


class Visitor(msgspec.Struct, frozen=True):
    """Who looks. `key_name` is "" where no key exists and so nobody logged in."""

    key_name: str = ""


class Access:
    """Sessions, signed with a secret of this process: a restart ends them all.

    Args:
        keys: asked at each request, so that a revoked key ends its sessions.
        clock: the time.
        check_local: guards the console while no key exists.
    """

    def __init__(self, keys: KeyStore, clock: Clock, check_local: CheckLocal) -> None:
        self._keys = keys
        self._clock = clock
        self._check_local = check_local
        self._secret = secrets.token_bytes(32)
        self._logins = float(_LOGINS_AT_ONCE)
        self._counted_s = clock.monotonic_s()

    def visitor(self, headers: Mapping[bytes, bytes], cookie: str) -> Visitor | None:
        """Who sent a request; None must log in.

        Raises:
            ForbiddenOrigin: no key exists, and the request is not from this machine.
        """
        if not self._keys.any_configured():
            self._check_local(headers)
            return Visitor()
        key_id, _, rest = cookie.partition(".")
        until_s, _, signature = rest.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(key_id, until_s).encode()):
            return None
        if int(until_s) * NS_PER_S <= self._clock.wall_ns():
            return None
        for key in self._keys.list():
            if key.key_id == key_id and key.console and key.revoked_ns is None:
                return Visitor(key.name)
        return None

    def open_session(self, secret: str) -> str:
        """The cookie for who knows the secret of a console key.

        Raises:
            InvalidKey: it is none.
            Overloaded: too many tried.
        """
        self._count_login()
        key = self._keys.find(secret.strip())
        if key is None:
            raise InvalidKey(
                "This key is unknown or revoked. `trimtab keys list` shows the valid ones; "
                "`trimtab keys create NAME --console` makes one for the console."
            )
        if not key.console:
            raise InvalidKey(
                "This key is for an application, and the console shows what all users said. Make "
                "a key for yourself with `trimtab keys create NAME --console`."
            )
        until_s = str(self._clock.wall_ns() // NS_PER_S + SESSION_S)
        return f"{key.key_id}.{until_s}.{self._sign(key.key_id, until_s)}"

    def _sign(self, key_id: str, until_s: str) -> str:
        return hmac.new(self._secret, f"{key_id}.{until_s}".encode(), sha256).hexdigest()

    def _count_login(self) -> None:
        now_s = self._clock.monotonic_s()
        self._logins += (now_s - self._counted_s) * _LOGINS_PER_S
        self._logins = min(self._logins, _LOGINS_AT_ONCE)
        self._counted_s = now_s
        if self._logins < 1:
            raise Overloaded("Too many attempts to log in. Wait a few seconds and try again.")
        self._logins -= 1


def check_own_form(headers: Mapping[bytes, bytes]) -> None:
    """Let only forms of the console itself through.

    Raises:
        ForbiddenOrigin: the form was on another site, or a proxy hides which one.
    """
    origin = headers.get(b"origin", b"").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    try:
        there = urlsplit(origin).netloc.lower()
    except ValueError:
        there = ""
    if not there or there != host.lower():
        raise ForbiddenOrigin(
            f"This form was sent from {origin[:100] or 'an unknown site'} to {host[:100]}. Open "
            "the console at the address that you use for it; a proxy in front must pass on the "
            "headers Host and Origin as they are."
        )


def local_path(path: str) -> str:
    """`path` if it leads to a page of the console, else the first page."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return _HOME
    inside = parts.path == _HOME or parts.path.startswith(f"{_HOME}/")
    plain = path.isascii() and path.isprintable() and "\\" not in path and ".." not in path
    ends = parts.path in {f"{_HOME}/login", f"{_HOME}/logout"}
    return path if inside and plain and not ends and path.startswith(_HOME) else _HOME
