"""Rules about what is declared beside the text and not used: images and tools."""

from collections.abc import Iterator, Sequence

from trimtab.prompts.body import Image
from trimtab.prompts.library import FOLDER, Library
from trimtab.prompts.lint.lints import RULES, Lint
from trimtab.prompts.lint.source import Source

__all__ = ["check_offers", "check_tools"]


def check_offers(source: Source) -> Iterator[Lint]:
    """Images and tools of a prompt that no model gets to see."""
    behaviour = source.prompt.behaviour
    shown = {
        part.variable.partition(".")[0]
        for turn in source.prompt.turns
        for part in turn.parts
        if isinstance(part, Image)
    }
    for name, schema in (behaviour.input or {}).get("properties", {}).items():
        words = schema.get("description", "") if isinstance(schema, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if str(words).lower().startswith("image") and name not in shown:  # pyright: ignore[reportUnknownArgumentType]
            yield source.lint(
                "unused-image",
                source.input_place(name),
                f"`{name}` is an image, and no <<image {name}>> shows it",
                remedy=f"Write a line <<image {name}>> below <<user>>, or describe it otherwise",
            )
    if behaviour.tools and behaviour.config.get("tool_choice") == "none":
        yield source.lint(
            "unused-tool",
            source.key("config", "tool_choice"),
            "tools are declared, and tool_choice keeps the model from using them",
            remedy="Take out tools or tool_choice",
        )


def check_tools(sources: Sequence[Source], library: Library) -> Iterator[Lint]:
    """Files of tools that no prompt names."""
    named = {tool for source in sources for tool in source.prompt.behaviour.tools}
    for file in sorted((library.folder / "_tools").glob("*.json")):
        if file.stem not in named:
            yield Lint(
                prompt="",
                rule="unused-tool",
                severity=RULES["unused-tool"].severity,
                place=f"{FOLDER}/_tools/{file.name}:1",
                problem="no prompt names this tool",
                remedy=f"Write tools: [{file.stem}] in a prompt, or delete the file",
            )
