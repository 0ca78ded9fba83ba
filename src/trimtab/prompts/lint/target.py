"""Rules about the model: known, pinned, and with room for the text."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from trimtab.prompts.language import tags_of
from trimtab.prompts.lint.lints import Lint, ModelFacts
from trimtab.prompts.lint.source import Piece, Source

__all__ = ["check_model", "fixed_tokens", "is_pinned"]

_BYTES_PER_TOKEN: Final = 4
_MUCH: Final = 0.5  # of the window; variables, history and the answer need the rest
_MOST_TOKENS: Final = 10**9  # partials in partials in partials would count for ever

# 2025-04-14, 20250414, 04-17, 09-2025, 001, 0613; Bedrock adds a revision to it.
_PINNED: Final = re.compile(r"[-@](?:\d{2}-\d{2}|\d{3,})(?:-v\d+)?(?::\d+)?\Z")


def check_model(source: Source, models: Mapping[str, ModelFacts]) -> Iterator[Lint]:
    """What is wrong with the model that a prompt names."""
    alias = source.front.model
    facts = models.get(alias)
    if facts is None:
        known = ", ".join(sorted(models)[:5]) or "none"
        yield source.lint(
            "unknown-model",
            source.key("model"),
            f"the project has no model or route {alias[:80]!r}",
            remedy=f"Declare it in trimtab.toml, or name one that is there: {known}",
        )
        return
    if not facts.self_hosted and not is_pinned(facts.ref):
        yield source.lint(
            "floating-model",
            source.key("model"),
            f"{alias[:80]!r} is {facts.ref[:80]}, which its provider may change any day",
            remedy="Give the alias a ref with a date at its end, as in gpt-4.1-2025-04-14",
        )
    yield from _length(source, facts)


def is_pinned(ref: str) -> bool:
    """Whether the name of a model ends with a date or a number of its version."""
    return _PINNED.search(ref) is not None


def fixed_tokens(source: Source) -> int:
    """About how many tokens a prompt has before any variable is put in."""
    sizes: dict[str, int] = {}
    size = sum(_size(piece, source, sizes) for piece in source.pieces)
    size += len(msgspec.json.encode(source.prompt.behaviour.tools)) if source.front.tools else 0
    return -(-size // _BYTES_PER_TOKEN)


def _size(piece: Piece, source: Source, sizes: dict[str, int]) -> int:
    """Bytes of the text outside of braces, with what it includes; loops count once."""
    size = at = 0
    for tag in tags_of(piece.text):
        size += len(piece.text[at : tag.start].encode())
        at = tag.end
        if tag.opening == "{%" and tag.tokens and tag.tokens[0].text == "include":
            name = tag.tokens[1].text[1:-1]
            if name not in sizes:
                sizes[name] = _size(source.partials[name], source, sizes)
            size += sizes[name]
    return min(size + len(piece.text[at:].encode()), _MOST_TOKENS)


def _length(source: Source, facts: ModelFacts) -> Iterator[Lint]:
    if not facts.context_tokens:
        return
    tokens = fixed_tokens(source)
    share = tokens / facts.context_tokens
    if share > _MUCH:
        yield source.lint(
            "too-long" if share > 1 else "long",
            source.body_place(1),
            f"the text without its variables takes about {tokens:,} tokens, {share:.0%} of the "
            f"{facts.context_tokens:,} that the model reads",
            remedy="Shorten it, or choose a model that reads more",
        )
