"""Text of the family of Jinja -> nodes, with white space as its engine would leave it."""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from trimtab.prompts.formats.border import Remarks
from trimtab.prompts.formats.expressions import parse_expression
from trimtab.prompts.formats.nodes import (
    Branch,
    Choice,
    Constant,
    Loop,
    Node,
    Note,
    Part,
    Tag,
    Value,
    Words,
)
from trimtab.prompts.language import TAGS, TemplateProblem, check_template
from trimtab.prompts.template import Templates

__all__ = ["read_jinja"]

_BEGIN: Final = re.compile(r"\{[{%#]")
_RAW: Final = re.compile(r"\{%[-+]?\s*(raw|verbatim)\s*[-+]?%\}")
# A tag ends before the next one begins, so that what is never closed is not searched for again.
_INSIDE: Final = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^"'{]|\{(?![{%]))*?"""
_TAG: Final = {
    "{{": re.compile(rf"\{{\{{(?P<left>[-+]?)(?P<text>{_INSIDE})(?P<right>[-+]?)\}}\}}", re.DOTALL),
    "{%": re.compile(rf"\{{%(?P<left>[-+]?)(?P<text>{_INSIDE})(?P<right>[-+]?)%\}}", re.DOTALL),
    "{#": re.compile(r"\{#(?P<left>[-+]?)(?P<text>.*?)(?P<right>[-+]?)#\}", re.DOTALL),
}
_INCLUDE: Final = re.compile(r"""include\s+["'](?:\./)?(?:_partials/)?([^"']+)["'].*""", re.DOTALL)
_FOR: Final = re.compile(r"for\s+(\w+(?:\s*,\s*\w+)?)\s+in\s+(.*)", re.DOTALL)
_SPACE_BEFORE: Final = re.compile(r"[^\S\n]*\Z")
_DEEPEST: Final = 100
_MOST_INCLUDED: Final = 8  # files that include each other

ReadFile = Callable[[str], str | None]


class _Token(NamedTuple):
    kind: str  # "words", "{{", "{%", "{#"
    text: str
    raw: str


def read_jinja(
    source: str, *, ours: bool, remarks: Remarks, read: ReadFile | None = None
) -> tuple[Node, ...]:
    """What a template says.

    Args:
        source: the template.
        ours: it is in our language; else in Jinja2 or Nunjucks as they are by default.
        remarks: takes what our language does not have, which stays in the text as it is.
        read: gives the files that foreign templates include; their texts are put in place.
    """
    return _nodes(source, _Reading(ours, remarks, read))


class _Reading(NamedTuple):
    ours: bool
    remarks: Remarks
    read: ReadFile | None
    way: tuple[str, ...] = ()  # files that lead to this text


def _nodes(source: str, reading: _Reading) -> tuple[Node, ...]:
    return tuple(_Parser(_tokens(source, reading.ours), reading).nodes(()))


# ---------------------------------------------------------------- tokens


def _tokens(source: str, ours: bool) -> list[_Token]:  # noqa: FBT001 - one of two, named by its caller
    tokens: list[_Token] = []
    at, begun, strip = 0, 0, ""
    while (found := _BEGIN.search(source, at)) is not None:
        match = _match(source, found)
        if match is None:
            at = found.end()
            continue
        words = _trimmed(source, (begun, found.start()), (strip, match.left), ours=ours)
        tokens += [_Token("words", words, words), match.token]
        at = begun = match.end
        strip = match.right
    words = _trimmed(source, (begun, len(source)), (strip, "keep"), ours=ours)
    return [*tokens, _Token("words", words, words)]


class _Match(NamedTuple):
    token: _Token
    left: str  # how the text before is trimmed: "-", "line" or "keep"
    right: str
    end: int


def _match(source: str, found: re.Match[str]) -> _Match | None:
    raw = _RAW.match(source, found.start())
    if raw is not None:
        return _raw(source, raw)
    if found[0] == "{#" and source.find("#}", found.end()) < 0:
        return None
    match = _TAG[found[0]].match(source, found.start())
    if match is None:
        return None
    default = "keep" if found[0] == "{{" else "line"
    left = {"-": "-", "+": "keep", "": default}[match["left"]]
    right = {"-": "-", "+": "keep", "": default}[match["right"]]
    return _Match(_Token(found[0], match["text"].strip(), match[0]), left, right, match.end())


def _raw(source: str, begin: re.Match[str]) -> _Match | None:
    if source.find(f"end{begin[1]}", begin.end()) < 0:
        return None
    end = re.compile(rf"\{{%([-+]?)\s*end{begin[1]}\s*([-+]?)%\}}").search(source, begin.end())
    if end is None:
        return None
    inside = source[begin.end() : end.start()]
    if begin[0].endswith("-%}"):
        inside = inside.lstrip()
    if end[1] == "-":
        inside = inside.rstrip()
    left = {"-": "-", "+": "keep"}.get(begin[0][2], "line")
    right = {"-": "-", "+": "keep", "": "line"}[end[2]]
    return _Match(_Token("words", inside, inside), left, right, end.end())


def _trimmed(source: str, span: tuple[int, int], how: tuple[str, str], *, ours: bool) -> str:
    """A text between two tags, with what they take from it."""
    begin, end = span
    text = source[begin:end]
    if how[1] == "line" and ours:
        spaces = _SPACE_BEFORE.search(text)
        first = begin + (spaces.start() if spaces is not None else 0)
        if first == 0 or source[first - 1] == "\n":
            text = text[: first - begin]
    elif how[1] == "-":
        text = text.rstrip()
    if how[0] == "-":
        return text.lstrip()
    if how[0] == "line" and ours:
        full = source[begin:end]
        newline = "\r\n" if full.startswith("\r\n") else "\n"
        return text.removeprefix(newline) if full.startswith(newline) else text
    return text


