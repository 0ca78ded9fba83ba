"""Scripts by code point, and the languages that have one to themselves."""

from bisect import bisect_right
from collections import Counter
from typing import Final

__all__ = ["ALONE", "main_script", "script_of"]

_RANGES: Final = (
    (0x0041, 0x005A, "latin"), (0x0061, 0x007A, "latin"), (0x00C0, 0x024F, "latin"),
    (0x0370, 0x03FF, "greek"), (0x0400, 0x052F, "cyrillic"), (0x0531, 0x058F, "armenian"),
    (0x0591, 0x05F4, "hebrew"), (0x0600, 0x06FF, "arabic"), (0x0750, 0x077F, "arabic"),
    (0x0900, 0x097F, "devanagari"), (0x0980, 0x09FF, "bengali"), (0x0A00, 0x0A7F, "gurmukhi"),
    (0x0A80, 0x0AFF, "gujarati"), (0x0B80, 0x0BFF, "tamil"), (0x0C00, 0x0C7F, "telugu"),
    (0x0C80, 0x0CFF, "kannada"), (0x0D00, 0x0D7F, "malayalam"), (0x0E01, 0x0E7F, "thai"),
    (0x10A0, 0x10FF, "georgian"), (0x1100, 0x11FF, "hangul"), (0x1C90, 0x1CBF, "georgian"),
    (0x1E00, 0x1EFF, "latin"), (0x1F00, 0x1FFF, "greek"), (0x3041, 0x30FF, "kana"),
    (0x3131, 0x318F, "hangul"), (0x3400, 0x4DBF, "han"), (0x4E00, 0x9FFF, "han"),
    (0xAC00, 0xD7AF, "hangul"), (0xF900, 0xFAFF, "han"), (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFC, "arabic"), (0xFF66, 0xFF9F, "kana"), (0x20000, 0x3FFFF, "han"),
)  # fmt: skip
_STARTS: Final = [first for first, _, _ in _RANGES]

ALONE: Final = {
    "greek": "el", "armenian": "hy", "hebrew": "he", "bengali": "bn", "gurmukhi": "pa",
    "gujarati": "gu", "tamil": "ta", "telugu": "te", "kannada": "kn", "malayalam": "ml",
    "thai": "th", "georgian": "ka", "hangul": "ko",
}  # fmt: skip
"""Scripts that stand for one language."""

_EAST_ASIAN: Final = frozenset(("han", "kana", "hangul"))
_WEIGHT: Final = 3  # a letter there says about as much as three elsewhere
_LEAST_WEIGHT: Final = 8
_KANA_SHARE: Final = 0.1


def script_of(letter: str) -> str:
    """The script of a letter; "" for others than those above."""
    at = bisect_right(_STARTS, ord(letter)) - 1
    if at < 0:
        return ""
    _, last, script = _RANGES[at]
    return script if ord(letter) <= last else ""


def main_script(text: str) -> str:
    """The script of most of a text; "" where there are too few letters to tell.

    Where Chinese characters and kana are mixed it is `kana`, for only Japanese mixes them.
    """
    letters = Counter(script_of(letter) for letter in text if letter.isalpha())
    del letters[""]
    east = sum(letters[script] for script in ("han", "kana"))
    if letters["kana"] >= _KANA_SHARE * east > 0:
        del letters["han"]
        letters["kana"] = east
    weighed = {
        script: count * (_WEIGHT if script in _EAST_ASIAN else 1)
        for script, count in letters.items()
    }
    best = max(weighed, key=lambda script: weighed[script], default="")
    return best if weighed.get(best, 0) >= _LEAST_WEIGHT else ""
