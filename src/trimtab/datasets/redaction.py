"""What a text says about people and secrets, taken out before it becomes a case in a repository.

A net, and no proof: names and what only a reader understands stay. So a case is looked at by the
person who commits it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, get_args

from trimtab.config.schema import RedactKind

__all__ = ["redactor"]

_Pattern = re.Pattern[str]
_Check = Callable[[str], bool]


def _any(_text: str) -> bool:
    return True


def _has_luhn(text: str) -> bool:
    """Whether the digits end in the check digit of payment cards (ISO/IEC 7812)."""
    digits = [int(character) for character in text if character.isdecimal()][::-1]
    doubled = [divmod(2 * digit, 10) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(ten + one for ten, one in doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Whether the check digits are right (ISO 13616)."""
    plain = re.sub(r"\s", "", text).upper()
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def _is_number(text: str) -> bool:
    """Enough digits for a telephone number, and not a date or a plain amount."""
    return 8 <= sum(character.isdecimal() for character in text) <= 15


_KINDS: Final[dict[RedactKind, Sequence[tuple[_Pattern, _Check]]]] = {
    "secret": [
        (
            re.compile(
                r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}-----END [A-Z ]{0,40}"
                r"PRIVATE KEY-----"
            ),
            _any,
        ),
        (
            re.compile(
                r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{50,90}"
                r"|glpat-[\w-]{20}|xox[abeoprs]-[0-9A-Za-z-]{10,80}|[rs]k_live_[0-9A-Za-z]{16,60}"
                r"|AIza[\w-]{35}|hf_[0-9A-Za-z]{30,60}|(?:sk|tt)-[\w-]{20,200}"
                r"|eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,2000})"
            ),
            _any,
        ),
        (
            re.compile(
                r"(?i)(?<=password )\S{6,80}|(?<=password: )\S{6,80}|(?<=password=)\S{6,80}"
            ),
            _any,
        ),
    ],
    "email": [(re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"), _any)],
    "iban": [
        (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?\b"), _is_iban)
    ],
    "card": [(re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])"), _has_luhn)],
    "ip": [
        (re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"), _any),
        (re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}(?![\w:])"), _any),
    ],
    "phone": [
        (re.compile(r"(?<![\w.])\+\d[\d ()/.-]{6,20}\d(?!\w)"), _is_number),
        (re.compile(r"(?<![\w.])(?<!\d )\(?0\d{1,5}\)?[ /-]\d[\d -]{3,14}\d(?!\w)"), _is_number),
        (re.compile(r"(?<![\w.])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)"), _is_number),
    ],
}
"""In the order in which they are looked for: what is more certain first."""


def redactor(kinds: Sequence[RedactKind] = get_args(RedactKind)) -> Callable[[str], str]:
    """A function that puts `[email]` and so on in the place of what it finds."""
    wanted = [
        (kind, pattern, check)
        for kind in _KINDS
        if kind in kinds
        for pattern, check in _KINDS[kind]
    ]

    def redact(text: str) -> str:
        for kind, pattern, check in wanted:
            text = pattern.sub(
                lambda found, kind=kind, check=check: f"[{kind}]" if check(found[0]) else found[0],
                text,
            )
        return text

    return redact
