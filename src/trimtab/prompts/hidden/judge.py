"""Candidate -> is it a prompt, how sure, and why."""

import re
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from trimtab.prompts.hidden.evidence import instruction_points, is_prose
from trimtab.prompts.hidden.found import (
    Candidate,
    Confidence,
    Placeholder,
    Role,
    text_of,
    word_set,
    words_of,
)
from trimtab.prompts.hidden.secrets import names_secret

__all__ = ["Judgement", "judge", "role_of"]

_FEW_WORDS: Final = 3
_SENTENCE: Final = 6
_PARAGRAPH: Final = 12
_ENOUGH: Final = 5  # points, where nothing but the text speaks for a prompt
_SYSTEM_ROLES: Final = frozenset(("system", "developer"))
_ABOUT_MESSAGE: Final = frozenset(
    (
        "message",
        "msg",
        "instruction",
        "instructions",
        "text",
        "template",
        "role",
        "content",
        "preamble",
        "reminder",
    )
)
_PROMPT_WORDS: Final = frozenset(("prompt", "prompts", "persona", "preamble"))
_INSTRUCTIONS: Final = frozenset(("instruction", "instructions"))
_OTHER_THINGS: Final = word_set(
    "version id ids path file filename dir folder url uri name model hash regex pattern re"
    " error help log label title placeholder button timeout limit length size count style class"
    " session toolkit cache"
)
_FOR_PEOPLE: Final = word_set(
    "confirm confirmation install shell input login cookie consent upgrade cli permission"
    " notification yes readline terminal console dialog ui unsaved setup sudo"
)
_NO_TEXTS: Final = word_set("version id path file url name model hash")
_SHOWN: Final = word_set(
    "help description desc label title placeholder epilog usage message msg detail details"
    " tooltip alt caption summary error err reason comment docstring doc verbose_name help_text"
    " subtitle heading body html sql url banner hint className aria subject footer changelog"
    " license copyright bio headline tagline pattern regex"
)
_TELLS: Final = re.compile(
    r"(?:^|\.)(?:debug|info|warn|warning|error|exception|critical|fatal|trace|log|print|println"
    r"|echo|secho|fail|skip|skipTest"
    r"|warn_explicit|confirm|option|argument|Option|Argument|add_argument|add_parser"
    r"|ArgumentParser|input|getpass|ask|alert|toast"
    r"|raises|describe|it|test|expect|gettext|ngettext|ugettext|t|_|i18n|trans|abort|flash"
    r"|write_text|execute|executemany|raw"
    r"|compile|sub|match|search|prompt_toolkit|inquirer|questionary|writeHead|success|notify"
    r"|showErrorMessage|showInformationMessage"
    r"|deprecated|mark_safe|Text|Label|Button)$|(?:Error|Exception|Warning|Failure|HTTPException"
    r"|Http404)$|^(?:click|typer|inquirer|argparse)\."
)


class Judgement(NamedTuple):
    """What was decided about a candidate that is a prompt."""

    confidence: Confidence
    why: str


def judge(candidate: Candidate, file: str = "") -> Judgement | None:
    """Whether a candidate is a prompt; None if it is not, or if its name smells of a secret.

    Args:
        candidate: the text.
        file: where it stands; a module or class of prompts says something, too.
    """
    text = text_of(candidate.parts)
    words = len(text.split()) if text.isascii() else len(text.split()) + len(text) // 8
    shown = _shown(candidate)
    named = not shown and _names_prompt(candidate.name)
    used = candidate.use in {"message", "template"}
    few = words < (_FEW_WORDS if named or used else _SENTENCE)
    out = few or names_secret(candidate.name) or (shown and not used)
    if out or not is_prose(_bare(candidate)):
        return None
    points = instruction_points(text)
    if candidate.use == "message":
        return _message(candidate, words, points)
    if candidate.use == "template":
        return Judgement("sure", f"given to {candidate.callee.rpartition('.')[2]}")
    if named:
        return _named(candidate, words, points)
    among = _among_prompts(candidate, file) and points >= (0 if words >= _PARAGRAPH else 2)
    if among and not shown:
        return Judgement("likely", "stands among prompts")
    return _unnamed(candidate, words, points)


