"""What is said in each language: `lexicon/*.toml`, one file a language, all of the same form.

A text is of a language if it has its `letters` or one of its `words`; every text may be English.
`acts` lists by act what says it; `parts` are put where `<name>` stands; `asked` is what declines a
verb of the prompt; `excused` is what makes
words of declining none; `task` is what a prompt says. All patterns are searched in lower case and
end within their sentence, so the time is linear in the text.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

__all__ = [
    "ACTS",
    "Tongue",
    "greeting",
    "order_tongues",
    "says_no",
    "sign_off",
    "tongues",
    "tongues_of",
]

ACTS: Final = (
    "decline", "incapable", "abstain", "speech", "condemn", "point", "crisis", "redirect", "offer",
    "moral", "refute", "premise", "deliver", "pivot", "apology",
    "self",
)  # fmt: skip
"""What a clause may do."""

_PART: Final = re.compile(r"<([a-z_]+)>")
_NEVER: Final = re.compile(r"(?!)")


class Tongue:
    """One language. Its patterns are compiled when a text of it is first seen.

    Attributes:
        code: of ISO 639-1.
        latin: written in Latin letters.
        words: that any text of it has; "" where its letters tell it.
        orders: that a short prompt in it may consist of.
        no: whole answers that mean no.
        letter: what begins a line of `greeting` and of `sign_off`.
    """

    def __init__(self, code: str, entry: dict[str, Any]) -> None:
        self.code = code
        self.latin = "letters" not in entry
        self.words: str = entry.get("words", "")
        task: dict[str, str] = entry.get("task", {})
        self.orders = [task[kind] for kind in ("transform", "create") if kind in task]
        self._task = task
        self._acts: dict[str, list[str]] = entry["acts"]
        self.no: list[str] = entry["no"]
        self.letter: dict[str, str] = entry["letter"]
        self._parts: dict[str, str] = entry.get("parts", {})
        self._asked: str = entry.get("asked", {}).get("decline", "")
        self._excused: dict[str, str] = entry["excused"]
        self._speaks = re.compile(rf"\b(?:{self.words})\b" if self.latin else entry["letters"])

    def speaks(self, text: str) -> bool:
        """Whether a text in lower case may be in it."""
        return self._speaks.search(text) is not None

    @cached_property
    def acts(self) -> dict[str, re.Pattern[str]]:
        """By act, what says it."""
        return {act: self._compiled(_any(listed)) for act, listed in self._acts.items()}

    @cached_property
    def task(self) -> dict[str, re.Pattern[str]]:
        """By kind of task, what asks for it."""
        return {kind: self._compiled(said) for kind, said in self._task.items()}

    @cached_property
    def asked(self) -> re.Pattern[str]:
        """Words of declining, with the verb declined as its group."""
        return self._compiled(self._asked) if self._asked else _NEVER

    @cached_property
    def excused_before(self) -> re.Pattern[str]:
        """Ends where words of declining begin that are supposed, asked or reported."""
        return self._compiled(self._excused["before"]) if "before" in self._excused else _NEVER

    @cached_property
    def excused_near(self) -> re.Pattern[str]:
        """Stands with words of declining that are praise, a wish to know more, or exactness."""
        return self._compiled(self._excused["near"])

    def _compiled(self, said: str) -> re.Pattern[str]:
        while _PART.search(said):
            said = _PART.sub(lambda part: self._parts[part[1]], said)
        return re.compile(said, re.MULTILINE)


@cache
def tongues() -> tuple[Tongue, ...]:
    """All languages, English first."""
    files = sorted(Path(__file__).with_name("lexicon").glob("*.toml"))
    found = [Tongue(file.stem, tomllib.loads(file.read_text(encoding="utf-8"))) for file in files]
    return tuple(sorted(found, key=lambda tongue: (tongue.code != "en", tongue.code)))


def tongues_of(text: str) -> list[Tongue]:
    """Those that a text in lower case may be in."""
    english, *others = tongues()
    found = [english]
    if not text.isascii():
        found += [tongue for tongue in others if not tongue.latin and tongue.speaks(text)]
    if _latin_words().search(text):
        found += [tongue for tongue in others if tongue.latin and tongue.speaks(text)]
    return found


def order_tongues(prompt: str) -> list[Tongue]:
    """Those that a prompt in lower case may be in; it may be of a word or two."""
    if _latin_orders().search(prompt):
        letters = tongues_of(prompt)
        return [tongue for tongue in tongues() if tongue.latin or tongue in letters]
    return tongues_of(prompt)


@cache
def says_no() -> frozenset[str]:
    """Whole answers that mean no, in lower case and without a full stop."""
    return frozenset(word for tongue in tongues() for word in tongue.no)


@cache
def greeting() -> re.Pattern[str]:
    """A line with which a letter or a mail begins; a greeting ends with a comma or a colon."""
    lines = "|".join(tongue.letter["greeting"] for tongue in tongues())
    return re.compile(rf"^ {{0,3}}(?:{lines})[^\n]{{0,60}}$", re.MULTILINE)


@cache
def sign_off() -> re.Pattern[str]:
    """A line with which it ends."""
    lines = "|".join(tongue.letter["sign_off"] for tongue in tongues())
    return re.compile(rf"^ {{0,3}}(?:{lines})[^\n]{{0,40}}$", re.MULTILINE)


@cache
def _latin_words() -> re.Pattern[str]:
    words = "|".join(tongue.words for tongue in tongues() if tongue.words)
    return re.compile(rf"\b(?:{words})\b")


@cache
def _latin_orders() -> re.Pattern[str]:
    listed = [said for tongue in tongues() if tongue.words for said in tongue.orders]
    return re.compile(_any(listed))


def _any(listed: Iterable[str]) -> str:
    """Any of several patterns. The engine tells those that begin a word by their first letter."""
    words = [said[2:] for said in listed if said.startswith(r"\b")]
    others = [said for said in listed if not said.startswith(r"\b")]
    return "|".join([rf"\b(?:{'|'.join(words)})", *others] if words else others)
