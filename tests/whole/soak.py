"""A day in an hour: mixed faults at a moderate load, and what must be the same afterwards.

`python -m whole.soak SECONDS` runs it in a folder that it makes, and prints what it found.
"""

import asyncio
import json
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

from harness import Gateway, start_gateway
from trimtab.archive import verify_store
from trimtab.store.protocol import Reader
from trimtab.testing import FaultProvider, Script
from whole.soak_books import Books
from whole.soak_callers import Callers, Told
from whole.soak_faults import scripts, soak_project
from whole.soak_watch import Files, Sample, Slope, open_files, sample, slope_of
from whole.wire import Caller, chat_body

RATE = 120.0  # calls a second
_READ_EVERY_S = 1.0
_QUIET_WITHIN_S = 20.0
_FEW_FILES = 2  # files of another day or minute that the store may have opened
_STOPS_WITHIN_S = 5.0  # half of drain_s: only what is under way could take longer


class Found(NamedTuple):
    """What a run came to.

    Attributes:
        wrong: what must never be; empty if all is well.
        slope: of memory after the warm-up.
        samples: of the gateway, in order.
        before, after: open files of the idle gateway.
        summary: figures for people.
    """

    wrong: list[str]
    slope: Slope
    samples: list[Sample]
    before: Files
    after: Files
    summary: dict[str, Any]


