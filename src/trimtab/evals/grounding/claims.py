"""What an answer states, sentence by sentence; and what in it states nothing of the world."""

import re
from typing import Final, NamedTuple

from trimtab.evals.grounding.lexicon import ABBREVIATIONS

__all__ = [
    "Claim",
    "is_abstention",
    "is_courtesy",
    "is_heading",
    "sentences",
    "split_claims",
    "without_marks",
]

_BREAK: Final = re.compile(
    r"""
    (?P<stop>[.!?…]+["'”\u2019)\]]*)(?=\s+|$|[A-Z"“])   # a stop, also where the space was lost
    | (?P<wide>[\u3002\uff01\uff1f]+["”\u2019」』]*)
    | (?:\A\s*|\n+\s*)(?:[-*•]\s|\d{1,2}[.)]\s)\s*         # items of lists
    | \n+\s*
    | (?<=\s)[•]\s
    """,
    re.VERBOSE,
)
_CLAUSE: Final = re.compile(r";\s+|,?\s+(?=(?:but|however|aber|mais|pero|però)\s)", re.IGNORECASE)
_WORD_BEFORE: Final = re.compile(r"[\w.]+$")
_LEAST_CLAIM: Final = 2  # letters or digits; less is a mark of a list

_ABSTAINS: Final = re.compile(
    r"""
    \b(?:sources?|documents?|texts?|passages?|articles?|context|excerpts?|information|materials?
         |page)\b[^.!?]{0,60}?
      \b(?:do(?:es)?\ not|do(?:es)?n['\u2019]t|did\ not|didn['\u2019]t|is\ not|isn['\u2019]t
         |no(?:thing)?|never|lacks?|without|omits?|silent)\b[^.!?]{0,60}?
      \b(?:say|says|mention(?:s|ed)?|state[sd]?|contain|include[sd]?|provide[sd]?|specif(?:y|ied)
         |give[ns]?|tell|cover|address|answer|information|details?|available|detail|indicate|about
         |silent|on)\b
    | \b(?:not|\w+n['\u2019]t|never)\b[^.!?]{0,25}?
      \b(?:mentioned|stated|specified|provided|given|said|covered|addressed|included|found|indicated
         |disclosed|known|clear)\b[^.!?]{0,40}?\b(?:in|by|from)\b[^.!?]{0,15}?
      \b(?:sources?|documents?|texts?|passages?|articles?|context|excerpts?|information|materials?
         |page)\b
    | \b(?:no|any|insufficient|not\ enough|isn['\u2019]t\ enough)\s(?:\w+\s){0,2}
      (?:information|mention|details?|data|indication|answer)\b[^.!?]{0,40}?
      \b(?:is|are|in|was|given|provided|available|to\ answer|about|on|of)\b
    | \b(?:i|we)\s(?:do\ not|don['\u2019]t|can\ ?not|can['\u2019]t|could\ not|couldn['\u2019]t
         |am\ unable\ to|did\ not|didn['\u2019]t)\s
      (?:\w+\s){0,3}?(?:know|find|answer|tell|determine|say|have\s(?:\w+\s){0,2}information)\b
    | \b(?:nothing|none)\b[^.!?]{0,20}\b(?:sources?|documents?|texts?|passages?|articles?|context)\b
    | \bit\s(?:does\ not|doesn['\u2019]t)\s(?:say|mention|state|specify|tell|cover|include)\b
    | \bunable\ to\ (?:answer|find|determine|say)\b
    | \b(?:cannot|can['\u2019]t)\ be\ (?:answered|determined|said|told)\b
    | \b(?:dokument\w*|text\w*|quelle\w*|unterlage\w*|angabe\w*|information\w*)\b[^.!?]{0,60}?
      \b(?:nicht|keine\w*|nichts)\b
    | \b(?:document\w*|texte\w*|sources?|passage\w*|contexte)\b[^.!?]{0,40}?
      \b(?:ne\b|n['\u2019])[^.!?]{0,40}?\b(?:pas|rien|aucune?)\b
    | \b(?:documento\w*|texto\w*|fuente\w*|fonti|testo|fontes?|contexto|contesto)\b[^.!?]{0,40}?
      \b(?:no|non|não|ningun[ao]|nessun[ao]?|nenhuma?)\b
    | \b(?:document\w*|tekst\w*|bron\w*)\b[^.!?]{0,60}?\b(?:niet|geen|niets)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)


_COURTESY: Final = re.compile(
    r"""
    (?:(?:thanks?|thank\ you)(?:\ (?:you\ )?(?:for|so|very)\b[^.!?\d,]{0,60})?
      |you(?:['\u2019]re|\ are)\ (?:very\ )?welcome
      |(?:that['\u2019]?s\ a\ )?(?:great|good|excellent)\ question
      |(?:i\ )?hope\ (?:this|that|it)\ (?:helps?|answers?|clarifies)\b[^.!?\d,]{0,60}
      |(?:please\ )?(?:(?:let\ me|let\ us)\ know|feel\ free)\b[^.!?\d]{0,80}
      |(?:i['\u2019]?(?:m|d\ be|\ am|\ would\ be)\ )?(?:happy|glad)\ to\ (?:help|assist)
        \b[^.!?\d,]{0,40}
      |of\ course|sure|certainly|gern\ geschehen|danke|merci|gracias|de\ nada|prego|graag\ gedaan)
    [.!?]*
    """,
    re.VERBOSE | re.IGNORECASE,
)


_MARKS: Final = re.compile(
    r"""
      \[\^?\d{1,3}(?:\s*[-,;\u2013]\s*\d{1,3})*\]        # [1], [2, 3]
    | \[[A-Za-z]\w{0,20}(?:[-_.:]\w{1,20}|\d)\]           # [doc-a], [doc1]
    | \u3010[^\u3010\u3011]{1,40}\u3011
    | \b(?:passage|document|source|excerpt|chunk|doc|snippet|reference|context)s?\s+\#?\d{1,2}
      (?:(?:\s*[,&]\s*|\s+and\s+)\d{1,2})*\b
    | \b(?:step|option|point|item|question)\s+\d{1,2}(?=\s*[:.)*-])
    | (?<!\S)\(?\d{1,2}\)(?=\s)                          # 2) of a list in a line
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HEADING: Final = re.compile(r"(?:\#{1,6}\s[^\d]*|\*\*[^*\d]*\*\*|[^\d]*:[*_]*)")
_HEADING_WORDS: Final = 10


class Claim(NamedTuple):
    """A sentence of an answer.

    Attributes:
        text: as it stands, stripped.
        start, end: in the answer.
    """

    text: str
    start: int
    end: int


def sentences(text: str) -> list[tuple[int, int]]:
    """Begin and end of each sentence, list item or line; ends exclude the space after. Linear."""
    found: list[tuple[int, int]] = []
    start = 0
    for match in _BREAK.finditer(text):
        if match["stop"] and _is_short(text, match):
            continue
        stop = match.lastgroup
        found.append((start, match.end(stop) if stop else match.start()))
        start = match.end()
    found.append((start, len(text)))
    return [_stripped(text, begin, end) for begin, end in found if text[begin:end].strip()]


def split_claims(answer: str) -> list[Claim]:
    """The sentences of an answer, and the clauses that `but` begins, that say anything."""
    found: list[Claim] = []
    for begin, end in sentences(answer):
        start = begin
        for match in _CLAUSE.finditer(answer, begin, end):
            found.append(Claim(answer[start : match.start()], start, match.start()))
            start = match.end()
        found.append(Claim(answer[start:end], start, end))
    return [claim for claim in found if _says_something(claim.text)]


def is_abstention(claim: str) -> bool:
    """Whether a sentence says that the sources, or the speaker, do not know."""
    return _ABSTAINS.search(claim) is not None


def without_marks(answer: str) -> str:
    """An answer of the same length, with spaces for marks of citations, steps and list items."""
    return _MARKS.sub(lambda match: " " * len(match[0]), answer)


def is_heading(claim: str) -> bool:
    """Whether a line only says what follows, and has no number."""
    return len(claim.split()) <= _HEADING_WORDS and _HEADING.fullmatch(claim) is not None


def is_courtesy(claim: str) -> bool:
    """Whether a sentence is one of those that begin and end letters."""
    return _COURTESY.fullmatch(claim) is not None


def _says_something(text: str) -> bool:
    """Not a mark of a list: two letters or digits, a sign of a script of signs, or a number."""
    if sum(map(str.isalnum, text)) >= _LEAST_CLAIM or text.strip().isdigit():
        return True
    return any(sign > "\u2e7f" for sign in text)


def _is_short(text: str, match: re.Match[str]) -> bool:
    """Whether a point ends an abbreviation or an initial, and no sentence."""
    if match["stop"] != "." or match.end() >= len(text):
        return False
    before = _WORD_BEFORE.search(text, max(0, match.start() - 12), match.start())
    if before is None:
        return False
    word = before[0].lower()
    return (
        word in ABBREVIATIONS
        or (len(word) == 1 and word.isalpha())
        or ("." in word and len(word.rsplit(".", 1)[1]) == 1)
    )


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
