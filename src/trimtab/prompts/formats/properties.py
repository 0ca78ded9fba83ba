"""Properties as prompty writes them, and JSON Schema.

Source: the model of prompty 2 (name, kind, description, required, default, enumValues, items,
properties), and the inputs of prompty 1 (type, description, default).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from trimtab.prompts.formats.loading import mapping_of
from trimtab.prompts.schema import Schema

__all__ = ["properties_of", "schema_of"]

_TO_JSON: Final = {
    "array": "array", "boolean": "boolean", "bool": "boolean", "double": "number",
    "float": "number", "int": "integer", "integer": "integer", "list": "array",
    "number": "number", "object": "object", "string": "string",
}  # fmt: skip
_FROM_JSON: Final = {"number": "float"}
_DEEPEST: Final = 20


def schema_of(written: object, *, depth: int = 0) -> tuple[Schema, dict[str, Any], list[str]]:
    """A schema of named values, their defaults, and names of properties that are threads."""
    properties: dict[str, Schema] = {}
    required: list[str] = []
    defaults: dict[str, Any] = {}
    threads: list[str] = []
    for name, one in _named(written):
        kind = str(one.get("kind", one.get("type", "")))
        if kind == "thread":
            threads.append(name)
            continue
        properties[name] = _schema(one, kind, depth)
        if one.get("default") is not None:
            defaults[name] = one["default"]
        if one.get("required", "default" not in one):
            required.append(name)
    schema = {"type": "object", "properties": properties, "required": required}
    return {**schema, "additionalProperties": False}, defaults, threads


def properties_of(schema: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The properties of a schema, as far as they can say it; compare with `schema_of`."""
    required = schema.get("required", ())
    properties: list[dict[str, Any]] = []
    for name, inner in mapping_of(schema.get("properties")).items():
        property_ = {"name": name, **_property(mapping_of(inner))}
        property_["required"] = name in required
        if name in defaults:
            property_["default"] = defaults[name]
        properties.append(property_)
    return properties


def _named(written: object) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(written, dict):
        named = cast("dict[str, object]", written)
        return [
            (name, mapping_of(one) or ({} if one == {} else {"default": one}))
            for name, one in named.items()
        ]
    if isinstance(written, list):
        several = [mapping_of(one) for one in cast("Sequence[object]", written)]
        return [(str(one["name"]), one) for one in several if "name" in one]
    return []


def _schema(one: Mapping[str, Any], kind: str, depth: int) -> Schema:
    schema: Schema = {"type": _TO_JSON[kind]} if kind in _TO_JSON else {}
    if schema.get("type") == "array" and depth < _DEEPEST and "items" in one:
        items = mapping_of(one["items"])
        schema["items"] = _schema(items, str(items.get("kind", items.get("type", ""))), depth + 1)
    if schema.get("type") == "object" and depth < _DEEPEST and "properties" in one:
        inner, _, _ = schema_of(one["properties"], depth=depth + 1)
        schema |= inner
    values = one.get("enumValues", one.get("enum"))
    if isinstance(values, list) and values:
        schema["enum"] = values
    if isinstance(one.get("description"), str) and one["description"]:
        schema["description"] = one["description"]
    return schema


def _property(schema: Mapping[str, Any]) -> dict[str, Any]:
    kind = schema.get("type", "any")
    shown: dict[str, Any] = {"kind": _FROM_JSON.get(kind, kind) if isinstance(kind, str) else "any"}
    if "items" in schema:
        shown["items"] = _property(mapping_of(schema["items"]))
    if "properties" in schema:
        shown["properties"] = properties_of(schema, {})
    if "enum" in schema:
        shown["enumValues"] = schema["enum"]
    if "description" in schema:
        shown["description"] = schema["description"]
    return shown
