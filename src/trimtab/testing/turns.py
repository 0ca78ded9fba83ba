"""Whose turn it is: the behaviour that answers the next call."""

from collections.abc import Callable

from trimtab.testing.faults import FAULTS
from trimtab.testing.script import Behaviour, Script

__all__ = ["FAULT_PREFIX", "Turns"]

FAULT_PREFIX = "fault:"


class Turns:
    """Walks through a script. Each list of behaviours is counted on its own.

    Args:
        script: the script.
        now_s: monotonic clock in seconds, for behaviours that last for a time.
    """

    def __init__(self, script: Script, now_s: Callable[[], float]) -> None:
        self._script = script
        self._now_s = now_s
        self._default = _Walk(script.calls, now_s)
        self._walks: dict[str, _Walk] = {}
        self._played: list[tuple[Behaviour, ...]] = []

    def next(self, model: str) -> Behaviour | None:
        """The behaviour for a call to `model`; None for `fault:<name>` with an unknown name."""
        walk = self._walks.get(model)
        if walk is None:
            behaviours = self._claimed(model)
            if behaviours is None:
                return None if model.startswith(FAULT_PREFIX) else self._default.next()
            walk = self._walks[model] = _Walk(behaviours, self._now_s)
        return walk.next()

    def play(self, model: str, behaviours: tuple[Behaviour, ...]) -> None:
        """From now on calls to `model` get these behaviours, from the first one on."""
        self._played.append(behaviours)  # plans are kept by the identity of their behaviour
        self._walks[model] = _Walk(behaviours, self._now_s)

    def models(self) -> list[str]:
        """Names for the models list."""
        faults = {f"{FAULT_PREFIX}{name}" for name in (*self._script.named, *FAULTS)}
        return ["healthy", *self._script.models, *sorted(faults)]

    def _claimed(self, model: str) -> tuple[Behaviour, ...] | None:
        if model in self._script.models:
            return self._script.models[model]
        if not model.startswith(FAULT_PREFIX):
            return None
        name = model.removeprefix(FAULT_PREFIX)
        return self._script.named.get(name) or FAULTS.get(name)


class _Walk:
    def __init__(self, behaviours: tuple[Behaviour, ...], now_s: Callable[[], float]) -> None:
        self._behaviours = behaviours
        self._now_s = now_s
        self._place = 0
        self._used = 0
        self._since_s = 0.0

    def next(self) -> Behaviour:
        while self._place < len(self._behaviours) - 1 and self._is_over():
            self._place += 1
            self._used = 0
        if self._used == 0:
            self._since_s = self._now_s()
        self._used += 1
        return self._behaviours[self._place]

    def _is_over(self) -> bool:
        behaviour = self._behaviours[self._place]
        if behaviour.for_s is None:
            return self._used >= behaviour.times
        return self._used > 0 and self._now_s() - self._since_s >= behaviour.for_s
