"""The callers of the soak: what each asks for, how it leaves, and what it got."""

import asyncio
import contextlib
import json
from collections import Counter
from random import Random
from typing import Any, Literal, NamedTuple

from whole.soak_faults import ENDLESS, OPENING, ROUTES, TEXT
from whole.wire import Answer, Caller, chat_body

Kind = Literal["whole", "refused", "broken", "left"]

_LEAVING = 0.07
_PATIENCE_S = 15.0  # far beyond the total limit of every route
_USERS = 40


class Told(NamedTuple):
    """How one call ended for its caller.

    Attributes:
        kind: a whole answer; an error status; an error event in the middle of a stream; the caller
            did not wait for the end.
        status: 0 if none came.
        request_id: "" if none came.
        served: the served model by the headers.
        cost: nano-dollars by the headers, of answers that are not streams.
    """

    kind: Kind
    status: int = 0
    request_id: str = ""
    served: str = ""
    cost: int | None = None


class Callers:
    """Calls at a rate, whether others have ended or not.

    Attributes:
        told: what came of each call that the books have not dealt with, by its session.
        seen: counts of what came.
        wrong: what must never be, in words.
        under_way: calls that have not ended.
    """

    def __init__(self, port: int, rate: float, seed: int, told: dict[str, Told]) -> None:
        self._port = port
        self._rate = rate
        self._random = Random(seed)
        self._free: list[Caller] = []
        self._asked = 0
        self.told = told
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.under_way = 0

    async def ask_for(self, seconds: float) -> None:
        """Ask for so long, and wait for the last answers."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        until_s = due_s + seconds
        async with asyncio.TaskGroup() as group:
            while due_s < until_s:
                group.create_task(self._ask())
                due_s += self._random.expovariate(self._rate)
                if (wait_s := due_s - loop.time()) > 0:
                    await asyncio.sleep(wait_s)

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._free:
            self._free.pop().close()

    async def _ask(self) -> None:
        self._asked += 1
        session = f"s{self._asked}"
        random = self._random
        route = random.choices([*ROUTES], [*ROUTES.values()])[0]
        streamed = route in ENDLESS or random.random() < 0.7
        fields: dict[str, Any] = {"stream": streamed}
        if streamed and random.random() < 0.5:
            fields["stream_options"] = {"include_usage": True}
        cached = route == "cached"
        words = "m" * random.randrange(6 if cached else 1_000)
        body = chat_body(route, messages=[{"role": "user", "content": words}], **fields)
        headers = {
            "x-trimtab-session": session,
            "x-trimtab-user": f"user{random.randrange(3 if cached else _USERS)}",
        }
        caller = self._free.pop() if self._free else Caller(self._port)
        self.under_way += 1
        try:
            told = await self._leave_or_wait(caller, body, headers)
        finally:
            self.under_way -= 1
        self.told[session] = told
        self.seen[f"{told.kind} {told.status}" if told.kind == "refused" else told.kind] += 1
        self._free.append(caller)

    async def _leave_or_wait(self, caller: Caller, body: bytes, headers: dict[str, str]) -> Told:
        """Ask, and perhaps leave: after a while, or after some events of a stream."""
        leaves = self._random.random() < _LEAVING
        after_s = self._random.uniform(0.0, 0.4) if leaves else _PATIENCE_S
        events = self._random.randrange(1, 9) if leaves and self._random.random() < 0.5 else None

        def progress(answer: Answer) -> bool:
            return events is None or answer.body.count(b"\n\n") < events

        try:
            async with asyncio.timeout(after_s):
                answer = await caller.chat(body, headers=headers, progress=progress)
        except TimeoutError:
            caller.close()
            if not leaves:
                self.wrong.append(f"no end within {_PATIENCE_S} s: {_words(caller.answer)}")
            return Told("left", request_id=caller.answer.request_id)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            caller.close()
            self.wrong.append(f"{error!r} after {_words(caller.answer)}")
            return Told("left", request_id=caller.answer.request_id)
        return self._judged(answer, left=events is not None and not answer.whole)

    def _judged(self, answer: Answer, *, left: bool) -> Told:
        about = Told(
            "refused", answer.status, answer.request_id, _header(answer, "served-model"), None
        )
        if answer.status != 200:
            with contextlib.suppress(ValueError):
                if "error" in answer.json:
                    return about
            self.wrong.append(f"an error that says nothing: {_words(answer)}")
            return about
        if "text/event-stream" not in answer.headers.get("content-type", ""):
            self._check_text(answer.json["choices"][0]["message"]["content"], answer)
            cost = int(_header(answer, "cost-nanousd"))
            return about._replace(kind="whole", cost=cost)
        if left:
            return about._replace(kind="left")
        said, error = _read(answer.body)
        if error:
            if answer.whole:
                self.wrong.append(f"an error and a terminator: {_words(answer)}")
            return about._replace(kind="broken")
        if not answer.whole:
            self.wrong.append(f"ended in good order without a terminator: {_words(answer)}")
        self._check_text(said, answer)
        return about._replace(kind="whole")

    def _check_text(self, said: str, answer: Answer) -> None:
        """All of it; where a second model took over, after the beginning of a first one."""
        *shown, last = said.split(OPENING)
        begun = [OPENING + text for text in shown[1:]]
        if (
            OPENING + last != TEXT
            or (shown and shown[0])
            or not all(TEXT.startswith(text) and text != TEXT for text in begun)
        ):
            self.wrong.append(f"presented as whole: {said!r} {_words(answer)}")


def _read(body: bytes) -> tuple[str, bool]:
    """The text of a stream, and whether an error event is in it."""
    said: list[str] = []
    for event in body.split(b"\n\n"):
        lines = [line[6:] for line in event.split(b"\n") if line.startswith(b"data: ")]
        if not lines or lines == [b"[DONE]"]:
            continue
        with contextlib.suppress(ValueError):  # an event that the provider sent so
            value = json.loads(b"\n".join(lines))
            if "error" in value:
                return "".join(said), True
            said += [choice["delta"].get("content") or "" for choice in value["choices"]]
    return "".join(said), False


def _header(answer: Answer, name: str) -> str:
    return answer.headers.get(f"x-trimtab-{name}", "")


def _words(answer: Answer) -> str:
    return f"{answer.status} {answer.headers} {answer.body[-400:]!r}"
