"""Where a row plays: two fault providers, a gateway between them and a caller, and its record."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, NamedTuple

import msgspec

from trimtab.archive import open_reader
from trimtab.errors import TrimtabError
from trimtab.store.protocol import Reader
from trimtab.store.records import AttemptRecord, Event, EventQuery
from trimtab.testing.calls import Call
from trimtab.testing.provider import FaultProvider
from trimtab.testing.scorecard.caller import Line, chat_body, open_line
from trimtab.testing.scorecard.case import Case, scaled, well_again
from trimtab.testing.scorecard.heard import Heard
from trimtab.testing.scorecard.process import GatewayProcess
from trimtab.testing.scorecard.rules import Expected, broken_rules
from trimtab.testing.scorecard.tale import Tale
from trimtab.testing.script import Behaviour
from trimtab.types.clock import NS_PER_S, SystemClock

__all__ = ["Cast", "Scene", "Served", "Stuck"]

_GRACE_S = 5.0  # after its bound a call is waited for so long, to tell late from never
_RECORD_S = 5.0
_ASK_AGAIN_S = 0.01
_HEALTHY_S = 5.0
_A_DAY_NS = 24 * 3600 * NS_PER_S


class Stuck(TrimtabError):
    """The row cannot go on: something did not happen at all."""


class Cast(NamedTuple):
    """Who plays in all rows.

    Attributes:
        primary, spare: fault providers.
        untrusted_connections: how often the listener without a trusted certificate was reached.
        scale: multiplies all times.
    """

    primary: FaultProvider
    spare: FaultProvider
    untrusted_connections: Callable[[], int]
    scale: float


class Served(NamedTuple):
    """The gateway of a row.

    Attributes:
        base_url: where it serves.
        reader: its record.
        process: itself; None where somebody else has started it.
    """

    base_url: str
    reader: Reader
    process: GatewayProcess | None

    @classmethod
    def by(cls, process: GatewayProcess) -> "Served":
        """What a process serves."""
        return cls(process.base_url, open_reader(process.folder / "trimtab.toml"), process)


class _Asker(msgspec.Struct):
    user: str = ""


class Scene:
    """Everything that a row needs to ask and to check.

    Args:
        row_id: of the row.
        routes: its cases by the names of their routes.
        cast: the fault providers.
        served: the gateway.

    Attributes:
        cast, served: as given; `served` changes where a row starts its gateway anew.
        findings: what went wrong so far.
        longest_s: the longest that a caller waited.
        attempts: physical calls so far.
    """

    def __init__(
        self, row_id: str, routes: Mapping[str, Case], *, cast: Cast, served: Served
    ) -> None:
        self.cast = cast
        self.served = served
        self.findings: list[str] = []
        self.longest_s = 0.0
        self.attempts = 0
        self._row_id = row_id
        self._routes = routes
        self._asked = 0

    async def start_again(self) -> None:
        """Start the gateway anew on the same folder."""
        ended = self.process
        await ended.kill()
        self.served = Served.by(await GatewayProcess.start(ended.folder, ended.command))

    # ------------------------------------------------------------ asking

    def s(self, seconds: float) -> float:
        """A time of the table, in seconds of this run."""
        return seconds * self.cast.scale

    def scaled(self, behaviour: Behaviour) -> Behaviour:
        """What a provider does, with the times of this run."""
        return scaled(behaviour, self.cast.scale)

    @property
    def process(self) -> GatewayProcess:
        """The gateway's process, where a row has one of its own."""
        assert self.served.process is not None
        return self.served.process

    async def ask(
        self,
        case: str = "",
        *,
        within_s: float,
        expected: Expected = "answer",
        watch: Callable[[Heard], None] | None = None,
        **fields: Any,  # noqa: ANN401 - fields of the request
    ) -> Tale:
        """One request, checked by all rules.

        Args:
            case: name of the case.
            within_s: its bound, in seconds of this run.
            expected: how it has to end.
            watch: is shown the answer as it grows.
            fields: of the request; `stream` is true unless it is given.

        Raises:
            Stuck: it did not end at all, or is not on record.
        """

        def look(heard: Heard) -> bool:
            if watch is not None:
                watch(heard)
            return False

        async with self.line(case, **fields) as (line, user):
            try:
                async with asyncio.timeout(within_s + _GRACE_S):
                    heard = await line.read(look)
            except TimeoutError:
                raise Stuck(f"no end after {within_s + _GRACE_S:g} s") from None
        tale = await self.tale(user, heard)
        self.check(case, tale, within_s=within_s, expected=expected)
        return tale

    def check(self, case: str, tale: Tale, *, within_s: float, expected: Expected) -> None:
        """Note every rule that a request broke."""
        label = f"{case}: " if case else ""
        broken = broken_rules(tale, self._case(case), within_s=within_s, expected=expected)
        self.findings += [label + finding for finding in broken]

    @asynccontextmanager
    async def line(
        self,
        case: str = "",
        *,
        stream: bool = True,
        **fields: Any,  # noqa: ANN401 - of the request
    ) -> AsyncGenerator[tuple[Line, str]]:
        """A request of which the row reads as much as it likes, and the user that it is for."""
        self._asked += 1
        route = self._route(case)
        user = f"{route}-{self._asked}"
        body = chat_body(route, streamed=stream, user=user, **fields)
        async with open_line(self.served.base_url, body) as line:
            yield line, user

    async def heals(self, case: str = "") -> Tale:
        """The fault is over: the next call must be answered."""
        self.cast.primary.play(self.model(case), well_again(self._case(case)))
        counted = self.longest_s, self.attempts
        tale = await self.ask(case, within_s=_HEALTHY_S)
        self.longest_s, self.attempts = counted
        return tale

    # ------------------------------------------------------------ checking

    def expect(self, holds: object, finding: str) -> None:
        """Note `finding` unless something holds."""
        if not holds:
            self.findings.append(finding)

    def model(self, case: str = "", which: Literal["primary", "spare"] = "primary") -> str:
        """A model's name at its provider."""
        return f"{self._route(case)}.{which}"

    def calls(self, which: Literal["primary", "spare"], user: str = "") -> list[Call]:
        """What a provider saw of this row, or of one request."""
        provider = self.cast.primary if which == "primary" else self.cast.spare
        mine = {f"{route}.{which}" for route in self._routes}
        calls = [call for call in provider.calls if call.model in mine]
        return [call for call in calls if not user or _user_of(call) == user]

    async def tale(self, user: str, heard: Heard) -> Tale:
        """What all sides say of the request for `user`.

        Raises:
            Stuck: it is not on record.
        """
        event, attempts = await self.record(user)
        self.longest_s = max(self.longest_s, heard.took_s)
        self.attempts += len(attempts)
        return Tale(heard, event, attempts, self.calls("primary", user), self.calls("spare", user))

    async def record(self, user: str) -> tuple[Event, list[AttemptRecord]]:
        """The inference for `user` and its attempts, once all of them are settled.

        Raises:
            Stuck: it is not on record.
        """
        try:
            async with asyncio.timeout(_RECORD_S):
                while True:
                    found = await asyncio.to_thread(self._look_up, user)
                    if found is not None and all(attempt.settled for attempt in found[1]):
                        return found
                    await asyncio.sleep(_ASK_AGAIN_S)
        except TimeoutError:
            raise Stuck(f"the request for {user} is not on record as settled") from None

    def _look_up(self, user: str) -> tuple[Event, list[AttemptRecord]] | None:
        now_ns = SystemClock.wall_ns()
        query = EventQuery(
            since_ns=now_ns - _A_DAY_NS, until_ns=now_ns + _A_DAY_NS, where={"user": user}
        )
        events = self.served.reader.event_page(query).events
        if not events:
            return None
        return events[0], self.served.reader.attempts(events[0].inference_id)

    def _route(self, case: str) -> str:
        return f"{self._row_id}-{case}" if case else self._row_id

    def _case(self, case: str) -> Case:
        return self._routes[self._route(case)]


def _user_of(call: Call) -> str:
    return msgspec.json.decode(call.body, type=_Asker).user
