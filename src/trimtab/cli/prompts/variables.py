"""Variables as they are typed."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from trimtab.errors import UsageError
from trimtab.prompts.schema import Schema

__all__ = ["read_variables"]


def read_variables(file: str, pairs: Sequence[str], schema: Schema | None) -> dict[str, Any]:
    """The variables of a JSON file with those of `name=value` pairs over them.

    Raises:
        UsageError: the file is no JSON object, or a pair has no name. No value is shown.
    """
    variables = _of_file(file) if file else {}
    properties: dict[str, Any] = (schema or {}).get("properties", {})
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UsageError("--var takes NAME=VALUE, as in --var locale=de.")
        variables[name] = _of_text(text, properties.get(name))
    return variables


def _of_file(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return msgspec.json.decode(text, type=dict[str, Any])
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        shown = "Standard input" if file == "-" else file
        raise UsageError(f'{shown} is no JSON object. Write {{"name": "value"}}.') from None


def _of_text(text: str, schema: object) -> object:
    """JSON where it is JSON and the schema does not want a text; else the text itself."""
    if isinstance(schema, dict):
        kinds: object = schema.get("type")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        words: list[object] = schema.get("enum", [])  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if kinds == "string" or text in words:
            return text
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text
