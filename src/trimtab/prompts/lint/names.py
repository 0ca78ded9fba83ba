"""Rules about variables: declared, used, fenced, and with defaults that fit."""

from collections.abc import Iterator

from trimtab.prompts.body import Image
from trimtab.prompts.lint.lints import Lint
from trimtab.prompts.lint.source import Source
from trimtab.prompts.lint.walk import Found, Walk, walk
from trimtab.prompts.values import problems_of

__all__ = ["check_names"]


def check_names(source: Source) -> Iterator[Lint]:
    """What is wrong with the variables of a prompt."""
    walked = walk(source)
    for found in walked.found:
        yield _lint(source, found)
    yield from _images(source, walked)
    properties = walked.root.get("properties", {})
    for name in sorted(set(properties) - walked.used):
        yield source.lint(
            "unused-input",
            source.input_place(name),
            f"no template uses `{name}`",
            remedy="Use it, or take it out of input.schema",
        )
    for name, value in source.prompt.behaviour.defaults.items():
        schema = {"$defs": walked.root.get("$defs", {}), "allOf": [properties.get(name, True)]}
        for problem in problems_of(value, schema, most=1):
            place = ".".join(part for part in (name, problem.place) if part)
            yield source.lint(
                "wrong-default",
                source.key("input", "default", name),
                f"the default of `{place}` {problem.problem}",
                remedy="Correct the default, or the type in input.schema",
            )


def _images(source: Source, walked: Walk) -> Iterator[Lint]:
    """Use the variables of images, and tell of those that are not declared."""
    images = [
        part for turn in source.prompt.turns for part in turn.parts if isinstance(part, Image)
    ]
    for image in images:
        name = image.variable.partition(".")[0]
        known = name in walked.root.get("properties", {})
        if not known and not walked.root.get("additionalProperties"):
            yield _lint(source, Found("name", (name,), source.body_place(image.line)))
        walked.used.add(name)


def _lint(source: Source, found: Found) -> Lint:
    name = found.names[0]
    if found.what == "name":
        return source.lint(
            "undeclared-name",
            found.place,
            f"`{name}` is not declared",
            remedy="Declare it in input.schema, or correct its name",
        )
    if found.what == "field":
        return source.lint(
            "undeclared-name",
            found.place,
            f"the schema has no field `{name}` here",
            remedy="Declare it in input.schema, or correct its name",
        )
    names = " and ".join(f"`{name}`" for name in found.names)
    return source.lint(
        "unfenced",
        found.place,
        f"text of the untrusted {names} is printed as it is",
        remedy="Make `fence` the last filter: {{ " + name + " | fence }}",
    )
