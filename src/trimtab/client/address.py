"""Where a server is, and the bytes of a request to it."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from trimtab.errors import UsageError

__all__ = ["Address", "parse_base_url", "request_bytes"]


class Address(NamedTuple):
    """A server.

    Attributes:
        secure: it speaks TLS.
        host: name or address, without brackets.
        port: its port.
        prefix: path that comes before every other, without a slash at its end.
    """

    secure: bool
    host: str
    port: int
    prefix: str

    @property
    def authority(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """For people: `http://127.0.0.1:8080`."""
        return f"{'https' if self.secure else 'http'}://{self.authority}"


def parse_base_url(base_url: str) -> Address:
    """Read `http://127.0.0.1:8080/v1`.

    Raises:
        UsageError: it is no such address, or carries a password or a query.
    """
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:  # brackets or a port that are none
        parts, port = urlsplit(""), None
    host, path = parts.hostname, parts.path.rstrip("/")
    plain = base_url.isascii() and base_url.isprintable() and " " not in base_url
    if parts.scheme not in {"http", "https"} or not host or not plain:
        raise UsageError(
            "base_url is not an http or https address. Write for example http://127.0.0.1:8080/v1."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError("base_url carries more than an address. Pass the key as api_key.")
    secure = parts.scheme == "https"
    return Address(secure, host, port or (443 if secure else 80), path)


def request_bytes(
    method: str, address: Address, target: str, *, headers: Mapping[str, str], body: bytes
) -> bytes:
    """A request.

    Args:
        method: such as GET.
        address: of the server.
        target: path and query, after the address's prefix.
        headers: beside Host, Content-Length and those that are always sent.
        body: whole; b"" for none.

    Raises:
        UsageError: a header's value cannot be sent. The value is not shown.
    """
    lines = [
        f"{method} {address.prefix}{target} HTTP/1.1",
        f"host: {address.authority}",
        "user-agent: trimtab-client",
        "accept-encoding: identity",
    ]
    for name, value in headers.items():
        if not _is_plain(value):
            raise UsageError(
                f"The value for the header {name} has a character in it that cannot be sent."
            )
        lines.append(f"{name}: {value}")
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _is_plain(text: str) -> bool:
    return not any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in text)
