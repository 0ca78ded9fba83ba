"""How the gateway makes tasks."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Spawn"]

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Makes a task that the server sees to its end."""
