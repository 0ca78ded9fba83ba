"""The expressions of templates, followed from the inputs to what is printed.

The grammar is that of MiniJinja (docs.rs/minijinja, module `syntax`), of which `language` has let
pass a part. What is read here was compiled before, so nothing is judged; what is odd counts as made
of all its parts.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from trimtab.prompts.language import KEYWORDS, Token
from trimtab.prompts.lint.taken import CLEAN, Taken, element, field
from trimtab.prompts.schema import Schema, Subschema

__all__ = ["LOOP", "Expression", "Scope"]

_NO_TEXT: Final = frozenset(("abs", "bool", "count", "float", "int", "length", "round"))
# Fences stay whole in these, whatever the value; `trim` with an argument may cut into one.
_KEEP_FENCE: Final = frozenset(("d", "default", "indent", "string", "trim"))
_KEEP_FENCES: Final = frozenset(("d", "default", "first", "join", "last", "list", "reverse"))
_ELEMENTS: Final = frozenset(("first", "last", "max", "min"))
_SAME_SCHEMA: Final = frozenset((
    "d", "default", "list", "reject", "rejectattr", "reverse", "select", "selectattr", "sort",
    "unique",
))  # fmt: skip
_COMPARISONS: Final = frozenset(("==", "!=", "<", "<=", ">", ">=", "in"))
_LOOP_PARTS: Final = frozenset(("nextitem", "previtem"))
_CONSTANTS: Final = frozenset(("true", "false", "none", "True", "False", "None"))
LOOP: Final[Schema] = {"description": "the loop itself"}
"""The schema of `loop`, by which it is known."""

_FENCES: Final[Schema] = {"description": "a list of texts, each in its fence"}

_END: Final = Token("end", "", 0)


class Scope(Protocol):
    """What an expression wants to know, and to tell."""

    root: Schema

    def look_up(self, name: str, line: int) -> Taken:
        """What a name stands for."""
        ...

    def miss(self, name: str, line: int) -> None:
        """A field is not in its schema."""
        ...


class Expression:
    """One pass over the tokens of an expression.

    Args:
        tokens: without the braces.
        scope: where its names are.
    """

    def __init__(self, tokens: Sequence[Token], scope: Scope) -> None:
        self._tokens = tokens
        self._scope = scope
        self._at = 0

    def value(self) -> Taken:
        """What all of it is made of."""
        value = self._choice()
        while self._at < len(self._tokens):  # nothing is left in what the engine accepts
            self._at += 1
            value = value.beside(self._choice())
        return value

    def iterated(self) -> Taken:
        """What the list of a loop is made of; a condition of the loop is left."""
        return self._either()

    def filtered(self, value: Taken) -> Taken:
        """`value` after filters: `| trim | fence`."""
        return self._filters(value)

    def rest(self) -> Sequence[Token]:
        """Tokens that were not read."""
        return self._tokens[self._at :]

    # ------------------------------------------------------------ the grammar, loosest first

    def _choice(self) -> Taken:
        value = self._either()
        while self._skip("if"):
            self._either()  # decides, and is not printed
            value = _merged(value, self._choice() if self._skip("else") else CLEAN)
        return value

    def _either(self) -> Taken:
        value = self._negation()
        while self._skip("or", "and"):
            value = _merged(value, self._negation())
        return value

    def _negation(self) -> Taken:
        if self._skip("not"):
            self._negation()
            return CLEAN
        return self._comparison()

    def _comparison(self) -> Taken:
        value = self._sum()
        while self._peek().text in _COMPARISONS or self._sees_not_in():
            self._skip("not")
            self._at += 1
            self._sum()
            value = CLEAN
        return value

    def _sees_not_in(self) -> bool:
        return self._peek().text == "not" and self._peek(1).text == "in"

    def _sum(self) -> Taken:
        value = self._joined()
        while self._skip("+", "-"):
            self._joined()
            value = CLEAN  # a number, or an error
        return value

    def _joined(self) -> Taken:
        value = self._quotient()
        while self._skip("~"):
            value = value.beside(self._quotient())
        return value

    def _quotient(self) -> Taken:
        value = self._filtered()
        while self._skip("/", "//", "%"):
            self._filtered()
            value = CLEAN
        return value

    def _filtered(self) -> Taken:
        negative = self._skip("-")
        value = self._postfix(self._primary())
        return self._filters(CLEAN if negative else value)

    # ------------------------------------------------------------ values and what is taken of them

    def _primary(self) -> Taken:
        token = self._take()
        if token.text == "(" and token.kind == "operator":
            value = self._choice()
            self._skip(")")
            return value
        if token.text in {"[", "{"} and token.kind == "operator":
            self._constants()
            return CLEAN
        if token.kind != "name" or token.text in _CONSTANTS or self._sees("("):
            return CLEAN
        return self._scope.look_up(token.text, token.line)

    def _constants(self) -> None:
        depth = 1
        while depth and self._peek() is not _END:
            text = self._take()
            if text.kind == "operator":
                depth += (text.text in {"[", "{"}) - (text.text in {"]", "}"})

    def _postfix(self, value: Taken) -> Taken:
        while True:
            if self._skip("."):
                token = self._take()
                value = self._field(value, token.text, token)
            elif self._skip("["):
                value = self._subscript(value)
            elif self._sees("("):
                self._arguments()
                value = CLEAN  # `range`
            else:
                return value

    def _field(self, value: Taken, name: str, token: Token) -> Taken:
        if token.kind == "number":
            return value.opened(element(value.schema, self._scope.root))
        schema, known = field(value.schema, name, self._scope.root)
        if not known:
            self._scope.miss(name, token.line)
        if value.schema is LOOP:
            return value.opened() if name in _LOOP_PARTS else CLEAN
        return value.opened(schema)

    def _subscript(self, value: Taken) -> Taken:
        token = self._peek()
        plain = self._peek(1).text == "]"
        if token.kind == "string" and plain:
            self._at += 2
            return self._field(value, token.text[1:-1], token)
        schema: Subschema | None = element(value.schema, self._scope.root)
        while not self._sees("]") and self._peek() is not _END:
            if self._skip(":"):
                schema = value.schema
            else:
                self._choice()
        self._skip("]")
        return value.opened(schema)

    def _filters(self, value: Taken) -> Taken:
        while True:
            if self._skip("|"):
                value = self._filter(value)
            elif self._skip("is"):
                self._skip("not")
                self._at += 1
                self._test_argument()
                value = CLEAN
            else:
                return value

    def _test_argument(self) -> None:
        if self._sees("("):
            self._arguments()
        elif self._begins_value(self._peek()):
            self._postfix(self._primary())

    def _begins_value(self, token: Token) -> bool:
        if token.kind == "name":
            return token.text not in KEYWORDS
        return token.kind in {"string", "number"} or token.text in {"[", "{"}

    def _filter(self, value: Taken) -> Taken:
        name, first = self._take().text, self._peek(1).text
        has_arguments = self._sees("(")
        arguments = self._arguments() if has_arguments else CLEAN
        mapped = name == "map" and first[1:-1] in {"fence", *_NO_TEXT}
        if mapped:
            name = first[1:-1]
        if name in _NO_TEXT:
            return CLEAN
        if name == "fence":
            schema = _FENCES if mapped else None
            return Taken(frozenset(), value.untrusted | value.fenced, schema)
        schema = value.schema if name in _SAME_SCHEMA else None
        if name in _ELEMENTS:
            schema = element(value.schema, self._scope.root)
        keeping = _KEEP_FENCES if value.schema is _FENCES else _KEEP_FENCE
        whole = name in keeping and not (name == "trim" and has_arguments)
        kept = value if whole else value.opened()
        return kept.beside(arguments)._replace(schema=schema)

    def _arguments(self) -> Taken:
        """What the arguments in parentheses are made of."""
        value = CLEAN
        self._skip("(")
        while not self._sees(")") and self._peek() is not _END:
            if self._peek().kind == "name" and self._peek(1).text == "=":
                self._at += 2
            if not self._skip(","):
                value = value.beside(self._choice())
        self._skip(")")
        return value

    # ------------------------------------------------------------ tokens

    def _peek(self, further: int = 0) -> Token:
        at = self._at + further
        return self._tokens[at] if at < len(self._tokens) else _END

    def _take(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def _sees(self, text: str) -> bool:
        token = self._peek()
        return token.text == text and token.kind != "string"

    def _skip(self, *texts: str) -> bool:
        found = any(map(self._sees, texts))
        self._at += found
        return found


def _merged(one: Taken, other: Taken) -> Taken:
    """One of two values; their schema is known where both have the same."""
    return one.beside(other)._replace(schema=one.schema if one.schema == other.schema else None)
