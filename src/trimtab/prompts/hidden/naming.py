"""Names: of a prompt from what hid it, and of variables from what was put in."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from trimtab.prompts.hidden.found import Candidate, word_set, words_of

__all__ = ["name_variables", "suggest_id"]

_NO_INFORMATION: Final = word_set(
    "prompt prompts template tmpl text message messages instruction instructions system user"
    " developer content txt md default get build make create render the my llm model str string"
    " format fn const value val"
)
_FILE_WORDS: Final = word_set("index main app init mod src lib init__ route page")
_MOST_WORDS: Final = 6
_MOST_LETTERS: Final = 40
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TEXT: Final = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_TAKEN: Final = word_set(
    "true false none null not and or in is if else for loop self super range history image raw"
    " endraw set with include block macro recursive debug dict namespace lipsum cycler joiner"
    " caller varargs kwargs True False None"
)


def suggest_id(candidate: Candidate, file: str) -> str:
    """An id from the name, the home or the file: SUPPORT_TRIAGE_PROMPT -> support-triage."""
    path = PurePosixPath(file)
    stem = "" if path.name.startswith(".") or path.suffix == ".env" else path.stem
    folder = path.parent.name
    sources = [candidate.name.rpartition(".")[2] if "." in candidate.name else candidate.name]
    sources = [candidate.name, candidate.home]
    if candidate.kind in {"python", "typescript"}:
        sources += [stem, folder]
    for source in sources:
        words = [
            word for word in words_of(source) if word.isascii() and word not in _NO_INFORMATION
        ]
        words = [word for word in words if word not in _FILE_WORDS or source is candidate.name]
        if words:
            return "-".join(words[:_MOST_WORDS])[:_MOST_LETTERS].strip("-")
    return candidate.role or ("system" if "system" in words_of(candidate.name) else "prompt")


def name_variables(expressions: Iterable[str]) -> dict[str, str]:
    """A valid and unique name for each expression: `ticket.subject` -> `ticket_subject`."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for expression in expressions:
        if expression in names:
            continue
        first = _readable(expression)
        name, count = first, 1
        while name in used:
            count += 1
            name = f"{first}_{count}"
        used.add(name)
        names[expression] = name
    return names


def _readable(expression: str) -> str:
    found = _NAME.findall(
        expression if expression.isascii() else expression.encode("ascii", "ignore").decode()
    )
    if not found or expression[:1] in "'\"`":
        found = _NAME.findall(_TEXT.sub(" ", expression))
    words = [word for name in found for word in words_of(name) if word.isascii()]
    name = "_".join(words[:_MOST_WORDS])[:_MOST_LETTERS].strip("_")
    if not name:
        return "value"
    return f"{name}_value" if name in _TAKEN else name
