"""Everything about one version of a prompt."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from trimtab.prompts.front_matter import split_file
from trimtab.prompts.library import Library
from trimtab.prompts.parse import file_of
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.schema import Schema

__all__ = ["Sheet", "Variable", "sheet_of"]


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable.

    Attributes:
        name: its name.
        type: as the schema says it; "any" where it does not.
        required: it must be sent.
        untrusted: nobody vouches for it.
        description: what it is for.
    """

    name: str
    type: str
    required: bool
    untrusted: bool
    description: str

    @property
    def words(self) -> str:
        """Type and what else there is to say, for people."""
        told = [self.type, "" if self.required else "optional"]
        return ", ".join(
            word for word in (*told, "untrusted" * self.untrusted, self.description) if word
        )


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a prompt.

    Attributes:
        id, version, hash: which one.
        description, suite, owners: what does not change behaviour.
        model, config, output, tools: what a model is asked for.
        front_matter: YAML as it is written.
        body: as it is written.
        partials: texts of what it includes, by name.
        variables: what it takes.
    """

    id: str
    version: str
    hash: str
    description: str
    suite: str
    owners: tuple[str, ...]
    model: str
    config: dict[str, Any]
    output: Schema | None
    tools: list[str]
    front_matter: str
    body: str
    partials: dict[str, str]
    variables: list[Variable]


def sheet_of(library: Library, prompt: Prompt) -> Sheet:
    """Everything about a version, with its files as they were."""
    read = library.read
    for record in library.records(prompt.id):
        if record.hash == prompt.version_hash and library.prompts.get(prompt.id) is not prompt:
            read = record.reader()
    behaviour, about = prompt.behaviour, prompt.about
    return Sheet(
        id=prompt.id,
        version=library.label(prompt),
        hash=prompt.version_hash,
        description=about.description,
        suite=about.suite,
        owners=about.owners,
        model=behaviour.model,
        config=behaviour.config,
        output=behaviour.output,
        tools=list(behaviour.tools),
        front_matter=split_file(read(file_of(prompt.id)) or "", prompt.id).front,
        body=behaviour.body,
        partials=dict(behaviour.partials),
        variables=list(_variables(prompt)),
    )


def _variables(prompt: Prompt) -> Iterator[Variable]:
    schema = prompt.behaviour.input or {}
    required = set(schema.get("required", ())) - set(prompt.behaviour.defaults)
    for name, inner in schema.get("properties", {}).items():
        says = cast("Schema", inner) if isinstance(inner, dict) else {}
        kinds: str | list[str] = says.get("type", "enum" if "enum" in says else "any")
        yield Variable(
            name=name,
            type=kinds if isinstance(kinds, str) else " or ".join(kinds),
            required=name in required and "default" not in says,
            untrusted=name in prompt.behaviour.untrusted,
            description=str(says.get("description", "")),
        )
