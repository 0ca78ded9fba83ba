"""The version of a prompt: a hash of everything that changes what a model sees or is asked for."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from trimtab.prompts.schema import Schema

__all__ = ["HASH_CHARACTERS", "Behaviour", "content_hash", "short_hash"]

HASH_CHARACTERS: Final = 64
_SHORT: Final = 8
_FORM: Final = 1  # goes into the hash, so that another form gives other hashes

_encode = msgspec.json.Encoder(order="deterministic").encode


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What changes behaviour, and nothing else; everything else of a file may change freely.

    Attributes:
        model: alias or route.
        config: parameters of the call.
        input: schema of the variables; None where none is declared.
        defaults: of variables that are not sent.
        untrusted: variables that nobody vouches for.
        output: schema of the answer; None for free text.
        repair: one more attempt is made when an answer does not fit `output`.
        body: the text with its role markers.
        partials: texts of what the body includes, directly or not, by name.
        tools: what the model is offered, by name, as the provider's JSON.
    """

    model: str
    config: dict[str, Any]
    input: Schema | None
    defaults: dict[str, Any]
    untrusted: tuple[str, ...]
    output: Schema | None
    repair: bool
    body: str
    partials: Mapping[str, str]
    tools: Mapping[str, Any]


def content_hash(behaviour: Behaviour) -> str:
    """SHA-256 in hex over canonical JSON: keys sorted, no spaces, numbers as shortest.

    A whole number is the same with and without a point: YAML's `1` and `1.0` ask for the same.
    """
    return hashlib.sha256(_encode((_FORM, _plain(msgspec.to_builtins(behaviour))))).hexdigest()


def short_hash(version_hash: str) -> str:
    """Its first eight digits, for people."""
    return version_hash[:_SHORT]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a JSON value of any kind
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [_plain(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return value
