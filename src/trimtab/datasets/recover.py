"""Rendered messages -> the variables that they were rendered from. Pure.

The ledger keeps what the model was asked, and a case needs the variables. The prompt is rendered
with a mark in the place of each text; where the marks stand in its messages, the values stand in
those that were recorded. What was found is rendered again and must give the same messages to the
letter, so a wrong answer is not possible; no answer is.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any, Final, NamedTuple, cast

from trimtab.errors import PromptTooLarge, PromptVariables
from trimtab.prompts.prompt import Prompt, Rendered
from trimtab.prompts.schema import Subschema

__all__ = ["Recovered", "recover_variables"]

_MOST_TRIES: Final = 256
_BEGIN, _END = "\ue0f0", "\ue0f1"  # of a mark; for private use, so in no text of a prompt
_ABSENT: Final = object()


class Recovered(NamedTuple):
    """What a request was made of.

    Attributes:
        variables: which render to the recorded messages.
        messages: the caller's own beside them.
    """

    variables: dict[str, Any]
    messages: list[dict[str, Any]]


def recover_variables(prompt: Prompt, messages: Sequence[Mapping[str, Any]]) -> Recovered | None:
    """The variables and the caller's own messages; None where they cannot be told.

    Texts, yes and no, and values that a schema lists can be; numbers, lists and objects cannot, and
    neither can a text that the prompt changes or leaves out.

    Args:
        prompt: the version that the messages were rendered from.
        messages: of the request as the provider got it.
    """
    recorded = [dict(message) for message in messages]
    for values in islice(_attempts(prompt), _MOST_TRIES):
        try:
            found = _read(prompt.render(values), recorded)
            if found is None:
                continue
            variables = {**values, **found}
            if any(_is_mark(value) for value in variables.values()):
                continue  # nobody sees it in the messages
            rendered = prompt.render(variables)
        except (PromptVariables, PromptTooLarge):
            continue
        first = len(rendered.messages)
        own = recorded[first : len(recorded) - len(rendered.following)]
        if rendered.with_own(own) == recorded:
            return Recovered(variables, own)
    return None


def _attempts(prompt: Prompt) -> Iterator[dict[str, Any]]:
    """Variables with marks for texts; all ways in which those without marks can be."""
    schema = prompt.behaviour.input
    if schema is None:
        names = {name.partition(".")[0] for name in prompt.names}
        yield {name: _mark(name) for name in sorted(names)}
        return
    required = set(cast("Sequence[str]", schema.get("required", ())))
    properties = cast("Mapping[str, Subschema]", schema.get("properties", {}))
    ways = [
        [*_values(name, inner), *(() if name in required else (_ABSENT,))]
        for name, inner in properties.items()
    ]
    for way in product(*ways):
        yield {
            name: value for name, value in zip(properties, way, strict=True) if value is not _ABSENT
        }


def _values(name: str, schema: Subschema) -> list[Any]:
    if isinstance(schema, bool):
        return [_mark(name)] if schema else []
    if "enum" in schema:
        return list(cast("Sequence[Any]", schema["enum"]))
    match schema.get("type"):
        case "boolean":
            return [True, False]
        case "string" | None:
            return [_mark(name)]
        case _:
            return []


def _mark(name: str) -> str:
    return f"{_BEGIN}{name}{_END}"


def _is_mark(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_BEGIN)


def _read(marked: Rendered, recorded: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    """The texts that stand in the places of the marks; None where something else differs."""
    after = len(recorded) - len(marked.following)
    if after < len(marked.messages):
        return None
    pairs = [
        *zip(marked.messages, recorded, strict=False),
        *zip(marked.following, recorded[after:], strict=True),
    ]
    found: dict[str, str] = {}
    for pattern, message in pairs:
        for text, said in _texts(pattern.get("content"), message.get("content")):
            values = _match(text, said)
            if values is None:
                return None
            found.update(values)
    return found


def _texts(pattern: object, content: object) -> Iterator[tuple[str, str]]:
    """Texts that stand in the same places of two contents."""
    if isinstance(pattern, str) and isinstance(content, str):
        yield pattern, content
    elif isinstance(pattern, list) and isinstance(content, list):
        ours, theirs = cast("list[Any]", pattern), cast("list[Any]", content)
        for one, other in zip(ours, theirs, strict=False):
            if isinstance(other, dict) and "text" in one:
                yield one["text"], str(cast("dict[str, Any]", other).get("text"))


def _match(pattern: str, text: str) -> dict[str, str] | None:
    """What stands in `text` where `pattern` has its marks.

    A value ends where the words that follow its mark come first, so this takes one pass.
    """
    before, *marks = pattern.split(_BEGIN)
    if not text.startswith(before):
        return None
    found: dict[str, str] = {}
    at = len(before)
    for place, mark in enumerate(marks):
        name, _, words = mark.partition(_END)
        is_last = place == len(marks) - 1
        end = len(text) - len(words) if is_last else text.find(words, at) if words else at
        if end < at or not text.startswith(words, end):
            return None
        value = text[at:end]
        if found.setdefault(name, value) != value:
            return None
        at = end + len(words)
    return found if at == len(text) else None
