"""How many words a text has."""

import unicodedata
from bisect import bisect_right
from typing import Final

__all__ = ["count_words"]

_JOINING: Final = "'\N{RIGHT SINGLE QUOTATION MARK}.,-\N{NON-BREAKING HYPHEN}"

# Scripts that put no space between words, as first and last code points in order.
_SPACELESS: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Kana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # Kana, half width
    (0x20000, 0x3FFFF),
)
_STARTS: Final = [first for first, _ in _SPACELESS]


def count_words(text: str) -> int:
    """Runs of letters and digits; an apostrophe, a hyphen, a point or a comma inside parts nothing.

    `it's 3.5 well-known` are three. In scripts without spaces between words each letter counts,
    which is what people who write them count.
    """
    count = 0
    is_inside = False
    for position, letter in enumerate(text):
        if _is_spaceless(letter):
            count += letter.isalnum()
            is_inside = False
        elif letter.isalnum():
            count += not is_inside
            is_inside = True
        elif is_inside:
            is_inside = _goes_on(letter, text[position + 1 : position + 2])
    return count


def _goes_on(letter: str, after: str) -> bool:
    """Whether a word goes on behind something that is neither letter nor digit."""
    if unicodedata.category(letter).startswith("M"):  # a vowel sign, an accent
        return True
    return letter in _JOINING and after.isalnum() and not _is_spaceless(after)


def _is_spaceless(letter: str) -> bool:
    at = bisect_right(_STARTS, ord(letter)) - 1
    return at >= 0 and ord(letter) <= _SPACELESS[at][1]
