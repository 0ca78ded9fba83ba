"""Variables made up from a schema, to show what a case of a prompt looks like. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from trimtab.prompts.prompt import Prompt
from trimtab.prompts.schema import Schema, Subschema
from trimtab.prompts.values import problems_of, with_defaults

__all__ = ["SampleVariables", "sample_variables"]

_DEEPEST: Final = 8
_MOST_LENGTH: Final = 10_000
_BY_FORMAT: Final[Mapping[str, str]] = {
    "date": "2026-01-{n:02}",
    "date-time": "2026-01-{n:02}T12:00:00Z",
    "email": "person{n}@example.org",
    "time": "12:00:{n:02}Z",
    "uri": "https://example.org/{n}",
    "uuid": "00000000-0000-4000-8000-{n:012}",
}


class SampleVariables(NamedTuple):
    """Variables of one case.

    Attributes:
        variables: as JSON has them.
        problems: why they do not fit the schema, as with a pattern that nobody can guess; "" where
            they do.
    """

    variables: dict[str, Any]
    problems: str


def sample_variables(prompt: Prompt, count: int) -> list[SampleVariables]:
    """Variables for so many cases, each a little different.

    Optional variables are there in every second case, so that both ways are seen. Without a schema
    each name that the templates use is a text.
    """
    schema = prompt.behaviour.input
    if schema is None:
        names = sorted({name.partition(".")[0] for name in prompt.names})
        return [
            SampleVariables({name: _example(name, n) for name in names}, "")
            for n in range(1, count + 1)
        ]
    found: list[SampleVariables] = []
    for n in range(1, count + 1):
        variables = _Sampler(schema, n).fields(schema, 0)
        values = with_defaults({**prompt.behaviour.defaults, **variables}, schema)
        problems = "; ".join(str(problem) for problem in problems_of(values, schema))
        found.append(SampleVariables(variables, problems))
    return found


class _Sampler:
    """Values for the n-th case."""

    def __init__(self, root: Schema, n: int) -> None:
        self._defs: Mapping[str, Subschema] = root.get("$defs", {})
        self._n = n

    def fields(self, schema: Schema, depth: int) -> dict[str, Any]:
        """An object."""
        required = set(cast("Sequence[str]", schema.get("required", ())))
        properties = cast("Mapping[str, Subschema]", schema.get("properties", {}))
        optional = self._n % 2 == 0 and depth < _DEEPEST
        return {
            name: self._value(name, inner, depth + 1)
            for name, inner in properties.items()
            if name in required or (optional and inner is not False)
        }

    def _value(self, name: str, schema: Subschema, depth: int) -> Any:  # noqa: ANN401 - a JSON value of any kind
        if isinstance(schema, bool) or depth > 2 * _DEEPEST:
            return _example(name, self._n)
        for keyword in ("enum", "examples"):
            if schema.get(keyword):
                values = cast("Sequence[Any]", schema[keyword])
                return values[(self._n - 1) % len(values)]
        if "const" in schema:
            return schema["const"]
        for inner in self._instead(schema):
            return self._value(name, inner, depth + 1)
        return self._of_type(name, schema, depth)

    def _instead(self, schema: Schema) -> Sequence[Subschema]:
        """The schema that says more, where one only refers to it or offers several."""
        if "$ref" in schema:
            return [self._defs[str(schema["$ref"]).rpartition("/")[2]]]
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema and "type" not in schema:
                return cast("Sequence[Subschema]", schema[keyword])[:1]
        return ()

    def _of_type(self, name: str, schema: Schema, depth: int) -> Any:  # noqa: ANN401 - a JSON value of any kind
        kind = schema.get("type", "object" if "properties" in schema else "string")
        match kind if isinstance(kind, str) else kind[0]:
            case "object":
                return self.fields(schema, depth)
            case "array":
                return self._items(name, schema, depth)
            case "integer" | "number" as kind:
                return _number(schema, self._n, whole=kind == "integer")
            case "boolean":
                return self._n % 2 == 1
            case "null":
                return None
            case _:
                return _text(name, schema, self._n)

    def _items(self, name: str, schema: Schema, depth: int) -> list[Any]:
        count = max(1, int(schema.get("minItems", 0)))
        count = min(count, int(schema.get("maxItems", count)), _MOST_LENGTH)
        inner = cast("Subschema", schema.get("items", True))
        others = [_Sampler({"$defs": self._defs}, self._n + place) for place in range(count)]
        return [other._value(name, inner, depth + 1) for other in others]  # noqa: SLF001 - its own kind


def _example(name: str, n: int) -> str:
    return f"Example {n} of {name}"


def _text(name: str, schema: Schema, n: int) -> str:
    text = _BY_FORMAT.get(str(schema.get("format", "")), "").format(n=n) or _example(name, n)
    least = min(int(schema.get("minLength", 0)), _MOST_LENGTH)
    return text.ljust(least, ".")[: int(schema.get("maxLength", _MOST_LENGTH))]


def _number(schema: Schema, n: int, *, whole: bool) -> float:
    low = _bound(schema, "minimum", "exclusiveMinimum")
    high = _bound(schema, "maximum", "exclusiveMaximum")
    if low is not None and high is not None:
        value = low + (high - low) * n / (n + 1)
    elif high is not None:
        value = high - n
    else:
        value = (low or 0) + n
    return round(value) if whole else value


def _bound(schema: Schema, *keywords: str) -> float | None:
    found = [cast("float", schema[keyword]) for keyword in keywords if keyword in schema]
    return found[0] if found else None
