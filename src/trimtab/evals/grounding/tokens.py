"""A text as tokens: what each means, how much it says, and where it stands."""

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from trimtab.evals.grounding.lexicon import BETWEEN, MONTHS, UNCLEAR_MONTHS
from trimtab.evals.grounding.quantities import MULTIPLIERS, UNITS, WORD_VALUES, Unit, values_of
from trimtab.evals.grounding.words import facts_of

__all__ = ["Token", "TokenKind", "tokenise", "words_of"]

TokenKind = Literal["word", "number", "small"]

_NAME_WEIGHT: Final = 1.6
_NUMBER_WEIGHT: Final = 1.5
_COUNT_WEIGHT: Final = 0.5  # of two, both, first in words: they often count what is listed
_MONTH_WEIGHT: Final = 1.2
_SIGN_WEIGHT: Final = 0.7  # of one sign of a script without spaces
_SMALL_COUNT: Final = 3


class Token(NamedTuple):
    """A word, a number, or a sign of a script without spaces.

    Attributes:
        concept: what it is compared by: stem or common name of synonyms; `#12` of a number.
        text: lower case.
        start, end: `text[start:end]` of the whole text is it, a number with its unit.
        kind: `small` words carry no claim.
        weight: how much it says; 0 for small words.
        name: it is written as a proper name.
        denies: it turns a sentence into its opposite.
        values: that a number may have.
        unit: that stands with a number.
    """

    concept: str
    text: str
    start: int
    end: int
    kind: TokenKind
    weight: float
    name: bool = False
    denies: bool = False
    values: tuple[float, ...] = ()
    unit: Unit | None = None


