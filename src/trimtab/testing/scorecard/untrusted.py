"""A listener that speaks TLS with a certificate that nobody trusts."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["UntrustedListener", "listen_untrusted"]

# Made once, for localhost and 127.0.0.1, valid until 2126. It is here to be refused and guards
# nothing; so its key may stand here, too, and no program is needed that makes another.
_CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgo8PHMS38FoI3nYGF
6mgFk0jRkpcseBR0Xl+wiN7vxQyhRANCAATkxQu4UoqEYW0+6aPO5xDKLn4RmmKE
94KDFqSJLhbhSTlKIsrBZKGEjzuVVfxjWiz1WFr81ESL7qr7uDz9JNUV
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBrjCCAVOgAwIBAgIUEBKZj6TzObEoV+/Cofaq3eooOw4wCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSbm9ib2R5IHRydXN0cyB0aGlzMCAXDTI2MTEyNTAxMzcxNloY
DzIxMjYxMTAxMDEzNzE2WjAdMRswGQYDVQQDDBJub2JvZHkgdHJ1c3RzIHRoaXMw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATkxQu4UoqEYW0+6aPO5xDKLn4RmmKE
94KDFqSJLhbhSTlKIsrBZKGEjzuVVfxjWiz1WFr81ESL7qr7uDz9JNUVo28wbTAd
BgNVHQ4EFgQUrhXUyBNKArpeaivn9GvkVHkQ/dQwHwYDVR0jBBgwFoAUrhXUyBNK
Arpeaivn9GvkVHkQ/dQwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2Nh
bGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSQAwRgIhAL0T2U79EP0wCYY1q296sPI3
Mp+rUK+SfjJFWndecvTeAiEA9eCug0tyFEdbnI8n1rXseoYzo/tK7LXhAk4PT75Y
+2k=
-----END CERTIFICATE-----
"""


class UntrustedListener:
    """Counts who begins to speak TLS with it.

    Attributes:
        port: where it listens on 127.0.0.1.
        reached: handshakes that were begun.
    """

    def __init__(self) -> None:
        self.port = 0
        self.reached = 0

    def note(self, _socket: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Count one; called by the TLS library."""
        self.reached += 1


@asynccontextmanager
async def listen_untrusted(port: int = 0) -> AsyncGenerator[UntrustedListener]:
    """Listen for the length of a `with` block."""
    listener = UntrustedListener()
    server = await asyncio.start_server(_say_nothing, "127.0.0.1", port, ssl=_context(listener))
    async with server:
        listener.port = server.sockets[0].getsockname()[1]
        yield listener


def _context(listener: UntrustedListener) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "untrusted.pem"
        file.write_text(_CERTIFICATE, encoding="ascii")
        context.load_cert_chain(file)
    context.sni_callback = listener.note
    return context


def _say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
