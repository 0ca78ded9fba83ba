"""Text of Handlebars -> tokens, with lines that hold nothing but a block's tag taken away.

Sources: handlebarsjs.com/guide (white space control, escaping) and
google.github.io/dotprompt/reference/template.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["Token", "tokens_of"]

_OPEN: Final = re.compile(r"(?P<slashes>\\*)\{\{")
_COMMENT: Final = re.compile(r"\{\{~?!--(?P<long>.*?)--~?\}\}|\{\{~?!(?P<short>.*?)\}\}", re.DOTALL)
_MUSTACHE: Final = re.compile(
    r"""\{\{(?P<left>~?)(?P<triple>\{|&)?(?P<text>(?:"[^"]*"|'[^']*'|[^"'{}]|\{(?!\{))*?)"""
    r"""(?(triple)\}?)(?P<right>~?)\}\}""",
    re.DOTALL,
)
_BLOCK: Final = re.compile(r"[#/^>]|else\b|!")
_LINE_BEGINS: Final = re.compile(r"(?:\A|(?<=\n))[^\S\n]*\Z")
_LINE_ENDS: Final = re.compile(r"[^\S\n]*(?:\n|\Z)")


class Token(NamedTuple):
    """A part of the text.

    Attributes:
        kind: "words", "tag" or "note".
        text: what is said, without the signs around it.
        raw: as written.
    """

    kind: str
    text: str
    raw: str
    left: bool = False
    right: bool = False

    @property
    def alone(self) -> bool:
        """Whether a line that holds nothing else goes away with it."""
        return self.kind == "note" or (self.kind == "tag" and bool(_BLOCK.match(self.text)))


def tokens_of(source: str) -> list[Token]:
    """The tokens; words between them are trimmed as the engine does it."""
    tokens = _split(source)
    shown: list[Token] = []
    for number, token in enumerate(tokens):
        shown.append(_trimmed(tokens, number) if token.kind == "words" else token)
    return [token for token in shown if token.kind != "words" or token.text]


def _split(source: str) -> list[Token]:
    """Words and tags in turn; words come first and last."""
    tokens: list[Token] = []
    words, at = "", 0
    while (found := _OPEN.search(source, at)) is not None:
        words += source[at : found.start()]
        slashes = found["slashes"]
        start = found.end() - 2
        if len(slashes) == 1:
            words, at = words + "{{", found.end()
            continue
        token = _tag(source, start)
        words += slashes[1:]
        if token is None:
            words, at = words + "{{", found.end()
            continue
        tokens += [Token("words", words, words), token]
        words, at = "", start + len(token.raw)
    words += source[at:]
    return [*tokens, Token("words", words, words)]


def _tag(source: str, at: int) -> Token | None:
    closed = source.find("}}", at) >= 0
    note = _COMMENT.match(source, at) if closed else None
    if note is not None:
        text = note["long"] if note["long"] is not None else note["short"]
        return Token("note", text.strip(), note[0], "{{~" in note[0][:3], note[0].endswith("~}}"))
    found = _MUSTACHE.match(source, at) if closed else None
    if found is None:
        return None
    return Token("tag", found["text"].strip(), found[0], bool(found["left"]), bool(found["right"]))


def _trimmed(tokens: Sequence[Token], number: int) -> Token:
    text = tokens[number].text
    before = tokens[number - 1] if number else None
    after = tokens[number + 1] if number + 1 < len(tokens) else None
    if before is not None and _is_alone(tokens, number - 1):
        text = _LINE_ENDS.sub("", text, count=1)
    if after is not None and _is_alone(tokens, number + 1):
        full = tokens[number].text
        begins = _LINE_BEGINS.search(full)
        keep = len(text) - (len(full) - begins.start()) if begins is not None else len(text)
        text = text[: max(keep, 0)]
    if before is not None and before.right:
        text = text.lstrip()
    if after is not None and after.left:
        text = text.rstrip()
    return Token("words", text, tokens[number].raw)


def _is_alone(tokens: Sequence[Token], number: int) -> bool:
    """Whether a tag has a line for itself."""
    if not tokens[number].alone:
        return False
    before, after = tokens[number - 1].text, tokens[number + 1].text
    begins = number == 1 or "\n" in before
    if not begins or _LINE_BEGINS.search(before) is None:
        return False
    ends = _LINE_ENDS.match(after)
    return ends is not None and ("\n" in ends[0] or number + 2 == len(tokens))
