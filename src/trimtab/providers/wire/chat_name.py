"""The `model` of an answer: as the provider gave it, or as the caller wrote it."""

import msgspec

__all__ = ["model_field", "renamed"]


def model_field(name: str) -> bytes:
    """The value of a `model` field, as JSON."""
    return msgspec.json.encode(name)


def renamed(answer: bytes, old: bytes, new: bytes) -> bytes:
    """An answer, or frames of one, with another model's name; nothing else is rewritten.

    An unescaped `"model"` cannot occur inside a JSON string, so what is replaced is a field.

    Args:
        answer: JSON objects, or events with such.
        old: the value there, from `model_field`.
        new: the value to put in its place.
    """
    for colon in (b'"model":', b'"model": '):
        answer = answer.replace(colon + old, colon + new)
    return answer
