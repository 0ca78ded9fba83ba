"""What the finder finds: a text that looks like a prompt, and where it stands."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

__all__ = [
    "Candidate",
    "Confidence",
    "HiddenPrompt",
    "Kind",
    "Part",
    "Placeholder",
    "Role",
    "Use",
    "text_of",
    "word_set",
    "words_of",
]

Kind = Literal["env", "compose", "kubernetes", "python", "typescript"]
Confidence = Literal["sure", "likely"]
Role = Literal["system", "user"]
Use = Literal["message", "template", "argument", "assigned", "text"]
"""How a text is used: content of a message, argument of something that makes messages or prompts or
that is a model, any other argument, value of a name, or none of these."""


class Placeholder(NamedTuple):
    """A place in a text where the application puts a value.

    Attributes:
        written: as it stands in the text, as in `{name}`.
        expression: what is put there, as in `name` or `ticket.subject`.
    """

    written: str
    expression: str


Part: TypeAlias = str | Placeholder


def text_of(parts: tuple[Part, ...]) -> str:
    """The text with its placeholders as written."""
    return "".join(part if isinstance(part, str) else part.written for part in parts)


def word_set(text: str) -> frozenset[str]:
    """The words between spaces."""
    return frozenset(text.split())


def words_of(name: str) -> list[str]:
    """The words of a name in lower case: `SYSTEM_PROMPT`, `systemPrompt` -> system, prompt."""
    words: list[str] = []
    word = ""
    for before, letter in zip(" " + name, name, strict=False):
        new = letter.isupper() and not before.isupper()
        if word and (new or not letter.isalnum()):
            words.append(word)
            word = ""
        if letter.isalnum():
            word += letter.lower()
    return [*words, word] if word else words


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A text that may be a prompt.

    Attributes:
        line: of its first character, counted from 1.
        end_line: of its last.
        name: of the variable, constant or argument; empty if there is none.
        parts: the text, split at its placeholders.
        use: how it is used.
        role: of the message; empty if it is in none.
        callee: dotted name of what it is passed to; empty if it is no argument.
        home: name of the function, service or object around it; empty if there is none.
        beside_model: the object that it is a value of has a `model`, too.
    """

    kind: Kind
    line: int
    end_line: int
    name: str
    parts: tuple[Part, ...] = field(repr=False)
    use: Use
    role: str = ""
    callee: str = ""
    home: str = ""
    beside_model: bool = False


@dataclass(frozen=True, kw_only=True)
class HiddenPrompt:
    """A prompt outside of a prompt file. Its text is not in its repr, which may meet a log.

    Attributes:
        file: path below the folder, with slashes.
        line: of its first line, counted from 1.
        end_line: of its last.
        kind: of the place that hides it.
        name: of the variable, constant or argument; `system`, `user` for a message.
        parts: the text, split at its placeholders; what looks like a secret is a placeholder, too.
        role: whose turn it is.
        confidence: sure, or likely.
        why: in few words.
        prompt_id: a suggestion, unlike that of any other in the folder.
    """

    file: str
    line: int
    end_line: int
    kind: Kind
    name: str
    parts: tuple[Part, ...] = field(repr=False)
    role: Role
    confidence: Confidence
    why: str
    prompt_id: str

    @property
    def text(self) -> str:
        """The text with its placeholders as written."""
        return text_of(self.parts)

    @property
    def variables(self) -> tuple[str, ...]:
        """What is put into the placeholders, each once, in the order of the text."""
        found = (part.expression for part in self.parts if isinstance(part, Placeholder))
        return tuple(dict.fromkeys(found))

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"