def _among_prompts(candidate: Candidate, file: str) -> bool:
    """Whether it is given a name in a module or class whose name says that it is of prompts."""
    around = {*words_of(PurePosixPath(file).stem), *words_of(candidate.home)}
    code = candidate.kind in {"python", "typescript"} and candidate.use == "assigned"
    return code and not _PROMPT_WORDS.isdisjoint(around)


def _unnamed(candidate: Candidate, words: int, points: int) -> Judgement | None:
    outside = candidate.kind in {"env", "compose", "kubernetes"}
    needed = _ENOUGH + (3 if outside and words < _PARAGRAPH else 0)
    if points >= needed:
        return Judgement("likely", "reads like instructions to a model")
    return None


def role_of(candidate: Candidate) -> Role:
    """Whose turn a prompt is: as its message says, else as its name or its first words say."""
    if candidate.role:
        return "system" if candidate.role in _SYSTEM_ROLES else "user"
    words = words_of(candidate.name)
    if "system" in words or not _INSTRUCTIONS.isdisjoint(words) or "persona" in words:
        return "system"
    if "user" in words or "template" in words:
        return "user"
    filled = any(isinstance(part, Placeholder) for part in candidate.parts)
    return "user" if filled and candidate.kind != "env" else "system"


def _message(candidate: Candidate, words: int, points: int) -> Judgement | None:
    if candidate.role in _SYSTEM_ROLES:
        return Judgement("sure", f"content of a {candidate.role} message")
    if candidate.role == "user" and words >= _SENTENCE and points >= 0:
        return Judgement("sure", "content of a user message")
    return None


def _named(candidate: Candidate, words: int, points: int) -> Judgement | None:
    """A text whose name says that it is a prompt: people are prompted, too."""
    for_people = not _FOR_PEOPLE.isdisjoint(words_of(candidate.name)) and points < _ENOUGH
    filled = any(isinstance(part, Placeholder) for part in candidate.parts)
    how = "passed as" if candidate.use == "argument" else "named"
    why = f"{how} {candidate.name}"
    if for_people or points < 0:
        return None
    if points > 0 or _of_message(words_of(candidate.name)):
        return Judgement("sure", why)
    if candidate.beside_model and words >= _SENTENCE:
        return Judgement("likely", f"{why}, beside a model")
    if words >= _PARAGRAPH or (filled and words >= _SENTENCE):
        return Judgement("likely", why)
    return None


def _names_prompt(name: str) -> bool:
    outer, _, key = name.rpartition(".")
    if outer and words_of(outer)[-1:] in (["prompts"], ["instructions"]):  # a table of them
        return key not in _NO_TEXTS
    words = words_of(name)
    if not words or words[-1] in _OTHER_THINGS:
        return False
    return (
        not _PROMPT_WORDS.isdisjoint(words)
        or words[-1] in {*_INSTRUCTIONS, "system"}
        or _of_message(words)
    )


def _of_message(words: list[str]) -> bool:
    """Whether a name is that of a message to a model, as only those who write to one say it."""
    return words == ["system"] or (
        not {"system", "human"}.isdisjoint(words)
        and not (_ABOUT_MESSAGE | _PROMPT_WORDS).isdisjoint(words)
    )


def _shown(candidate: Candidate) -> bool:
    """Whether it is passed to something that shows, logs or raises it."""
    if candidate.callee and _TELLS.search(candidate.callee):
        return True
    words = words_of(candidate.name)
    named = bool(words) and (candidate.name in _SHOWN or words[-1] in _SHOWN)
    return named and not _names_prompt(candidate.name)


def _bare(candidate: Candidate) -> str:
    """The text with a word for each placeholder, so that braces do not count as code."""
    return "".join(part if isinstance(part, str) else "value" for part in candidate.parts)
