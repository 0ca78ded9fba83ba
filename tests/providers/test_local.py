"""The local engine with its real model: answers, ends when told, ends with its parent."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from time import monotonic

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from trimtab.errors import UsageError
from trimtab.providers.local.engine import LocalEngine

_MODEL = "smollm2-135m-instruct"
_HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hi."}]


async def _ask_both_ways(base_url: str) -> None:
    async with openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        answer = await client.chat.completions.create(model=_MODEL, messages=_HI, max_tokens=8)
        assert answer.model == _MODEL
        assert answer.choices[0].message.content
        assert answer.usage is not None
        assert 1 <= answer.usage.completion_tokens <= 8

        stream = await client.chat.completions.create(
            model=_MODEL,
            messages=_HI,
            max_tokens=8,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.prompt_tokens > 0
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def test_it_answers_and_ends_when_told() -> None:
    async def scenario() -> None:
        engine = LocalEngine(context_tokens=2048)
        base_url = await engine.start()
        try:
            assert engine.alive
            await _ask_both_ways(base_url)
            with pytest.raises(UsageError, match="running already"):
                await engine.start()
        finally:
            await engine.stop()
        assert not engine.alive
        await engine.stop()

    asyncio.run(scenario())


def test_its_owner_learns_of_its_death_and_may_start_it_again() -> None:
    async def scenario() -> None:
        engine = LocalEngine(context_tokens=512, parallel=1)
        with pytest.raises(UsageError, match="not started"):
            await engine.wait_died()
        await engine.start()
        try:
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGKILL)
            async with asyncio.timeout(10):
                await engine.wait_died()
            assert not engine.alive
            await engine.start()
            assert engine.alive
        finally:
            await engine.stop()
        with pytest.raises(TimeoutError):  # told to stop: not a death
            async with asyncio.timeout(0.01):
                await engine.wait_died()

    asyncio.run(scenario())


def test_it_ends_with_its_parent() -> None:
    program = textwrap.dedent("""
        import asyncio
        from trimtab.providers.local.engine import LocalEngine

        async def main():
            engine = LocalEngine(context_tokens=512, parallel=1)
            await engine.start()
            print(engine.pid, flush=True)
            await engine.wait_died()

        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = monotonic() + 10
    while _runs(child):
        assert monotonic() < deadline, "the child outlives its parent"


def _runs(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not reaped yet does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("content", "says"), [(None, "is not there"), (b"not a model", "did not start")]
)
def test_wrong_weights_say_what_to_do(tmp_path: Path, content: bytes | None, says: str) -> None:
    weights = tmp_path / "model.gguf"
    if content is not None:
        weights.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        asyncio.run(LocalEngine(weights=weights).start())
