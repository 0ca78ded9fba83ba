"""What a template may contain: a part of MiniJinja in which no value can grow without end.

MiniJinja counts instructions and the growth of strings as fuel, but not that of lists: adding a
list to itself thirty times ends the process, and comparing two that contain themselves twice,
thirty deep, takes for ever. So what can make lists grow is not in the language. It is checked here,
before the engine sees the text; where the two could read a text differently, it is refused.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

__all__ = [
    "FILTERS",
    "FUNCTIONS",
    "KEYWORDS",
    "TAGS",
    "TESTS",
    "Tag",
    "TemplateProblem",
    "Token",
    "check_template",
    "tags_of",
]

TAGS: Final = frozenset((
    "if", "elif", "else", "endif", "for", "endfor", "set", "endset", "include", "raw", "endraw",
))  # fmt: skip

FILTERS: Final = frozenset((
    "abs", "bool", "capitalize", "count", "d", "default", "fence", "first", "float", "indent",
    "int", "items", "join", "last", "length", "lines", "list", "lower", "map", "max", "min",
    "reject", "rejectattr", "replace", "reverse", "round", "select", "selectattr", "sort", "split",
    "string", "title", "tojson", "trim", "unique", "upper",
))  # fmt: skip

TESTS: Final = frozenset((
    "boolean", "defined", "divisibleby", "endingwith", "eq", "equalto", "even", "false", "float",
    "ge", "gt", "in", "integer", "iterable", "le", "lower", "lt", "mapping", "ne", "none", "number",
    "odd", "sequence", "startingwith", "string", "true", "undefined", "upper",
))  # fmt: skip

FUNCTIONS: Final = frozenset(("range",))

KEYWORDS: Final = frozenset((
    "and", "else", "if", "in", "is", "not", "or", "elif", "for", "set", "include",
))  # fmt: skip
_IN_LITERALS: Final = frozenset((
    ",", ":", "-", "true", "false", "none", "True", "False", "None",
))  # fmt: skip
_OPENERS: Final = {"(": ")", "[": "]", "{": "}"}

# The engine calls itself for each of these; some ten thousand of them end the process.
_MOST_TOKENS: Final = 500  # of one tag
_DEEPEST: Final = 30  # brackets in brackets
_MOST_BRANCHES: Final = 200  # `elif` of one template

_BEGIN: Final = re.compile(r"\{[{%#]")
_RAW: Final = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_END_RAW: Final = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<end>[-+]?(?:%\}|\}\}))
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<number>\d[\w]*(?:\.\d[\w]*)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<operator>\*\*|//|==|!=|<=|>=|[-+*/%~|.,:()\[\]{}=<>])""",
    re.VERBOSE | re.DOTALL,
)
_PARTIAL: Final = re.compile(r"_partials(?:/[\w-][\w.-]*)+")


class TemplateProblem(Exception):
    """A template is not in the language.

    Attributes:
        line: of the template, from 1.
        problem: what is wrong.
        remedy: what to do.
    """

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"line {line}: {problem}. {remedy}.")
        self.line = line
        self.problem = problem
        self.remedy = remedy


class Token(NamedTuple):
    """One word of a tag.

    Attributes:
        kind: "string", "number", "name" or "operator".
        text: as it is written, a string with its quotes.
        line: of the template, from 1.
    """

    kind: str
    text: str
    line: int


class Tag(NamedTuple):
    """What stands between braces.

    Attributes:
        opening: `{{`, `{%` or `{#`.
        tokens: what is inside; of a comment none.
        line: of the template, from 1, on which it begins.
        start, end: its place in the template.
    """

    opening: str
    tokens: list[Token]
    line: int
    start: int
    end: int


_START: Final = Token("start", "", 0)


def check_template(source: str) -> list[str]:
    """Names of the partials that a template includes, in order.

    Raises:
        TemplateProblem: it contains what is not in the language.
    """
    partials: list[str] = []
    branches = 0
    for tag in tags_of(source):
        branches += bool(tag.tokens) and tag.tokens[0].text == "elif"
        if branches > _MOST_BRANCHES:
            raise TemplateProblem(tag.line, "too many `elif`", "Let the application decide")
        if tag.opening == "{%":
            partials += _check_tag(tag.tokens, tag.line)
        elif tag.opening == "{{":
            _check_expression(tag.tokens)
    return partials


# ---------------------------------------------------------------- text and tags


def tags_of(source: str) -> Iterator[Tag]:
    """Each `{{ }}`, `{% %}` and `{# #}` outside of raw parts, in order.

    Raises:
        TemplateProblem: one has no end, or a character that has no place.
    """
    at, line, counted = 0, 1, 0
    while (found := _BEGIN.search(source, at)) is not None:
        line += source.count("\n", counted, found.start())
        counted = found.start()
        if found[0] == "{#":
            at = source.find("#}", found.end()) + 2
            if at == 1:
                raise TemplateProblem(line, "this comment has no end", "Close it with #}")
            yield Tag("{#", [], line, found.start(), at)
        elif (raw := _RAW.match(source, found.start())) is not None:
            at = _end_of_raw(source, raw.end(), line)
        else:
            tokens, at = _tokens_of(source, found.end(), line)
            yield Tag(found[0], tokens, line, found.start(), at)