_TOKEN: Final = re.compile(
    r"""
    (?P<word>(?!united\s)[^\W\d_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]{2,}(?:['\u2019][^\W\d_]+)*
        (?:(?<=ty)-(?:one|two|three|four|five|six|seven|eight|nine)\b)?)   # most are: first
    | (?P<iso>\b\d{4}-\d\d-\d\d\b)
    | (?P<clock>\b\d{1,2}:\d{1,2}\b)
    | (?P<digits>\d+(?:[.,]\d+)*)(?:(?:st|nd|rd|th|s)\b)?
    | (?P<sign>[$€£¥%])
    | (?P<script>[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff])
    | (?P<country>\bunited\s+(?:states(?:\s+of\s+america)?|kingdom)\b)
    | (?P<dotted>\b[^\W\d_]\.(?:[^\W\d_]\.)+|\b[^\W\d_](?:\.[^\W\d_])+\b)
    | (?P<letter>[^\W\d_]+(?:['\u2019][^\W\d_]+)*)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WORDS: Final = frozenset(("word", "letter", "dotted"))
_ALL_NOUNS_CAPITAL: Final = frozenset(("de",))
_SENTENCE_ENDS: Final = frozenset(
    ".!?:;\n*_-|(#\"'\u2022\u2013\u2014\u201c\u201d\u2018\u00ab\u00bb\u3002\uff01\uff1f"
)
_AROUND: Final = ".,;:!?()[]\"'\u201c\u201d\u00ab\u00bb*"
_SIGNS: Final = frozenset("$€£¥")
_ACRONYMS: Final[dict[str, str]] = {"US": "usa", "U.S": "usa", "U.S.": "usa", "U.K.": "uk"}


def tokenise(text: str, language: str = "en") -> list[Token]:
    """The tokens of a text, in order. Linear in its length.

    Args:
        text: of any kind.
        language: as `language_of` tells it.
    """
    tokens: list[Token] = []
    months: list[int] = []
    for match in _TOKEN.finditer(text):
        if match.lastgroup not in _WORDS:
            tokens.extend(_other_tokens(match))
            continue
        known = _known(match[0], language)
        start, end = match.span()
        if known.month:
            months.append(len(tokens))
        name = known.capital and not _begins(text, start)
        weight = _NAME_WEIGHT if name else known.weight
        tokens.append(
            Token(
                known.concept,
                known.text,
                start,
                end,
                known.kind,
                weight,
                name,
                known.denies,
                known.values,
            )
        )
    for at in months:
        _set_month(tokens, at)
    return _with_units(tokens)


def words_of(text: str) -> list[str]:
    """Lower-case words without their meaning, to tell a language by."""
    return [word.strip(_AROUND) for word in text.lower().split()]


class _Known(NamedTuple):
    """Of a word, wherever it stands."""

    text: str
    concept: str
    kind: TokenKind
    weight: float = 0.0
    denies: bool = False
    values: tuple[float, ...] = ()
    capital: bool = False
    month: bool = False


@lru_cache(maxsize=65_536)
def _known(raw: str, language: str) -> _Known:
    text = raw.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if "." in raw:
        text = text.replace(".", "")
    text = _ACRONYMS.get(raw, text)
    values = WORD_VALUES.get(text)
    if values is not None:
        number = _number(text, (0, 0), values)
        return _Known(text, number.concept, "number", number.weight, values=values)
    facts = facts_of(text, language)
    return _Known(
        text,
        facts.concept,
        "small" if facts.small else "word",
        facts.weight,
        facts.denies,
        capital=not facts.small and raw[0].isupper() and language not in _ALL_NOUNS_CAPITAL,
        month=text in MONTHS,
    )


def _other_tokens(match: re.Match[str]) -> list[Token]:
    """Everything but words: numbers, signs, dates."""
    found, span, group = match[0], match.span(), match.lastgroup
    if group == "digits":
        return [_number(found.lower(), span, values_of(match["digits"]))]
    if group == "clock":
        hours, minutes = found.split(":")
        return [_number(found, span, (int(hours) + int(minutes) / 60,))]
    if group == "script":
        return [Token(found, found, *span, "word", _SIGN_WEIGHT)]
    if group == "country":
        concept = "usa" if "tates" in found.lower() else "uk"
        return [Token(concept, concept, *span, "word", _NAME_WEIGHT, name=True)]
    if group == "iso":
        return _iso_date(match)
    return [Token(found, found, *span, "small", 0.0)]


def _begins(text: str, start: int) -> bool:
    """Whether a sentence begins here, where a capital says nothing."""
    at = start - 1
    while at >= 0 and text[at] == " ":
        at -= 1
    return at < 0 or text[at] in _SENTENCE_ENDS


def _number(text: str, span: tuple[int, int], values: tuple[float, ...]) -> Token:
    counted = values[0] <= _SMALL_COUNT and not text[0].isdigit()
    weight = _COUNT_WEIGHT if counted else _NUMBER_WEIGHT
    return Token(f"#{values[0]:.12g}", text, *span, "number", weight, values=values)


def _iso_date(match: re.Match[str]) -> list[Token]:
    year, month, day = (int(part) for part in match[0].split("-"))
    span = match.span()
    return [
        _number(str(year), span, (float(year),)),
        Token(f"#m{month}", match[0], *span, "word", _MONTH_WEIGHT),
        _number(str(day), span, (float(day),)),
    ]


def _set_month(tokens: list[Token], at: int) -> None:
    token = tokens[at]
    near = tokens[max(0, at - 1) : at + 2]
    by_number = any(other.kind == "number" for other in near)
    if token.text in UNCLEAR_MONTHS and not (token.name or by_number):
        return
    tokens[at] = token._replace(
        concept=f"#m{MONTHS[token.text]}", kind="word", weight=_MONTH_WEIGHT, denies=False
    )


def _with_units(tokens: list[Token]) -> list[Token]:
    """Numbers take in the multiplier that follows, and the unit before or after."""
    found: list[Token] = []
    for token in tokens:
        before = found[-1] if found else None
        if before is None or before.kind != "number" or token.start - before.end > 2:
            found.append(_signed(token, before))
        elif token.text in MULTIPLIERS:
            found[-1] = _multiplied(before, token)
            _share_multiplier(found, MULTIPLIERS[token.text])
        elif token.text in UNITS:
            found[-1] = _measured(before, token)
            found.append(token._replace(kind="small", weight=0.0))
        elif token.text == "pm":
            found[-1] = before._replace(values=(*before.values, before.values[0] + 12))
            found.append(token._replace(kind="small", weight=0.0))
        else:
            found.append(token)
    return found


def _share_multiplier(found: list[Token], factor: float) -> None:
    """`from 84 to 91 million`: the number before means millions as well."""
    if len(found) > 2 and found[-2].text in BETWEEN and found[-3].kind == "number":
        first = found[-3]
        shared = tuple(value * factor for value in first.values)
        found[-3] = first._replace(values=first.values + shared)


def _signed(token: Token, before: Token | None) -> Token:
    if token.kind == "number" and before is not None and before.text in _SIGNS:
        return token._replace(unit=UNITS[before.text])
    return token


def _measured(number: Token, unit: Token) -> Token:
    found = UNITS[unit.text]
    shares = number.values if found.dimension == "share" else ()
    values = (*number.values, *(value / 100 for value in shares))
    return number._replace(unit=found, values=values, end=unit.end)


def _multiplied(number: Token, multiplier: Token) -> Token:
    values = tuple(value * MULTIPLIERS[multiplier.text] for value in number.values)
    return number._replace(
        concept=f"#{values[0]:.12g}", end=multiplier.end, values=values, weight=_NUMBER_WEIGHT
    )
