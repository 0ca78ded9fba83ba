"""Placeholders in a text, by the grammar with which the application fills it."""

import re
import string
from collections.abc import Sequence
from typing import Final

from trimtab.prompts.hidden.found import Part, Placeholder

__all__ = ["join_parts", "split_any", "split_format", "split_percent"]

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*+(?:\.[A-Za-z_][A-Za-z0-9_]*+)*+"
_ANY: Final = re.compile(
    rf"\{{\{{[ \t]*+(?P<double>{_NAME})[ \t]*+\}}\}}"
    rf"|\$\{{(?P<dollar>{_NAME})(?::?[-?+=][^}}\n]{{0,200}}+)?\}}"
    rf"|(?<![{{$])\{{(?P<single>{_NAME})(?:![rsa])?(?::[-+,.<>^=0-9a-zA-Z%]*+)?\}}(?!\}})"
    rf"|%\((?P<percent>{_NAME})\)[-+ #0]*+[0-9]*+(?:\.[0-9]+)?[sdrifegx]"
)
_PERCENT: Final = re.compile(
    r"%(?:\((?P<name>[^()]*+)\))?[-+ #0]*+[0-9]*+(?:\.[0-9]+)?(?P<kind>[a-zA-Z%])"
)


def split_any(text: str) -> tuple[Part, ...]:
    """By `{name}`, `{{name}}`, `${NAME}` and `%(name)s`, where nobody knows which one it is."""
    parts: list[Part] = []
    end = 0
    for match in _ANY.finditer(text):
        parts.append(text[end : match.start()])
        parts.append(Placeholder(match.group(), match[match.lastgroup or 0]))
        end = match.end()
    parts.append(text[end:])
    return join_parts(parts)


def split_format(text: str, arguments: Sequence[str] = ()) -> tuple[Part, ...] | None:
    """By the grammar of Python's `str.format`; doubled braces are single ones.

    Args:
        text: what `format` is called on.
        arguments: source of the arguments without a name.

    Returns:
        The parts, or None if `format` would refuse the text.
    """
    parts: list[Part] = []
    count = 0
    try:
        for literal, field, spec, conversion in string.Formatter().parse(text):
            parts.append(literal)
            if field is None:
                continue
            number = field or str(count)
            count += not field
            written = (
                f"{{{field}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}}}"
            )
            parts.append(Placeholder(written, _argument(number, arguments)))
    except ValueError:
        return None
    return join_parts(parts)


def split_percent(text: str, arguments: Sequence[str] = ()) -> tuple[Part, ...]:
    """By the grammar of Python's `%`; `%%` is one.

    Args:
        text: what stands left of the `%`.
        arguments: source of what stands right of it, if it has no names.
    """
    parts: list[Part] = []
    end = count = 0
    for match in _PERCENT.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        if match["kind"] == "%":
            parts.append("%")
            continue
        name = match["name"]
        if name is None:
            name, count = str(count), count + 1
        parts.append(Placeholder(match.group(), _argument(name, arguments)))
    parts.append(text[end:])
    return join_parts(parts)


def join_parts(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The same parts without empty texts and without two texts side by side."""
    joined: list[Part] = []
    run: list[str] = []
    for part in parts:
        if isinstance(part, str):
            run.append(part)
            continue
        if any(run):
            joined.append("".join(run))
        run = []
        joined.append(part)
    return tuple([*joined, "".join(run)] if any(run) else joined)


def _argument(field: str, arguments: Sequence[str]) -> str:
    """The expression of a field: its name, or the source of the argument with its number."""
    if not field.isdecimal():
        return field
    at = int(field[:6])
    return arguments[at] if at < len(arguments) else f"value_{at + 1}"
