"""The text of a `suite.toml`, from what it is to say. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from trimtab.datasets.suite import EvaluatorUse

__all__ = ["suite_text", "toml_value"]

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f]")


def suite_text(
    *,
    description: str = "",
    prompt: str = "",
    model: str = "",
    repeats: int = 1,
    concurrency: int = 8,
    evaluators: Sequence[EvaluatorUse] = (),
) -> str:
    """A file that loads as these values; what is as by default is left out."""
    head = {
        "description": description,
        "prompt": prompt,
        "model": model,
        "repeats": repeats if repeats != 1 else None,
        "concurrency": concurrency if concurrency != 8 else None,
    }
    lines = [f"{key} = {toml_value(value)}" for key, value in head.items() if value]
    for one in evaluators:
        lines += ["", "[[evaluators]]", *_evaluator(one)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _evaluator(one: EvaluatorUse) -> Iterator[str]:
    yield f"use = {toml_value(one.use)}"
    if one.name != one.use:
        yield f"name = {toml_value(one.name)}"
    if one.metric:
        yield f"metric = {toml_value(one.metric)}"
    for key, value in one.options.items():
        yield f"{_key(key)} = {toml_value(value)}"


def toml_value(value: Any) -> str:  # noqa: ANN401 - a JSON value of any kind
    """A JSON value on one line. TOML has no null: such keys and items are left out."""
    if isinstance(value, str):
        # What is a string of JSON is a basic string of TOML, but for one character.
        written = msgspec.json.encode(value).decode()
        return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
    if isinstance(value, Mapping):
        named = cast("Mapping[str, Any]", value)
        pairs = [f"{_key(k)} = {toml_value(v)}" for k, v in named.items() if v is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        items = cast("Sequence[Any]", value)
        return f"[{', '.join(toml_value(item) for item in items if item is not None)}]"
    return msgspec.json.encode(value).decode()


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else toml_value(key)
