"""Owners of prompts, as the lines of a CODEOWNERS file."""

from collections.abc import Iterator

from trimtab.errors import UsageError
from trimtab.prompts.library import Library
from trimtab.prompts.prompt import Prompt

__all__ = ["BEGIN", "END", "owner_lines", "with_owners"]

BEGIN = "# trimtab: owners of prompts (written by `trimtab release owners --write`)"
END = "# trimtab: end"


def owner_lines(library: Library) -> Iterator[str]:
    """Lines of CODEOWNERS, from the owners that prompts name.

    The later line wins there, so the files of a prompt come after those of all.
    """
    everybody = sorted({o for prompt in library.prompts.values() for o in _owners(prompt)})
    if everybody:
        yield f"/releases/ {' '.join(everybody)}"
        yield f"/prompts/_partials/ {' '.join(everybody)}"
    for name, prompt in sorted(library.prompts.items()):
        owners = " ".join(_owners(prompt))
        if owners:
            yield f"/prompts/{name}.prompt.md {owners}"
            yield f"/prompts/_versions/{name}/ {owners}"


def with_owners(text: str, library: Library) -> str:
    """A CODEOWNERS file with our lines in it, in the place where they were or at the end.

    Raises:
        UsageError: nothing says where our lines end.
    """
    block = "\n".join((BEGIN, *owner_lines(library), END))
    before, found, rest = text.partition(BEGIN)
    if not found:
        return f"{text.rstrip()}\n\n{block}\n".lstrip()
    _, ended, after = rest.partition(END)
    if not ended:
        raise UsageError(f"CODEOWNERS has no line {END!r} below {BEGIN!r}. Put it back.")
    return f"{before}{block}{after}"


def _owners(prompt: Prompt) -> list[str]:
    """Its owners; one with blanks in it would be a line or an owner of its own."""
    return " ".join(prompt.about.owners).split()