# ---------------------------------------------------------------- nodes


class _Parser:
    def __init__(self, tokens: Sequence[_Token], reading: _Reading) -> None:
        self._tokens = tokens
        self._reading = reading
        self._ours = reading.ours
        self._remarks = reading.remarks
        self._at = 0
        self._depth = 0

    def nodes(self, ends: Sequence[str]) -> list[Node]:
        """Nodes up to a tag that begins with one of `ends`, which is not taken."""
        found: list[Node] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind == "{%" and _word(token) in ends:
                break
            self._at += 1
            found += self._node(token)
        return found

    def _node(self, token: _Token) -> list[Node]:
        if token.kind == "words":
            return [Words(token.text)] if token.text else []
        if token.kind == "{#":
            return [Note(token.text)]
        if token.kind == "{{":
            if self._refused(token, f"{{{{ {token.text} }}}}"):
                return [Words(token.raw)]
            expression = parse_expression(token.text)
            if isinstance(expression, Constant) and isinstance(expression.value, str):
                return [Words(expression.value)]
            return [Value(expression)]
        return self._tag(token)

    def _tag(self, token: _Token) -> list[Node]:
        word = _word(token)
        if word in {"if", "for"} and self._depth < _DEEPEST:
            self._depth += 1
            try:
                return self._choice(token) if word == "if" else self._loop(token)
            finally:
                self._depth -= 1
        include = _INCLUDE.fullmatch(token.text)
        if include is not None:
            return self._include(token, include[1])
        if word in {"set", "endset"} and not self._refused(
            token, f"{{% {token.text} %}}", whole=False
        ):
            return [Tag(token.text)]
        known = "the tag {} has no place here" if word in TAGS else "our templates have no tag {}"
        self._remarks.add(
            f"{known.format(repr(word[:40]))}; it stays in the text as it is",
            "Write what it does with if, for, set or include, or pass a variable",
        )
        return [Words(token.raw)]

    def _include(self, token: _Token, name: str) -> list[Node]:
        if self._ours:
            return [Part(name)]
        way = (*self._reading.way, name)
        text = self._reading.read(name) if self._reading.read is not None else None
        if text is None or len(way) > _MOST_INCLUDED or name in self._reading.way:
            self._remarks.add(
                f"the included file {name[:60]!r} cannot be read; the tag stays in the text",
                'Write it as a partial, and {% include "_partials/NAME.md" %} in its place',
            )
            return [Words(token.raw)]
        return list(_nodes(text, self._reading._replace(way=way)))

    def _choice(self, token: _Token) -> list[Node]:
        opened = [token]
        bodies = [self.nodes(("elif", "elseif", "else", "endif"))]
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            opened.append(token)
            if _word(token) == "endif":
                break
            bodies.append(self.nodes(("elif", "elseif", "else", "endif")))
        tags = [re.sub(r"^elseif\b", "elif", one.text) for one in opened]
        if _word(opened[-1]) != "endif" or any(tag == "else" for tag in tags[1:-2]):
            self._remarks.add("an if without an end", "Close it with {% endif %}")
            return _visible(opened, bodies)
        if self._refused(opened[0], "".join(f"{{% {tag} %}}" for tag in tags)):
            return _visible(opened, bodies)
        otherwise = tuple(bodies[-1]) if tags[-2] == "else" else ()
        branches = [
            Branch(parse_expression(tag.partition(" ")[2]), tuple(body))
            for tag, body in zip(tags, bodies, strict=False)
            if tag not in {"else", "endif"}
        ]
        return [Choice(tuple(branches), otherwise)]

    def _loop(self, token: _Token) -> list[Node]:
        opened = [token]
        bodies = [self.nodes(("else", "endfor"))]
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            opened.append(token)
            if _word(token) == "endfor":
                break
            bodies.append(self.nodes(("else", "endfor")))
        found = _FOR.fullmatch(opened[0].text)
        if _word(opened[-1]) != "endfor" or len(bodies) > 2 or found is None:
            self._remarks.add(
                "a loop that our templates do not have; it stays in the text as it is",
                "Write {% for NAME in LIST %} ... {% endfor %}",
            )
            return _visible(opened, bodies)
        if self._refused(opened[0], f"{{% {opened[0].text} %}}{{% endfor %}}"):
            return _visible(opened, bodies)
        names = tuple(re.findall(r"\w+", found[1]))
        otherwise = tuple(bodies[1]) if len(bodies) == 2 else ()
        return [Loop(names, parse_expression(found[2]), tuple(bodies[0]), otherwise)]

    def _refused(self, token: _Token, source: str, *, whole: bool = True) -> bool:
        """Whether our language does not have it; says so."""
        if self._ours:
            return False
        try:
            check_template(source)
            if whole:
                Templates({"it": source})
        except TemplateProblem as error:
            self._remarks.add(
                f"{token.raw[:60]!r} is not in our language ({error.problem}); it stays in the "
                "text as it is",
                error.remedy,
            )
            return True
        return False


def _word(token: _Token) -> str:
    found = re.match(r"\w+", token.text)
    return found[0] if token.kind == "{%" and found is not None else ""


def _visible(tags: Sequence[_Token], bodies: Sequence[Sequence[Node]]) -> list[Node]:
    """Tags as text, with what is between them."""
    shown: list[Node] = []
    for number, tag in enumerate(tags):
        shown.append(Words(tag.raw))
        if number < len(bodies):
            shown += bodies[number]
    return shown
