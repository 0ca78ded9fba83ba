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
_NEAR: Final = 100  # blocks around a tag that it can be the end of


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
    return tuple(_Reader(tokens, known, remarks).nodes([_Scope(())], len(tokens)))


class _Reader:
    def __init__(self, tokens: list[Token], known: Known, remarks: Remarks) -> None:
        self._tokens = tokens
        self._known = known
        self._remarks = remarks
        self._at = 0
        self._depth = 0
        self._blocks = _blocks(tokens)
        self._used = set(known.given | known.optional)
        tags = " ".join(token.text for token in tokens if token.kind == "tag")
        own = re.findall(r"\w+", " ".join(re.findall(r"\bas\s*\|([^|]*)\|", tags)))
        above = re.findall(r"(?:@root\.|\.\./)(\w+)", tags)
        self._used |= set(re.findall(r"\w+", tags)) - set(own) | set(above)

    def nodes(self, scopes: list[_Scope], end: int) -> list[Node]:
        """Nodes up to a token, which is taken too."""
        found: list[Node] = []
        while self._at < end:
            token = self._tokens[self._at]
            self._at += 1
            found += self._node(token, scopes)
        self._at = end + 1
        return found

    def _node(self, token: Token, scopes: list[_Scope]) -> Iterable[Node]:
        if token.kind == "words":
            return [Words(token.text)]
        if token.kind == "note":
            return [Note(token.text)] if token.text else []
        try:
            bounds = self._blocks.get(self._at - 1)
            if bounds is not None and self._depth < _DEEPEST:
                self._depth += 1
                try:
                    return self._block(token, bounds, scopes)
                finally:
                    self._depth -= 1
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

    # Whatever has no equivalent is found before a body is read, so that nothing is read twice.

    def _block(self, token: Token, bounds: list[int], scopes: list[_Scope]) -> Iterable[Node]:
        words = _WORDS.findall(token.text[1:].strip())
        if words[:1] == ["each"]:
            return self._each(words[1:], bounds, scopes)
        if words[:1] == ["with"] and len(words) == 2 and len(bounds) == 1:
            return self._with(words[1], bounds, scopes)
        if words and words[0] in _CONDITIONS:
            return [self._choice(words, bounds, scopes)]
        raise _NoEquivalent

    def _choice(self, words: Sequence[str], bounds: list[int], scopes: list[_Scope]) -> Node:
        further = [_after_else(self._tokens[bound].text) for bound in bounds[:-1]]
        has_rest = bool(further) and not further[-1]
        asked = further[:-1] if has_rest else further
        conditions = [self._condition(one, scopes) for one in (words, *asked)]
        bodies = [tuple(self.nodes(scopes, bound)) for bound in bounds]
        otherwise = bodies.pop() if has_rest else ()
        return Choice(tuple(map(Branch, conditions, bodies)), otherwise)

    def _condition(self, words: Sequence[str], scopes: list[_Scope]) -> Expression:
        kind, *rest = words or ("",)
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

    def _each(
        self, words: Sequence[str], bounds: list[int], scopes: list[_Scope]
    ) -> Iterable[Node]:
        names = [word.strip("|") for word in words[2:]] if words[1:2] == ["as"] else []
        names = [name for name in names if name]
        plain = all(not _after_else(self._tokens[bound].text) for bound in bounds[:-1])
        if not words or (len(words) > 1 and len(names) != 1) or len(bounds) > 2 or not plain:
            raise _NoEquivalent
        path = self._path(words[0], scopes)
        keyed = self._has_key(bounds[0])
        name, key = self._element(path, scopes), "key" if keyed else ""
        scope = _Scope((name,), key, loop=True, names=tuple(names))
        over = Items(path) if keyed else self._list(path, scopes)
        body = tuple(self.nodes([*scopes, scope], bounds[0]))
        otherwise = tuple(self.nodes(scopes, bounds[1])) if len(bounds) == 2 else ()
        return [Loop((key, name) if keyed else (name,), over, body, otherwise)]

    def _list(self, path: Path, scopes: list[_Scope]) -> Expression:
        certain = self._is_certain(path, scopes)
        if certain or (len(path.names) > 1 and path.names[0] not in self._known.optional):
            return path
        return OrEmpty(path, "list")

    def _has_key(self, end: int) -> bool:
        """Whether the body that begins here asks for keys itself."""
        depth = 0
        for token in self._tokens[self._at : end]:
            text = token.text if token.kind == "tag" else ""
            depth += text.startswith("#each") - text.startswith("/each")
            if not depth and re.search(r"(?<!/)@key\b", text):
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

    def _with(self, word: str, bounds: list[int], scopes: list[_Scope]) -> Iterable[Node]:
        path = self._path(word, scopes)
        body = tuple(self.nodes([*scopes, _Scope(path.names)], bounds[0]))
        condition = path if self._is_certain(path, scopes) else Present(path)
        return [Choice((Branch(condition, body),))]


def _blocks(tokens: Sequence[Token]) -> dict[int, list[int]]:
    """By the token that begins a block: those of its else, and its end. Others are not closed."""
    blocks: dict[int, list[int]] = {}
    opened: list[tuple[int, str, list[int]]] = []
    for number, token in enumerate(tokens):
        text = token.text if token.kind == "tag" else ""
        if text.startswith("#"):
            name = next(iter(_WORDS.findall(text[1:])), "")
            opened.append((number, name, []))
        elif opened and (text == "^" or re.match(r"else\b", text)):
            opened[-1][2].append(number)
        elif text.startswith("/") and text[1:].strip() in {name for _, name, _ in opened[-_NEAR:]}:
            while opened[-1][1] != text[1:].strip():
                opened.pop()
            start, _, bounds = opened.pop()
            blocks[start] = [*bounds, number]
    return blocks


def _after_else(text: str) -> list[str]:
    return _WORDS.findall(text.removeprefix("else").removeprefix("^"))


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
