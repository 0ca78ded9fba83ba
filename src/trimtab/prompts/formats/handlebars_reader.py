"""Text of Handlebars, as dotprompt has it -> nodes."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from trimtab.prompts.formats.border import Remarks
from trimtab.prompts.formats.expressions import RESERVED_NAMES
from trimtab.prompts.formats.handlebars_tokens import Token, tokens_of
from trimtab.prompts.formats.nodes import (
    Branch,
    Choice,
    Constant,
    Equal,
    Expression,
    Items,
    Json,
    Loop,
    Node,
    Not,
    Note,
    OrEmpty,
    Part,
    Path,
    Present,
    Value,
    Words,
)

__all__ = ["Known", "read_handlebars"]

_SEGMENT: Final = r"(?:[^\W\d]\w*|\[\d+\]|\d+)"
_PATH: Final = re.compile(
    rf"(?:\.\./)*(?:@root\.|@)?(?:this\.)?{_SEGMENT}(?:[./]{_SEGMENT})*|\.|\.\.|(?:\.\./)*this"
)
_WORDS: Final = re.compile(r"""\w+=(?:"[^"]*"|'[^']*'|[^\s"']+)|"[^"]*"|'[^']*'|[^\s"']+""")
_LOOP_NAMES: Final = {"@index": "index0", "@first": "first", "@last": "last"}
_CONDITIONS: Final = ("if", "unless", "ifEquals", "unlessEquals")
_DEEPEST: Final = 60


class Known(NamedTuple):
    """What a schema says about the variables.

    Attributes:
        given: names that are always there.
        optional: names that may be absent.
    """

    given: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


class _Scope(NamedTuple):
    """What `this` is.

    Attributes:
        base: its path; empty for all variables.
        key: name of the key, in a loop over a mapping.
        loop: whether it is an element of a loop.
    """

    base: tuple[str, ...]
    key: str = ""
    loop: bool = False
    names: tuple[str, ...] = ()


class _NoEquivalent(Exception):
    pass


def read_handlebars(
    source: str | Sequence[Token], known: Known, remarks: Remarks
) -> tuple[Node, ...]:
    """What a template says. What has no equivalent stays in the text, with a remark."""
    tokens = tokens_of(source) if isinstance(source, str) else list(source)
    return tuple(_Reader(tokens, known, remarks).nodes([_Scope(())], ""))


class _Reader:
    def __init__(self, tokens: list[Token], known: Known, remarks: Remarks) -> None:
        self._tokens = tokens
        self._known = known
        self._remarks = remarks
        self._at = 0
        self._used = set(known.given | known.optional)
        tags = " ".join(token.text for token in tokens if token.kind == "tag")
        own = re.findall(r"\w+", " ".join(re.findall(r"\bas\s*\|([^|]*)\|", tags)))
        above = re.findall(r"(?:@root\.|\.\./)(\w+)", tags)
        self._used |= set(re.findall(r"\w+", tags)) - set(own) | set(above)

    def nodes(self, scopes: list[_Scope], inside: str) -> list[Node]:
        """Nodes up to the end of the block `inside`, or up to an else of it."""
        found: list[Node] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if inside and token.kind == "tag" and _is_end(token.text):
                break
            self._at += 1
            found += self._node(token, scopes)
        return found

    def _node(self, token: Token, scopes: list[_Scope]) -> Iterable[Node]:
        if token.kind == "words":
            return [Words(token.text)]
        if token.kind == "note":
            return [Note(token.text)] if token.text else []
        try:
            if token.text.startswith("#") and len(scopes) < _DEEPEST:
                return self._block(token, scopes)
            if token.text.startswith(">"):
                return [_partial(token.text)]
            return [self._value(token.text, scopes)]
        except _NoEquivalent:
            return self._visible(token)

    def _visible(self, token: Token) -> list[Node]:
        self._remarks.add(
            f"{token.raw[:60]!r} has no equivalent; it stays in the text as it is",
            "Let the application pass the result as a variable, and write {{ variable }}",
        )
        return [Words(token.raw)]

    # ------------------------------------------------------------ values

    def _value(self, text: str, scopes: list[_Scope]) -> Node:
        words = _WORDS.findall(text)
        if len(words) > 1 and words[0] == "json":
            return Value(Json(self._path(words[1], scopes)))
        if len(words) != 1:
            raise _NoEquivalent
        path = self._path(words[0], scopes)
        if path.names[0] in self._known.optional and len(path.names) == 1:
            return Value(OrEmpty(path, "text"))
        if len(path.names) > 1 and path.names[0] != "loop":
            self._remarks.add(
                "fields that are absent were printed as nothing; here they are errors",
                'Make them required in input.schema, or write {{ it.field | default("") }}',
            )
        return Value(path)

    def _path(self, word: str, scopes: list[_Scope]) -> Path:
        if _PATH.fullmatch(word) is None:
            raise _NoEquivalent
        if word.startswith("@root."):
            return _checked(Path(_segments(word.removeprefix("@root."))))
        ups = len(re.findall(r"\.\.(?:/|$)", word))
        if ups >= len(scopes):
            raise _NoEquivalent
        scope = scopes[-1 - ups]
        rest = re.sub(r"^(?:\.\./?)+", "", word)
        if rest.startswith("@"):
            return self._of_loop(rest, scope)
        names = _segments(re.sub(r"^(?:this\.?|\.)", "", rest)) if rest else ()
        named = [one for one in scopes if names and names[0] in one.names]
        if named and not rest.startswith("this"):
            return _checked(Path(named[-1].base + names[1:]))
        return _checked(Path(scope.base + names))

    def _of_loop(self, word: str, scope: _Scope) -> Path:
        if scope.loop and word in _LOOP_NAMES:
            return Path(("loop", _LOOP_NAMES[word]))
        if scope.key and word == "@key":
            return Path((scope.key,))
        raise _NoEquivalent

    def _is_certain(self, path: Path, scopes: list[_Scope]) -> bool:
        """Whether asking for it is never an error."""
        own = {name for scope in scopes for name in (*scope.base[:1], scope.key)}
        single = len(path.names) == 1 or path.names[0] == "loop"
        return single and path.names[0] in own | self._known.given | {"loop"}

    # ------------------------------------------------------------ blocks

    def _block(self, token: Token, scopes: list[_Scope]) -> Iterable[Node]:
        words = _WORDS.findall(token.text[1:].strip())
        if words[:1] == ["each"]:
            return self._each(token, words[1:], scopes)
        if words[:1] == ["with"] and len(words) == 2:
            return self._with(token, words[1], scopes)
        if words and words[0] in _CONDITIONS:
            return [self._choice(token, words, scopes)]
        raise _NoEquivalent

    def _choice(self, token: Token, words: Sequence[str], scopes: list[_Scope]) -> Node:
        branches: list[Branch] = []
        condition: Expression | None = self._condition(words, scopes)
        start = self._at
        while condition is not None:
            branches.append(Branch(condition, tuple(self.nodes(scopes, words[0]))))
            tag = self._taken(token, start)
            if tag.startswith("/"):
                return Choice(tuple(branches))
            further = _WORDS.findall(tag.removeprefix("else").removeprefix("^"))
            condition = self._condition(further, scopes) if further else None
        otherwise = tuple(self.nodes(scopes, words[0]))
        if not self._taken(token, start).startswith("/"):
            self._at = start
            raise _NoEquivalent
        return Choice(tuple(branches), otherwise)

    def _taken(self, token: Token, start: int) -> str:
        """The tag that ended a body: an else, or the end of the block that `token` began."""
        if self._at < len(self._tokens):
            text = self._tokens[self._at].text
            self._at += 1
            begun = _WORDS.findall(token.text[1:].strip())[0]
            if not text.startswith("/") or text[1:].strip() == begun:
                return text
        self._at = start
        raise _NoEquivalent

    def _condition(self, words: Sequence[str], scopes: list[_Scope]) -> Expression:
        kind, *rest = words
        if kind in {"if", "unless"} and len(rest) == 1:
            path = self._path(rest[0], scopes)
            here = path if self._is_certain(path, scopes) else Present(path)
            return here if kind == "if" else Not(here)
        if kind in {"ifEquals", "unlessEquals"} and len(rest) == 2:
            left = self._path(rest[0], scopes)
            constant = _constant(rest[1])
            right = constant if constant is not None else self._path(rest[1], scopes)
            return Equal(left, right) if kind == "ifEquals" else Not(Equal(left, right))
        raise _NoEquivalent

    def _each(self, token: Token, words: Sequence[str], scopes: list[_Scope]) -> Iterable[Node]:
        if not words:
            raise _NoEquivalent
        path = self._path(words[0], scopes)
        names = [word.strip("|") for word in words[2:]] if words[1:2] == ["as"] else []
        names = [name for name in names if name]
        if len(words) > 1 and not names:
            raise _NoEquivalent
        keyed = self._has_key()
        if len(names) > 1:
            raise _NoEquivalent
        name, key = self._element(path, scopes), "key" if keyed else ""
        scope = _Scope((name,), key, loop=True, names=tuple(names))
        start = self._at
        body = tuple(self.nodes([*scopes, scope], "each"))
        tag = self._taken(token, start)
        otherwise: tuple[Node, ...] = ()
        if not tag.startswith("/"):
            otherwise = tuple(self.nodes(scopes, "each"))
            if tag.removeprefix("else").strip("^ ") or not self._taken(token, start).startswith(
                "/"
            ):
                self._at = start
                raise _NoEquivalent
        certain = keyed or self._is_certain(path, scopes)
        over: Expression = path if certain else OrEmpty(path, "list")
        if len(path.names) > 1 and path.names[0] not in self._known.optional:
            over = path
        return [
            Loop((key, name) if keyed else (name,), Items(path) if keyed else over, body, otherwise)
        ]

    def _has_key(self) -> bool:
        """Whether the block that begins here asks for keys itself."""
        depth = 0
        for token in self._tokens[self._at :]:
            text = token.text if token.kind == "tag" else ""
            if text.startswith("#each"):
                depth += 1
            elif text.startswith("/each"):
                if not depth:
                    return False
                depth -= 1
            elif not depth and re.search(r"(?<!/)@key\b", text):
                return True
        return False

    def _element(self, path: Path, scopes: list[_Scope]) -> str:
        """A name for the elements of a list that is nobody else's."""
        last = next((name for name in reversed(path.names) if not name.isdecimal()), "")
        single = (
            f"{last[:-3]}y" if last.endswith("ies") else last[:-1] if last.endswith("s") else ""
        )
        taken = self._used | RESERVED_NAMES | {scope.base[0] for scope in scopes if scope.base}
        name = single if len(single) > 1 and single not in taken else "item"
        number = 1
        while name in taken:
            number += 1
            name = f"item{number}"
        return name

    def _with(self, token: Token, word: str, scopes: list[_Scope]) -> Iterable[Node]:
        path = self._path(word, scopes)
        start = self._at
        body = tuple(self.nodes([*scopes, _Scope(path.names)], "with"))
        if not self._taken(token, start).startswith("/"):
            self._at = start
            raise _NoEquivalent
        condition = path if self._is_certain(path, scopes) else Present(path)
        return [Choice((Branch(condition, body),))]


def _is_end(text: str) -> bool:
    return text.startswith("/") or text == "^" or re.match(r"else\b", text) is not None


def _segments(word: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", word))


def _checked(path: Path) -> Path:
    names = path.names
    if not names or names[0] in RESERVED_NAMES - {"loop"} or any(n.startswith("_") for n in names):
        raise _NoEquivalent
    return path


def _constant(word: str) -> Constant | None:
    if word[0] in "\"'":
        return Constant(word[1:-1])
    if re.fullmatch(r"\d{1,15}(?:\.\d{1,15})?", word):
        return Constant(float(word) if "." in word else int(word))
    return {"true": Constant(True), "false": Constant(False), "null": Constant(None)}.get(word)  # noqa: FBT003 - the value of a constant


def _partial(text: str) -> Part:
    name = text[1:].strip().strip("\"'")
    if re.fullmatch(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*", name) is None:
        raise _NoEquivalent
    return Part(name if "." in name.rpartition("/")[2] else f"{name}.md")
