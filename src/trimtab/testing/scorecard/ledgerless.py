"""The row in which the ledger cannot be written."""

import asyncio
import resource
import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Final

from trimtab.archive import verify_store
from trimtab.config.environment import DATA_FOLDER
from trimtab.testing.scorecard.caller import open_line
from trimtab.testing.scorecard.case import Case
from trimtab.testing.scorecard.heard import Heard
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.scene import Scene, Stuck

__all__ = ["LEDGERLESS"]

_SOON_S: Final = 10.0
_LATER: Final = 4
_ASK_AGAIN_S: Final = 0.02


@contextmanager
def _full_disk(scene: Scene) -> Generator[None]:
    """The gateway cannot make any file longer, as on a full disk."""
    pid, kind = scene.process.pid, resource.RLIMIT_FSIZE
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, kind, before)


@contextmanager
def _locked_ledger(scene: Scene) -> Generator[None]:
    """Another process holds the lock of the ledger."""
    path: Path = scene.process.folder / DATA_FOLDER / "ledger.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


_WAYS: dict[str, Callable[[Scene], AbstractContextManager[None]]] = {
    "full": _full_disk,
    "locked": _locked_ledger,
}


async def _no_ledger(scene: Scene) -> str:
    reached = 0
    for case, broken in _WAYS.items():
        await scene.heals(case)
        called: list[str] = []
        with broken(scene):
            called += await _refused(scene, case, stream=True)  # finds it out
            reached += len(called)
            for number in range(_LATER):
                calls = await _refused(scene, case, stream=bool(number % 2))
                scene.expect(not calls, f"{case}: the provider was called all the same")
                called += calls
        await _ready_again(scene)
        await scene.heals(case)
        for user in called:  # whatever has reached a provider is on record
            _, attempts = await scene.record(user)
            scene.attempts += len(attempts)
    report = await asyncio.to_thread(verify_store, scene.process.folder / "trimtab.toml")
    scene.expect(report.ok, f"the ledger does not verify: {report.findings[:3]}")
    return (
        f"503 and Retry-After; {len(_WAYS) * _LATER} requests reached no provider, "
        f"the {reached} that found it out did and are on record"
    )


async def _refused(scene: Scene, case: str, *, stream: bool) -> list[str]:
    """A request that must be refused; its user, if a provider was called for it."""
    async with scene.line(case, stream=stream) as (line, user):
        async with asyncio.timeout(_SOON_S):
            heard = await line.read()
    _expect_refused(scene, case, heard)
    scene.longest_s = max(scene.longest_s, heard.took_s)
    return [user] if scene.calls("primary", user) or scene.calls("spare", user) else []


def _expect_refused(scene: Scene, case: str, heard: Heard) -> None:
    scene.expect(heard.status == 503, f"{case}: status {heard.status}, {bytes(heard.body)[:80]!r}")
    code = (heard.error or {}).get("code")
    scene.expect(code == "ledger_unavailable", f"{case}: the caller was told {code}")
    wait = heard.headers.get("retry-after", "")
    scene.expect(wait.isdigit() and int(wait) >= 1, f"{case}: Retry-After is {wait!r}")


async def _ready_again(scene: Scene) -> None:
    root = scene.served.base_url.removesuffix("/v1")
    try:
        async with asyncio.timeout(_SOON_S):
            while True:
                async with open_line(root, path="/readyz") as line:
                    if (await line.read()).status == 200:
                        return
                await asyncio.sleep(_ASK_AGAIN_S)
    except TimeoutError:
        raise Stuck("it did not become ready again") from None


LEDGERLESS = (
    Row(
        row_id="X11",
        fault="disk full; ledger locked by another process",
        does="refuses with 503 and Retry-After, calls no provider, and comes back by itself",
        cases=(Case(name="full"), Case(name="locked")),
        act=_no_ledger,
        own=True,
        elsewhere=False,
    ),
)
