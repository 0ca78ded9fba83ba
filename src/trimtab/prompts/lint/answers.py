"""Rules about answers: examples that fit the output schema, and a schema that providers take."""

from collections.abc import Iterator

import msgspec

from trimtab.prompts.language import tags_of
from trimtab.prompts.lint.lints import Lint
from trimtab.prompts.lint.source import Piece, Source
from trimtab.prompts.schema import Schema, Subschema
from trimtab.prompts.template import Templates
from trimtab.prompts.values import problems_of

__all__ = ["check_answers", "loose_places"]

_NOT_STRICT = ("allOf", "oneOf")
_SAYS_TYPE = ("$ref", "anyOf", "const", "enum", "type", *_NOT_STRICT)


def check_answers(source: Source) -> Iterator[Lint]:
    """What is wrong with the output schema and the examples of answers."""
    schema = source.prompt.behaviour.output
    if schema is None:
        return
    for path, problem, remedy in loose_places(schema):
        shown = ".".join(path) or "the answer"
        yield source.lint(
            "loose-output",
            source.key("output", "schema", *path),
            f"{shown}: {problem}",
            remedy=remedy,
        )
    for piece in source.pieces:
        if piece.role == "assistant":
            yield from _example(source, piece, schema)


def _example(source: Source, piece: Piece, schema: Schema) -> Iterator[Lint]:
    """Whether an answer that is written out fits; one with variables is not known before."""
    if any(tag.opening != "{#" for tag in tags_of(piece.text)):
        return
    text = Templates({"example": piece.text}).render("example", {}).strip()
    if not text:
        return
    try:
        value: object = msgspec.json.decode(text)
        kind = "the answer of this example"
    except msgspec.DecodeError:
        value, kind = text, "the answer of this example is not JSON, and as text it"
    for problem in problems_of(value, schema, most=1):
        place = f": `{problem.place}`" if problem.place else ""
        yield source.lint(
            "wrong-example",
            piece.place(1),
            f"{kind}{place} {problem.problem}",
            remedy="Write it as output.schema asks: models imitate examples",
        )


def loose_places(
    schema: Schema, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Where a schema is not strict: keys to the place, what is wrong, what to do.

    Strict is what OpenAI documents for `strict: true` (platform.openai.com, structured outputs):
    objects close themselves by `additionalProperties: false`, all their fields are required, and
    everything has a type.
    """
    if not path and schema.get("type") != "object":
        yield path, "strict output is an object", "Write {answer: ...} around it"
    if not any(key in schema for key in _SAYS_TYPE):
        yield path, "any value is allowed", "Give it a type"
    for key in _NOT_STRICT:
        if key in schema:
            yield path, f"`{key}` is not taken by all providers", "Write it with anyOf"
    if schema.get("type") == "object" or "properties" in schema:
        yield from _loose_object(schema, path)
    for name, inner in _inner(schema):
        if isinstance(inner, dict):
            yield from loose_places(inner, (*path, *name))


def _loose_object(
    schema: Schema, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if schema.get("additionalProperties") is not False:
        yield path, "other fields are allowed", "Add additionalProperties: false"
    optional = sorted(set(schema.get("properties", {})) - set(schema.get("required", ())))
    if optional:
        yield (
            path,
            f"{', '.join(optional)[:80]} may be left out",
            'Require it, and let it be null: type: [string, "null"]',
        )


def _inner(schema: Schema) -> Iterator[tuple[tuple[str, ...], Subschema]]:
    for key in ("properties", "$defs"):
        for name, inner in schema.get(key, {}).items():
            yield (key, name), inner
    for key in ("anyOf", *_NOT_STRICT):
        for number, inner in enumerate(schema.get(key, ())):
            yield (key, str(number)), inner
    if "items" in schema:
        yield ("items",), schema["items"]
