"""A gateway whose first settle cannot be made: `python -m tests.gateway.defective --project X`."""

from collections.abc import Callable
from typing import Any

from trimtab.gateway import inference
from trimtab.testing.scorecard import stepping

_settle_of: Callable[..., Any] = inference.settle_of
_made: list[None] = []


def settle_of(*given: Any, **named: Any) -> Any:
    """A defect, once."""
    if not _made:
        _made.append(None)
        raise RuntimeError("a defect")
    return _settle_of(*given, **named)


if __name__ == "__main__":
    inference.settle_of = settle_of
    stepping.main()
