"""What the value of an expression is made of, and what its schema says about it."""

from typing import Any, Final, NamedTuple

from trimtab.prompts.schema import Schema, Subschema

__all__ = ["CLEAN", "Taken", "element", "field"]


class Taken(NamedTuple):
    """The value of an expression.

    Attributes:
        untrusted: inputs that nobody vouches for and whose text it may contain as it is.
        fenced: those whose text it contains inside of a fence.
        schema: what it looks like; None where that is not known.
    """

    untrusted: frozenset[str] = frozenset()
    fenced: frozenset[str] = frozenset()
    schema: Subschema | None = None

    def beside(self, other: "Taken") -> "Taken":
        """The two in one value, or one of them."""
        return Taken(self.untrusted | other.untrusted, self.fenced | other.fenced)

    def opened(self, schema: Subschema | None = None) -> "Taken":
        """A part of it, or it after a change: a fence may be broken."""
        return Taken(self.untrusted | self.fenced, frozenset(), schema)


CLEAN: Final = Taken()

_NO_FIELDS: Final = frozenset(("string", "number", "integer", "boolean", "null"))


def field(schema: Subschema | None, name: str, root: Schema) -> tuple[Subschema | None, bool]:
    """The schema of a field, None where it is not known; and whether it may be there at all."""
    found = _resolved(schema, root)
    if found is None:
        return None, True
    properties: dict[str, Any] = found.get("properties", {})
    if name in properties:
        return properties[name], True
    if properties or found.get("type") == "object":
        others = found.get("additionalProperties", not properties)
        return (others if isinstance(others, dict) else None), others is not False  # pyright: ignore[reportUnknownVariableType]
    return None, found.get("type") not in _NO_FIELDS


def element(schema: Subschema | None, root: Schema) -> Subschema | None:
    """The schema of the elements of a list, None where it is not known."""
    found = _resolved(schema, root)
    return None if found is None else found.get("items")


def _resolved(schema: Subschema | None, root: Schema) -> Schema | None:
    """A schema that says itself what it is; None for others."""
    for _ in range(len(root.get("$defs", {})) + 1):
        if not isinstance(schema, dict) or any(
            key in schema for key in ("anyOf", "oneOf", "allOf")
        ):
            return None
        if "$ref" not in schema:
            return schema
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return None
