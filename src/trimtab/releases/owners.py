"""Owners of prompts, as the lines of a CODEOWNERS file."""

from collections.abc import Iterator

from trimtab.prompts.library import Library

__all__ = ["BEGIN", "END", "owner_lines", "with_owners"]

BEGIN = "# trimtab: owners of prompts (written by `trimtab release owners --write`)"
END = "# trimtab: end"


def owner_lines(library: Library) -> Iterator[str]:
    """Lines of CODEOWNERS, from the owners that prompts name.

    The later line wins there, so the files of a prompt come after those of all.
    """
    everybody = sorted({o for prompt in library.prompts.values() for o in prompt.about.owners})
    if everybody:
        yield f"/releases/ {' '.join(everybody)}"
        yield f"/prompts/_partials/ {' '.join(everybody)}"
    for name, prompt in sorted(library.prompts.items()):
        if prompt.about.owners:
            owners = " ".join(prompt.about.owners)
            yield f"/prompts/{name}.prompt.md {owners}"
            yield f"/prompts/_versions/{name}/ {owners}"


def with_owners(text: str, library: Library) -> str:
    """A CODEOWNERS file with our lines in it, in the place where they were or at the end."""
    block = "\n".join((BEGIN, *owner_lines(library), END))
    before, found, rest = text.partition(BEGIN)
    if not found:
        return f"{text.rstrip()}\n\n{block}\n".lstrip()
    return f"{before}{block}{rest.partition(END)[2]}"