def _end_of_raw(source: str, at: int, line: int) -> int:
    end = _END_RAW.search(source, at)
    if end is None:
        raise TemplateProblem(line, "this raw part has no end", "Close it with {% endraw %}")
    if "endraw" in source[at : end.start()]:
        raise TemplateProblem(
            line, "this raw part could end twice", "Leave `endraw` out of its text"
        )
    return end.end()


def _tokens_of(source: str, at: int, line: int) -> tuple[list[Token], int]:
    """The tokens of one tag, and where it ends."""
    closing = "}}" if source[at - 1] == "{" else "%}"
    if at < len(source) and source[at] in "-+":
        at += 1
    tokens: list[Token] = []
    depth = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise TemplateProblem(line, "a character that has no place here", "Correct the tag")
        kind, text = str(found.lastgroup), found[0]
        if kind == "end" and (depth or not text.endswith(closing)):
            # `{{ {"a": 1}}}`: the engine closes the map first, and so do we.
            found, kind, text = None, "operator", text[0]
        if kind == "end":
            return tokens, at + len(text)
        depth += (text in _OPENERS) - (kind == "operator" and text in _OPENERS.values())
        if kind != "space":
            tokens.append(Token(kind, text, line))
        if len(tokens) > _MOST_TOKENS:
            raise TemplateProblem(line, "this tag is too long", "Divide it with `set`")
        if depth > _DEEPEST:
            raise TemplateProblem(line, "too many brackets in brackets", "Divide it with `set`")
        line += text.count("\n")
        at += len(text)
    raise TemplateProblem(line, "this tag has no end", f"Close it with {closing}")


# ---------------------------------------------------------------- tags


def _check_tag(tokens: list[Token], line: int) -> list[str]:
    """The partials that a tag includes: one or none."""
    if not tokens:
        raise TemplateProblem(line, "an empty tag", "Take it out")
    tag, rest = tokens[0], tokens[1:]
    if tag.text not in TAGS:
        raise TemplateProblem(
            tag.line,
            f"there is no tag {tag.text[:40]!r} in prompts",
            f"Use {', '.join(sorted(name for name in TAGS if not name.startswith('end')))}",
        )
    if tag.text == "include":
        return [_partial_of(tag, rest)]
    if tag.text == "for":
        rest = _after(rest, "in", tag)
        if any(token.kind == "name" and token.text == "recursive" for token in rest):
            raise TemplateProblem(tag.line, "loops are not recursive here", "Write two loops")
    elif tag.text == "set" and any(token.text == "=" for token in rest):
        rest = _after(rest, "=", tag)
    _check_expression(rest)
    return []


def _partial_of(tag: Token, rest: Sequence[Token]) -> str:
    name = rest[0].text[1:-1] if len(rest) == 1 and rest[0].kind == "string" else ""
    if _PARTIAL.fullmatch(name) is None:
        raise TemplateProblem(
            tag.line,
            "only files of the folder prompts/_partials can be included",
            'Write {% include "_partials/NAME.md" %}, with nothing computed in it',
        )
    return name


def _after(tokens: list[Token], word: str, tag: Token) -> list[Token]:
    """What follows `word`; before it stand nothing but names to be given."""
    for number, token in enumerate(tokens):
        if token.text == word and token.kind != "string":
            return tokens[number + 1 :]
        if token.kind != "name" and token.text not in {",", "(", ")"}:
            break
        if token.text.startswith("_"):
            raise _hidden(token)
    raise TemplateProblem(
        tag.line,
        f"`{tag.text}` gives no value to a name",
        f"Write {{% {tag.text} NAME {word} ... %}}",
    )


# ---------------------------------------------------------------- expressions


def _check_expression(tokens: Sequence[Token]) -> None:
    open_: list[str] = []  # "(" of a group, "call" of arguments, "[" of a subscript
    number = 0
    while number < len(tokens):
        token = tokens[number]
        before = tokens[number - 1] if number else _START
        after = tokens[number + 1] if number + 1 < len(tokens) else _START
        if token.kind == "name":
            _check_name(token, before, tokens[number - 2] if number > 1 else _START, after=after)
            if before.text == "|" and token.text in _CHECKED_ARGUMENTS:
                _CHECKED_ARGUMENTS[token.text](token, [word.text for word in tokens[number + 1 :]])
        elif token.kind == "operator":
            if token.text in "[{" and not (token.text == "[" and _is_value(before)):
                number = _end_of_literal(tokens, number) + 1
                continue
            _check_operator(token, tokens, number, open_=open_)
        number += 1


