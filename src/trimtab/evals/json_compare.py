"""How much of an expected JSON value an answer has: every leaf counts once."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

import numpy as np
from scipy.optimize import linear_sum_assignment

from trimtab.evals.json_path import Path, at_any, under_any
from trimtab.evals.json_text import same_value
from trimtab.evals.number_text import slack

__all__ = ["Leeway", "Outcome", "TooMuch", "compare"]

_MOST_STEPS: Final = 40_000  # lists of 200; some tenths of a second


class TooMuch(Exception):
    """Lists without order are so long that comparing every item with every other takes too long."""


class Leeway(NamedTuple):
    """What may differ.

    Attributes:
        tolerance: by how much numbers at or below a place may.
        relative: by which share of the expected number.
        ignored: places that nobody looks at.
        unordered: lists at these places may have another order; None for all lists.
        extra: fields may be there that nobody expects.
    """

    tolerance: Mapping[Path, float] = {}
    relative: Mapping[Path, float] = {}
    ignored: Sequence[Path] = ()
    unordered: Sequence[Path] | None = ()
    extra: bool = False


class Outcome(NamedTuple):
    """A comparison.

    Attributes:
        points: leaves that are as expected.
        leaves: that were expected, and those that are too many.
        problems: a few of the differences, by place.
    """

    points: int
    leaves: int
    problems: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """From 0 to 1; 1 only where all is as expected."""
        return self.points / self.leaves if self.leaves else 1.0


def compare(expected: object, answer: object, leeway: Leeway) -> Outcome:
    """Compare an answer with what is expected.

    A leaf is a value without parts, and an empty list or object. What is missing counts with all
    its leaves, what is too many as one. Lists without order are paired so that most is as expected
    (an assignment problem).

    Raises:
        TooMuch: see there.
        RecursionError: a value is nested too deeply.
    """
    return _Comparison(leeway).values(expected, answer, ())


_PROBLEMS_SHOWN: Final = 3


class _Comparison:
    def __init__(self, leeway: Leeway) -> None:
        self._leeway = leeway
        self._steps = 0

    def values(self, expected: object, answer: object, place: Path) -> Outcome:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise TooMuch
        if under_any(place, self._leeway.ignored):
            return Outcome(0, 0)
        match expected, answer:
            case dict(), dict():
                fields = cast("dict[str, object]", expected)
                return self._fields(fields, cast("dict[str, object]", answer), place)
            case list(), list():
                items = cast("list[object]", expected)
                return self._items(items, cast("list[object]", answer), place)
            case _:
                return self._leaf(expected, answer, place)

    def _fields(
        self, expected: dict[str, object], answer: dict[str, object], place: Path
    ) -> Outcome:
        parts = [] if expected else [Outcome(1, 1)]
        for name, value in expected.items():
            inner = (*place, name)
            if name in answer:
                parts.append(self.values(value, answer[name], inner))
            else:
                parts.append(self._missing(value, inner, "is missing"))
        if not self._leeway.extra:
            extra = [(*place, name) for name in answer if name not in expected]
            parts += [self._too_many(inner) for inner in extra]
        return _sum(parts)

    def _items(self, expected: list[object], answer: list[object], place: Path) -> Outcome:
        patterns = self._leeway.unordered
        if expected and (patterns is None or at_any(place, patterns)):
            return self._unordered(expected, answer, place)
        return self._ordered(expected, answer, place)

    def _ordered(self, expected: list[object], answer: list[object], place: Path) -> Outcome:
        parts = [] if expected else [Outcome(1, 1)]
        for number, value in enumerate(expected):
            inner = (*place, number)
            if number < len(answer):
                parts.append(self.values(value, answer[number], inner))
            else:
                parts.append(self._missing(value, inner, "is missing"))
        parts += [self._too_many((*place, n)) for n in range(len(expected), len(answer))]
        return _sum(parts)

    def _unordered(self, expected: list[object], answer: list[object], place: Path) -> Outcome:
        outcomes = [
            [self.values(value, other, (*place, number)) for other in answer]
            for number, value in enumerate(expected)
        ]
        paired = _pair(outcomes)
        parts = [
            outcomes[number][paired[number]]
            if number in paired
            else self._missing(value, (*place, number), "is missing")
            for number, value in enumerate(expected)
        ]
        spare = sorted(set(range(len(answer))) - set(paired.values()))
        return _sum([*parts, *(self._too_many((*place, number)) for number in spare)])

    def _leaf(self, expected: object, answer: object, place: Path) -> Outcome:
        if self._same_leaf(expected, answer, place):
            return Outcome(1, 1)
        return self._missing(expected, place, "is not what is expected")

    def _same_leaf(self, expected: object, answer: object, place: Path) -> bool:
        if same_value(expected, answer):
            return True
        if not (_is_number(expected) and _is_number(answer)):
            return False
        try:
            return self._is_near(cast("float", expected), cast("float", answer), place)
        except OverflowError:  # a whole number that is too large for any tolerance
            return False

    def _is_near(self, expected: float, answer: float, place: Path) -> bool:
        off = abs(answer - expected) - slack(answer, expected)
        absolute = _for(place, self._leeway.tolerance)
        relative = _for(place, self._leeway.relative)
        return any(off <= most for most in absolute) or any(
            off <= share * abs(expected) for share in relative
        )

    def _missing(self, value: object, place: Path, problem: str) -> Outcome:
        leaves = self._leaves(value, place)
        return Outcome(0, leaves, (f"{_written(place)} {problem}",) if leaves else ())

    def _leaves(self, value: object, place: Path) -> int:
        if under_any(place, self._leeway.ignored):
            return 0
        if isinstance(value, dict) and value:
            fields = cast("dict[str, object]", value)
            return sum(self._leaves(inner, (*place, name)) for name, inner in fields.items())
        if isinstance(value, list) and value:
            items = cast("list[object]", value)
            return sum(self._leaves(inner, (*place, n)) for n, inner in enumerate(items))
        return 1

    def _too_many(self, place: Path) -> Outcome:
        if under_any(place, self._leeway.ignored):
            return Outcome(0, 0)
        return Outcome(0, 1, (f"{_written(place)} is not expected",))


def _sum(parts: Sequence[Outcome]) -> Outcome:
    problems = tuple(problem for part in parts for problem in part.problems)
    return Outcome(
        sum(part.points for part in parts),
        sum(part.leaves for part in parts),
        problems[:_PROBLEMS_SHOWN],
    )


def _pair(outcomes: list[list[Outcome]]) -> dict[int, int]:
    """Which answer stands for which expected item, so that the sum of shares is largest."""
    if not outcomes[0]:
        return {}
    shares = np.array([[outcome.share for outcome in row] for row in outcomes])
    rows, columns = linear_sum_assignment(shares, maximize=True)
    return dict(zip(rows.tolist(), columns.tolist(), strict=True))


def _for(place: Path, by_place: Mapping[Path, float]) -> list[float]:
    return [most for pattern, most in by_place.items() if under_any(place, (pattern,))]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _written(place: Path) -> str:
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else f"{part}"
    return f"`{text[:80]}`" if text else "the value"
