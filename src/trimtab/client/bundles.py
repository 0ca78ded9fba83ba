"""Bundles: in memory for a short time, revalidated, and kept for the day without a gateway."""

import asyncio
import logging
from collections import OrderedDict
from typing import Final, NamedTuple
from urllib.parse import quote
from weakref import WeakValueDictionary

import msgspec

from trimtab.client.bundle import Kept, read_bundle
from trimtab.client.failures import AWAY, AnswerTimeout, GatewayGarbage
from trimtab.client.outage import Outage
from trimtab.client.peer import Peer
from trimtab.client.shelf import Shelf
from trimtab.errors import TrimtabError
from trimtab.types.clock import SystemClock

__all__ = ["Bundles", "Wanted", "named_headers"]

_log = logging.getLogger("trimtab.client")

_ASK_S: Final = 10.0  # however long answers of models may take
_MOST_BYTES: Final = 16_000_000
_MOST_PROMPTS: Final = 256
_MOST_ARMS: Final = 8
_MOST_USERS: Final = 10_000

_now_s = SystemClock.monotonic_s


def named_headers(user: str, session: str) -> dict[str, str]:
    """The headers that name a user and a session; of "" there is none."""
    named = {"x-trimtab-user": user, "x-trimtab-session": session}
    return {name: value for name, value in named.items() if value}


class Wanted(NamedTuple):
    """Which bundle.

    Attributes:
        prompt: its id.
        version: "" for what is served.
        user: the end user, "" for none: a canary is for some users and not for others.
        session: takes the user's place where there is none, and is "" where there is one.
    """

    prompt: str
    version: str = ""
    user: str = ""
    session: str = ""

    @classmethod
    def by(cls, prompt: str, version: str | None, *, user: str, session: str) -> "Wanted":
        """What somebody wants who names both, or neither."""
        return cls(prompt, version or "", user, "" if user else session)

    @property
    def headers(self) -> dict[str, str]:
        """That name user or session."""
        return named_headers(self.user, self.session)


class _Seen(NamedTuple):
    """What somebody was served, and when that was asked last."""

    tag: str
    checked_s: float
    stale: bool = False


class Bundles:
    """Gives bundles.

    Args:
        gateway: from which they come.
        shelf: for the last good ones.
        fresh_s: how long one is used without asking.
        outage: is told whether the gateway answers.
    """

    def __init__(self, gateway: Peer, shelf: Shelf, *, fresh_s: float, outage: Outage) -> None:
        self._gateway = gateway
        self._shelf = shelf
        self._fresh_s = fresh_s
        self._outage = outage
        self._kept: OrderedDict[tuple[str, str], dict[str, Kept]] = OrderedDict()
        self._seen: OrderedDict[Wanted, _Seen] = OrderedDict()
        self._asking: WeakValueDictionary[Wanted, asyncio.Lock] = WeakValueDictionary()

    async def get(self, wanted: Wanted) -> Kept:
        """The bundle that an inference would get; the last good one if the gateway is away.

        Raises:
            TrimtabError: the gateway refuses it, or is away and there is none.
        """
        lock = self._asking.get(wanted)
        if lock is None:
            lock = self._asking[wanted] = asyncio.Lock()
        async with lock:
            return self._fresh(wanted) or await self._asked(wanted)

    async def refresh(self, wanted: Wanted) -> None:
        """Have a bundle for the day on which it is needed. Never raises what the gateway says."""
        try:
            await self.get(wanted)
        except AWAY:
            pass  # the call beside this one meets the same
        except TrimtabError as error:
            _log.debug("no files of prompt %s: %s", wanted.prompt, type(error).__name__)

    def last_good(self, wanted: Wanted) -> Kept | None:
        """The canary that this user was served last, else the newest of all, else what is on disk.

        Who was served a release that was rolled back since gets the newer one, as all others do.
        """
        arms = self._kept.get((wanted.prompt, wanted.version), {})
        seen = self._seen.get(wanted)
        if seen is not None and seen.tag in arms and arms[seen.tag].bundle.arm == "canary":
            return _stale(arms[seen.tag])
        others = list(arms.values())
        usual = [kept for kept in others if kept.bundle.arm != "canary"]
        if others:
            return _stale((usual or others)[-1])
        kept = self._shelf.get(wanted.prompt, wanted.version)
        if kept is None:
            return None
        self._keep(kept, wanted)
        return _stale(kept)

    def _fresh(self, wanted: Wanted) -> Kept | None:
        seen = self._seen.get(wanted)
        if seen is None or _now_s() - seen.checked_s >= self._fresh_s:
            return None
        kept = self._kept.get((wanted.prompt, wanted.version), {}).get(seen.tag)
        return _stale(kept) if kept is not None and seen.stale else kept

    async def _asked(self, wanted: Wanted) -> Kept:
        try:
            kept = await self._fetched(wanted)
        except (*AWAY, AnswerTimeout):
            self._outage.begin()
            kept = self.last_good(wanted)
            if kept is None:
                raise
            self._note(wanted, kept, stale=True)
            return kept
        except TrimtabError as error:
            if not isinstance(error, GatewayGarbage):
                self._outage.end()
            raise
        self._outage.end()
        self._note(wanted, kept)
        return kept

    async def _fetched(self, wanted: Wanted) -> Kept:
        arms = self._kept.get((wanted.prompt, wanted.version), {})
        headers = {"accept": "application/json", **wanted.headers}
        tags = [tag for tag in arms if tag]
        if tags:
            headers["if-none-match"] = ", ".join(tags)
        query = (
            f"?version={quote(wanted.version, safe='', errors='replace')}" if wanted.version else ""
        )
        target = f"/prompts/{quote(wanted.prompt, errors='replace')}{query}"
        try:
            async with asyncio.timeout(_ASK_S):
                reply = await self._gateway.send("GET", target, headers=headers)
                body = await self._gateway.whole(reply, _MOST_BYTES)
        except TimeoutError:
            raise AnswerTimeout(
                f"The gateway at {self._gateway.origin} sent no files of a prompt within "
                f"{_ASK_S:g} s. Check how it is: /readyz."
            ) from None
        tag = reply.headers.get("etag", "")
        if reply.status == 304:
            if tag not in arms:
                raise GatewayGarbage("The gateway says that nothing has changed, and not of what.")
            kept = arms[tag]
        else:
            kept = read_bundle(body, wanted.prompt, tag)
            await asyncio.to_thread(self._shelf.put, kept, wanted.version)
        self._keep(kept, wanted)
        return kept

    def _keep(self, kept: Kept, wanted: Wanted) -> None:
        key = (wanted.prompt, wanted.version)
        before = self._kept.get(key, {})
        # The newest last; what came from the disk is not needed beside it.
        arms = {tag: other for tag, other in before.items() if tag not in {"", kept.tag}}
        arms[kept.tag] = kept
        while len(arms) > _MOST_ARMS:
            del arms[next(iter(arms))]
        self._kept[key] = arms
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_PROMPTS:
            self._kept.popitem(last=False)

    def _note(self, wanted: Wanted, kept: Kept, *, stale: bool = False) -> None:
        self._seen[wanted] = _Seen(kept.tag, _now_s(), stale)
        self._seen.move_to_end(wanted)
        if len(self._seen) > _MOST_USERS:
            self._seen.popitem(last=False)


def _stale(kept: Kept) -> Kept:
    return kept._replace(bundle=msgspec.structs.replace(kept.bundle, stale=True))
