r"""Regular expressions of schemas, matched in time that grows with the value and no faster.

Python's own engine tries one way after the other, so a pattern such as `(a+)+b` takes for ever on
thirty letters of a caller. Here all ways are followed at once (Thompson, CACM 11(6), 1968), as a
deterministic automaton that is made as far as it is needed.

What there is: characters, `.`, classes, `\d \w \s` and their opposites, `^`, `$`, groups, `|` and
the quantifiers. What cannot be matched in this way is refused: looking ahead or back, references to
groups. As in JSON Schema a pattern may match anywhere in the value, and `$` is its very end.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

__all__ = ["Pattern", "PatternProblem"]

_LONGEST: Final = 2_000
_MOST_STEPS: Final = 5_000
_MOST_KNOWN: Final = 5_000  # transitions; then they are forgotten and made anew
_DEEPEST: Final = 50

_BEGIN: Final = frozenset(("begin",))
_END: Final = frozenset(("end",))
_INSIDE: Final[frozenset[str]] = frozenset()

_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_HEX_DIGITS: Final = {"x": 2, "u": 4}

_Test = Callable[[str], bool]
_Part = Callable[[int], int]
"""Writes the steps of a part of the pattern in front of a step; gives the first of them."""


class PatternProblem(Exception):
    """A pattern that is not in the language; says what is wrong with it."""


class _Step(NamedTuple):
    """Takes a character, or goes on without one.

    Attributes:
        test: of the character; None where none is taken.
        following: steps after it.
        only: "" anywhere, or "begin" or "end".
    """

    test: _Test | None
    following: tuple[int, ...]
    only: str = ""


class Pattern:
    """A compiled pattern, for any number of threads.

    Args:
        text: as a schema has it.

    Raises:
        PatternProblem: it is not in the language.
    """

    def __init__(self, text: str) -> None:
        compiler = _Compiler(text)
        self._steps = compiler.steps
        self._match = compiler.match
        self._start = compiler.start
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def search(self, value: str) -> bool:
        """Whether it matches anywhere in a value."""
        states = self._reached((self._start,), _BEGIN if value else _BEGIN | _END)
        for character in value:
            if self._match in states:
                return True
            following = self._known.get((states, character))
            if following is None:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                following = self._after(states, character)
                self._known[states, character] = following
            states = following
        return self._match in states or (bool(value) and self._match in self._reached(states, _END))

    def _after(self, states: frozenset[int], character: str) -> frozenset[int]:
        places = [self._start]  # a match may begin anywhere
        for place in states:
            step = self._steps[place]
            if step.test is not None and step.test(character):
                places += step.following
        return self._reached(places, _INSIDE)

    def _reached(self, places: Iterable[int], where: frozenset[str]) -> frozenset[int]:
        """All steps that can be reached from some without taking a character."""
        waiting, found = list(places), set[int]()
        while waiting:
            place = waiting.pop()
            if place in found:
                continue
            found.add(place)
            step = self._steps[place]
            if step.test is None and (not step.only or step.only in where):
                waiting += step.following
        return frozenset(found)


class _Compiler:
    """From a pattern to steps, by recursive descent."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise PatternProblem(f"longer than {_LONGEST:,} characters")
        self._text = text
        self._at = 0
        self.steps: list[_Step] = []
        whole = self._alternatives(0)
        if self._at < len(text):
            raise PatternProblem("a parenthesis closes that nothing opened")
        self.match = self._add(_Step(None, ()))
        self.start = whole(self.match)

    # ------------------------------------------------------------ reading

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._peek()
        if not character:
            raise PatternProblem("ends too early")
        self._at += 1
        return character

    def _skips(self, text: str) -> bool:
        found = self._text.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _alternatives(self, depth: int) -> _Part:
        if depth > _DEEPEST:
            raise PatternProblem(f"groups more than {_DEEPEST} deep")
        found = [self._sequence(depth)]
        while self._skips("|"):
            found.append(self._sequence(depth))
        return found[0] if len(found) == 1 else self._either(found)

    def _sequence(self, depth: int) -> _Part:
        parts: list[_Part] = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._quantified(self._atom(depth)))

        def write(following: int) -> int:
            for part in reversed(parts):
                following = part(following)
            return following

        return write

    def _atom(self, depth: int) -> _Part:
        character = self._take()
        match character:
            case "(":
                return self._group(depth)
            case "[":
                return self._taking(self._class())
            case ".":
                return self._taking(lambda one: one != "\n")
            case "^" | "$":
                return self._only("begin" if character == "^" else "end")
            case "\\":
                return self._taking(self._escape())
            case "*" | "+" | "?":
                raise PatternProblem(f"{character} has nothing to repeat")
            case _:
                return self._taking(_is(character))

    def _group(self, depth: int) -> _Part:
        if self._skips("?") and not self._skips(":"):
            raise PatternProblem("(?...) is not supported, but for (?:...)")
        inside = self._alternatives(depth + 1)
        if not self._skips(")"):
            raise PatternProblem("a parenthesis is not closed")
        return inside

    def _quantified(self, part: _Part) -> _Part:
        while (found := self._quantifier()) is not None:
            if self._peek() == "+":
                raise PatternProblem("possessive quantifiers are not supported")
            self._skips("?")  # as much or as little as can be: what matches is the same
            part = self._repeated(part, *found)
        return part

    def _quantifier(self) -> tuple[int, int | None] | None:
        for sign, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._skips(sign):
                return least, most
        if self._peek() != "{":
            return None
        inside, closed, _ = self._text[self._at + 1 :].partition("}")
        first, comma, last = inside.partition(",")
        if not closed or not first.isdecimal() or not (last.isdecimal() or not last):
            return None  # braces that stand for themselves
        self._at += len(inside) + 2
        least, most = int(first), int(last) if last else (None if comma else int(first))
        if least > _MOST_STEPS or (most is not None and not least <= most <= _MOST_STEPS):
            raise PatternProblem(f"{{{inside}}} repeats too often, or the wrong way round")
        return least, most

    def _class(self) -> _Test:
        opposite = self._skips("^")
        tests: list[_Test] = []
        first = True
        while first or self._peek() != "]":
            first = False
            tests.append(self._member())
        self._at += 1
        chosen = tuple(tests)
        return lambda one: any(test(one) for test in chosen) is not opposite

    def _member(self) -> _Test:
        """A character, a range, or an escaped class inside a class."""
        low = self._take()
        if low == "\\":
            if self._peek() in "dDwWsS":
                return self._escape()
            low = self._escaped()
        if self._peek() != "-" or self._text[self._at + 1 : self._at + 2] in {"]", ""}:
            return _is(low)
        self._at += 1
        high = self._take()
        if high == "\\":
            high = self._escaped()
        if high < low:
            raise PatternProblem("a range in a class is the wrong way round")
        return lambda one: low <= one <= high

    def _escape(self) -> _Test:
        test = _CLASSES.get(self._peek())
        if test is not None:
            self._at += 1
            return test
        return _is(self._escaped())

    def _escaped(self) -> str:
        """The character that an escape stands for."""
        character = self._take()
        if character in _HEX_DIGITS:
            digits = self._text[self._at : self._at + _HEX_DIGITS[character]]
            self._at += len(digits)
            try:
                return chr(int(digits, 16))
            except ValueError:
                raise PatternProblem(f"\\{character} needs hexadecimal digits") from None
        if character in _ESCAPED:
            return _ESCAPED[character]
        if character.isalnum():
            raise PatternProblem(f"\\{character} is not supported")
        return character

    # ------------------------------------------------------------ writing

    def _add(self, step: _Step) -> int:
        if len(self.steps) >= _MOST_STEPS:
            raise PatternProblem("too long once its repeats are written out")
        self.steps.append(step)
        return len(self.steps) - 1

    def _taking(self, test: _Test) -> _Part:
        return lambda following: self._add(_Step(test, (following,)))

    def _only(self, where: str) -> _Part:
        return lambda following: self._add(_Step(None, (following,), where))

    def _either(self, parts: list[_Part]) -> _Part:
        return lambda following: self._add(_Step(None, tuple(part(following) for part in parts)))

    def _repeated(self, part: _Part, least: int, most: int | None) -> _Part:
        def write(following: int) -> int:
            if most is None:
                loop = self._add(_Step(None, (following,)))
                self.steps[loop] = _Step(None, (part(loop), following))
                following = loop
            else:
                end = following
                for _ in range(most - least):
                    following = self._add(_Step(None, (part(following), end)))
            for _ in range(least):
                following = part(following)
            return following

        return write


def _is(character: str) -> _Test:
    return lambda one: one == character


def _is_word(one: str) -> bool:
    return one.isalnum() or one == "_"


_CLASSES: Final[dict[str, _Test]] = {
    "d": str.isdecimal,
    "D": lambda one: not one.isdecimal(),
    "w": _is_word,
    "W": lambda one: not _is_word(one),
    "s": str.isspace,
    "S": lambda one: not one.isspace(),
}
