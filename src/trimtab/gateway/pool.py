"""Free connections to one origin, and new ones."""

import ssl
from asyncio import get_running_loop
from collections import deque
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from typing_extensions import override

from trimtab.errors import ConfigError, Finding, ProviderError, ProviderUnreachable
from trimtab.gateway.upstream import AnswerSink, UpstreamConnection

__all__ = ["Origin", "Pool"]

_DRAIN_S = 1.0
_MAX_FREE = 512


class Origin(NamedTuple):
    """Where a provider is reached.

    Attributes:
        host: name or address, without brackets.
        prefix: path that comes before the wire format's own, without a trailing slash.
    """

    scheme: str
    host: str
    port: int
    prefix: str

    @classmethod
    def parse(cls, base_url: str) -> "Origin":
        """Parse an `http` or `https` URL.

        Raises:
            ConfigError: it is neither.
        """
        try:
            parts = urlsplit(base_url)
            given_port = parts.port
        except ValueError:  # brackets or a port that are none
            parts, given_port = urlsplit(""), None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(
                [
                    Finding(
                        "base_url",
                        f"{base_url!r} is not an http or https address",
                        "Write for example https://api.openai.com/v1",
                    )
                ]
            )
        port = given_port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"


class Pool:
    """Connections to one origin, the most recently used first: the fewest go stale."""

    def __init__(self, origin: Origin, ca_file: Path | None = None) -> None:
        self.origin = origin
        self._closed = False
        self._free: deque[UpstreamConnection] = deque(maxlen=_MAX_FREE)
        self._ssl = ssl.create_default_context(cafile=ca_file) if origin.scheme == "https" else None

    def take_free(self) -> UpstreamConnection | None:
        """A free connection that should still be open, or None."""
        now_s = get_running_loop().time()
        while self._free:
            connection = self._free.pop()
            if connection.is_fresh(now_s):
                return connection
            connection.abort()
        return None

    def close_stale(self) -> None:
        """Close those that nobody has used for long: after a rush there are more than needed."""
        now_s = get_running_loop().time()
        while self._free and not self._free[0].is_fresh(now_s):
            self._free.popleft().abort()

    async def connect(self) -> UpstreamConnection:
        """A new connection.

        Raises:
            ProviderUnreachable: no such host, refused, or no TLS. The message names the cause.
        """
        origin = self.origin
        try:
            _, connection = await get_running_loop().create_connection(
                UpstreamConnection,
                origin.host,
                origin.port,
                ssl=self._ssl,
                server_hostname=origin.host if self._ssl else None,
            )
        except (OSError, UnicodeError) as error:  # ssl.SSLError and socket.gaierror are OSErrors
            raise ProviderUnreachable(
                f"Cannot reach the provider at {origin.scheme}://{origin.authority}: "
                f"{_cause(error)}. Check base_url and the network."
            ) from error
        return connection

    def release(self, connection: UpstreamConnection) -> None:
        """Give back a connection whose answer is complete."""
        if self._closed:  # by a reload, while the call was under way
            connection.abort()
        elif connection.is_open:
            if connection.paused:  # the next call must not inherit the slow caller of this one
                connection.resume()
            connection.free_since_s = get_running_loop().time()
            if len(self._free) == _MAX_FREE:
                self._free.popleft().abort()
            self._free.append(connection)

    def drain(self, connection: UpstreamConnection) -> None:
        """Give back a connection whose answer is known but whose last bytes are still to come."""
        if connection.is_open:
            connection.redirect(_Drain(self, connection))

    def close(self) -> None:
        """Close the free connections, and the others as soon as they are given back."""
        self._closed = True
        while self._free:
            self._free.pop().abort()


class _Drain(AnswerSink):
    """Reads the few bytes after the terminator, so that the connection can be used again."""

    def __init__(self, pool: Pool, connection: UpstreamConnection) -> None:
        self._pool = pool
        self._connection = connection
        self._timer = get_running_loop().call_later(_DRAIN_S, connection.abort)

    @override
    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        pass

    @override
    def on_data(self, data: bytes) -> None:
        pass

    @override
    def on_end(self) -> None:
        self._timer.cancel()
        self._pool.release(self._connection)

    @override
    def on_broken(self, error: ProviderError) -> None:
        self._timer.cancel()


def _cause(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "its host name is not valid"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason})"
    return error.strerror or type(error).__name__
