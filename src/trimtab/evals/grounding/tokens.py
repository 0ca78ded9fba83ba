"""A text as tokens: what each means, how much it says, and where it stands."""

import re
from typing import Final, Literal, NamedTuple

from trimtab.evals.grounding.languages import MONTHS
from trimtab.evals.grounding.quantities import MULTIPLIERS, UNITS, WORD_VALUES, Unit, values_of
from trimtab.evals.grounding.words import facts_of

__all__ = ["Token", "TokenKind", "tokenise", "words_of"]

TokenKind = Literal["word", "number", "small"]

_NAME_WEIGHT: Final = 1.6
_NUMBER_WEIGHT: Final = 1.5
_COUNT_WEIGHT: Final = 0.5  # of two, both, first in words: they often count what is listed
_SIGN_WEIGHT: Final = 0.7  # of one sign of a script without spaces
_SMALL_COUNT: Final = 3


class Token(NamedTuple):
    """A word, a number, or a sign of a script without spaces.

    Attributes:
        concept: what it is compared by: stem or common name of synonyms; `#12` of a number.
        text: lower case.
        start, end: `text[start:end]` of the whole text is it.
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
    (?P<iso>\b\d{4}-\d\d-\d\d\b)
    | (?P<clock>\b\d{1,2}:\d{1,2}\b)
    | (?P<digits>\d+(?:[.,]\d+)*)(?:(?:st|nd|rd|th|s)\b)?
    | (?P<sign>[$€£¥%])
    | (?P<script>[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff])
    | (?P<dotted>\b[^\W\d_]\.(?:[^\W\d_]\.)+|\b[^\W\d_](?:\.[^\W\d_])+\b)
    | (?P<country>\bunited\s+(?:states(?:\s+of\s+america)?|kingdom)\b)
    | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*
        (?:(?<=ty)-(?:one|two|three|four|five|six|seven|eight|nine)\b)?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_ENDS: Final = frozenset(".!?:;\n•*-–—\"“”'‘«»。！？|(#")
_UNCLEAR_MONTHS: Final = frozenset("may march mai mei august".split())
_BETWEEN: Final = frozenset("to and or bis und oder à et ou a y e tot en till och".split())
_SIGNS: Final = frozenset("$€£¥")
_ACRONYMS: Final[dict[str, str]] = {"US": "usa", "U.S": "usa", "U.S.": "usa", "U.K.": "uk"}


def tokenise(text: str, language: str = "en") -> list[Token]:
    """The tokens of a text, in order. Linear in its length.

    Arguments:
        text: of any kind.
        language: as `language_of` tells it.
    """
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        group = match.lastgroup
        if group == "word" or group == "dotted":
            tokens.append(_word(match, text, language))
        elif group == "digits":
            values = values_of(match["digits"])
            tokens.append(_number(match[0].lower(), match.start(), match.end(), values))
        elif group == "clock":
            hours, minutes = match[0].split(":")
            values = (int(hours) + int(minutes) / 60,)
            tokens.append(_number(match[0], match.start(), match.end(), values))
        elif group == "script":
            sign = match[0]
            start = match.start()
            tokens.append(Token(sign, sign, start, start + 1, "word", _SIGN_WEIGHT))
        elif group == "country":
            concept = "usa" if "tates" in match[0].lower() else "uk"
            span = match.span()
            tokens.append(Token(concept, concept, *span, "word", _NAME_WEIGHT, name=True))
        elif group == "sign":
            tokens.append(Token(match[0], match[0], match.start(), match.end(), "small", 0.0))
        else:
            tokens.extend(_iso_date(match))
    return _with_units(_with_months(tokens))


def words_of(text: str) -> list[str]:
    """Lower-case words without their meaning, to tell a language by."""
    return [match[0].lower() for match in _TOKEN.finditer(text) if match.lastgroup == "word"]


def _word(match: re.Match[str], text: str, language: str) -> Token:
    raw = match[0]
    start, end = match.span()
    lower = raw.lower().replace("’", "'")
    if match.lastgroup == "dotted":
        lower = lower.replace(".", "")
    lower = _ACRONYMS.get(raw, lower)
    values = WORD_VALUES.get(lower)
    if values is not None:
        return _number(lower, start, end, values)
    facts = facts_of(lower, language)
    if facts.small:
        return Token(facts.concept, lower, start, end, "small", 0.0, denies=facts.denies)
    name = language != "de" and raw[0].isupper() and not _begins(text, start)
    weight = _NAME_WEIGHT if name else facts.weight
    return Token(facts.concept, lower, start, end, "word", weight, name, facts.denies)


def _begins(text: str, start: int) -> bool:
    """Whether a sentence begins here, where a capital says nothing."""
    at = start - 1
    while at >= 0 and text[at] == " ":
        at -= 1
    return at < 0 or text[at] in _SENTENCE_ENDS


def _number(lower: str, start: int, end: int, values: tuple[float, ...]) -> Token:
    counted = values[0] <= _SMALL_COUNT and not lower[0].isdigit()
    weight = _COUNT_WEIGHT if counted else _NUMBER_WEIGHT
    return Token(f"#{values[0]:.12g}", lower, start, end, "number", weight, values=values)


def _iso_date(match: re.Match[str]) -> list[Token]:
    year, month, day = (int(part) for part in match[0].split("-"))
    start, end = match.span()
    return [
        _number(str(year), start, end, (float(year),)),
        Token(f"#m{month}", match[0], start, end, "word", 1.0),
        _number(str(day), start, end, (float(day),)),
    ]


def _with_months(tokens: list[Token]) -> list[Token]:
    for at, token in enumerate(tokens):
        month = MONTHS.get(token.text)
        if month is None:
            continue
        if token.text in _UNCLEAR_MONTHS and not token.name:
            near = tokens[max(0, at - 1) : at + 2]
            if all(other.kind != "number" for other in near):
                continue
        tokens[at] = token._replace(concept=f"#m{month}", kind="word", weight=1.2, denies=False)
    return tokens


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
            found[-1] = _measured(before, UNITS[token.text])
            found.append(token._replace(kind="small", weight=0.0))
        elif token.text == "pm":
            found[-1] = before._replace(values=(*before.values, before.values[0] + 12))
            found.append(token._replace(kind="small", weight=0.0))
        else:
            found.append(token)
    return found


def _share_multiplier(found: list[Token], factor: float) -> None:
    """`from 84 to 91 million`: the number before means millions as well."""
    if len(found) > 2 and found[-2].text in _BETWEEN and found[-3].kind == "number":
        first = found[-3]
        shared = tuple(value * factor for value in first.values)
        found[-3] = first._replace(values=first.values + shared)


def _signed(token: Token, before: Token | None) -> Token:
    if token.kind == "number" and before is not None and before.text in _SIGNS:
        return token._replace(unit=UNITS[before.text])
    return token


def _measured(number: Token, unit: Unit) -> Token:
    if unit.dimension == "share":
        shares = tuple(value / 100 for value in number.values)
        return number._replace(unit=unit, values=number.values + shares)
    return number._replace(unit=unit)


def _multiplied(number: Token, multiplier: Token) -> Token:
    values = tuple(value * MULTIPLIERS[multiplier.text] for value in number.values)
    return number._replace(
        concept=f"#{values[0]:.12g}", end=multiplier.end, values=values, weight=_NUMBER_WEIGHT
    )
