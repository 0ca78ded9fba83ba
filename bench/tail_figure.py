"""One picture: which share of the calls took longer than so many seconds, both axes logarithmic."""

from collections.abc import Iterator, Sequence
from math import log10
from typing import NamedTuple

__all__ = ["Line", "draw"]

_WIDTH, _HEIGHT = 820, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 20, 50
_LEAST_S, _MOST_S = 0.5, 40.0
_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0)
_SHARES = (1.0, 0.1, 0.01, 0.001, 0.0001)
_COLOURS = ("#8a8f98", "#b3541e", "#2f6db3", "#1d8348")
_STEPS = 160  # points of a line


class Line(NamedTuple):
    """One arm: its title, and seconds in rising order."""

    title: str
    seconds: Sequence[float]


def draw(lines: Sequence[Line], goal_s: float) -> str:
    """SVG text; the goal is a vertical line."""
    return "\n".join([*_frame(goal_s), *_curves(lines), "</svg>", ""])


def _x(seconds: float) -> float:
    share = log10(seconds / _LEAST_S) / log10(_MOST_S / _LEAST_S)
    return _LEFT + min(max(share, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _TOP - log10(max(share, _SHARES[-1])) / 4 * (_HEIGHT - _TOP - _BOTTOM)


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _rule(begin: tuple[float, float], end: tuple[float, float], colour: str = "#e3e5e8") -> str:
    (x1, y1), (x2, y2) = begin, end
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _frame(goal_s: float) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13" fill="#30343a">'
    )
    yield "<title>Share of calls that took longer, by arm</title>"
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
    for seconds in _SECONDS:
        yield _rule((_x(seconds), _y(1)), (_x(seconds), _y(0)))
        yield _text(_x(seconds), _y(0) + 18, f"{seconds:g}", anchor="middle")
    for share in _SHARES:
        yield _rule((_LEFT, _y(share)), (_WIDTH - _RIGHT, _y(share)))
        yield _text(_LEFT - 8, _y(share) + 4, f"{share * 100:g} %", anchor="end")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield _text(middle, _HEIGHT - 10, "seconds to the whole answer", anchor="middle")
    yield _rule((_x(goal_s), _y(1)), (_x(goal_s), _y(0)), "#30343a")
    yield _text(_x(goal_s) + 5, _y(1) + 14, f"goal of P99.9: {goal_s:.2g} s")


def _curves(lines: Sequence[Line]) -> Iterator[str]:
    for place, (line, colour) in enumerate(zip(lines, _COLOURS, strict=False)):
        points = " ".join(f"{_x(s):.1f},{_y(share):.1f}" for s, share in _points(line.seconds))
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        y = _TOP + 20 + 18 * place
        yield _rule((_WIDTH - 240, y - 4), (_WIDTH - 216, y - 4), colour)
        yield _text(_WIDTH - 210, y, line.title)


def _points(ordered: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Evenly spread over the logarithm of the share, each value of the far end included."""
    size = len(ordered)
    yield ordered[0], 1.0
    seen = -1
    for step in range(_STEPS + 1):
        place = min(size - round(size ** (1 - step / _STEPS)), size - 1)
        if place != seen:
            seen = place
            yield ordered[place], (size - place) / size
