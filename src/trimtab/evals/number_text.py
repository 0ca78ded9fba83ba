"""Numbers as they stand in texts, and how near is equal."""

import math
import re
import sys
from typing import Final, NamedTuple

__all__ = ["NumbersFound", "numbers_in", "slack"]

# Not inside a word, a version or `GPT-4`. Every part is bounded, or ends where its characters end.
_TOKEN: Final = re.compile(
    r"(?<![\w.,])(?<![^\W\d_]-)(?P<sign>[-+\N{MINUS SIGN}]?)"
    r"(?P<digits>\d[\d.,\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]*+)"
    r"(?P<power>[eE][-+]?\d{1,3}(?!\w))?"
)
_AFTER: Final = ".,\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_POINT: Final = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_COMMA: Final = re.compile(
    r"(?:\d{1,3}(?:[.\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]\d{3})+|\d+)(?:,\d+)?"
)
_NO_DIGITS: Final = re.compile(r"[^\d,]")
_MOST_DIGITS: Final = 300
_LARGEST: Final = sys.float_info.max


class NumbersFound(NamedTuple):
    """What a text has.

    Attributes:
        numbers: in order.
        unreadable: what looks like one and is not written as one, such as `1,5` with a decimal
            point, or a date.
    """

    numbers: list[float]
    unreadable: list[str]


def numbers_in(text: str, *, decimal_comma: bool = False) -> NumbersFound:
    """The numbers of a text: `-1,234.5`, or `-1.234,5` with a decimal comma; digits of any script.

    Takes time in proportion to the length of the text.
    """
    found = NumbersFound([], [])
    for token in _TOKEN.finditer(text):
        digits = token["digits"].rstrip(_AFTER)
        power = token["power"] or ""
        pattern = _COMMA if decimal_comma else _POINT
        if len(digits) > _MOST_DIGITS or pattern.fullmatch(digits) is None:
            found.unreadable.append(digits[:40])
            continue
        plain = _NO_DIGITS.sub("", digits).replace(",", ".") if decimal_comma else digits
        sign = "-" if token["sign"] in {"-", "\N{MINUS SIGN}"} else ""
        number = float(f"{sign}{plain.replace(',', '')}{power}")
        found.numbers.append(min(max(number, -_LARGEST), _LARGEST))
    return found


def slack(*numbers: float) -> float:
    """How far numbers of this size may be off by rounding alone.

    Raises:
        OverflowError: a whole number is beyond what a float can hold.
    """
    return 4 * max(math.ulp(float(number)) for number in numbers)
