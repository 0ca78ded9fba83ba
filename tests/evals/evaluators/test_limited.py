"""Child processes: the event loop stays free, and nobody is left behind."""

import asyncio
import subprocess
import sys
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest

from trimtab.evals import limited
from trimtab.evals.limited import LimitProblem, do_limited, do_limited_now
from trimtab.evals.limited_tasks import READY, Found, Order, SearchPatterns

EVIL = SearchPatterns(patterns=[r"(a+)+$"], flags=0, whole=False, text="a" * 64 + "b")
GOOD = SearchPatterns(patterns=["a", "b"], flags=0, whole=False, text="a")
ANSWER = Found(found=[True, False])


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


def test_the_event_loop_goes_on_while_a_child_is_busy() -> None:
    turns = 0

    async def evil() -> None:
        with pytest.raises(LimitProblem, match=r"took longer than 0\.3 s"):
            await do_limited(EVIL, 0.3)

    async def both() -> None:
        nonlocal turns
        async with asyncio.TaskGroup() as group:
            task = group.create_task(evil())
            while not task.done():
                turns += 1
                await asyncio.sleep(0.001)

    run(both())
    assert turns > 20


def test_more_tasks_than_children_are_all_done() -> None:
    async def many() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(do_limited(GOOD, 30)) for _ in range(40)]
        assert [task.result() for task in tasks] == [ANSWER] * 40

    run(many())


def test_the_time_of_a_task_begins_when_a_child_is_free() -> None:
    async def many() -> None:
        async with asyncio.TaskGroup() as group:
            evil = [group.create_task(_late(0.3)) for _ in range(8)]
            good = group.create_task(do_limited(GOOD, 30))
        assert [task.result() for task in evil] == [True] * 8
        assert good.result() == ANSWER

    async def _late(limit_s: float) -> bool:
        try:
            await do_limited(EVIL, limit_s)
        except LimitProblem as problem:
            return problem.is_late
        return False

    run(many())


def test_without_an_event_loop_it_waits() -> None:
    assert do_limited_now(GOOD, 30) == ANSWER


def started() -> "subprocess.Popen[bytes]":
    child = subprocess.Popen(
        limited._COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == READY
    return child


def test_a_child_ends_when_its_parent_does() -> None:
    with started() as child:
        child.communicate(timeout=30)
        assert child.returncode == 0


def test_a_child_that_is_busy_ends_by_itself_when_its_parent_is_gone() -> None:
    with started() as child:
        order = msgspec.json.encode(Order(task=EVIL, limit_s=0.1)) + b"\n"
        output, _ = child.communicate(order, timeout=60)
        assert (output, child.returncode) == (b"", 1)


def test_the_process_ends_with_children_that_are_idle() -> None:
    script = (
        "from trimtab.evals.limited import do_limited_now\n"
        "from trimtab.evals.limited_tasks import SearchPatterns\n"
        "task = SearchPatterns(patterns=['a'], flags=0, whole=False, text='a')\n"
        "print(do_limited_now(task, 30))\n"
    )
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("Found(found=[True])\n", "")