class Soak:
    """One run.

    Args:
        folder: for the project.
        seconds: how long callers ask.
        warm_s: of them: until memory counts.
        say: takes a line about the progress each minute.
    """

    def __init__(
        self, folder: Path, *, seconds: float, warm_s: float, say: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._warm_s = warm_s
        self._say = say
        self._told: dict[str, Told] = {}
        self._books = Books(folder, self._told)
        self._wrong: list[str] = []
        self._samples: list[Sample] = []
        self._generation = 0
        self._refused_projects = 0
        self._begun_s = time.monotonic()

    async def run(self, seed: int = 1) -> Found:
        """Run it; the gateway and the providers end with it."""
        calls = int(RATE * self._seconds * 1.3) + 1_000
        outages = max(int(self._seconds / 60), 1)
        one, two = scripts(calls, seed, outages=outages)
        async with AsyncExitStack() as stack:
            away = stack.enter_context(socket.socket())
            away.bind(("127.0.0.1", 0))  # and never listens: connections are refused
            self._away = f"http://127.0.0.1:{away.getsockname()[1]}/v1"
            self._one = await self._provider(stack, one, "one")
            self._two = await self._provider(stack, two, "two")
            self._write_project()
            gateway = await asyncio.to_thread(start_gateway, self._folder)
            try:
                return await self._with(gateway, stack, seed)
            except BaseException:
                gateway.kill()
                sys.stdout.writelines(gateway.output[-50:])
                raise

    async def _provider(self, stack: AsyncExitStack, script: Script, name: str) -> FaultProvider:
        provider = FaultProvider(
            script, keep_calls=False, on_end=lambda call: self._books.on_call(name, call)
        )
        return await stack.enter_async_context(provider)

    async def _with(self, gateway: Gateway, stack: AsyncExitStack, seed: int) -> Found:
        callers = Callers(gateway.port, RATE, seed, self._told)
        before = await self._idle_files(gateway)
        await self._ask(gateway, callers)
        # Databases are opened when they are first needed; those that were open once it was warm.
        before = before._replace(others=self._counted[0].files.others)
        await self._until(self._agreed, "all that callers got is on record, and over")
        callers.close()
        busy = open_files(gateway.process.pid)
        self._samples.append(sample(gateway.process.pid, time.monotonic() - self._begun_s))
        await stack.aclose()  # with the providers go the connections that the gateway keeps
        await self._until(lambda: _is_idle(gateway, before), "as few open files as before")
        after = open_files(gateway.process.pid)
        begun_s = time.monotonic()
        code = await asyncio.to_thread(gateway.stop)
        stopped_s = time.monotonic() - begun_s
        self._books.check_end()
        self._check_end(gateway, code, stopped_s)
        wrong = [*callers.wrong, *self._books.wrong, *self._wrong]
        slope = slope_of(self._counted, block_s=max(self._seconds / 60, 5.0))
        summary = {
            "asked": callers.seen.total(),
            "callers": dict(callers.seen.most_common()),
            "agreed": self._books.agreed,
            "ledger": dict(self._books.seen.most_common()),
            "costs that both sides know": self._books.matched,
            "their sum, nano-dollars": self._books.matched_nanousd,
            "all costs, nano-dollars": self._books.cost_nanousd,
            "usages that nobody heard": self._books.unclaimed,
            "usages that the provider is unsure of": self._books.unsure,
            "reloads": self._generation,
            "files": {"before": before, "when all had left": busy, "after": after},
            "most sockets": max(one.files.sockets for one in self._samples),
            "stopped within s": stopped_s,
            "wrong": len(wrong),
        }
        return Found(wrong, slope, self._samples, before, after, summary)

    # ------------------------------------------------------------ while they ask

    async def _ask(self, gateway: Gateway, callers: Callers) -> None:
        self._begun_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            chores = [
                group.create_task(self._look(gateway, callers)),
                group.create_task(self._reload()),
            ]
            await callers.ask_for(self._seconds)
            for chore in chores:
                chore.cancel()
        self._write_project()  # the last one may have been wrong

    async def _look(self, gateway: Gateway, callers: Callers) -> None:
        """Read the ledger on, and take samples."""
        said_s = 0.0
        every_s = 5.0 if self._seconds > 600 else 1.0
        while True:
            at_s = time.monotonic() - self._begun_s
            if not self._samples or at_s - self._samples[-1].at_s >= every_s:
                self._samples.append(sample(gateway.process.pid, at_s))
            if at_s - said_s >= 60:
                said_s = at_s
                last, wrong = self._samples[-1], [*callers.wrong, *self._books.wrong]
                self._say(
                    f"{at_s:.0f} s: {self._books.agreed} agreed, {len(wrong)} wrong, "
                    f"{last.memory_mb:.1f} MB, {last.files}, {callers.under_way} under way"
                )
                if wrong:
                    self._say(wrong[-1])
            await asyncio.to_thread(self._books.read)
            self._books.agree()
            await asyncio.sleep(_READ_EVERY_S)

    async def _reload(self) -> None:
        """Change the project now and then, and sometimes get it wrong."""
        every_s = min(max(self._seconds / 10, 5.0), 60.0)
        while True:
            await asyncio.sleep(every_s)
            self._generation += 1
            if self._generation % 5 == 3:
                self._refused_projects += 1
                self._replace_project("[routes.plain]\nmodel = 1\n")
            else:
                self._write_project()

    def _write_project(self) -> None:
        one, two = self._one.base_url, self._two.base_url
        self._replace_project(soak_project(one, two, self._away, generation=self._generation))

    def _replace_project(self, text: str) -> None:
        draft = self._folder / "draft.toml"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._folder / "trimtab.toml")

    # ------------------------------------------------------------ before and after

    async def _idle_files(self, gateway: Gateway) -> Files:
        """Open files when a call has been served and no caller is connected any more."""
        caller = Caller(gateway.port)
        answer = await caller.chat(chat_body("plain"), headers={"x-trimtab-session": "first"})
        self._told["first"] = Told("left", request_id=answer.request_id)
        caller.close()
        reader = gateway.reader()  # the projector has opened what it needs once it shows the call
        await self._until(partial(_shows, reader, answer.request_id), "the first event")
        found = open_files(gateway.process.pid)
        # Connections to providers are kept; at the end there will be none.
        return found._replace(sockets=found.sockets - self._one.open_connections)

    async def _until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        until_s = time.monotonic() + _QUIET_WITHIN_S
        while not await holds():
            if time.monotonic() > until_s:
                self._wrong.append(f"not within {_QUIET_WITHIN_S} s: {what}")
                return
            await asyncio.sleep(0.1)

    async def _agreed(self) -> bool:
        while await asyncio.to_thread(self._books.read):
            pass
        self._books.agree()
        return not self._books.open and all(told.kind != "whole" for told in self._told.values())

    def _check_end(self, gateway: Gateway, code: int, stopped_s: float) -> None:
        if code or stopped_s > _STOPS_WITHIN_S:
            self._wrong.append(f"exit code {code} after {stopped_s:.1f} s")
        said = "".join(gateway.output)
        taken, refused = said.count("project reloaded"), said.count("project file is wrong")
        if not taken or refused != self._refused_projects:
            self._wrong.append(f"of {self._generation} projects {taken} taken, {refused} refused")
        for word in ("Traceback", "Error", "never retrieved"):
            if word in said:
                at = said.index(word)
                self._wrong.append(f"in the log: {said[max(at - 200, 0) : at + 1_500]}")
        report = verify_store(self._folder / "trimtab.toml")
        if not report.ok or report.unsettled or report.in_flight:
            self._wrong.append(f"the ledger: {report}")

    @property
    def _counted(self) -> list[Sample]:
        return [one for one in self._samples if one.at_s >= self._warm_s]


async def _is_idle(gateway: Gateway, before: Files) -> bool:
    now = open_files(gateway.process.pid)
    return now.sockets <= before.sockets and now.others <= before.others + _FEW_FILES


async def _shows(reader: Reader, inference_id: str) -> bool:
    return reader.event(inference_id) is not None


def run_soak(folder: Path, *, seconds: float, warm_s: float) -> Found:
    """Run it in an empty folder and print what it found."""

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    soak = Soak(folder, seconds=seconds, warm_s=warm_s, say=say)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(soak.run())
    say(json.dumps(found.summary, indent=1))
    say(f"memory per 10 minutes: {found.slope}")
    say("\n".join(found.wrong[:20]))
    return found


if __name__ == "__main__":
    length_s = float(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        run_soak(Path(name), seconds=length_s, warm_s=min(length_s / 3, 600.0))
