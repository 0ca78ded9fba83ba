"""A value that must not appear in a log, a traceback or a page."""

import hmac
from typing import final

from typing_extensions import override

__all__ = ["Secret"]


@final
class Secret:
    """Holds a credential; only `reveal` gives it out.

    A plain class with slots and not a struct, so that no encoder writes it by accident.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The credential itself. Call it where the request is written, and nowhere else."""
        return self._value

    @override
    def __repr__(self) -> str:
        return "Secret(***)"

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other.reveal().encode())

    @override
    def __hash__(self) -> int:
        return hash(self._value)
