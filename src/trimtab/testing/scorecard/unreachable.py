"""Rows in which the provider cannot be reached, or points elsewhere."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from trimtab.config.schema import Breakers
from trimtab.testing.scorecard.case import Case
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.scene import Scene
from trimtab.testing.script import Behaviour
from trimtab.types.clock import NS_PER_S

__all__ = ["UNREACHABLE"]

_AT_ONCE_S: Final = 1.0
_REQUESTS: Final = 12
_BREAKERS: Final = Breakers()
_SURELY_OPEN: Final = 0.8  # of `open_s`; the wait for the first probe has jitter
_LINK_LOCAL: Final = "http://169.254.169.254/latest/meta-data/"
_WAYS: Final = {
    "untrusted": "certificate not trusted",
    "not-tls": "no TLS",
    "no-name": "no such host",
    "refused": "connection refused",
}


async def _cannot_connect(scene: Scene) -> str:
    for case in _WAYS:
        await _open_a_breaker(scene, case)
    reached = scene.cast.untrusted_connections()
    # Twice, where an address of the name is tried after another one.
    most = 2 * _BREAKERS.failures
    scene.expect(0 < reached <= most, f"the untrusted server was reached {reached} times")
    scene.expect(not scene.calls("primary"), "a request went out without a trusted connection")
    return f"{', '.join(_WAYS.values())}: failed over at once, breaker open after some"


async def _open_a_breaker(scene: Scene, case: str) -> None:
    """Ask until the breaker must have opened, and see that it has."""
    failed_ns: list[int] = []
    spared = 0
    for _ in range(_REQUESTS):
        tale = await scene.ask(case, within_s=_AT_ONCE_S)
        scene.expect(tale.by == "spare", f"{case}: the fallback did not serve it")
        first = tale.attempts[0]
        begun_ns = tale.event.started_ns
        if first.provider == "spare":
            spared += 1
            continue
        scene.expect(
            (first.error_code, first.cost_nanousd) == ("unreachable", 0),
            f"{case}: recorded as {first.error_code} at {first.cost_nanousd}",
        )
        if len(failed_ns) >= _BREAKERS.failures:
            since_s = (begun_ns - failed_ns[-1]) / NS_PER_S
            open_s = scene.s(_BREAKERS.open_s) * _SURELY_OPEN
            scene.expect(since_s >= open_s, f"{case}: called {since_s:.2f} s after it had opened")
        failed_ns.append(begun_ns)
    scene.expect(spared, f"{case}: the breaker did not open in {_REQUESTS} requests")


@asynccontextmanager
async def _trap() -> AsyncGenerator[tuple[int, list[str]]]:
    """A listener, its port, and who came to it."""
    came: list[str] = []

    def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(str(writer.get_extra_info("peername")))
        writer.transport.abort()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], came


async def _redirected(scene: Scene) -> str:
    async with _trap() as (port, came):
        targets = {
            "host": f"http://localhost:{port}/v1/chat/completions",
            "link-local": _LINK_LOCAL,
        }
        for case, target in targets.items():
            for status in (301, 307):
                scene.cast.primary.play(
                    scene.model(case), Behaviour(redirect=target, status=status)
                )
                for stream in (True, False):
                    tale = await scene.ask(case, within_s=_AT_ONCE_S, stream=stream)
                    scene.expect(tale.by == "spare", f"{case}: the fallback did not serve it")
                    first = tale.attempts[0]
                    scene.expect(first.outcome == "error", f"{case}: recorded as {first.outcome}")
            await scene.heals(case)
        scene.expect(not came, f"the redirect was followed: {came}")
    return "nobody came to its target; answered by the fallback"


UNREACHABLE = (
    Row(
        row_id="X07",
        fault="TLS failure, no such host, connection refused",
        does="moves to the fallback at once; a breaker counts it",
        cases=tuple(Case(name=way, at=way) for way in _WAYS),
        act=_cannot_connect,
    ),
    Row(
        row_id="X08",
        fault="redirects, to another host and to a link-local address",
        does="does not follow",
        cases=(Case(name="host"), Case(name="link-local")),
        act=_redirected,
    ),
)
