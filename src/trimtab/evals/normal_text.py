"""Texts as they are compared: what nobody sees on a screen makes no difference."""

import unicodedata
from typing import Final

__all__ = ["bare_text", "has_phrase", "normal_text"]

_INVISIBLE: Final = (0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F))
_LOOK_ALIKES: Final = str.maketrans({
    **dict.fromkeys(_INVISIBLE, ""),
    **dict.fromkeys("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", "'"),
    **dict.fromkeys("\N{SINGLE LOW-9 QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}", "'"),
    **dict.fromkeys("\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}", '"'),
    **dict.fromkeys("\N{DOUBLE LOW-9 QUOTATION MARK}", '"'),
    **dict.fromkeys("\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}", '"'),
    **dict.fromkeys("\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}", '"'),
    **dict.fromkeys("\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}", "-"),
    **dict.fromkeys("\N{EM DASH}\N{MINUS SIGN}", "-"),
})  # fmt: skip
_WRAPPING: Final = " \t\n\r\"'`*_.!\N{IDEOGRAPHIC FULL STOP}"


def normal_text(text: str, *, fold_case: bool = True) -> str:
    """The text for comparison.

    Compatibility forms are one (NFKC: full-width letters, ligatures), typographic quotes and dashes
    are those of a keyboard, invisible characters are gone, white space is one space. The case goes
    as in Unicode's `toNFKC_Casefold` (chapter 3.13 of the standard), which needs two rounds.
    """
    if fold_case:
        text = unicodedata.normalize("NFD", text).casefold()
        text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKC", text).translate(_LOOK_ALIKES)
    return " ".join(text.split())


def bare_text(text: str, *, fold_case: bool = True) -> str:
    """As `normal_text`, without the quotes, emphasis and full stop around it."""
    return normal_text(text, fold_case=fold_case).strip(_WRAPPING)


def has_phrase(text: str, phrase: str) -> bool:
    """Whether a text has a phrase as whole words: no letter or digit touches it."""
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        before, after = text[start - 1 : start], text[end : end + 1]
        if not (before.isalnum() and phrase[:1].isalnum()) and not (
            after.isalnum() and phrase[-1:].isalnum()
        ):
            return True
        start = text.find(phrase, start + 1)
    return False