def _check_operator(
    token: Token, tokens: Sequence[Token], number: int, *, open_: list[str]
) -> None:
    before = tokens[number - 1] if number else _START
    if token.text in {"*", "**"}:
        raise TemplateProblem(
            token.line, f"`{token.text}` is not in the language", "Compute it in the application"
        )
    if token.text == "+" and not _is_sum_of_number(tokens, number):
        raise TemplateProblem(
            token.line,
            "`+` needs a number that is written out beside it",
            "Join texts with ~, as in {{ first ~ second }}",
        )
    if token.text == "(":
        open_.append("call" if _is_value(before) else "(")
    elif token.text == "[":
        open_.append("[")
    elif token.text in {")", "]"}:
        if open_:
            open_.pop()
    elif token.text == "," and open_[-1:] != ["call"]:
        raise TemplateProblem(
            token.line, "no lists can be made of values here", "Let the application pass the list"
        )


def _is_sum_of_number(tokens: Sequence[Token], number: int) -> bool:
    after = tokens[number + 1] if number + 1 < len(tokens) else _START
    if after.kind == "number":
        return True
    before = tokens[number - 1] if number else _START
    further = tokens[number - 2] if number > 1 else _START
    return before.kind == "number" and further.text != "."


def _check_name(token: Token, before: Token, further: Token, *, after: Token) -> None:
    name, line = token.text, token.line
    if name.startswith("_"):
        raise _hidden(token)
    if before.text == "|" and before.kind == "operator":
        if name not in FILTERS:
            raise _unknown(token, "filter", FILTERS)
    elif before.text == "is" or (before.text == "not" and further.text == "is"):
        if name not in TESTS and name != "not":
            raise _unknown(token, "test", TESTS)
    elif after.text == "(" and after.kind == "operator" and name not in KEYWORDS:
        if before.text == ".":
            raise TemplateProblem(line, "values have no methods here", "Use a filter: value | name")
        if name not in FUNCTIONS:
            raise _unknown(token, "function", FUNCTIONS)


def _check_tojson(token: Token, after: list[str]) -> None:
    # The engine counts the result only when it is there; an indent of a million never ends.
    arguments = "".join(after[1 : after.index(")")] if after[:1] == ["("] and ")" in after else [])
    if after[:1] == ["("] and _INDENT.fullmatch(arguments) is None:
        raise TemplateProblem(
            token.line, "`tojson` takes an indent from 0 to 9", "Write {{ value | tojson(2) }}"
        )


def _check_map(token: Token, after: list[str]) -> None:
    # `map` gives further arguments to a filter that may be named by any expression.
    name, following = (*after[1:3], "", "")[:2]
    plain = following == ")" or (following == "," and name[1:-1] != "tojson")
    if after[:1] == ["("] and name != "attribute" and not (name[1:-1] in FILTERS and plain):
        raise TemplateProblem(
            token.line,
            "`map` takes an attribute or the name of a filter that is written out",
            'Write {{ items | map(attribute="name") }} or {{ items | map("upper") }}',
        )


_INDENT: Final = re.compile(r"(?:(?:indent=)?\d)?")
_CHECKED_ARGUMENTS: Final[dict[str, Callable[[Token, list[str]], None]]] = {
    "tojson": _check_tojson,
    "map": _check_map,
}


def _is_value(token: Token) -> bool:
    """Whether `[` or `(` after it takes something of it."""
    if token.kind == "name":
        return token.text not in KEYWORDS
    return token.kind in {"string", "number"} or token.text in {")", "]", "}"}


def _end_of_literal(tokens: Sequence[Token], start: int) -> int:
    """Where a list or map that is written out ends; it contains nothing but constants."""
    closing: list[str] = []
    for number in range(start, len(tokens)):
        token = tokens[number]
        if token.kind == "operator" and token.text in {"[", "{"}:
            closing.append(_OPENERS[token.text])
        elif closing and token.kind == "operator" and token.text == closing[-1]:
            closing.pop()
            if not closing:
                return number
        elif token.kind not in {"string", "number"} and token.text not in _IN_LITERALS:
            raise TemplateProblem(
                token.line,
                "a list or map in a template holds nothing but constants",
                "Let the application pass it",
            )
    raise TemplateProblem(tokens[start].line, "this list or map has no end", "Close it")


def _hidden(token: Token) -> TemplateProblem:
    return TemplateProblem(
        token.line, "names that begin with _ are not in the language", "Choose another name"
    )


def _unknown(token: Token, what: str, known: frozenset[str]) -> TemplateProblem:
    problem = f"there is no {what} {token.text[:40]!r} in prompts"
    return TemplateProblem(token.line, problem, f"Use {', '.join(sorted(known))}")
