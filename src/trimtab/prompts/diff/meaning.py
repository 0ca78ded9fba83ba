"""What a change of a schema means for those who call a prompt, or read its answers, in words.

Callers suffer from an input that is stricter, their code from an output that is looser.
"""

from collections.abc import Collection
from typing import Final, Literal, NamedTuple, cast

import msgspec

from trimtab.prompts.diff.change import code

__all__ = ["Meaning", "Meanings", "Side"]

Side = Literal["input", "output"]
"""Who has to keep to the schema: callers with the input, the model with the output."""

_WORDS_ONLY: Final = frozenset(("$schema", "default", "description", "examples", "title"))
_LEAST: Final = frozenset(("minItems", "minLength", "minimum", "exclusiveMinimum"))
_MOST: Final = frozenset(("maxItems", "maxLength", "maximum", "exclusiveMaximum"))
_MOST_LISTED: Final = 5


class Meaning(NamedTuple):
    """Markdown in one line, or "" where nothing is to be said; and whether somebody has to act."""

    words: str
    is_breaking: bool = False


class Meanings:
    """Finds the words.

    Args:
        side: whose schema it is.
        optional: variables that have a default elsewhere in the new version.
    """

    def __init__(self, side: Side, optional: Collection[str]) -> None:
        self._is_input = side == "input"
        self._optional = optional

    def declared(self) -> Meaning:
        """There is a schema where none was."""
        return Meaning(
            "variables are checked now" if self._is_input else "answers are JSON now",
            is_breaking=True,
        )

    def undeclared(self) -> Meaning:
        """There is none where one was."""
        if self._is_input:
            return Meaning("variables are no longer checked")
        return Meaning("answers are free text now", is_breaking=True)

    def new_field(self, place: str, schema: object, *, is_required: bool) -> Meaning:
        """A field is declared that was not."""
        name = code(place)
        if not self._is_input:
            return Meaning(f"answers {'carry' if is_required else 'may carry'} {name} now")
        if not is_required:
            return Meaning(f"variable {name} may be sent now")
        return self.now_required(place, schema)

    def lost_field(self, place: str, *, is_closed: bool) -> Meaning:
        """A field is no longer declared; with `is_closed`, no others are accepted."""
        name = code(place)
        if not self._is_input:
            return Meaning(f"answers no longer carry {name}", is_breaking=True)
        if is_closed:
            return Meaning(f"a call that sends variable {name} is refused now", is_breaking=True)
        return Meaning(f"variable {name} is no longer declared; who sends it is not refused")

    def now_required(self, place: str, schema: object) -> Meaning:
        """A field must be there."""
        name = code(place)
        if not self._is_input:
            return Meaning(f"every answer carries {name} now")
        if self._has_default(place, schema):
            return Meaning(f"variable {name} is now required, and has a default")
        return Meaning(f"variable {name} is now required", is_breaking=True)

    def now_optional(self, place: str) -> Meaning:
        """A field need no longer be there."""
        name = code(place)
        if self._is_input:
            return Meaning(f"variable {name} may be left out now")
        return Meaning(f"answers may come without {name} now", is_breaking=True)

    def keyword(self, name: str, place: str, values: tuple[object, object]) -> Meaning:
        """A keyword has another value.

        Args:
            name: of the keyword.
            place: of the value that the schema is for: `customer.name`, "" for the whole.
            values: old and new; None for one that is not there.
        """
        if name in _WORDS_ONLY:
            return Meaning("changes nothing for callers" if self._is_input else "")
        if name == "additionalProperties":
            return self._others(place, *values)
        what = self._subject(place)
        if name in {"type", "enum"}:
            return self._choice(what, *map(_listed, values))
        if name in _LEAST or name in _MOST:
            return self._bound(what, name, values)
        return self._condition(what, values)

    def _condition(self, what: str, values: tuple[object, object]) -> Meaning:
        if values[0] is None:
            return Meaning(f"{what} has a further condition", self._is_input)
        if values[1] is None:
            return Meaning(f"{what} has a condition less", not self._is_input)
        return Meaning(f"{what} has another condition", is_breaking=True)

    def _has_default(self, place: str, schema: object) -> bool:
        """A default fills the variable in; only of those at the first level."""
        own = isinstance(schema, dict) and "default" in schema
        return place in self._optional or (own and "." not in place and "[" not in place)

    def _subject(self, place: str) -> str:
        if self._is_input:
            return f"variable {code(place)}" if place else "the object of variables"
        return f"{code(place)} of an answer" if place else "an answer"

    def _choice(self, what: str, old: list[str] | None, new: list[str] | None) -> Meaning:
        """A list of what is allowed is another one; None stands for everything."""
        if new is None:
            return Meaning(f"{what} may be anything now", not self._is_input)
        if old is None:
            return Meaning(f"{what} must be {_list(new)} now", self._is_input)
        added = [text for text in new if text not in old]
        removed = [text for text in old if text not in new]
        parts = [f"may be {_list(added)} now"] if added else []
        parts += [f"may no longer be {_list(removed)}"] if removed else []
        # Every integer is a number.
        is_stricter = bool(removed) and not (removed == ["integer"] and "number" in new)
        is_looser = bool(added) and not (added == ["integer"] and "number" in old)
        words = f"{what} {' and '.join(parts)}" if parts else ""
        return Meaning(words, is_stricter if self._is_input else is_looser)

    def _others(self, place: str, old: object, new: object) -> Meaning:
        """What is allowed besides the fields that are declared."""
        closed = new is False
        opened = new is None or new is True or new == {}
        if not self._is_input:
            told = "carry nothing else" if closed else "may carry more fields"
            where = f"{code(place)} of answers" if place else "answers"
            return Meaning(f"{where}: {told} now", is_breaking=not closed)
        what = f"fields of {code(place)}" if place else "variables"
        told = "refused" if closed else "accepted" if opened else "checked"
        is_stricter = closed or (not opened and old is not False)
        return Meaning(f"{what} that are not declared are {told} now", is_stricter)

    def _bound(self, what: str, name: str, values: tuple[object, object]) -> Meaning:
        old, new = values
        if isinstance(old, int | float) and isinstance(new, int | float):
            is_stricter = (new > old) == (name in _LEAST)
        else:
            is_stricter = old is None
        told = f"{what} has a {'tighter' if is_stricter else 'wider'} limit ({name})"
        return Meaning(told, is_stricter == self._is_input)


def _listed(values: object) -> list[str] | None:
    """Values as JSON, text without its quotes."""
    if values is None:
        return None
    several = cast("list[object]", values) if isinstance(values, list) else [values]
    return [
        value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for value in several
    ]


def _list(texts: list[str]) -> str:
    shown = ", ".join(code(text) for text in texts[:_MOST_LISTED])
    more = len(texts) - _MOST_LISTED
    return f"{shown} and {more} more" if more > 0 else shown
